"""Rows to train on, in a fixed order, from a dataset version or from plain Parquet and JSON lines.

Of a version only what is said and how the pictures are called is read. A plain file may call its pictures anything,
so that those it holds are known by their bytes.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from instructgen.dataset.columns import FRAMES, PLACES
from instructgen.dataset.reading.cells import make_cell
from instructgen.dataset.reading.row_groups import IMAGES
from instructgen.dataset.reading.row_order import Group
from instructgen.dataset.reading.shard_cache import CachedVersion, ShardCache
from instructgen.dataset.reading.tables import Wanted, read_tables
from instructgen.dataset.shards import Shard, hash_file
from instructgen.dataset.stored import LocalVersion, StoredVersion, told
from instructgen.dataset.stores.remote import RemoteVersion
from instructgen.dataset.versions import find_folder, open_version
from instructgen.errors import InstructgenError
from instructgen.records import Message

_MESSAGES = "messages"
_ONE_IMAGE = "image"
_NAMES = ("sample_id", "image_id")
_PATH_LEAF = "images.list.element.path"
_SUFFIXES = (".parquet", ".jsonl", ".ndjson")
_ONLY_SPLIT = "train"  # what plain files are


class PicturePlace(Struct, frozen=True, array_like=True, gc=False):
    """Where a picture's bytes are: in a row of a Parquet file, or where `shard` is -1 in the file `path`."""

    path: str
    shard: int = -1
    group: int = -1
    row: int = -1
    position: int = 0


class RawRow(Struct, frozen=True):
    """A row with a key for each of its pictures; the same picture has the same key in every row."""

    sample_id: str
    messages: tuple[Message, ...]
    keys: tuple[str, ...] = ()
    places: tuple[PicturePlace, ...] = ()
    image_at: tuple[int, ...] | None = None
    """Of a document: before which message each place of a picture stands."""
    frames: tuple[int, ...] = ()
    """How many pictures each place takes; empty is one each."""


class RowSource(Protocol):
    """Rows in a fixed order."""

    @property
    def place(self) -> str: ...

    @property
    def identity(self) -> str:
        """What these rows are: another one for other rows."""
        ...

    @property
    def files(self) -> "ParquetFiles | None":
        """Where embedded pictures are."""
        ...

    @property
    def folder(self) -> Path | None:
        """Where pictures are that rows name by path, unless somebody knows better; None where nobody can know."""
        ...

    @property
    def names_by_path(self) -> bool:
        """Whether every picture is named by its path alone."""
        ...

    def rows(self) -> Iterator[RawRow]:
        """Raises InstructgenError, with the file and the row, for what cannot be read."""
        ...


class ParquetFiles(Struct, frozen=True):
    version: StoredVersion
    shards: tuple[Shard, ...]


def open_source(ref: str | Path, split: str = "train", cache: ShardCache | None = None) -> RowSource:
    """Return the rows of a version (STORE, STORE@TAG, its folder), a file, or a folder of Parquet files.

    `cache` keeps shards of a version in an object store, when their pictures are read.
    Raises InstructgenError where there is no such thing, and for a split that a version does not have.
    """
    path = Path(str(ref)).expanduser()
    if path.is_file() and path.suffix not in _SUFFIXES:
        raise InstructgenError(f"{path} is no dataset: give a version, a .parquet or a .jsonl file")
    if path.is_file() and split != _ONLY_SPLIT:
        raise InstructgenError(f"{path} is one file and has no split '{split}'; leave the split out")
    if path.is_file() and path.suffix != ".parquet":
        return JsonLines(path)
    if path.is_file():
        return PlainParquet(path.parent, (path.name,))
    is_dataset = find_folder(str(ref)) is not None or (path / "versions").is_dir()
    if path.is_dir() and not is_dataset and (names := sorted(file.name for file in path.glob("*.parquet"))):
        return PlainParquet(path, _choose_split(path, names, split))
    return VersionRows(open_version(str(ref)), split, cache)


def _choose_split(folder: Path, names: Sequence[str], split: str) -> tuple[str, ...]:
    """Return the files of a split, by the names that `datasets` gives them; where no name tells one, all train."""
    known = {name.partition("-")[0] for name in names if "-" in name}
    chosen = tuple(name for name in names if name.partition("-")[0] == split and split in known)
    if chosen:
        return chosen
    if split != _ONLY_SPLIT or known & {"val", "validation", "test"}:
        raise InstructgenError(f"{folder} has no files of a split '{split}': none is called {split}-*.parquet")
    return tuple(names)


