"""Pictures with their captions beside them: tar shards (webdataset, img2dataset) and folders of files.

What belongs together has one name up to the first dot: 000000012.jpg, 000000012.txt, 000000012.json. The caption is
the text file's, else the JSON's "caption"; the width and height are those of the picture itself.
"""

import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import Fault
from instructgen.sources.pairs_rows import (
    Pair,
    find_caption_fault,
    is_sound,
    leads_out,
    make_bad,
    read_key,
    read_within,
)
from instructgen.surrogate.captions import clean_caption

PICTURE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
_NAME = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)")
_MAX_PICTURE_BYTES = 64 << 20
_MAX_TEXT_BYTES = 1 << 20

Read = Callable[[str, int], bytes]
"""Of a file name and the most bytes that are wanted."""


class _Facts(Struct):
    caption: object = None
    url: object = None
    key: object = None


class Member(Struct, frozen=True):
    """One file of a group; `place` is its position in the archive, and 0 in a folder."""

    name: str
    place: int
    num_bytes: int


def split_name(name: str) -> tuple[str, str]:
    """Return what names the group, and the rest in lower case; ("", "") for a name that belongs to none."""
    found = _NAME.fullmatch(name)
    return (found[1], found[2].lower()) if found else ("", "")


def make_group_pair(row: int, stem: str, group: Mapping[str, Member], read: Read, *, with_pictures: bool) -> Pair:
    """Return the pair of files of one name."""
    facts = _read_facts(group, read)
    if isinstance(facts, Fault):
        return make_bad(row, facts, read_key(stem))
    key = read_key(facts.key) or read_key(stem)
    picture = next((group[suffix] for suffix in PICTURE_SUFFIXES if suffix in group), None)
    caption = _read_caption(group["txt"], read) if "txt" in group else facts.caption
    text = clean_caption(caption) if isinstance(caption, str) else ""
    fault = find_caption_fault(caption, text) or _find_picture_fault(picture)
    if fault is not None or picture is None:
        return make_bad(row, fault or Fault("no_picture"), key)
    url = facts.url if isinstance(facts.url, str) and is_sound(facts.url) else ""
    if not with_pictures:
        return Pair(row, key, text, picture.name, url=url)
    data = read(picture.name, _MAX_PICTURE_BYTES)
    size_px = _measure(data)
    if isinstance(size_px, Fault):
        return make_bad(row, Fault(size_px.reason, f"{picture.name}: {size_px.detail}"), key)
    return Pair(row, key, text, picture.name, *size_px, url=url, picture=data)


def _read_facts(group: Mapping[str, Member], read: Read) -> _Facts | Fault:
    if "json" not in group or group["json"].num_bytes < 0:
        return _Facts()
    try:
        return msgspec.json.decode(read(group["json"].name, _MAX_TEXT_BYTES), type=_Facts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Fault("bad_column", f"{group['json'].name}: {error}")


def _read_caption(text: Member, read: Read) -> str | None:
    if text.num_bytes < 0:
        return None
    return read(text.name, _MAX_TEXT_BYTES).decode("utf-8-sig", "surrogateescape")


def _find_picture_fault(picture: Member | None) -> Fault | None:
    if picture is None:
        return Fault("no_picture", "no picture has this name")
    if picture.num_bytes < 0:
        return Fault("bad_file_name", f"{picture.name[:80]} is a link out of the folder, or to nothing")
    if picture.num_bytes > _MAX_PICTURE_BYTES:
        return Fault("too_long", f"a picture of {picture.num_bytes:,} bytes, at most {_MAX_PICTURE_BYTES:,}")
    if not is_sound(picture.name):
        return Fault("not_utf8", f"the picture's name: {picture.name[:80]}")
    return Fault("bad_file_name", picture.name[:80]) if leads_out(picture.name) else None


def _measure(data: bytes) -> tuple[int, int] | Fault:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Fault("image_unreadable", str(error).replace("\n", " ")[:80])


def _measure_file(path: Path, root: Path) -> int:
    """Return a file's size in bytes; -1 for a link to nothing or out of the folder."""
    if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(root.resolve())):
        return -1
    return path.stat().st_size


class TarFile:
    """One shard; what belongs together stands together in it."""

    row_noun = "sample"

    def __init__(self, path: Path, label: str) -> None:
        """Take what the names of its pictures begin with: "00000.tar"."""
        self.path = path
        self._label = label

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:
        with self.path.open("rb") as file:

            def read(name: str, most: int) -> bytes:
                member = by_name[name]
                file.seek(member.place)
                return file.read(min(member.num_bytes, most))

            halves = set[str]()
            for row, (stem, group) in enumerate(self._groups(), 1):
                by_name = {member.name: member for member in group.values()}
                pair = make_group_pair(row, stem, group, read, with_pictures=with_pictures)
                if pair.reason in ("no_picture", "no_caption"):
                    if stem in halves:
                        raise InstructgenError(
                            f"{self.path}: the files of '{stem}' do not stand together; pack the shard again with "
                            "`tar --sort=name`"
                        )
                    halves.add(stem)
                yield msgspec.structs.replace(pair, file_name=self._name_of(pair.file_name))

    def read_picture(self, file_name: str) -> bytes | None:
        if not file_name.startswith(f"{self._label}/"):
            return None
        member = _index_members(self.path).get(file_name.removeprefix(f"{self._label}/"))
        if member is None:
            return None
        with self.path.open("rb") as file:
            file.seek(member.place)
            return file.read(min(member.num_bytes, _MAX_PICTURE_BYTES))

    def _name_of(self, name: str) -> str:
        return f"{self._label}/{name}" if name else ""

    def _groups(self) -> Iterator[tuple[str, dict[str, Member]]]:
        stem, group = "", dict[str, Member]()
        for member in _list_members(self.path):
            own_stem, suffix = split_name(member.name)
            if not own_stem:
                continue
            if own_stem != stem and group:
                yield stem, group
                group = {}
            stem = own_stem
            group[suffix] = member
        if group:
            yield stem, group


def _list_members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
                if member.isreg():
                    yield Member(member.name.removeprefix("./"), member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise InstructgenError(f"{path} is no whole tar file: {error}; copy or download it again") from None


@lru_cache(maxsize=1)
def _index_members(path: Path) -> dict[str, Member]:
    """Return a shard's files by name, for pictures that are asked for out of turn; one shard's at a time."""
    return {member.name: member for member in _list_members(path)}


class PictureFolder:
    """A folder of pictures, in folders or not; a row is what has one name, in the order of the names."""

    row_noun = "file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:
        def read(name: str, most: int) -> bytes:
            with (self.path / name).open("rb") as file:
                return file.read(most)

        for row, (stem, group) in enumerate(self._groups(), 1):
            yield make_group_pair(row, stem, group, read, with_pictures=with_pictures)

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path, file_name)

    def _groups(self) -> Iterator[tuple[str, dict[str, Member]]]:
        for folder, subfolders, names in os.walk(self.path):
            subfolders.sort()
            where = Path(folder).relative_to(self.path).as_posix()
            groups: dict[str, dict[str, Member]] = {}
            for name in sorted(names):
                stem, suffix = split_name(name if where == "." else f"{where}/{name}")
                if stem and suffix in (*PICTURE_SUFFIXES, "txt", "json"):
                    path = Path(folder, name)
                    own_name = path.relative_to(self.path).as_posix()
                    groups.setdefault(stem, {})[suffix] = Member(own_name, 0, _measure_file(path, self.path))
            for stem, group in groups.items():
                if any(suffix in group for suffix in PICTURE_SUFFIXES) or "txt" in group:
                    yield stem, group
