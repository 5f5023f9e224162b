"""One row of a table of image-caption pairs: which columns it is read from, and what is wrong with a bad one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.records import Fault
from instructgen.surrogate.captions import clean_caption

CAPTION_NAMES = ("caption", "text", "alt_text", "alttext")
_URL_NAMES = ("url", "image_url", "img_url")
_FILE_NAMES = ("file_name", "filename", "image_path", "filepath", "image", "path")
_KEY_NAMES = ("key", "sample_id", "uid", "image_id", "id")
_WIDTH_NAMES = ("width", "original_width", "width_px")
_HEIGHT_NAMES = ("height", "original_height", "height_px")
_MAX_CAPTION_CHARS = 2_000  # of CC3M's captions none, of LAION's the pages that stand in an alt text
_MAX_NAME_CHARS = 2_000  # what browsers and servers take as an address
_MAX_KEY_CHARS = 200
_SHOWN_CHARS = 80
_SCHEMES = ("http://", "https://")


class Pair(Struct, frozen=True, gc=False):
    """A row as it was read. `file_name` is the address of a picture, or its name in the folder or the archive.

    `row` counts from 1 within the file. A row with a `reason` is a bad one. `picture` is what an archive had at hand.
    """

    row: int
    key: str
    caption: str
    file_name: str
    width_px: int = 0
    height_px: int = 0
    reason: str = ""
    detail: str = ""
    url: str = ""
    picture: bytes | None = None


class PairFile(Protocol):
    """One file of pairs, or a folder of pictures. Reading twice yields the same rows."""

    path: Path

    row_noun: str
    """What a row of it is called, as in "cc3m.tsv line 12"."""

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:
        """Yield every row. Without pictures none is opened, and sizes are 0 where only they tell them.

        Raises InstructgenError for a file that cannot be used at all.
        """
        ...

    def read_picture(self, file_name: str) -> bytes | None:
        """Return a picture of `rows` by its name, or None where it is not here."""
        ...


class Fields(Struct, frozen=True):
    """The names of the columns; "" is a column that the table lacks."""

    caption: str
    url: str
    file: str
    key: str
    width: str
    height: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.caption, self.url, self.file, self.key, self.width, self.height)


def find_fields(path: Path, names: Sequence[str], columns: ColumnsConfig) -> Fields:
    """Return the columns, whatever the case of their names.

    Raises InstructgenError for a table without captions, or with neither addresses nor file names.
    """
    by_name = {name.lower().strip(): name for name in reversed(names)}
    found = Fields(
        caption=_find_column(path, by_name, columns.caption, CAPTION_NAMES),
        url=_find_column(path, by_name, columns.url, _URL_NAMES),
        file=_find_column(path, by_name, None, _FILE_NAMES),
        key=_find_column(path, by_name, columns.key, _KEY_NAMES),
        width=_find_column(path, by_name, None, _WIDTH_NAMES),
        height=_find_column(path, by_name, None, _HEIGHT_NAMES),
    )
    if not found.caption:
        raise _lacks(path, "captions", "caption", names)
    if not found.url and not found.file:
        raise _lacks(path, "the pictures' addresses (or file names)", "url", names)
    return found


def _lacks(path: Path, what: str, key: str, names: Sequence[str]) -> InstructgenError:
    return InstructgenError(
        f"{path} has no column that is known to hold {what}; it has: {', '.join(names)}. "
        f'Name it in the pipeline: [source.columns] {key} = "..."'
    )


def _find_column(path: Path, by_name: dict[str, str], wanted: str | None, usual: Sequence[str]) -> str:
    if wanted:
        if wanted.lower() not in by_name:
            raise InstructgenError(f"{path} has no column '{wanted}'; it has: {', '.join(by_name.values())}")
        return by_name[wanted.lower()]
    return next((by_name[name] for name in usual if name in by_name), "") if wanted is None else ""


def make_pair(row: int, values: Sequence[object]) -> Pair:
    """Return the pair of a row, given as the values of caption, address, file name, key, width and height."""
    caption, url, file_name, key, width_px, height_px = values
    picture = file_name if isinstance(file_name, str) and file_name else url
    own_key = read_key(key)
    text = clean_caption(caption) if isinstance(caption, str) else ""
    name = picture.strip() if isinstance(picture, str) else ""
    is_url = picture is url or name.startswith(_SCHEMES)
    fault = find_caption_fault(caption, text) or _find_name_fault(picture, name, is_url=is_url)
    if fault is not None:
        return make_bad(row, fault, own_key)
    address = url.strip() if isinstance(url, str) and is_sound(url) else name if is_url else ""
    return Pair(row, own_key, text, name, _read_size(width_px), _read_size(height_px), url=address)


def make_bad(row: int, fault: Fault, key: str = "") -> Pair:
    return Pair(row, key, "", "", reason=fault.reason, detail=fault.detail.encode("utf-8", "replace").decode())


def find_caption_fault(caption: object, text: str) -> Fault | None:
    """Return what is wrong with a caption, which is `text` when cleaned."""
    if isinstance(caption, str):
        if not text:
            return Fault("no_caption", "the caption is blank")
        if len(text) > _MAX_CAPTION_CHARS:
            return Fault("too_long", f"a caption of {len(text):,} characters, at most {_MAX_CAPTION_CHARS:,}")
        return None if is_sound(text) else Fault("not_utf8", text[:_SHOWN_CHARS].encode("ascii", "replace").decode())
    if caption is None:
        return Fault("no_caption", "there is no caption")
    return Fault("bad_column", f"the caption is no text: {str(caption)[:_SHOWN_CHARS]}")


def is_sound(text: str) -> bool:
    """Return whether a text can be written as UTF-8: bytes that were none have been kept as lone surrogates."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _find_name_fault(picture: object, name: str, *, is_url: bool) -> Fault | None:
    if picture is None or (isinstance(picture, str) and not name):
        return Fault("no_url", "there is no address of a picture")
    if not isinstance(picture, str):
        return Fault("bad_column", f"the address is no text: {str(picture)[:_SHOWN_CHARS]}")
    if len(name) > _MAX_NAME_CHARS:
        return Fault("too_long", f"an address of {len(name):,} characters, at most {_MAX_NAME_CHARS:,}")
    if not is_sound(name):
        return Fault("not_utf8", "the address")
    if is_url and not name.startswith(_SCHEMES):
        return Fault("bad_url", name[:_SHOWN_CHARS])
    if not is_url and leads_out(name):
        return Fault("bad_file_name", name[:_SHOWN_CHARS])
    return None


