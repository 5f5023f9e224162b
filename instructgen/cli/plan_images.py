"""`instructgen plan --images 100e6`: what the same build would take with so many images, in words."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.cli.sizes import align_columns, show_bytes, show_time
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import BuildConfig
    from instructgen.jobs.forecast import Estimate
    from instructgen.jobs.plan_loads import ScaledLoad
    from instructgen.jobs.plan_scale import ScalePlan, ScaleWishes

_STORAGES = ("auto", "embed", "reference")


def read_images(values: Sequence[str]) -> tuple[str | None, int | None]:
    """Return how rows keep pictures and how many images are asked about; None for what --images was not given."""
    from instructgen.jobs.plan_loads import parse_count

    storages = [value for value in values if value in _STORAGES]
    counts = [parse_count(value) for value in values if value not in _STORAGES]
    if len(storages) > 1 or len(counts) > 1:
        raise InstructgenError(
            f"--images {' --images '.join(values)}: give one number, and one of auto, embed, reference"
        )
    return (storages[0] if storages else None), (counts[0] if counts else None)


def make_wishes(
    num_images: int | None,
    nodes: int | None,
    cores_per_node: int | None,
    tokens_per_second: float | None,
    unit_costs: Path | None,
) -> "ScaleWishes | None":
    """Return what is asked for; None where no number of images is given, which the other flags need."""
    from instructgen.jobs.plan_scale import DEFAULT_CORES, ScaleWishes

    if num_images is None:
        values = {
            "--nodes": nodes,
            "--cores-per-node": cores_per_node,
            "--tokens-per-second": tokens_per_second,
            "--unit-costs": unit_costs,
        }
        for flag in (flag for flag, value in values.items() if value is not None):
            raise InstructgenError(f"{flag} goes with a number of images, as --images 100e6; leave it out")
        return None
    if tokens_per_second is not None and tokens_per_second <= 0:
        raise InstructgenError("--tokens-per-second: wants more than 0")
    return ScaleWishes(num_images, nodes, cores_per_node or DEFAULT_CORES, tokens_per_second)


def plan_images(
    estimate: "Estimate", config: "BuildConfig", out: Path, wishes: "ScaleWishes", unit_costs: Path | None
) -> "ScalePlan":
    from instructgen.jobs.plan_costs import read_unit_costs
    from instructgen.jobs.plan_run import read_measured_run
    from instructgen.jobs.plan_scale import scale_up

    run = read_measured_run(out, config, estimate.model)
    return scale_up(estimate, config, read_unit_costs(unit_costs), run, wishes)


def describe_images(plan: "ScalePlan", estimate: "Estimate", title: str) -> Iterator[str]:
    yield (
        f"What the same build takes with {plan.num_images:,} images, extrapolated from {plan.sample_images:,} of "
        f"{title}; the teacher is {estimate.teacher}, model {estimate.model}. No request is sent."
    )
    yield ""
    yield from _draw_table(plan, is_remote=estimate.is_remote)
    yield ""
    yield _describe_time(plan)
    yield _describe_parts(plan)
    work = plan.work
    yield (
        f"our CPU time: {_show_hours(work.total_hours)}; asking, judging and writing "
        f"{_show_hours(work.building_hours)}, starting {_show_hours(work.starting_hours)}, "
        f"reading over other parts' images {_show_hours(work.reading_over_hours)}, "
        f"merging {_show_hours(work.merging_hours)}"
    )
    memory = plan.memory
    merge = f"; {show_bytes(1e6 * memory.merge_mb)} for the merge" if memory.merge_mb else ""
    each, node = show_bytes(1e6 * memory.process_mb), show_bytes(1e6 * memory.node_mb)
    yield f"memory: {each} each process, {node} a node{merge}"
    yield from _describe_stores(plan)
    if plan.budget_images is not None:
        yield f"budget: it is expected to cover {min(plan.budget_images, plan.num_images):,} of the images"
    yield "measured:"
    yield from (f"  {line}" for line in plan.measured)
    yield "assumed:"
    yield from (f"  {line}" for line in plan.assumed)


def _draw_table(plan: "ScalePlan", *, is_remote: bool) -> list[str]:
    extra = {"refinement": plan.refinement, "judge": plan.judging}
    loads = plan.types | {name: load for name, load in extra.items() if load is not None} | {"total": plan.total}
    head = ["type", "units", "rejected", "requests"]
    rows = [head + (["prompt tokens", "answer tokens", "cost", "at most"] if is_remote else [])]
    rows += [_list_cells(name, load, is_remote=is_remote) for name, load in loads.items()]
    return align_columns(rows)


def _list_cells(name: str, load: "ScaledLoad", *, is_remote: bool) -> list[str]:
    cells = [name, f"{load.units:,}", f"{load.rejected:,}", f"{load.requests:,}"]
    if not is_remote:
        return cells
    costs = ["not known" if cost is None else f"${cost:,.2f}" for cost in (load.cost_usd, load.most_cost_usd)]
    return [*cells, f"{load.prompt_tokens:,}", f"{load.completion_tokens:,}", *costs]


def _describe_time(plan: "ScalePlan") -> str:
    clock = plan.clock
    if clock.hours is None:
        return "time: each batch is answered within a day; how many a server takes at once is its own limit"
    merge = f"; {_show_hours(clock.merge_hours)} of it one process merges" if clock.merge_hours else ""
    others = ", ".join(
        f"{name} {_show_hours(hours)}" for name, hours in clock.bounds.items() if name != clock.bound_by
    )
    return f"time: about {_show_hours(clock.hours)}, bound by {clock.bound_by}{merge}" + (
        f" (the other bounds: {others})" if others else ""
    )


def _describe_parts(plan: "ScalePlan") -> str:
    parts = plan.parts
    own = "" if parts.concurrency is None else f" --concurrency {parts.concurrency}"
    if parts.num_parts == 1:
        return "parts: one process keeps up, so there is nothing to divide"
    last = parts.num_parts - 1
    return (
        f"parts: {parts.num_parts:,}, {parts.num_at_once:,} at a time on {parts.num_nodes:,} "
        f"node{'s' * (parts.num_nodes > 1)} of {parts.cores_per_node} cores: instructgen build ... "
        f"--shard 0/{parts.num_parts} to {last}/{parts.num_parts}{own}, then instructgen merge"
    )


def _describe_stores(plan: "ScalePlan") -> Iterator[str]:
    stores = plan.stores
    better = ""
    if stores.better_rows_per_shard is not None:
        num = stores.num_shards * stores.rows_per_shard / stores.better_rows_per_shard
        better = f"; dataset.rows_per_shard = {stores.better_rows_per_shard} makes about {num:,.0f}"
    yield (
        f"dataset: {stores.num_rows:,} rows, {show_bytes(stores.dataset_bytes)}, in {stores.num_shards:,} shards of "
        f"{stores.rows_per_shard:,} rows{better}"
    )
    yield f"ledgers: {show_bytes(stores.ledger_bytes)}, in the parts; as much again where they are merged"
    if stores.sent_bytes:
        hours = plan.clock.hours
        rates = "" if not hours else f" ({_rate(stores.sent_bytes, hours)} and {_rate(stores.received_bytes, hours)})"
        sent, received = show_bytes(stores.sent_bytes), show_bytes(stores.received_bytes)
        yield f"network: {sent} to the servers, {received} back{rates}"


def _show_hours(hours: float) -> str:
    return show_time(3600 * hours)


def _rate(num_bytes: float, hours: float) -> str:
    return f"{8 * num_bytes / hours / 3600 / 1e6:,.1f} Mbit/s"
