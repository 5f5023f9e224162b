"""Pictures as a terminal takes them: kitty's and iTerm2's protocols, sixel, and half blocks.

No library does this here: those there are hold Pillow back, leave out one of the protocols, ask the terminal when
they are imported, or write past the stream that keeps secrets out. The protocols themselves are small.
"""

import base64
import io
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from instructgen.cli.terminal_picture_sixel import encode_sixel
from instructgen.dataset.pictures import PICTURE_FORMATS
from instructgen.errors import InstructgenError
from instructgen.pictures import flatten_picture

if TYPE_CHECKING:
    from PIL import Image

Way = Literal["kitty", "sixel", "iterm", "blocks"]

_KITTY_CHUNK = 4096  # bytes of base64 in one escape code, at most, by kitty's protocol
_MAX_PIXELS = 50_000_000  # 150 MB once decoded
_JPEG_QUALITY = 90


class Room(Struct, frozen=True):
    """Cells that a picture may take, and how many pixels one of them has."""

    columns: int
    rows: int
    cell_width_px: int = 8
    cell_height_px: int = 16

    def fit(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Return the columns and rows of a picture that fills the room in one direction and keeps its shape."""
        scale = min(
            self.columns * self.cell_width_px / width_px,
            self.rows * self.cell_height_px / height_px,
        )
        columns = round(width_px * scale / self.cell_width_px)
        rows = round(height_px * scale / self.cell_height_px)
        return min(self.columns, max(1, columns)), min(self.rows, max(1, rows))


def draw_picture(encoded: bytes, way: Way, room: Room) -> str:
    """Return what shows a stored picture, from the cursor on, and leaves the cursor at the start of a line below.

    Raises InstructgenError for a picture that cannot be read.
    """
    picture = _decode(encoded)
    columns, rows = room.fit(*picture.size)
    if way == "blocks":
        return _draw_blocks(picture, columns, rows)
    picture = picture.resize((columns * room.cell_width_px, rows * room.cell_height_px))
    if way == "kitty":
        return _draw_kitty(picture, columns, rows)
    if way == "iterm":
        return _draw_iterm(picture, columns, rows)
    return f"{encode_sixel(picture)}\n"


def _decode(encoded: bytes) -> "Image.Image":
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(encoded), formats=PICTURE_FORMATS) as image:
            width_px, height_px = image.size
            if width_px * height_px > _MAX_PIXELS:
                raise InstructgenError(f"{width_px} x {height_px} pixels are too many to show")
            return flatten_picture(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InstructgenError(f"it cannot be read: {error}") from None


def _draw_kitty(picture: "Image.Image", columns: int, rows: int) -> str:
    """Return a PNG in escape codes of 4,096 bytes at most; q=2 keeps the terminal from answering into the shell."""
    data = base64.standard_b64encode(_encode(picture, "PNG")).decode("ascii")
    chunks = [data[at : at + _KITTY_CHUNK] for at in range(0, len(data), _KITTY_CHUNK)]
    codes = []
    for number, chunk in enumerate(chunks):
        keys = f"a=T,f=100,c={columns},r={rows},q=2," if number == 0 else "q=2,"
        has_more = int(number + 1 < len(chunks))
        codes.append(f"\x1b_G{keys}m={has_more};{chunk}\x1b\\")
    return f"{''.join(codes)}\n"


def _draw_iterm(picture: "Image.Image", columns: int, rows: int) -> str:
    data = _encode(picture, "JPEG")
    encoded = base64.standard_b64encode(data).decode("ascii")
    keys = f"inline=1;size={len(data)};width={columns};height={rows};preserveAspectRatio=0"
    return f"\x1b]1337;File={keys}:{encoded}\x07\n"


def _draw_blocks(picture: "Image.Image", columns: int, rows: int) -> str:
    """Return two pixels a cell: the upper half block in one colour on the other."""
    pixels = picture.resize((columns, 2 * rows)).tobytes()
    stride = 3 * columns
    lines = []
    for top in range(0, 2 * rows * stride, 2 * stride):
        cells, before = [], b""
        for at in range(top, top + stride, 3):
            upper, lower = pixels[at : at + 3], pixels[at + stride : at + stride + 3]
            if upper + lower != before:
                before = upper + lower
                cells.append(f"\x1b[38;2;{upper[0]};{upper[1]};{upper[2]};48;2;{lower[0]};{lower[1]};{lower[2]}m")
            cells.append("▀")
        lines.append(f"{''.join(cells)}\x1b[0m\n")
    return "".join(lines)


def _encode(picture: "Image.Image", form: Literal["PNG", "JPEG"]) -> bytes:
    buffer = io.BytesIO()
    if form == "PNG":
        picture.save(buffer, "PNG", compress_level=6)
    else:
        picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