class VersionRows:
    """The rows of a split of a version, in the order of its shards."""

    def __init__(self, version: StoredVersion, split: str, cache: ShardCache | None = None) -> None:
        manifest = version.manifest
        shards = tuple(shard for shard in manifest.shards if shard.split == split)
        if not shards:
            known = ", ".join(sorted(manifest.splits)) or "none"
            raise InstructgenError(f"{version.place} has no split '{split}'; there are: {known}")
        self._version = version
        kept: StoredVersion = version
        if cache is not None and isinstance(version, RemoteVersion):
            kept = CachedVersion(version, cache)
        self.files = ParquetFiles(kept, shards)
        self.place = version.place
        self.folder: Path | None = None
        self.names_by_path = not manifest.embeds_images
        digests = [[shard.path, shard.num_rows, shard.content_sha256] for shard in shards]
        self.identity = _digest(["version", manifest.version, split, digests])

    def rows(self) -> Iterator[RawRow]:
        owners: dict[str, str] = {}
        wanted = Wanted((*_NAMES, _MESSAGES), optional=(PLACES, FRAMES), leaves=[_PATH_LEAF])
        for group, table in read_tables(self._version, self.files.shards, wanted):
            cells = {name: make_cell(table[name].combine_chunks()) for name in table.column_names}
            for row in range(group.num_rows):
                image_id: str = cells["image_id"](row) or ""
                paths = [picture["path"] or "" for picture in cells[IMAGES](row) or ()]
                keys = name_pictures(image_id, paths, owners)
                places = [self._find(group, row, position, path) for position, path in enumerate(paths)]
                placed = {name: cells[name](row) for name in (PLACES, FRAMES) if name in cells}
                where = f"{self.place}: sample {cells['sample_id'](row)}"
                messages = _read_messages(cells[_MESSAGES](row))
                yield RawRow(cells["sample_id"](row), messages, keys, tuple(places), *read_places(placed, where))

    def _find(self, group: Group, row: int, position: int, path: str) -> PicturePlace:
        if self.names_by_path:
            return PicturePlace(path)
        return PicturePlace(path, group.shard, group.number, row, position)


def name_pictures(image_id: str, paths: Sequence[str], owners: dict[str, str]) -> tuple[str, ...]:
    """Return the keys of a row's pictures: their source and file name, so that a partner has the key of its own rows.

    `owners` knows whose picture a key is; another image with the same file name gets its id into the key.
    """
    source = image_id.partition("/")[0]
    keys: list[str] = []
    for position, path in enumerate(paths):
        key = f"{source}:{path}" if path else f"{image_id}#{position}"
        is_own = position == len(paths) - 1
        if is_own and owners.setdefault(key, image_id) != image_id:
            key = f"{key}@{image_id}"
        keys.append(key)
    return tuple(keys)


class PlainParquet:
    """Parquet files with the columns `messages` and, where there are pictures, `images`; ids are optional."""

    names_by_path = False

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        import pyarrow.parquet as pq

        shards: list[Shard] = []
        for name in names:
            with told(str(folder / name)):
                num_rows = pq.read_metadata(folder / name).num_rows
            num_bytes = (folder / name).stat().st_size
            shards.append(Shard(name, "train", "", num_rows, num_bytes, "", ""))
        self.files = ParquetFiles(LocalVersion(folder), tuple(shards))
        self.folder: Path | None = folder
        self.place = str(folder / names[0]) if len(names) == 1 else str(folder)

    @cached_property
    def identity(self) -> str:
        folder = Path(self.files.version.place)
        return _digest(["parquet", [[shard.path, hash_file(folder / shard.path)] for shard in self.files.shards]])

    def rows(self) -> Iterator[RawRow]:
        import pyarrow.parquet as pq

        with told(self.place):
            first = Path(self.files.version.place) / self.files.shards[0].path
            names = pq.read_schema(first).names
        wanted = (*_NAMES, _MESSAGES, IMAGES, PLACES, FRAMES)
        columns = [name for name in wanted if name in names or name == _MESSAGES]
        if _ONE_IMAGE in names and IMAGES not in names:
            raise InstructgenError(f"{self.place}: has `{_ONE_IMAGE}`; pictures are read from `{IMAGES}`, a list")
        for group, table in read_tables(self.files.version, self.files.shards, Wanted(columns)):
            cells = {name: make_cell(table[name].combine_chunks()) for name in columns}
            for row in range(group.num_rows):
                values = {name: cell(row) for name, cell in cells.items()}
                yield self._read(values, group, row)

    def _read(self, values: dict[str, Any], group: Group, row: int) -> RawRow:
        shard = self.files.shards[group.shard].path
        where = f"{self.place}: {shard}, row {row} of group {group.number}"
        keys: list[str] = []
        places: list[PicturePlace] = []
        for position, picture in enumerate(_list_pictures(values, where)):
            path, stored = _read_picture(picture, where)
            if stored is None:
                keys.append(path)
                places.append(PicturePlace(path))
            else:
                keys.append(hashlib.sha256(stored).hexdigest()[:32])
                places.append(PicturePlace(path, group.shard, group.number, row, position))
        sample_id = values.get("sample_id") or f"{shard}/{group.number}/{row}"
        messages = check_messages(values[_MESSAGES], where)
        return RawRow(str(sample_id), messages, tuple(keys), tuple(places), *read_places(values, where))