def leads_out(name: str) -> bool:
    """Return whether a file name is not one below its folder."""
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def read_key(key: object) -> str:
    """Return the row's own id as text that can be part of an id; "" for none."""
    if isinstance(key, float) and key.is_integer():
        key = int(key)  # pandas makes floats of ids where one is missing
    if not isinstance(key, str | int) or isinstance(key, bool):
        return ""
    text = str(key).strip()
    if len(text) > _MAX_KEY_CHARS or not text.isprintable() or " " in text:
        return ""
    return text


def _read_size(size: object) -> int:
    """Return a width or height in pixels; 0 where it is not known."""
    if isinstance(size, float) and size.is_integer():
        size = int(size)
    if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 7:
        size = int(size)
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 1_000_000 else 0


def read_within(folder: Path, file_name: str) -> bytes | None:
    """Return a file of a folder, or None; raises InstructgenError where its name or a link leads out of that."""
    if file_name.startswith(_SCHEMES):
        return None
    try:
        root = folder.resolve()
        path = (root / file_name).resolve()
        if not path.is_relative_to(root):
            raise InstructgenError(
                f"picture '{file_name}' in {folder} leads out of that folder; put the picture itself there"
            )
        return path.read_bytes() if path.is_file() else None
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise InstructgenError(f"picture '{file_name}' in {folder} cannot be read: {error}") from error
