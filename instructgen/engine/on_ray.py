"""Parts of a build on a Ray cluster: each actor builds one at a time, another holds the book of what they may spend.

Ray schedules and starts again; it keeps nothing. What was answered is in each part's ledger, what was lent in the
book's file, and a part is published or not. So it makes no difference which of the actors die.
"""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.engine.leases import LEASES_NAME, LeaseBook, Rates, to_nano
from instructgen.engine.schedule import Schedule
from instructgen.engine.work import PartReport, PartWork
from instructgen.errors import InstructgenError
from instructgen.generate.meter import RateSlice
from instructgen.records import Cost

_WAIT_S = 1.0
_OBJECT_STORE_BYTES = 100_000_000  # nothing is kept there but the settings
# Ray's own types; it is an extra, and not there where the types are checked.
ActorHandle = Any
ObjectRef = Any


def load_ray() -> Any:
    """Return the package; InstructgenError where it is not installed."""
    try:
        return import_module("ray")
    except ImportError:
        raise InstructgenError("--engine ray needs Ray: pip install 'instructgen[ray]'") from None


class RayOptions(Struct, frozen=True):
    """`address` None starts Ray on this machine; `num_workers` None takes one for each processor of the cluster."""

    address: str | None = None
    num_workers: int | None = None


class BookTerms(Struct, frozen=True):
    """What the coordinator opens its book with."""

    path: str
    num_parts: int
    budget_usd: float | None
    budget_tokens: int | None
    rates: dict[str, Rates]


class Coordinator:
    """The actor that lends. Started again after a death, it goes on with what its file says."""

    def __init__(self, terms: bytes) -> None:
        told = msgspec.json.decode(terms, type=BookTerms)
        limits = to_nano(told.budget_usd), told.budget_tokens
        self._book = LeaseBook(Path(told.path), told.num_parts, *limits, told.rates)
        self._book.open()

    def lend_budget(self, part: int, nano_usd: int, tokens: int) -> tuple[int, int]:
        ceiling = self._book.lend_budget(part, Cost(nano_usd, tokens))
        return ceiling.nano_usd, ceiling.tokens

    def lend_rate(self, server: str, tokens: int) -> tuple[int | None, int | None, float]:
        found = self._book.lend_rate(server, tokens)
        return found.num_requests, found.tokens, found.wait_s

    def settle(self, part: int, nano_usd: int, tokens: int) -> tuple[int, int]:
        self._book.settle(part, Cost(nano_usd, tokens))
        return self._book.lent.nano_usd, self._book.lent.tokens


class RayLender:
    """The coordinator as a part's build sees it."""

    def __init__(self, coordinator: ActorHandle, part: int) -> None:
        self._coordinator = coordinator
        self._part = part

    def lend_budget(self, wanted: Cost) -> Cost:
        found = load_ray().get(self._coordinator.lend_budget.remote(self._part, wanted.nano_usd, wanted.tokens))
        return Cost(*found)

    def lend_rate(self, server: str, tokens: int) -> RateSlice:
        return RateSlice(*load_ray().get(self._coordinator.lend_rate.remote(server, tokens)))


class PartBuilder:
    """The actor that builds parts, with a scheduler and a connection to the teacher of its own."""

    def build(self, work: bytes, index: int, coordinator: ActorHandle) -> bytes:
        told = msgspec.json.decode(work, type=PartWork)
        build_part = import_module("instructgen.engine.partitions").build_part  # the actor that lends does without
        return msgspec.json.encode(build_part(told, index, RayLender(coordinator, index)))


class RayWorkers:
    """The actors, for the schedule."""

    def __init__(self, work: PartWork, terms: BookTerms) -> None:
        ray = load_ray()
        affinity = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        self._work = msgspec.json.encode(work)
        here = affinity(ray.get_runtime_context().get_node_id(), soft=True)
        coordinator = ray.remote(Coordinator).options(
            num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here
        )
        self.coordinator: ActorHandle = coordinator.remote(msgspec.json.encode(terms))
        self._running: dict[ObjectRef, tuple[ActorHandle, int]] = {}

    def hire(self) -> ActorHandle:
        return load_ray().remote(PartBuilder).options(num_cpus=1).remote()

    def begin(self, worker: ActorHandle, index: int) -> None:
        self._running[worker.build.remote(self._work, index, self.coordinator)] = worker, index

    def wait(self) -> list[tuple[ActorHandle, int, PartReport | None]]:
        ray = load_ray()
        done, _ = ray.wait(list(self._running), num_returns=1, timeout=_WAIT_S)
        ended: list[tuple[ActorHandle, int, PartReport | None]] = []
        for ref in done:
            worker, index = self._running.pop(ref)
            try:
                report = msgspec.json.decode(ray.get(ref), type=PartReport)
            except (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError):
                ended.append((worker, index, None))
            else:
                ended.append((worker, index, report))
        return ended

    def settle(self, index: int, spent: Cost) -> Cost:
        return Cost(*load_ray().get(self.coordinator.settle.remote(index, spent.nano_usd, spent.tokens)))


def _start(ray: Any, address: str | None) -> None:
    """Connect to the cluster, or start one on this machine, which tells nobody of it."""
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        log_to_driver=False, logging_level="ERROR", include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES
    )


def run_on_ray(
    work: PartWork,
    rates: dict[str, Rates],
    budget: tuple[float | None, int | None],
    options: RayOptions,
    say: Callable[[str], None],
    watch: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[PartReport]:
    """Build all parts; raises as `Schedule.run` does, and InstructgenError where there is no Ray."""
    ray = load_ray()
    begun = not ray.is_initialized()
    if begun:
        try:
            _start(ray, options.address)
        except Exception as error:  # noqa: BLE001  Ray raises no class of its own where a node is not up in time
            where = options.address or "this machine"
            cure = "see --address, and set RAY_AUTH_MODE=token where the cluster asks for its token"
            raise InstructgenError(f"--engine ray: no Ray cluster at {where}: {error}; {cure}") from None
    try:
        terms = BookTerms(str(Path(work.out) / "run" / LEASES_NAME), work.num_parts, *budget, rates)
        num_workers = options.num_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        workers = RayWorkers(work, terms)
        return Schedule(workers, work.num_parts, min(num_workers, work.num_parts), say, watch).run()
    finally:
        if begun:
            ray.shutdown()
