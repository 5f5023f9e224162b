"""Rows in a seeded random order, in bounded memory: dealt into files by their draw, and each file sorted."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.batches import make_batches
from instructgen.dataset.columns import Row
from instructgen.draws import draw_fraction

if TYPE_CHECKING:
    import pyarrow as pa

_BUCKET_BYTES = 64_000_000  # of Parquet that a bucket is to hold; in memory it is a few times that
_WAITING_ROWS = 64
SPLIT_KEY = " split"
"""A column that no dataset has."""


def shuffle_rows(
    rows: Iterable[tuple[str, Row]], schema: "pa.Schema", seed: int, num_bytes: int, folder: Path
) -> Iterator[tuple[str, Row]]:
    """Yield (split, row) in an order that follows from the seed and the sample_ids alone.

    `num_bytes` is about what the rows take as Parquet; `folder` is empty, and left so.
    """
    import pyarrow as pa
    import pyarrow.ipc as ipc

    num_buckets = 1 + num_bytes // _BUCKET_BYTES
    schema = schema.append(pa.field(SPLIT_KEY, pa.string()))
    paths = [folder / f"{number}.arrow" for number in range(num_buckets)]
    files = [ipc.new_file(path, schema) for path in paths]
    waiting: list[list[Row]] = [[] for _ in paths]
    try:
        for split, row in rows:
            number = int(_draw(seed, row) * num_buckets)
            waiting[number].append({**row, SPLIT_KEY: split})
            if len(waiting[number]) == _WAITING_ROWS:
                _write(files[number], waiting[number], schema)
        for file, left in zip(files, waiting, strict=True):
            _write(file, left, schema)
    finally:
        for file in files:
            file.close()
    for path in paths:
        yield from _sort_bucket(path, seed)
        path.unlink()


def _sort_bucket(path: Path, seed: int) -> Iterator[tuple[str, Row]]:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    with pa.memory_map(str(path)) as source:
        table = ipc.open_file(source).read_all()
        ids = table.column("sample_id").to_pylist()
        order = sorted(range(len(ids)), key=lambda i: (draw_fraction(seed, "shuffle", ids[i]), ids[i]))
        for start in range(0, len(order), _WAITING_ROWS):
            for row in table.take(order[start : start + _WAITING_ROWS]).to_pylist():
                yield row.pop(SPLIT_KEY), row
        del table


def _write(file: "pa.ipc.RecordBatchFileWriter", rows: list[Row], schema: "pa.Schema") -> None:
    for batch in make_batches(rows, schema):
        file.write_batch(batch)
    rows.clear()


def _draw(seed: int, row: Row) -> float:
    return draw_fraction(seed, "shuffle", row["sample_id"])
