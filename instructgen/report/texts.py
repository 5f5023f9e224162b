"""Reads the texts of a version's rows, shard by shard; pictures are left where they are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.dataset.stored import LocalVersion, told
from instructgen.records import Message
from instructgen.review.order import DOUBT_SCORES, find_doubt

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = ("sample_id", "image_id", "sample_type", "messages", "scores")
_BATCH_ROWS = 2_000
_BUFFER_BYTES = 1 << 20


class TextRow(Struct, frozen=True):
    """A row by its place: the number of its shard in the manifest, and of the row in it, from 0."""

    sample_id: str
    image_id: str
    sample_type: str
    turns: tuple[Message, ...]
    doubt: float
    shard: int
    row: int

    @property
    def answers(self) -> list[str]:
        return [turn.content for turn in self.turns if turn.role == "assistant"]


def read_texts(version: LocalVersion) -> Iterator[TextRow]:
    """Yield all rows in the order of the shards. Raises InstructgenError for a shard that cannot be read."""
    import pyarrow.parquet as pq

    for number, shard in enumerate(version.manifest.shards):
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as opened:
            file = pq.ParquetFile(opened, pre_buffer=False, buffer_size=_BUFFER_BYTES)
            columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
            first = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                yield from _read_batch(batch, number, first)
                first += batch.num_rows


def _read_batch(batch: "pa.RecordBatch", shard: int, first: int) -> Iterator[TextRow]:
    ids = zip(*(batch.column(name).to_pylist() for name in _COLUMNS[:3]), strict=True)
    # A list of structs row by row takes pyarrow several times as long as its flat columns.
    messages = batch.column("messages")
    ends = messages.value_lengths().to_pylist()
    flat = messages.flatten()
    turns = zip(flat.field("role").to_pylist(), flat.field("content").to_pylist(), strict=True)
    doubts = _read_doubts(batch)
    for row, (sample_id, image_id, sample_type) in enumerate(ids):
        given = (next(turns) for _ in range(ends[row] or 0))  # what another program wrote may have no role or text
        of_row = tuple(Message(role or "user", content or "") for role, content in given)
        yield TextRow(sample_id, image_id, sample_type, of_row, doubts[row], shard, first + row)


def _read_doubts(batch: "pa.RecordBatch") -> list[float]:
    if "scores" not in batch.schema.names:
        return [0.0] * batch.num_rows
    scores = batch.column("scores")
    names = [field.name for field in scores.type if field.name in DOUBT_SCORES]
    columns = [scores.field(name).to_pylist() for name in names]
    return [find_doubt(dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)] or (
        [0.0] * batch.num_rows
    )
