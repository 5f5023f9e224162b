"""Reads single rows of a version's shards, with what was read last kept in memory.

Of a row group the text is read as a whole and kept as Arrow buffers. Pictures of a version on this machine, or in
a shard cache, stay in their file and are taken one by one; those of any other are kept with their group.
"""

import mmap
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from instructgen.dataset.columns import Row
from instructgen.dataset.reading.cells import Cell, make_cell, make_offsets
from instructgen.dataset.reading.page_values import find_values
from instructgen.dataset.reading.row_order import Group
from instructgen.dataset.reading.shard_cache import CachedVersion
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import LocalVersion, StoredVersion, told
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

IMAGES = "images"
_BYTES_LEAF = "images.list.element.bytes"
_PATH_LEAF = "images.list.element.path"
_KEPT_SHARDS = 64

Picture = tuple[bytes | memoryview | None, str | None]
"""The stored bytes and the path; bytes are None where the row names its picture by path alone."""
T = TypeVar("T")


@dataclass(slots=True)
class _Latest(Generic[T]):
    """What was used last, at most `size` of it."""

    size: int
    _values: "OrderedDict[Any, T]" = field(default_factory=OrderedDict)

    def get(self, key: Any, make: Callable[[], T]) -> T:
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        if len(self._values) >= self.size:
            self._values.popitem(last=False)
        value = self._values[key] = make()
        return value


@dataclass(frozen=True, slots=True)
class _OpenShard:
    file: "pq.ParquetFile"
    data: memoryview | None
    """The file's bytes where it is on this machine."""


@dataclass(frozen=True, slots=True)
class _ReadGroup:
    cells: dict[str, Cell]
    pictures: Callable[[int], list[Picture]]


@dataclass(slots=True)
class GroupReader:
    """`columns` may name `images`; its pictures come by `read_pictures` alone.

    Safe to fork and to pickle: what is open and kept belongs to one process.
    """

    version: StoredVersion
    shards: Sequence[Shard]
    columns: Sequence[str]
    kept_groups: int
    _process: int = field(init=False, default=0)
    _shards: "_Latest[_OpenShard]" = field(init=False)
    _groups: "_Latest[_ReadGroup]" = field(init=False)

    def __post_init__(self) -> None:
        self._forget()

    def __getstate__(self) -> tuple[StoredVersion, Sequence[Shard], Sequence[str], int]:
        return self.version, self.shards, self.columns, self.kept_groups

    def __setstate__(self, state: tuple[StoredVersion, Sequence[Shard], Sequence[str], int]) -> None:
        self.version, self.shards, self.columns, self.kept_groups = state
        self._forget()

    def read_row(self, group: Group, row: int) -> tuple[Row, list[Picture]]:
        """Return a row's columns but `images`, and its pictures; raises InstructgenError for a damaged shard."""
        if self._process != os.getpid():
            self._forget()
        read = self._groups.get((group.shard, group.number), lambda: self._read_group(group))
        return {name: cell(row) for name, cell in read.cells.items()}, read.pictures(row)

    def _forget(self) -> None:
        self._process = os.getpid()
        self._shards = _Latest(min(self.kept_groups, _KEPT_SHARDS))
        self._groups = _Latest(self.kept_groups)

    def _read_group(self, group: Group) -> _ReadGroup:
        shard = self.shards[group.shard]
        with told(f"{self.version.place}: {shard.path}"):
            opened = self._shards.get(group.shard, lambda: open_shard(self.version, shard))
            has_images = IMAGES in self.columns
            values = _find_pictures(opened, group.number) if has_images else None
            columns = [name for name in self.columns if name != IMAGES]
            leaves = ([_PATH_LEAF] if values is not None else [_PATH_LEAF, _BYTES_LEAF]) if has_images else []
            table = opened.file.read_row_group(group.number, columns=[*columns, *leaves], use_threads=False)
            arrays = {name: table[name].combine_chunks() for name in table.column_names}
            images = arrays.pop(IMAGES, None)
            num_pictures = 0 if images is None else make_offsets(images)[-1] - make_offsets(images)[0]
            if values is not None and len(values) != num_pictures:  # some picture has no bytes
                images = opened.file.read_row_group(
                    group.number, columns=[_PATH_LEAF, _BYTES_LEAF], use_threads=False
                )
                images, values = images[IMAGES].combine_chunks(), None
        cells = {name: make_cell(arrays[name]) for name in columns}
        return _ReadGroup(cells, _make_pictures(images, values, opened.data))


def list_groups(version: StoredVersion, shards: Sequence[Shard]) -> tuple[list[Group], list[str]]:
    """Return the shards' row groups in order, and the columns that all of them have.

    Raises InstructgenError where a shard has not as many rows as the manifest says.
    """
    groups: list[Group] = []
    names: list[str] = []
    for place, shard in enumerate(shards):
        with told(f"{version.place}: {shard.path}"):
            file = open_shard(version, shard).file
        groups += list_file_groups(version, shard, place, file)
        found = file.schema_arrow.names
        names = [name for name in names if name in found] if place else found
    return groups, names


def list_file_groups(version: StoredVersion, shard: Shard, place: int, file: "pq.ParquetFile") -> list[Group]:
    """Return the row groups of one shard that is open, the `place`-th of its split."""
    metadata = file.metadata
    if metadata.num_rows != shard.num_rows:
        raise InstructgenError(
            f"{version.place}: {shard.path} has {metadata.num_rows} rows, the manifest says {shard.num_rows}; "
            "build or copy the version again"
        )
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    return [Group(place, number, size, shard.sample_type) for number, size in enumerate(sizes) if size]


def open_shard(version: StoredVersion, shard: Shard) -> _OpenShard:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(version, LocalVersion | CachedVersion):
        return _OpenShard(pq.ParquetFile(version.open(shard.path)), None)
    with version.open(shard.path) as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # an empty file
            raise OSError(str(error)) from None
    return _OpenShard(pq.ParquetFile(pa.BufferReader(pa.py_buffer(data))), memoryview(data))


def _find_pictures(shard: _OpenShard, number: int) -> list[tuple[int, int]] | None:
    """Return where in the file a group's pictures are, or None where they have to be read with their group."""
    if shard.data is None:
        return None
    group = shard.file.metadata.row_group(number)
    leaves = (group.column(place) for place in range(group.num_columns))
    column = next((leaf for leaf in leaves if leaf.path_in_schema == _BYTES_LEAF), None)
    if column is None or column.compression != "UNCOMPRESSED" or column.has_dictionary_page:
        return None
    first = column.data_page_offset
    values = find_values(shard.data[first : first + column.total_compressed_size])
    return None if values is None else [(first + at, num_bytes) for at, num_bytes in values]


def _make_pictures(
    images: "pa.Array | None", values: Sequence[tuple[int, int]] | None, data: memoryview | None
) -> Callable[[int], list[Picture]]:
    if images is None:
        return lambda _: []
    if values is None or data is None:
        cell = make_cell(images)
        return lambda row: [(picture["bytes"], picture["path"]) for picture in cell(row) or () if picture]
    offsets = make_offsets(images)
    first = offsets[0]
    path = make_cell(images.values.field("path"))

    def find(row: int) -> list[Picture]:
        found: list[Picture] = []
        for place in range(offsets[row], offsets[row + 1]):
            at, num_bytes = values[place - first]
            found.append((data[at : at + num_bytes], path(place)))
        return found

    return find
