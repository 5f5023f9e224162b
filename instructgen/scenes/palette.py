"""The colours that things are painted in, and the names that people give to pixels."""

from __future__ import annotations

import colorsys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rgb = tuple[int, int, int]

PAINT: dict[str, Rgb] = {
    "red": (214, 48, 49),
    "orange": (242, 132, 30),
    "yellow": (246, 206, 52),
    "green": (52, 150, 74),
    "blue": (45, 104, 206),
    "purple": (128, 74, 172),
    "pink": (242, 128, 172),
    "brown": (136, 86, 50),
    "white": (246, 246, 244),
    "gray": (142, 146, 152),
    "black": (44, 44, 48),
}
# "tan" is a name for pixels only (skin, wood, sand): nobody would agree on it, so no caption says it.
COLOUR_NAMES: tuple[str, ...] = (*PAINT, "tan")

INK: Rgb = (38, 36, 40)
WHITE: Rgb = (250, 250, 248)

_LEVEL_BITS = 5  # 32 levels a channel: a table of 32,768 colours names a picture in one look-up


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return `first` with `share` (0 to 1) of `second` stirred in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Rgb, share: float = 0.22) -> Rgb:
    return mix(colour, (20, 16, 30), share)


def lighter(colour: Rgb, share: float = 0.3) -> Rgb:
    return mix(colour, (255, 255, 255), share)


def colour_name(colour: Rgb) -> str:
    """Return the plain English name of one colour, one of COLOUR_NAMES."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    if value < 0.24:
        return "black"
    if saturation < 0.14:
        return "white" if value > 0.8 else "gray"
    return _hue_name(hue * 360, saturation, value)


def _hue_name(hue_deg: float, saturation: float, value: float) -> str:
    if hue_deg >= 346 or hue_deg < 13:
        return "pink" if saturation < 0.55 and value > 0.7 else "red"
    if hue_deg < 42:
        if value < 0.66:
            return "brown"
        return "orange" if saturation > 0.68 else "tan"
    bounds = ((70, "yellow"), (165, "green"), (252, "blue"), (300, "purple"), (346, "pink"))
    name = next(name for bound, name in bounds if hue_deg < bound)
    return "tan" if name == "yellow" and saturation < 0.4 else name


@cache
def _name_table() -> NDArray[np.uint8]:
    import numpy as np

    levels = [round((level + 0.5) * 256 / (1 << _LEVEL_BITS)) for level in range(1 << _LEVEL_BITS)]
    names = [COLOUR_NAMES.index(colour_name((r, g, b))) for r in levels for g in levels for b in levels]
    return np.array(names, dtype=np.uint8)


def name_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Map [..., 3] pixels to [...] indices into COLOUR_NAMES."""
    import numpy as np

    levels = (pixels >> (8 - _LEVEL_BITS)).astype(np.uint16)
    keys = (levels[..., 0] << (2 * _LEVEL_BITS)) | (levels[..., 1] << _LEVEL_BITS) | levels[..., 2]
    names: NDArray[np.uint8] = _name_table()[keys]
    return names