class JsonLines:
    """One JSON object a line: `messages`, and `images` as paths from the file's folder or from an image folder."""

    files = None
    names_by_path = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder: Path | None = path.parent
        self.place = str(path)

    @cached_property
    def identity(self) -> str:
        return _digest(["jsonl", self.path.name, hash_file(self.path)])

    def rows(self) -> Iterator[RawRow]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                where = f"{self.path} line {number}"
                if line.strip():
                    yield self._read(line, number, where)

    def _read(self, line: bytes, number: int, where: str) -> RawRow:
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InstructgenError(f"{where} is no JSON object: {error}") from None
        paths = tuple(_read_picture(picture, where)[0] for picture in _list_pictures(record, where))
        sample_id = record.get("sample_id") or record.get("id") or number
        messages = check_messages(record.get(_MESSAGES), where)
        places = tuple(PicturePlace(path) for path in paths)
        return RawRow(str(sample_id), messages, paths, places, *read_places(record, where))


def read_places(values: Mapping[str, Any], where: str) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
    """Return a row's `image_at` and `frames`, where it has them."""
    for name in (PLACES, FRAMES):
        numbers = values.get(name)
        if numbers is not None and not (isinstance(numbers, list) and all(type(each) is int for each in numbers)):
            raise InstructgenError(f"{where}: `{name}` wants a list of whole numbers, one for each picture's place")
    image_at = values.get(PLACES)
    return None if image_at is None else tuple(image_at), tuple(values.get(FRAMES) or ())


def check_messages(messages: object, where: str) -> tuple[Message, ...]:
    """Return messages of a file that no build of ours wrote."""
    if isinstance(messages, list) and all(_is_message(message) for message in messages):
        return _read_messages(messages)
    raise InstructgenError(
        f"{where}: `{_MESSAGES}` wants a list of objects with a role (system, user or assistant) and a text as "
        "content; `instructgen dataset import` reads other forms"
    )


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("content"), str):
        return False
    return message.get("role") in ("system", "user", "assistant")


def _read_messages(messages: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(message["role"], message["content"]) for message in messages)


def _list_pictures(record: dict[str, Any], where: str) -> list[object]:
    pictures = record.get(IMAGES)
    if pictures is None and record.get(_ONE_IMAGE) is not None:
        raise InstructgenError(f"{where}: has `{_ONE_IMAGE}`; pictures are read from `{IMAGES}`, a list")
    if pictures is None:
        return []
    if not isinstance(pictures, list):
        raise InstructgenError(f"{where}: `{IMAGES}` wants a list, also for a single picture")
    return pictures


def _read_picture(picture: object, where: str) -> tuple[str, bytes | None]:
    if isinstance(picture, str) and picture:
        return picture, None
    if isinstance(picture, dict):
        path, stored = picture.get("path"), picture.get("bytes")
        if isinstance(stored, bytes):
            return path if isinstance(path, str) else "", stored
        if isinstance(path, str) and path:
            return path, None
    raise InstructgenError(f"{where}: an image is neither a path nor the bytes of a picture")


def _digest(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
