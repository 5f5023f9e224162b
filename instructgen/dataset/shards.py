"""Writes rows to Parquet shards: one series for each (split, sample type), cut into slices of its images.

A shard is shared by all versions that have it, so the cuts keep to the images: a series is cut before images whose
ids hash to a multiple, and where a shard of the version before ended. Rows that come, go or change touch the shards
they lie in, and no others; rows that come at the end touch none. A version's name does not depend on the cuts.
"""

import hashlib
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.dataset.batches import make_batches
from instructgen.dataset.columns import Row, hash_picture, hash_row
from instructgen.dataset.sums import hash_stream

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Rows of a row group (docs/decisions/0001-spine.md): a random read of a picture decodes one group.
_GROUP_ROWS_WITH_PICTURES = 100
_GROUP_ROWS_TEXT = 10_000
_GROUP_BYTES_TEXT = 8_000_000  # so that long answers do not fill the memory
_BATCH_ROWS = 200  # rows that wait as Python objects, which take several times the room of Arrow's
_SMALL_BYTES = 4096
_WAITING_BLOCKS = 32
_FEW_ROWS = 100  # shards this small are cut by number alone
_SHORT = 40  # one end of an earlier shard makes a cut from rows_per_shard / 40 rows on, else appends leave crumbs
MIXED = "mixed"
"""What a shard of rows of several types has for a sample type."""


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
class _PictureHash:
    """The digest of a picture, remembered for the next rows of the same image: they have the same bytes object."""

    _picture: bytes | None = None
    _digest: str = ""

    def __call__(self, picture: bytes | None) -> str:
        if picture is None or picture is not self._picture:
            self._picture, self._digest = picture, hash_picture(picture)
        return self._digest


class _HashingFile:
    """A new file for Arrow to write in; a thread takes the digest of its bytes meanwhile.

    At most `_WAITING_BLOCKS` blocks, each of a page, wait for the thread.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, "sha256")
        self._waiting: deque[Future[None]] = deque()
        self.closed = False

    def write(self, block: "bytes | pa.Buffer") -> int:
        data = memoryview(block)
        if len(data) < _SMALL_BYTES and not self._waiting:
            self._digest.update(data)
        else:
            self._waiting.append(self._thread.submit(self._digest.update, data))
        self._file.write(data)
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > _WAITING_BLOCKS):
            self._waiting.popleft().result()
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
        self.closed = True

    def sha256(self) -> str:
        """Return the digest (hex) of all that was written."""
        self._thread.shutdown()
        return self._digest.hexdigest()


@dataclass(slots=True)
class _Open:
    """A shard being written."""

    path: Path
    file: _HashingFile
    writer: "pq.ParquetWriter"
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    num_rows: int = 0
    last_image: str = ""
    pending: list[Row] = field(default_factory=list)
    batches: "list[pa.RecordBatch]" = field(default_factory=list)
    num_batched: int = 0
    num_bytes: int = 0  # of the batches


@dataclass(slots=True)
class ShardWriter:
    """Takes rows in their final order; `finish` names the files `<split>-00000-of-000NN.parquet` under data/.

    `earlier` are the content digests of shards that exist, whose ends make cuts; `is_mixed` puts rows of all types
    into one series, in the order in which they come.
    """

    folder: Path
    schema: "pa.Schema"
    rows_per_shard: int
    embeds_images: bool
    earlier: frozenset[str] = frozenset()
    is_mixed: bool = False
    _series: dict[tuple[str, str], "hashlib._Hash"] = field(default_factory=dict)
    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _finished: dict[tuple[str, str], list[tuple[Path, int, str, str]]] = field(default_factory=dict)
    _hash_picture: _PictureHash = field(default_factory=_PictureHash)

    def write(self, split: str, row: Row) -> None:
        key = (split, MIXED if self.is_mixed else row["sample_type"])
        if key in self._open and self._ends_before(self._open[key], row["image_id"]):
            self._close(key)
        shard = self._open.get(key) or self._start(key)
        shard.pending.append(row)
        digest = hash_row(row, self._hash_picture)
        shard.digest.update(digest)
        self._series[key].update(digest)
        shard.num_rows += 1
        shard.last_image = row["image_id"]
        group_rows = _GROUP_ROWS_WITH_PICTURES if self.embeds_images else _GROUP_ROWS_TEXT
        if len(shard.pending) == min(_BATCH_ROWS, group_rows):
            self._batch(shard)
            is_large = shard.num_bytes >= _GROUP_BYTES_TEXT and not self.embeds_images
            if shard.num_batched == group_rows or is_large:
                self._flush(shard)

    @property
    def contents(self) -> dict[str, str]:
        """Return a digest of the rows of each "<split>/<type>", which no cut can change."""
        return {f"{split}/{name}": digest.hexdigest() for (split, name), digest in sorted(self._series.items())}

    def _ends_before(self, shard: _Open, image_id: str) -> bool:
        """Return whether the shard is complete when a row of this image comes."""
        if shard.num_rows >= self.rows_per_shard:
            return True
        if image_id == shard.last_image:
            return False
        is_long = shard.num_rows >= max(1, self.rows_per_shard // _SHORT)
        if self.earlier and is_long and shard.digest.hexdigest() in self.earlier:
            return True
        is_slice = self.rows_per_shard >= _FEW_ROWS and shard.num_rows >= self.rows_per_shard // 4
        return is_slice and zlib.crc32(image_id.encode()) % (self.rows_per_shard // 2) == 0

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
            for number, (sample_type, path, num_rows, sha256, content_sha256) in enumerate(files):
                final = path.with_name(f"{split}-{number:05d}-of-{len(files):05d}.parquet")
                path.rename(final)
                shards.append(
                    Shard(
                        path=f"data/{final.name}",
                        split=split,
                        sample_type=sample_type,
                        num_rows=num_rows,
                        num_bytes=final.stat().st_size,
                        sha256=sha256,
                        content_sha256=content_sha256,
                    )
                )
        return shards

    def _start(self, key: tuple[str, str]) -> _Open:
        import pyarrow.parquet as pq

        split, sample_type = key
        self._series.setdefault(key, hashlib.sha256())
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        number = len(self._finished.setdefault(key, []))
        path = data / f"{split}.{sample_type}.{number:05d}.open"
        # Pictures are compressed already; text gains at most 9% above zstd level 3.
        codecs = {name: "zstd" for name in _leaf_names(self.schema) if not name.endswith(".bytes")}
        file = _HashingFile(path)
        writer = pq.ParquetWriter(
            file,
            self.schema,
            compression={**codecs, "images.list.element.bytes": "none"},
            compression_level=dict.fromkeys(codecs, 3),
            use_dictionary=["sample_type", "source", "teacher", "model", "prompt_sha256"],
            write_statistics=["sample_id", "image_id"],
            use_content_defined_chunking=True,
        )
        self._open[key] = _Open(path, file, writer)
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

    def _close(self, key: tuple[str, str]) -> None:
        import pyarrow as pa

        shard = self._open.pop(key)
        self._flush(shard)
        shard.writer.close()
        shard.file.close()
        pa.default_memory_pool().release_unused()  # not at every group: memory that comes back costs page faults
        self._finished[key].append((shard.path, shard.num_rows, shard.file.sha256(), shard.digest.hexdigest()))


def hash_file(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hash_stream(file)


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
