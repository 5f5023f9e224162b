"""Sixel, DEC's graphics: bands of six lines, each colour of a band a row of characters with six bits."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_BAND_PX = 6
_NUM_COLOURS = 256  # what terminals of today have; where there are fewer they take the nearest
_FIRST = ord("?")  # six bits of nothing
_LONG_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)  # a shorter run is as long as what stands for it


def encode_sixel(picture: "Image.Image") -> str:
    """Return the whole escape code of a picture in RGB."""
    from PIL import Image

    reduced = picture.quantize(palette=picture.quantize(_NUM_COLOURS), dither=Image.Dither.FLOYDSTEINBERG)
    width_px, height_px = reduced.size
    pixels, palette = reduced.tobytes(), reduced.getpalette() or []
    parts = [f'\x1bP0;1;0q"1;1;{width_px};{height_px}', *_define_colours(sorted(set(pixels)), palette)]
    for top in range(0, height_px, _BAND_PX):
        lines = [pixels[y * width_px : (y + 1) * width_px] for y in range(top, min(top + _BAND_PX, height_px))]
        parts.append(_encode_band(lines, width_px))
        parts.append("-")
    return "".join([*parts[:-1], "\x1b\\"])


def _define_colours(numbers: list[int], palette: list[int]) -> list[str]:
    """Return a definition of each colour, in percent of red, green and blue."""
    shares = [[round(part * 100 / 255) for part in palette[3 * one : 3 * one + 3]] for one in numbers]
    return [f"#{one};2;{red};{green};{blue}" for one, (red, green, blue) in zip(numbers, shares, strict=True)]


def _encode_band(lines: list[bytes], width_px: int) -> str:
    """Return a band of six lines or fewer: each colour writes its pixels and goes back to the start."""
    rows: dict[int, bytearray] = {}
    for bit, line in enumerate(lines):
        for x, colour in enumerate(line):
            row = rows.get(colour)
            if row is None:
                row = rows[colour] = bytearray([_FIRST]) * width_px
            row[x] += 1 << bit
    return "$".join(f"#{colour}{_shorten(bytes(row))}" for colour, row in sorted(rows.items()))


def _shorten(row: bytes) -> str:
    """Return the row with runs as !<number><character>, without the nothing at its end."""
    trimmed = row.rstrip(b"?")
    return _LONG_RUN.sub(lambda run: b"!%d%c" % (len(run[0]), run[1]), trimmed).decode("ascii")
