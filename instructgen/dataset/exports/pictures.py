"""Pictures as files beside an export: every name safe on any system, and each picture once."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import ExportSettings, LeftOutError, ReadPicture

IMAGES = "images"
_UNSAFE = re.compile(r"[^\w. +=@,()-]+")
_MAX_PART_BYTES = 120  # of the 255 that file systems allow, so that a number or a suffix has room
_MAX_PATH_BYTES = 1000  # of the 1,024 that some systems allow; the folder's own come to it
_MAX_PARTS = 50  # of folders in each other, which whoever deletes them goes down one by one
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows has no such files
_DRIVE = re.compile(r"[A-Za-z]:")
_DIGEST_BYTES = 16
_SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}


class PictureFolder:
    """Writes the pictures of rows to `folder`/images, under the path that the row has, made safe.

    A picture that comes again, with the same path and bytes, is written once. Other bytes under a path that was
    there before, in whatever case, get another name.
    """

    def __init__(self, folder: Path, read_picture: ReadPicture, settings: ExportSettings) -> None:
        self._folder = folder / IMAGES
        self._read_picture = read_picture
        self._is_writing = settings.with_pictures
        self._names: dict[tuple[str, bytes], str] = {}
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last that was given to a path

    def place(self, row: Row) -> list[str]:
        """Write the row's pictures and return their names, relative to images/; of a row without any, none.

        Without pictures the names are the row's own paths. Raises LeftOutError `image_missing`, before anything
        is written, where a picture is neither in the row nor found, and `unsafe_path` for a path alone that leads
        out of the folder.
        """
        if not self._is_writing:
            return [check_path(image["path"]) for image in row["images"]]
        return [self._write(*found) for found in find_pictures(row, self._read_picture)]

    def _write(self, path: str, picture: bytes) -> str:
        key = (path, hashlib.sha256(picture).digest()[:_DIGEST_BYTES])
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self._reserve(make_safe_path(path, "image"))
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture)
        return name

    def _reserve(self, wanted: str) -> str:
        path = PurePosixPath(wanted)
        name, number = wanted, self._numbers.get(_fold(wanted), 1)
        while self._is_taken(name):
            number += 1
            name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
            if self._is_blocked(name):  # a picture has the name of one of its folders
                name = f"{path.parts[0]}-{number}/{PurePosixPath(*path.parts[1:])}"
        self._numbers[_fold(wanted)] = number
        self._files.add(_fold(name))
        self._folders.update(_fold(str(parent)) for parent in PurePosixPath(name).parents)
        return name

    def _is_taken(self, name: str) -> bool:
        return _fold(name) in self._files or _fold(name) in self._folders or self._is_blocked(name)

    def _is_blocked(self, name: str) -> bool:
        return any(_fold(str(parent)) in self._files for parent in PurePosixPath(name).parents)


def make_places(names: Sequence[str], settings: ExportSettings) -> list[str]:
    """Return the names that `PictureFolder.place` gave, relative to the export's folder."""
    return [f"{IMAGES}/{name}" for name in names] if settings.with_pictures else list(names)


def find_pictures(row: Row, read_picture: ReadPicture) -> list[tuple[str, bytes]]:
    """Return the path and the bytes of each picture of a row; one without a path gets one from the image's id.

    Raises LeftOutError `image_missing` where one is neither in the row nor found.
    """
    found = []
    for image in row["images"]:
        path = image["path"] or ""
        picture = image["bytes"] or (read_picture(row["image_id"], path) if path else None)
        if not picture:
            raise LeftOutError("image_missing")
        if not path:
            path = make_safe_path(row["image_id"].replace("/", "-"), "image") + find_suffix(picture)
        found.append((path, picture))
    return found


def make_safe_path(path: str, otherwise: str) -> str:
    """Return a relative path with / that leads nowhere else and that every file system takes.

    Of one that is too long or too deep the last parts stay.
    """
    parts = [_make_safe_part(part) for part in _DRIVE.sub("", path.replace("\\", "/")).split("/")]
    kept = [part for part in parts if part][-_MAX_PARTS:]
    while len("/".join(kept).encode()) > _MAX_PATH_BYTES:
        kept = kept[1:]
    return "/".join(kept) or otherwise


def check_path(path: str | None) -> str:
    """Return a row's path as it is; raises LeftOutError where there is none, or one that leads out of its folder."""
    if not path:
        raise LeftOutError("image_missing")
    parts = path.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or _DRIVE.match(path) or "\0" in path:
        raise LeftOutError("unsafe_path")
    return path


def find_suffix(picture: bytes) -> str:
    """Return the suffix, with its dot, that the bytes of a picture tell; "" for what is not known."""
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for magic, suffix in _SUFFIXES.items() if picture.startswith(magic)), "")


def _make_safe_part(part: str) -> str:
    safe = _UNSAFE.sub("-", unicodedata.normalize("NFC", part)).strip(" .")
    safe = safe.encode()[-_MAX_PART_BYTES:].decode(errors="ignore").strip(" .")  # the suffix stays
    return f"_{safe}" if _RESERVED.fullmatch(safe) else safe


def _fold(name: str) -> str:
    """Return what names share that some file system takes for one."""
    return unicodedata.normalize("NFKC", name).casefold()
