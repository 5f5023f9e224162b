"""What a planned dataset and its ledgers take on disk, and what goes over the network."""

import math
from collections.abc import Mapping

from msgspec import Struct

from instructgen.config import BuildConfig
from instructgen.jobs.plan_costs import UnitCosts
from instructgen.jobs.plan_loads import ScaledLoad
from instructgen.jobs.plan_run import MeasuredRun

TOKEN_BYTES = 4.0  # English text
FRAME_BYTES = 1_000  # of headers and JSON around each request, and around each answer
PICTURE_BYTES = 150_000  # of one that goes along with a request, as base64: some 0.5 megapixels
ROW_BYTES = 100.0  # of ids and digests
TEXT_SHARE = 0.4  # of an answer's bytes, compressed with those beside it
_MANY_SHARDS = 5_000
_SHARD_BYTES = 256_000_000
_MAX_SHARD_ROWS = 100_000


class StorePlan(Struct, frozen=True):
    """`rows_per_shard` as it is set; `better_rows_per_shard` where that would make very many shards."""

    num_rows: int
    dataset_bytes: int
    num_shards: int
    rows_per_shard: int
    better_rows_per_shard: int | None
    ledger_bytes: int
    sent_bytes: int
    received_bytes: int


def plan_stores(
    config: BuildConfig,
    costs: UnitCosts,
    run: MeasuredRun | None,
    types: Mapping[str, ScaledLoad],
    total: ScaledLoad,
) -> StorePlan:
    """Return what is stored of the units of all types, and sent; rows are kept at the run's share, or all of them."""
    # A run's share is of all its units, those too that were rejected before asking.
    kept = {name: one.units * run.kept_share if run else one.units - one.rejected for name, one in types.items()}
    rows = {name: round(num) for name, num in kept.items()}
    num_rows = sum(rows.values())
    row_bytes = costs.row_bytes if run is None else run.row_bytes
    ledger_bytes = total.requests * costs.ledger_bytes
    tokens = sum(one.completion_tokens for one in types.values())
    if run is not None:
        ledger_bytes = total.units * run.ledger_bytes
    elif tokens:
        row_bytes = ROW_BYTES + TEXT_SHARE * TOKEN_BYTES * tokens / max(num_rows, 1)
        ledger_bytes = total.requests * costs.server_ledger_bytes
    per_shard = config.dataset.rows_per_shard
    num_shards = _count_shards(rows, config.dataset.val_fraction, per_shard)
    better = None
    if num_shards > _MANY_SHARDS:
        better = min(_MAX_SHARD_ROWS, max(per_shard, _round_down(_SHARD_BYTES / max(row_bytes, 1.0))))
    picture_bytes = 0 if config.teacher.see_image == "no" else PICTURE_BYTES
    is_sent = total.prompt_tokens > 0
    return StorePlan(
        num_rows=num_rows,
        dataset_bytes=round(num_rows * row_bytes),
        num_shards=num_shards,
        rows_per_shard=per_shard,
        better_rows_per_shard=better if better != per_shard else None,
        ledger_bytes=round(ledger_bytes),
        sent_bytes=round(
            TOKEN_BYTES * total.prompt_tokens + is_sent * total.requests * (FRAME_BYTES + picture_bytes)
        ),
        received_bytes=round(TOKEN_BYTES * total.completion_tokens + is_sent * total.requests * FRAME_BYTES),
    )


def _count_shards(rows: Mapping[str, int], val_fraction: float, per_shard: int) -> int:
    """Return how many files the rows are cut into: each split and type has its own."""
    splits = (1 - val_fraction, val_fraction)
    return sum(math.ceil(share * num / per_shard) for num in rows.values() for share in splits)


def _round_down(value: float) -> int:
    """Return the number with one digit that is not 0."""
    step: int = 10 ** math.floor(math.log10(max(value, 1)))
    return math.floor(value / step) * step
