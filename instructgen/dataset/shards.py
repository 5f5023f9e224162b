"""Writes rows to Parquet shards: one series for each (split, sample type), cut at a number of rows."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.dataset.batches import make_batches
from instructgen.dataset.columns import Row, hash_row

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Rows of a row group (docs/decisions/0001-spine.md): a random read of a picture decodes one group.
_GROUP_ROWS_WITH_PICTURES = 100
_GROUP_ROWS_TEXT = 10_000
_GROUP_BYTES_TEXT = 8_000_000  # so that long answers do not fill the memory
_BATCH_ROWS = 200  # rows that wait as Python objects, which take several times the room of Arrow's
_READ_BYTES = 1 << 20


class Shard(Struct, frozen=True):
    """A finished file. `sha256` is of its bytes; `content_sha256` of its rows, whatever wrote them."""

    path: str
    split: str
    sample_type: str
    num_rows: int
    num_bytes: int
    sha256: str
    content_sha256: str


@dataclass(slots=True)
class _Open:
    """A shard being written."""

    path: Path
    writer: "pq.ParquetWriter"
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    num_rows: int = 0
    pending: list[Row] = field(default_factory=list)
    batches: "list[pa.RecordBatch]" = field(default_factory=list)
    num_batched: int = 0
    num_bytes: int = 0  # of the batches


@dataclass(slots=True)
class ShardWriter:
    """Takes rows in their final order; `finish` names the files `<split>-00000-of-000NN.parquet` under data/."""

    folder: Path
    schema: "pa.Schema"
    rows_per_shard: int
    embeds_images: bool
    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _finished: dict[tuple[str, str], list[tuple[Path, int, str]]] = field(default_factory=dict)

    def write(self, split: str, row: Row) -> None:
        key = (split, row["sample_type"])
        shard = self._open.get(key) or self._start(key)
        shard.pending.append(row)
        shard.digest.update(hash_row(row))
        shard.num_rows += 1
        group_rows = _GROUP_ROWS_WITH_PICTURES if self.embeds_images else _GROUP_ROWS_TEXT
        if shard.num_rows == self.rows_per_shard:
            self._close(key)
        elif len(shard.pending) == min(_BATCH_ROWS, group_rows):
            self._batch(shard)
            is_large = shard.num_bytes >= _GROUP_BYTES_TEXT and not self.embeds_images
            if shard.num_batched == group_rows or is_large:
                self._flush(shard)

    def finish(self) -> list[Shard]:
        """Close what is open and give each file its final name; splits in the order of their names."""
        for key in list(self._open):
            self._close(key)
        shards: list[Shard] = []
        for split in sorted({split for split, _ in self._finished}):
            files = [
                (sample_type, *file)
                for (of_split, sample_type), series in sorted(self._finished.items())
                if of_split == split
                for file in series
            ]
            for number, (sample_type, path, num_rows, content_sha256) in enumerate(files):
                final = path.with_name(f"{split}-{number:05d}-of-{len(files):05d}.parquet")
                path.rename(final)
                shards.append(
                    Shard(
                        path=f"data/{final.name}",
                        split=split,
                        sample_type=sample_type,
                        num_rows=num_rows,
                        num_bytes=final.stat().st_size,
                        sha256=hash_file(final),
                        content_sha256=content_sha256,
                    )
                )
        return shards

    def _start(self, key: tuple[str, str]) -> _Open:
        import pyarrow.parquet as pq

        split, sample_type = key
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        number = len(self._finished.setdefault(key, []))
        path = data / f"{split}.{sample_type}.{number:05d}.open"
        # Pictures are compressed already; text gains at most 9% above zstd level 3.
        codecs = {name: "zstd" for name in _leaf_names(self.schema) if not name.endswith(".bytes")}
        writer = pq.ParquetWriter(
            path,
            self.schema,
            compression={**codecs, "images.list.element.bytes": "none"},
            compression_level=dict.fromkeys(codecs, 3),
            use_dictionary=["sample_type", "source", "teacher", "model", "prompt_sha256"],
            write_statistics=["sample_id", "image_id"],
            use_content_defined_chunking=True,
        )
        self._open[key] = _Open(path, writer)
        return self._open[key]

    def _batch(self, shard: _Open) -> None:
        batches = make_batches(shard.pending, self.schema)
        shard.batches += batches
        shard.num_batched += len(shard.pending)
        shard.num_bytes += sum(batch.nbytes for batch in batches)
        shard.pending.clear()

    def _flush(self, shard: _Open) -> None:
        """Write what waits as one row group."""
        import pyarrow as pa

        if shard.pending:
            self._batch(shard)
        if shard.batches:
            shard.writer.write_table(pa.Table.from_batches(shard.batches))
            shard.batches.clear()
            shard.num_batched = shard.num_bytes = 0
            pa.default_memory_pool().release_unused()

    def _close(self, key: tuple[str, str]) -> None:
        shard = self._open.pop(key)
        self._flush(shard)
        shard.writer.close()
        self._finished[key].append((shard.path, shard.num_rows, shard.digest.hexdigest()))


def hash_file(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _leaf_names(schema: "pa.Schema") -> list[str]:
    """Return Parquet's names of the leaf columns, such as "messages.list.element.role"."""
    import pyarrow as pa

    names: list[str] = []
    pending = [(field.name, field.type) for field in schema]
    while pending:
        name, kind = pending.pop()
        if pa.types.is_list(kind):
            pending.append((f"{name}.list.element", kind.value_type))
        elif pa.types.is_struct(kind):
            pending.extend((f"{name}.{child.name}", child.type) for child in kind)
        else:
            names.append(name)
    return names
