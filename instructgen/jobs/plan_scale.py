"""What the same build takes with many more images: extrapolated from a sample's plan and from our unit costs."""

import math

from msgspec import Struct

from instructgen.config import BuildConfig
from instructgen.errors import InstructgenError
from instructgen.filters import make_corpus_filters
from instructgen.jobs.forecast import Estimate, add_limits
from instructgen.jobs.plan_costs import UnitCosts
from instructgen.jobs.plan_loads import ScaledLoad, add_loads, scale_extra, scale_type
from instructgen.jobs.plan_notes import list_assumed, list_measured
from instructgen.jobs.plan_run import MeasuredRun
from instructgen.jobs.plan_stores import StorePlan, plan_stores

_HOUR_S = 3600.0
_READ_S = 0.00003  # an image's annotations, where another part's are read over (COCO, docs/scale.md)
_PARTS_EACH = 8  # for each process, so that none waits long for the last part
_MAX_READ_SHARE = 0.05  # of our CPU time, for reading over other parts' annotations
_MAX_UNITS_ALONE = 1_000_000  # of a build that is not worth dividing where one process keeps up
_MAX_UNITS_IN_PART = 5_000_000
_DIVERSITY_MB = 512e-6  # of each sample (docs/scale.md)
_BUSY = 0.5  # share of a core that a process may need to keep up with the servers
DEFAULT_CORES = 16


class ScaleWishes(Struct, frozen=True):
    """What is asked for. `nodes` None: as many processes as keep up with the servers.

    `tokens_per_second` are answer tokens of each server, with as many requests in flight as it takes.
    """

    num_images: int
    nodes: int | None = None
    cores_per_node: int = DEFAULT_CORES
    tokens_per_second: float | None = None


class ClockPlan(Struct, frozen=True):
    """`hours` of all of it, None for the batch API; `bounds` are the hours by what may bound the asking."""

    hours: float | None
    bound_by: str
    bounds: dict[str, float]
    merge_hours: float


class PartsPlan(Struct, frozen=True):
    """`concurrency` is each part's own, of each server; None where no server is asked."""

    num_parts: int
    num_at_once: int
    num_nodes: int
    cores_per_node: int
    concurrency: int | None


class WorkPlan(Struct, frozen=True):
    """CPU hours of our own processes; `building_hours` are asking, judging and writing."""

    building_hours: float
    starting_hours: float
    reading_over_hours: float
    merging_hours: float
    total_hours: float


class MemoryPlan(Struct, frozen=True):
    process_mb: float
    node_mb: float
    merge_mb: float


class ScalePlan(Struct, frozen=True):
    """The whole. `total` is of all types, with what refinement and a judge are expected to add."""

    num_images: int
    sample_images: int
    types: dict[str, ScaledLoad]
    refinement: ScaledLoad | None
    judging: ScaledLoad | None
    total: ScaledLoad
    clock: ClockPlan
    parts: PartsPlan
    work: WorkPlan
    memory: MemoryPlan
    stores: StorePlan
    budget_images: int | None
    """That the budgets are expected to cover; None without one, or where no price is known."""
    measured: tuple[str, ...]
    assumed: tuple[str, ...]


def scale_up(
    estimate: Estimate, config: BuildConfig, costs: UnitCosts, run: MeasuredRun | None, wishes: ScaleWishes
) -> ScalePlan:
    """Return the plan for so many images. `estimate` is of the sample, as if nothing were answered yet.

    Raises InstructgenError for a sample without an image.
    """
    if not estimate.num_images:
        raise InstructgenError("the source has no image, so there is nothing to extrapolate from")
    return _Scaler(estimate, config, costs, run, wishes).plan()


