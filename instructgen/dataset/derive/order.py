"""Rows in a seeded random order, in bounded memory: dealt into files by their draw, and each file sorted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.batches import make_batches
from instructgen.dataset.columns import Row
from instructgen.draws import draw_fraction

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.ipc as ipc

_BUCKET_BYTES = 64_000_000  # of a file; sorting one takes twice that
_MOST_BUCKETS = 200  # all are open at once, and macOS gives a process 256 files
_WAITING_BYTES = 64_000_000  # of rows in memory that are not in a file yet, over all buckets
_ROW_BYTES, _MESSAGE_BYTES = 2_000, 300  # of Python's objects, beside the texts and pictures themselves
_SORTED_ROWS = 64  # taken out of a sorted bucket at once
SPLIT_KEY = " split"
"""A column that no dataset has."""


def shuffle_rows(
    rows: Iterable[tuple[str, Row]], schema: "pa.Schema", seed: int, num_bytes: int, folder: Path
) -> Iterator[tuple[str, Row]]:
    """Yield (split, row) in an order that follows from the seed and the sample_ids alone.

    `num_bytes` is about what the rows take in Arrow, and need not be right: a bucket that turns out too large is
    dealt once more. `folder` is empty, and left so.
    """
    import pyarrow as pa

    schema = schema.append(pa.field(SPLIT_KEY, pa.string()))
    tagged = ({**row, SPLIT_KEY: split} for split, row in rows)
    for bucket in _deal(tagged, schema, seed, _make_buckets(num_bytes, 0.0, 1.0, folder / "bucket")):
        inner: Sequence[_Bucket] = [bucket]
        num_bytes = bucket.path.stat().st_size
        if num_bytes > 2 * _BUCKET_BYTES:
            buckets = _make_buckets(num_bytes, bucket.low, bucket.width, bucket.path.with_suffix(""))
            inner = _deal(_read_bucket(bucket.path), schema, seed, buckets)
            bucket.path.unlink()
        for one in inner:
            yield from _sort_bucket(one.path, seed)
            one.path.unlink()


@dataclass(slots=True)
class _Bucket:
    """A file of the rows whose draw is in [low, low + width)."""

    path: Path
    low: float
    width: float
    file: "ipc.RecordBatchFileWriter | None" = None
    waiting: list[Row] = field(default_factory=list)

    def write(self, schema: "pa.Schema") -> None:
        assert self.file is not None
        if self.waiting:
            for batch in make_batches(self.waiting, schema):
                self.file.write_batch(batch)
            self.waiting.clear()


def _make_buckets(num_bytes: int, low: float, width: float, name: Path) -> list[_Bucket]:
    num_buckets = min(_MOST_BUCKETS, 1 + num_bytes // _BUCKET_BYTES)
    width /= num_buckets
    return [
        _Bucket(name.with_name(f"{name.name}-{number:03d}.arrow"), low + number * width, width)
        for number in range(num_buckets)
    ]


def _deal(rows: Iterable[Row], schema: "pa.Schema", seed: int, buckets: Sequence[_Bucket]) -> Sequence[_Bucket]:
    """Write every row into the file of its bucket, and return the buckets."""
    import pyarrow.ipc as ipc

    num_waiting_bytes = 0
    try:
        for bucket in buckets:
            bucket.file = ipc.new_file(bucket.path, schema)
        for row in rows:
            number = int((_draw(seed, row["sample_id"]) - buckets[0].low) / buckets[0].width)
            buckets[max(0, min(number, len(buckets) - 1))].waiting.append(row)  # a rounded edge may be one too far
            num_waiting_bytes += _measure(row)
            if num_waiting_bytes >= _WAITING_BYTES:
                num_waiting_bytes = 0
                for bucket in buckets:
                    bucket.write(schema)
        for bucket in buckets:
            bucket.write(schema)
    finally:
        for bucket in buckets:
            if bucket.file is not None:
                bucket.file.close()
                bucket.file = None
    return buckets


def _measure(row: Row) -> int:
    """Return about how many bytes of memory the row takes."""
    pictures = sum(len(image["bytes"] or b"") for image in row["images"])
    return _ROW_BYTES + pictures + sum(_MESSAGE_BYTES + len(message["content"]) for message in row["messages"])


def _read_bucket(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    with pa.memory_map(str(path)) as source:
        reader = ipc.open_file(source)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            for start in range(0, batch.num_rows, _SORTED_ROWS):
                yield from batch.slice(start, _SORTED_ROWS).to_pylist()


def _sort_bucket(path: Path, seed: int) -> Iterator[tuple[str, Row]]:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    with pa.memory_map(str(path)) as source:
        table = ipc.open_file(source).read_all().combine_chunks()  # else each take puts all chunks together again
    ids = table.column("sample_id").to_pylist()
    order = sorted(range(len(ids)), key=lambda i: (_draw(seed, ids[i]), ids[i]))
    for start in range(0, len(order), _SORTED_ROWS):
        for row in table.take(order[start : start + _SORTED_ROWS]).to_pylist():
            yield row.pop(SPLIT_KEY), row


def _draw(seed: int, sample_id: str) -> float:
    return draw_fraction(seed, "shuffle", sample_id)
