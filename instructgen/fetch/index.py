"""Writes what people read: index.parquet and report.json."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from instructgen.disk import replace_text, sync
from instructgen.fetch.folder import INDEX_NAME, REPORT_NAME, FetchFolder

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 10_000
_TEXT = (
    "key",
    "url",
    "path",
    "sha256",
    "fetched_sha256",
    "caption",
    "status",
    "reason",
    "detail",
    "etag",
    "fetched_at",
)
_NUMBERS = {"width_px": "int32", "height_px": "int32", "num_bytes": "int64", "http_status": "int16"}


class Report(Struct, frozen=True):
    """What a folder holds. `rows` are those that the table has; the others count pictures of the whole folder."""

    rows: int
    asked: int
    there: int
    gone: int
    failed: int
    rejected: int
    num_bytes: int
    reasons: dict[str, int]
    seconds: float

    @property
    def num_missing(self) -> int:
        return self.gone + self.failed + self.rejected


def make_report(folder: FetchFolder, num_rows: int, num_asked: int, seconds: float) -> Report:
    counts = folder.store.counts()
    totals = {"there": 0, "gone": 0, "failed": 0, "rejected": 0}
    for (status, _), (count, _) in counts.items():
        totals[status] += count
    reasons = {reason: count for (_, reason), (count, _) in counts.items() if reason}
    return Report(
        rows=num_rows,
        asked=num_asked,
        **totals,
        num_bytes=sum(num_bytes for (status, _), (_, num_bytes) in counts.items() if status == "there"),
        reasons=dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        seconds=round(seconds, 1),
    )


def write_report(folder: Path, report: Report) -> None:
    """Write the report so that a reader sees the old one or this one."""
    facts: dict[str, Any] = msgspec.to_builtins(report)
    replace_text(folder / REPORT_NAME, msgspec.json.format(msgspec.json.encode(facts)).decode() + "\n")


def write_index(folder: FetchFolder) -> int:
    """Write index.parquet in groups of 10,000 rows, in the order of the table; return how many rows it has.

    It appears by one rename.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _make_schema()
    new = folder.path / f".{INDEX_NAME}.new"
    num_rows = 0
    columns: dict[str, list[object]] = {name: [] for name in schema.names}
    with pq.ParquetWriter(new, schema, compression="zstd", compression_level=3) as writer:
        for result in folder.store.results():
            for name, column in columns.items():
                column.append(getattr(result, name))
            num_rows += 1
            if num_rows % _GROUP_ROWS == 0:
                writer.write_table(pa.table(columns, schema=schema))
                for column in columns.values():
                    column.clear()
        writer.write_table(pa.table(columns, schema=schema))
    sync(new)
    new.replace(folder.path / INDEX_NAME)
    return num_rows


def _make_schema() -> "pa.Schema":
    import pyarrow as pa

    order = (
        *("key", "url", "path", "width_px", "height_px", "sha256", "fetched_sha256", "num_bytes", "caption"),
        *("status", "reason", "detail", "http_status", "etag", "fetched_at"),
    )
    assert set(order) == {*_TEXT, *_NUMBERS}
    return pa.schema([pa.field(name, _NUMBERS.get(name, "string")) for name in order])
