"""Some columns of a version's shards, row group by row group: what training and planning read of every row.

Of a shard in an object store only the bytes of these columns are fetched, of several shards at once.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructgen.dataset.reading.row_groups import list_file_groups, open_shard
from instructgen.dataset.reading.row_order import Group
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion, told
from instructgen.dataset.stores.remote import RemoteVersion
from instructgen.dataset.stores.retry import keep_trying
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_AT_ONCE = 8  # shards that are read at a time, where a read waits for a network
_GroupTable = tuple[Group, "pa.Table"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns that a shard must have, columns that it may have, and leaves of nested ones."""

    columns: Sequence[str]
    optional: Sequence[str] = ()
    leaves: Sequence[str] = ()


def read_tables(version: StoredVersion, shards: Sequence[Shard], wanted: Wanted) -> Iterator[_GroupTable]:
    """Yield the row groups of the shards in order, each with its columns.

    Raises InstructgenError for a shard that cannot be read, lacks a column, or has not the rows of the manifest.
    """
    if not isinstance(version, RemoteVersion):
        for place, shard in enumerate(shards):
            with told(f"{version.place}: {shard.path}"):
                file = open_shard(version, shard).file
            for group in list_file_groups(version, shard, place, file):
                with told(f"{version.place}: {shard.path}"):
                    table = _read_group(version, file, group, wanted)
                yield group, table
        return
    pool = ThreadPoolExecutor(_AT_ONCE, "shards")
    waiting: deque[Future[list[_GroupTable]]] = deque()
    try:
        for place, shard in enumerate(shards):
            waiting.append(pool.submit(_read_far, version, shard, place, wanted))
            if len(waiting) > _AT_ONCE:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read_far(version: RemoteVersion, shard: Shard, place: int, wanted: Wanted) -> list[_GroupTable]:
    import pyarrow.parquet as pq

    where = f"{version.place}: {shard.path}"

    def read() -> list[_GroupTable]:
        with version.open_ranges(shard.path) as stored:
            file = pq.ParquetFile(stored, pre_buffer=True)
            groups = list_file_groups(version, shard, place, file)
            return [(group, _read_group(version, file, group, wanted)) for group in groups]

    with told(where):
        return keep_trying(where, read)


def _read_group(version: StoredVersion, file: "pq.ParquetFile", group: Group, wanted: Wanted) -> "pa.Table":
    names: list[str] = file.schema_arrow.names
    for name in wanted.columns:
        if name not in names:
            raise InstructgenError(f"{version.place} has no column '{name}'; there are: {', '.join(names)}")
    columns = [*wanted.columns, *(name for name in wanted.optional if name in names), *wanted.leaves]
    return file.read_row_group(group.number, columns=columns, use_threads=False)