class _Scaler(Struct, frozen=True):
    estimate: Estimate
    config: BuildConfig
    costs: UnitCosts
    run: MeasuredRun | None
    wishes: ScaleWishes

    def plan(self) -> ScalePlan:
        estimate, num_images = self.estimate, self.wishes.num_images
        times = num_images / estimate.num_images
        types = {name: scale_type(one, times) for name, one in estimate.types.items()}
        refinement, judging = scale_extra(estimate.refinement, times), scale_extra(estimate.judging, times)
        total = add_loads([scale_type(estimate.total, times), refinement, judging])
        num_extra = total.requests - sum(one.requests for one in types.values())
        building_s, bounds = self._find_building_s(total, num_extra), self._bound_servers(total)
        at_once = self._count_processes(building_s, bounds)
        num_parts = self._count_parts(total.units, building_s, at_once)
        work = self._plan_work(building_s, num_parts, total.units)
        bounds = self._bound_ourselves(bounds, work, at_once, total)
        bound_by = max(bounds, key=bounds.__getitem__)
        hours = None if estimate.is_batch else bounds[bound_by] + work.merging_hours
        return ScalePlan(
            num_images=num_images,
            sample_images=estimate.num_images,
            types=types,
            refinement=refinement,
            judging=judging,
            total=total,
            clock=ClockPlan(hours, "the batch API" if estimate.is_batch else bound_by, bounds, work.merging_hours),
            parts=self._plan_parts(num_parts, at_once),
            work=work,
            memory=self._plan_memory(total.units, num_parts, at_once),
            stores=plan_stores(self.config, self.costs, self.run, types, total),
            budget_images=self._cover(total),
            measured=tuple(list_measured(estimate, self.run)),
            assumed=tuple(list_assumed(estimate, self.config, self.costs, self.run)),
        )

    def _find_building_s(self, total: ScaledLoad, num_extra: int) -> float:
        """Return the CPU seconds of asking, judging and writing, as the run took them or by the figures."""
        if self.run is not None and self.run.cpu_s is not None:
            return total.units * self.run.cpu_s / self.run.num_units
        if self.estimate.is_remote:
            unit_s = self.costs.server_s
        else:
            unit_s = self.costs.program_s if self.estimate.teacher == "scene-program" else self.costs.free_s
        return total.units * unit_s + num_extra * self.costs.ask_s

    def _bound_servers(self, total: ScaledLoad) -> dict[str, float]:
        """Return the hours that the servers take, by each of their limits; requests in flight are left for later."""
        servers = self.estimate.servers
        bounds: dict[str, float] = {}
        if not self.estimate.is_remote or self.estimate.is_batch:
            return bounds
        requests = add_limits([server.requests_per_minute for server in servers])
        tokens = add_limits([server.tokens_per_minute for server in servers])
        if requests is not None:
            bounds[f"{requests:,.10g} requests a minute"] = total.requests / requests / 60
        if tokens is not None:
            bounds[f"{tokens:,.10g} tokens a minute"] = (total.prompt_tokens + total.completion_tokens) / tokens / 60
        if self.wishes.tokens_per_second is not None:
            rate = self.wishes.tokens_per_second * len(servers)
            bounds[f"{rate:,.10g} answer tokens a second"] = total.completion_tokens / rate / _HOUR_S
        if self.wishes.nodes is None:
            bounds |= self._bound_in_flight(total, 1)
        return bounds

    def _bound_in_flight(self, total: ScaledLoad, times: int) -> dict[str, float]:
        assert self.estimate.time is not None
        num = times * sum(server.concurrency for server in self.estimate.servers)
        return {f"{num:,} requests in flight": total.requests * self.estimate.time.latency_s / num / _HOUR_S}

    def _count_processes(self, building_s: float, bounds: dict[str, float]) -> int:
        if self.wishes.nodes is not None:
            return self.wishes.nodes * self.wishes.cores_per_node
        if not self.estimate.is_remote:
            return self.wishes.cores_per_node
        servers_s = max(bounds.values(), default=0.0) * _HOUR_S
        return max(1, math.ceil(building_s / (_BUSY * servers_s))) if servers_s else 1

    def _count_parts(self, num_units: int, building_s: float, at_once: int) -> int:
        if at_once == 1 and num_units <= _MAX_UNITS_ALONE:
            return 1
        most = math.inf
        if self._read_s:
            most = 1 + 2 * _MAX_READ_SHARE * building_s / (self.wishes.num_images * self._read_s)
        wanted = min(_PARTS_EACH * at_once, most)
        return min(max(round(wanted), at_once, math.ceil(num_units / _MAX_UNITS_IN_PART)), self.wishes.num_images)

    @property
    def _read_s(self) -> float:
        """Rendered scenes of other parts are not drawn."""
        return 0.0 if self.config.source.name.endswith("scenes") else _READ_S

    def _plan_work(self, building_s: float, num_parts: int, num_units: int) -> WorkPlan:
        building = building_s / _HOUR_S
        starting = num_parts * self.costs.start_s / _HOUR_S
        reading = (num_parts - 1) / 2 * self.wishes.num_images * self._read_s / _HOUR_S
        merging = self.costs.merge.at(num_units) / _HOUR_S if num_parts > 1 else 0.0
        return WorkPlan(building, starting, reading, merging, building + starting + reading + merging)

    def _bound_ourselves(
        self, bounds: dict[str, float], work: WorkPlan, at_once: int, total: ScaledLoad
    ) -> dict[str, float]:
        bounds = dict(bounds)
        if self.wishes.nodes is not None and self.estimate.is_remote and not self.estimate.is_batch:
            bounds |= self._bound_in_flight(total, at_once)
        bounds[f"{at_once:,} process{'es' * (at_once > 1)} of ours"] = (
            work.total_hours - work.merging_hours
        ) / at_once
        return bounds

    def _plan_parts(self, num_parts: int, at_once: int) -> PartsPlan:
        concurrency = None
        if self.estimate.is_remote:
            most = max(server.concurrency for server in self.estimate.servers)
            concurrency = most if self.wishes.nodes is not None else math.ceil(most / at_once)
        nodes = self.wishes.nodes or math.ceil(at_once / self.wishes.cores_per_node)
        return PartsPlan(num_parts, at_once, nodes, self.wishes.cores_per_node, concurrency)

    def _plan_memory(self, num_units: int, num_parts: int, at_once: int) -> MemoryPlan:
        """Nothing grows with the units but what `diversity` keeps of each, where all of them come together."""
        kept_mb = num_units * _DIVERSITY_MB if "diversity" in make_corpus_filters(self.config.filters) else 0.0
        process_mb = self.costs.process_mb + (kept_mb if num_parts == 1 else 0.0)
        merge_mb = self.costs.merge_mb + kept_mb if num_parts > 1 else 0.0
        return MemoryPlan(process_mb, process_mb * min(at_once, self.wishes.cores_per_node), merge_mb)

    def _cover(self, total: ScaledLoad) -> int | None:
        """Return how many images the tighter of the budgets is expected to cover."""
        run, num_images = self.config.run, self.wishes.num_images
        covered: list[int] = []
        if run.budget_usd is not None and total.cost_usd:
            covered.append(math.floor(num_images * run.budget_usd / total.cost_usd))
        tokens = total.prompt_tokens + total.completion_tokens
        if run.budget_tokens is not None and tokens:
            covered.append(math.floor(num_images * run.budget_tokens / tokens))
        return min(covered, default=None)
