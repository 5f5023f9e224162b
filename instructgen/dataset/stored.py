"""A published version as its readers see it, wherever it lies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol

from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Manifest, read_manifest
from instructgen.errors import InstructgenError

_BATCH_ROWS = 256
_BATCH_ROWS_WITH_PICTURES = 64
_BUFFER_BYTES = 1 << 20  # with pre_buffer off: else a whole shard is held


class StoredVersion(Protocol):
    """One version: what its manifest says, and its files by the paths that the manifest knows them by."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def place(self) -> str:
        """Where it is, for messages: a folder or an address."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open "data/train-00000-of-00003.parquet", "rejected.jsonl" ... to read, from its start.

        Raises FileNotFoundError where the version has no such file.
        """
        ...

    def paths(self) -> Iterator[str]:
        """Yield the paths of all its files, whether the manifest knows them or not."""
        ...


@dataclass(frozen=True)
class LocalVersion:
    """A version in a folder of this machine; `known` is the manifest of one that is not written down yet."""

    folder: Path
    known: Manifest | None = None

    @cached_property
    def manifest(self) -> Manifest:
        return self.known or read_manifest(self.folder)

    @property
    def place(self) -> str:
        return str(self.folder)

    def open(self, path: str) -> BinaryIO:
        return (self.folder / path).open("rb")

    def paths(self) -> Iterator[str]:
        for path in sorted(self.folder.rglob("*")):
            if not path.is_dir():
                yield path.relative_to(self.folder).as_posix()


def read_rows(version: StoredVersion, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows in the order of the shards; `columns` None reads all, pictures included.

    Raises InstructgenError for a shard that cannot be read.
    """
    import pyarrow.parquet as pq

    has_pictures = columns is None or "images" in columns
    batch_rows = _BATCH_ROWS_WITH_PICTURES if has_pictures else _BATCH_ROWS
    for shard in version.manifest.shards:
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
            for batch in pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES).iter_batches(
                batch_size=batch_rows, columns=columns
            ):
                yield from batch.to_pylist()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say of which file an error of reading is."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InstructgenError(f"{what} cannot be read: {error}; build or copy the version again") from None
