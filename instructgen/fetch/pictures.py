"""Judges what came before it is kept: is it the picture that was meant, is it whole, can it be opened safely.

Nothing is decoded past its header, unless it is to be made smaller.
"""

import hashlib
import io
import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.fetch.reasons import Missed

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif"}
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_JPEG_QUALITY = 95
_MAX_PARTS = 100_000  # of a file, so that a hostile one costs little
# What Pillow raises at broken files: a hostile picture must not end the run.
_BROKEN = (ArithmeticError, EOFError, LookupError, NotImplementedError, OSError, SyntaxError, TypeError, ValueError)
_UNREADABLE = (*_BROKEN, struct.error, zlib.error)
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<script", b"<!--")

Bytes = bytes | mmap.mmap


class Wanted(Struct, frozen=True):
    """What a picture must be. Empty checksums are not known."""

    sha256: str
    md5: str
    max_pixels: int
    resize_max_side: int | None


class Kept(Struct, frozen=True):
    """A picture in the folder of new ones. `fetched_sha256` is of what the server sent, `sha256` of the file."""

    file: Path
    suffix: str
    width_px: int
    height_px: int
    num_bytes: int
    sha256: str
    fetched_sha256: str


def judge_head(head: bytes) -> str:
    """Return "html_page" or "not_an_image" where the first bytes are surely no picture's, else ""."""
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return ""
    return "html_page" if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP) else "not_an_image"


def keep_picture(body: bytes | Path, wanted: Wanted, new: Path) -> Kept | Missed:
    """Check the body and leave the picture at `new`, or say why it is none. A body in a file is moved or removed."""
    with _open(body) as data:
        found = _judge(data, body, wanted)
        side = wanted.resize_max_side
        if isinstance(found, Kept) and side is not None and max(found.width_px, found.height_px) > side:
            found = _resize(body, found, side, new)
    if isinstance(found, Missed):
        if isinstance(body, Path):
            body.unlink(missing_ok=True)
        return found
    if found.file == new:
        if isinstance(body, Path):
            body.unlink(missing_ok=True)
    elif isinstance(body, Path):
        body.replace(new)
    else:
        new.write_bytes(body)
    return Kept(
        new, found.suffix, found.width_px, found.height_px, found.num_bytes, found.sha256, found.fetched_sha256
    )


@contextmanager
def _open(body: bytes | Path) -> Iterator[Bytes]:
    if isinstance(body, bytes):
        yield body
    elif body.stat().st_size == 0:
        yield b""
    else:
        with body.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


def _judge(data: Bytes, body: bytes | Path, wanted: Wanted) -> Kept | Missed:
    if not len(data):
        return Missed("empty")
    sha256 = hashlib.sha256(data).hexdigest()
    if wanted.sha256 and sha256 != wanted.sha256:
        return Missed("checksum_differs", f"sha256 is {sha256}")
    if wanted.md5:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if md5 != wanted.md5:
            return Missed("checksum_differs", f"md5 is {md5}")
    if reason := judge_head(data[:32]):
        return Missed(reason)
    header = _read_header(body)
    if isinstance(header, Missed):
        return header
    kind, width_px, height_px = header
    if width_px * height_px > wanted.max_pixels:
        return Missed("too_many_pixels", f"{width_px} x {height_px} pixels, at most {wanted.max_pixels}")
    if width_px < 1 or height_px < 1:
        return Missed("not_an_image", f"{width_px} x {height_px} pixels")
    if not is_whole(data, kind):
        return Missed("truncated_picture", f"{kind} without its end")
    return Kept(Path(), SUFFIXES[kind], width_px, height_px, len(data), sha256, sha256)


def _read_header(body: bytes | Path) -> tuple[str, int, int] | Missed:
    from PIL import Image

    try:
        with _open_picture(body) as image:
            return str(image.format).replace("MPO", "JPEG"), *image.size
    except Image.DecompressionBombError as error:
        return Missed("too_many_pixels", str(error)[:200])
    except _UNREADABLE as error:
        return Missed("not_an_image", str(error)[:200])


def _open_picture(body: bytes | Path) -> "Image.Image":
    from PIL import Image

    return Image.open(body if isinstance(body, Path) else io.BytesIO(body), formats=tuple(SUFFIXES))


def _resize(body: bytes | Path, kept: Kept, max_side: int, new: Path) -> Kept | Missed:
    """Write a smaller copy: JPEG, or PNG where some of it is transparent. It stands upright, whatever EXIF said."""
    from PIL import Image, ImageOps

    try:
        with _open_picture(body) as opened:
            opened.draft("RGB", (max_side * 2, max_side * 2))
            image = ImageOps.exif_transpose(opened)
            has_alpha = image.has_transparency_data
            image = image.convert("RGBA" if has_alpha else "RGB")
            image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        return Missed("undecodable", str(error)[:200])
    if has_alpha:
        image.save(new, "PNG")
    else:
        image.save(new, "JPEG", quality=_JPEG_QUALITY)
    stored = new.read_bytes()
    suffix = SUFFIXES["PNG" if has_alpha else "JPEG"]
    sha256 = hashlib.sha256(stored).hexdigest()
    return Kept(new, suffix, *image.size, len(stored), sha256, kept.fetched_sha256)


def is_whole(data: Bytes, kind: str) -> bool:
    """Return whether the file has its format's end; what follows it does not matter."""
    match kind:
        case "JPEG":
            start = _find_scan(data)
            return start > 0 and data.find(b"\xff\xd9", start) > 0
        case "PNG":
            return _has_png_end(data)
        case "WEBP":
            return int.from_bytes(data[4:8], "little") + 8 <= len(data)
        case "GIF":
            return data[-16:].rstrip(b"\0\n\r ").endswith(b";")
        case "BMP":
            return int.from_bytes(data[2:6], "little") <= len(data)
        case _:
            return True  # TIFF: its parts lie anywhere


def _find_scan(data: Bytes) -> int:
    """Return where a JPEG's first scan begins, 0 for nowhere: a thumbnail in its head has an end of its own."""
    at = 2
    for _ in range(_MAX_PARTS):
        if at + 4 > len(data):
            return 0
        if data[at] != 0xFF:
            return 0
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == 0xDA:
            return at
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def _has_png_end(data: Bytes) -> bool:
    at = 8
    for _ in range(_MAX_PARTS):
        if at + 12 > len(data):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False
