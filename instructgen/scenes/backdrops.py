"""The ground that scenes play on; nothing in a backdrop is a thing that COCO annotates."""

import math
import random
from collections.abc import Callable

from instructgen.scenes.palette import WHITE, Rgb, darker, lighter, mix
from instructgen.scenes.pen import Pen

# The pen's units here are hundredths of the picture's height; x runs from 0 to `width`.
Painter = Callable[[Pen, float, str, random.Random], None]

_SKIES: dict[str, tuple[Rgb, Rgb]] = {
    "day": ((110, 178, 236), (206, 232, 248)),
    "evening": ((106, 92, 160), (255, 176, 110)),
    "rain": ((128, 140, 154), (186, 194, 202)),
    "snowfall": ((170, 184, 204), (216, 224, 234)),
}


def paint_bands(pen: Pen, width: float, rows: tuple[float, float], colours: tuple[Rgb, Rgb]) -> None:
    """Fill from the upper row down to the lower with a gradient."""
    steps = 20
    top, bottom = rows
    for step in range(steps):
        high = top + (bottom - top) * step / steps
        pen.rect(mix(colours[0], colours[1], step / (steps - 1)), (-1, bottom), (width + 1, high))


def _paint_sky(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    paint_bands(pen, width, (101, 38), _SKIES[light])
    if light == "day":
        x = draw.choice((0.12, 0.88)) * width
        pen.oval((255, 240, 170), x, 88, 9.5, 9.5)
        pen.oval((255, 220, 84), x, 88, 7, 7)
    if light == "evening":
        pen.oval((255, 206, 120), draw.uniform(0.25, 0.75) * width, 54, 10, 10)
    cloud = {"day": WHITE, "evening": (240, 170, 160), "rain": (150, 160, 172), "snowfall": (232, 236, 242)}[light]
    for _ in range(5 if light == "rain" else draw.randrange(2, 4)):
        x, y, size = draw.uniform(0, width), draw.uniform(70, 94), draw.uniform(0.6, 1.1)
        for dx, dy, r in ((-8, 0, 4.5), (-2, 2.5, 6), (5, 1, 5), (10, -0.5, 3.5), (1, -1.5, 5)):
            pen.oval(cloud, x + dx * size, y + dy * size, r * 1.3 * size, r * 0.85 * size)


def _paint_tree(pen: Pen, x: float, y: float, size: float, leaf: Rgb) -> None:
    pen.rect((120, 84, 56), (x - 1.3 * size, y), (x + 1.3 * size, y + 12 * size))
    for dx, dy, r in ((-5, 14, 6), (5, 14, 6), (0, 21, 7.5), (-3, 17, 6), (3.5, 18, 6)):
        shade = darker(leaf, 0.1) if dx < 0 else leaf
        pen.oval(shade, x + dx * size, y + dy * size, r * size, r * size)


def _paint_pine(pen: Pen, x: float, y: float, size: float) -> None:
    pen.rect((110, 80, 60), (x - 1.2 * size, y), (x + 1.2 * size, y + 5 * size))
    for step in range(3):
        base, half = y + (4 + 7 * step) * size, (9 - 2 * step) * size
        pen.poly((58, 110, 92), (x - half, base), (x + half, base), (x, base + 13 * size))
        pen.poly(
            WHITE, (x - half * 0.4, base + 7.8 * size), (x + half * 0.4, base + 7.8 * size), (x, base + 13 * size)
        )


def _paint_hills(pen: Pen, width: float, y: float, colour: Rgb, draw: random.Random) -> None:
    points = [(-2.0, y - 20)]
    phase = draw.uniform(0, 6)
    for step in range(25):
        x = width * step / 24
        points.append((x, y + 4 * math.sin(phase + x / 17) + 2 * math.sin(phase * 2 + x / 7)))
    pen.poly(colour, *points, (width + 2, y), (width + 2, y - 20))


def _paint_tufts(pen: Pen, width: float, rows: tuple[float, float], colour: Rgb, draw: random.Random) -> None:
    for _ in range(16):
        x, y = draw.uniform(0, width), draw.uniform(*rows)
        pen.poly(
            colour,
            (x - 1.6, y),
            (x - 1.2, y + 2.4),
            (x - 0.4, y),
            (x, y + 3),
            (x + 0.5, y),
            (x + 1.3, y + 2.2),
            (x + 1.6, y),
        )


def paint_park(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    _paint_hills(pen, width, 46, (120, 176, 120), draw)
    for step in range(draw.randrange(3, 6)):
        x = width * (step + draw.uniform(0.1, 0.9)) / 5
        _paint_tree(pen, x, 41, draw.uniform(0.75, 1.1), (70, 142, 74))
    paint_bands(pen, width, (43, -1), ((132, 192, 100), (116, 178, 84)))
    bend = draw.uniform(0.3, 0.7) * width
    pen.blob(
        (222, 204, 166),
        (bend - 4, 43),
        (bend + 4, 43),
        (bend + 10, 30),
        (bend - 4, 14),
        (bend + 12, -4),
        (bend - 22, -4),
        (bend - 20, 14),
        (bend - 2, 30),
    )
    _paint_tufts(pen, width, (2, 36), (98, 160, 72), draw)


def paint_street(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    walls: tuple[Rgb, ...] = ((214, 178, 150), (190, 150, 140), (168, 178, 190), (226, 212, 184), (176, 190, 170))
    glass: Rgb = (250, 224, 140) if light in ("evening", "rain") else (150, 188, 210)
    x, last = -draw.uniform(0, 10), -1
    while x < width:
        wide, high = draw.uniform(20, 34), draw.uniform(24, 46)
        choice = draw.randrange(len(walls) - 1)
        last = choice + (choice >= last >= 0)
        _paint_house(pen, (x, 44), (wide, high), walls[last], glass)
        x += wide
    pen.rect((190, 188, 184), (-1, 34), (width + 1, 45))
    pen.rect((158, 156, 154), (-1, 32), (width + 1, 34.5))
    pen.rect((104, 106, 114), (-1, -1), (width + 1, 32))
    for step in range(8):
        pen.rect((236, 232, 214), (step * 22 - 6, 15), (step * 22 + 6, 16.6))


def _paint_house(pen: Pen, foot: tuple[float, float], size: tuple[float, float], wall: Rgb, glass: Rgb) -> None:
    (x, y), (wide, high) = foot, size
    pen.rect(wall, (x, y), (x + wide, y + high))
    pen.rect(darker(wall), (x, y + high - 2.4), (x + wide, y + high))
    columns = max(2, round(wide / 9))
    for row in range(max(1, int((high - 13) / 9))):
        for column in range(columns):
            left, low = x + wide * (column + 0.5) / columns - 2, y + 13 + row * 9
            pen.rect(glass, (left, low), (left + 4.4, low + 5.6))
    pen.rect(darker(wall, 0.45), (x + wide / 2 - 2.6, y), (x + wide / 2 + 2.6, y + 9))


def paint_beach(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    paint_bands(pen, width, (52, 32), ((36, 124, 178), (92, 190, 206)))
    for _ in range(9):
        x, y = draw.uniform(0, width), draw.uniform(38, 50)
        pen.line((176, 222, 234), 0.6, (x, y), (x + draw.uniform(4, 9), y))
    edge = [(width * step / 16, 35 + 1.4 * math.sin(step * 0.9)) for step in range(17)]
    pen.poly(WHITE, (-1, -1), (-1, 36), *((x, y + 1.6) for x, y in edge), (width + 1, 36), (width + 1, -1))
    pen.poly((242, 218, 166), (-1, -1), (-1, 34), *edge, (width + 1, 34), (width + 1, -1))
    for _ in range(14):
        pen.oval((226, 198, 142), draw.uniform(0, width), draw.uniform(1, 30), 1.2, 0.6)


def paint_lake(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    _paint_hills(pen, width, 56, (134, 158, 178), draw)
    _paint_hills(pen, width, 50, (92, 150, 104), draw)
    paint_bands(pen, width, (48, 8), ((118, 182, 216), (60, 134, 188)))
    for _ in range(14):
        x, y = draw.uniform(0, width), draw.uniform(14, 44)
        pen.line((168, 212, 234), 0.6, (x, y), (x + draw.uniform(5, 12), y))
    pen.poly(
        (110, 166, 84), (-1, -1), (-1, 13), (width * 0.3, 10.5), (width * 0.7, 12), (width + 1, 14), (width + 1, -1)
    )
    _paint_tufts(pen, width, (2, 8), (86, 144, 66), draw)


def paint_field(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    _paint_hills(pen, width, 50, (140, 186, 118), draw)
    paint_bands(pen, width, (47, -1), ((168, 204, 96), (142, 188, 82)))
    for step in range(int(width / 14) + 2):
        pen.rect((176, 138, 96), (step * 14 - 1, 42), (step * 14 + 1, 53))
    for y in (45, 49):
        pen.rect((190, 152, 108), (-1, y), (width + 1, y + 1.5))
    _paint_tufts(pen, width, (2, 40), (122, 170, 68), draw)


def paint_savanna(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    paint_bands(pen, width, (45, -1), ((226, 196, 112), (206, 170, 90)))
    for _ in range(draw.randrange(1, 4)):
        x = draw.uniform(0.05, 0.95) * width
        pen.line((112, 82, 60), 1.6, (x, 42), (x + 1, 56))
        pen.oval((112, 146, 74), x, 58, 13, 3.6)
        pen.oval((128, 160, 82), x + 2, 61, 9, 2.8)
    _paint_tufts(pen, width, (2, 40), (178, 142, 68), draw)


def paint_snow(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    _paint_sky(pen, width, light, draw)
    for x, high in ((0.2, 74), (0.55, 80), (0.9, 70)):
        middle = x * width
        pen.poly((156, 172, 198), (middle - 38, 42), (middle, high), (middle + 38, 42))
        pen.poly(
            WHITE,
            (middle - 9, high - 8),
            (middle, high),
            (middle + 9, high - 8),
            (middle + 3, high - 11),
            (middle - 3, high - 7),
        )
    for step in range(draw.randrange(3, 6)):
        _paint_pine(pen, width * (step + draw.uniform(0.1, 0.9)) / 5, 41, draw.uniform(0.7, 1.0))
    paint_bands(pen, width, (44, -1), ((236, 242, 250), (224, 232, 244)))
    pen.blob((242, 246, 252), (-4, 30), (width * 0.3, 38), (width * 0.7, 26), (width * 0.4, 16))
    pen.blob((216, 226, 240), (width * 0.5, 14), (width * 0.8, 18), (width + 4, 10), (width * 0.8, 8))


def _paint_window(pen: Pen, x: float, y: float, light: str) -> None:
    top, bottom = _SKIES[light]
    pen.rect((246, 244, 238), (x - 15, y - 13), (x + 15, y + 13))
    pen.rect(mix(top, bottom, 0.4), (x - 13, y - 11), (x + 13, y + 11))
    pen.poly(
        (120, 168, 110) if light == "day" else (78, 84, 110),
        (x - 13, y - 11),
        (x - 13, y - 5),
        (x, y - 2),
        (x + 13, y - 6),
        (x + 13, y - 11),
    )
    pen.rect((246, 244, 238), (x - 0.8, y - 11), (x + 0.8, y + 11))
    pen.rect((246, 244, 238), (x - 13, y - 0.8), (x + 13, y + 0.8))


def _paint_room(pen: Pen, width: float, colours: tuple[Rgb, Rgb], light: str, draw: random.Random) -> None:
    wall, floor = colours
    pen.rect(wall, (-1, 30), (width + 1, 101))
    pen.rect(lighter(wall, 0.55), (-1, 30), (width + 1, 34))
    paint_bands(pen, width, (30, -1), (floor, lighter(floor, 0.12)))
    for y in (5, 12, 20, 26):
        pen.line(darker(floor, 0.1), 0.5, (-1, y), (width + 1, y))
    _paint_window(pen, width * draw.choice((0.22, 0.78)), 80, light)


def paint_living_room(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    wall = draw.choice(((236, 220, 192), (196, 218, 214), (224, 206, 214), (206, 214, 232)))
    _paint_room(pen, width, (wall, (188, 144, 100)), light, draw)
    rug = draw.choice(((206, 122, 110), (118, 146, 176), (220, 196, 150)))
    pen.oval(rug, width / 2, 10, width * 0.36, 8.5)
    pen.oval(lighter(rug, 0.3), width / 2, 10, width * 0.3, 6.5)


def paint_bedroom(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    wall = draw.choice(((210, 222, 238), (238, 222, 226), (226, 232, 212)))
    _paint_room(pen, width, (wall, (196, 184, 172)), light, draw)


def paint_kitchen(pen: Pen, width: float, light: str, draw: random.Random) -> None:
    wall = draw.choice(((238, 232, 214), (214, 230, 226), (240, 222, 206)))
    pen.rect(wall, (-1, -1), (width + 1, 101))
    for step in range(int(width / 10) + 1):
        pen.line(darker(wall, 0.06), 0.5, (step * 10, 40), (step * 10, 62))
    for y in (46, 54, 62):
        pen.line(darker(wall, 0.06), 0.5, (-1, y), (width + 1, y))
    _paint_window(pen, width * draw.choice((0.22, 0.78)), 81, light)


def _paint_plain(colour: Rgb) -> Painter:
    """Return a painter of a ground without anything on it, a little lighter or darker each time."""

    def paint(pen: Pen, width: float, light: str, draw: random.Random) -> None:  # noqa: ARG001  a Painter's own
        pen.rect(mix(colour, (128, 128, 128), draw.uniform(0, 0.1)), (-1, -1), (width + 1, 101))

    return paint


PAINTERS: dict[str, Painter] = {
    "park": paint_park,
    "street": paint_street,
    "beach": paint_beach,
    "lake": paint_lake,
    "field": paint_field,
    "savanna": paint_savanna,
    "snow": paint_snow,
    "living room": paint_living_room,
    "bedroom": paint_bedroom,
    "kitchen": paint_kitchen,
    "lawn": _paint_plain((158, 206, 128)),
    "snow field": _paint_plain((232, 238, 246)),
    "road": _paint_plain((150, 152, 160)),
}
