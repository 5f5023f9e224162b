"""Furniture and things that stand in a room, seen from the front."""

import math

from instructgen.scenes.palette import INK, PAINT, WHITE, Rgb, darker, lighter
from instructgen.scenes.pen import Look, Pen

_WOOD: Rgb = (150, 98, 58)
_LEAF: Rgb = (62, 150, 78)


def draw_chair(pen: Pen, look: Look) -> None:
    """100 tall; the seat is 46 high."""
    paint = look.paint
    for x in (-22, 22):
        pen.rect(darker(paint, 0.35), (x - 3, 12), (x + 3, 46))
    pen.rect(paint, (-29, 52), (-23, 100), 2)
    pen.rect(paint, (23, 52), (29, 100), 2)
    for y in (64, 78, 90):
        pen.rect(paint, (-26, y - 1), (26, y + 8), 2)
    pen.poly(lighter(paint, 0.2), (-28, 56), (28, 56), (35, 44), (-35, 44))
    pen.rect(darker(paint), (-35, 38), (35, 44), 2)
    for x in (-31, 31):
        pen.rect(paint, (x - 4, 0), (x + 4, 40))


def draw_couch(pen: Pen, look: Look) -> None:
    """200 by 84 units; the seat is 40 high."""
    paint = look.paint
    for x in (-82, 82):
        pen.rect(_WOOD, (x - 5, 0), (x + 5, 10))
    pen.rect(darker(paint, 0.12), (-84, 24), (84, 86), 12)
    for x in (-80, 2):
        pen.rect(paint, (x, 38), (x + 78, 82), 9)
    pen.rect(darker(paint), (-90, 8), (90, 28), 5)
    for x in (-80, 1):
        pen.rect(lighter(paint, 0.14), (x, 24), (x + 79, 42), 6)
    for side in (-1, 1):
        pen.rect(paint, (side * 76, 8), (side * 99, 58), 10)
        pen.rect(lighter(paint, 0.14), (side * 78, 46), (side * 97, 57), 5)


def draw_bed(pen: Pen, look: Look) -> None:
    """210 by 96 units, from the side, the pillow at the left; the mattress is 46 high."""
    blanket = look.paint
    pen.rect(_WOOD, (-104, 0), (-94, 96), 3)
    pen.rect(_WOOD, (95, 0), (104, 58), 3)
    pen.rect(darker(_WOOD), (-96, 12), (96, 24))
    pen.rect(WHITE, (-95, 22), (95, 44), 4)
    pen.tilted((252, 252, 255), (-74, 50), (22, 10), 12)
    pen.tilted((214, 220, 232), (-72, 45), (22, 5), 8)
    pen.rect(blanket, (-48, 14), (97, 52), 7)
    pen.rect(lighter(blanket, 0.45), (-48, 14), (-34, 52), 4)
    for x in (-4, 30, 64):
        pen.line(darker(blanket, 0.2), 2, (x, 50), (x - 4, 18))


def draw_potted_plant(pen: Pen, look: Look) -> None:
    """100 tall; the colour is the leaves'."""
    leaf = look.paint
    spread = ((-28, 68, 130), (28, 68, 50), (-16, 82, 108), (16, 82, 72), (-32, 52, 158), (32, 52, 22), (0, 84, 90))
    for x, y, angle in spread:
        pen.line(darker(leaf, 0.4), 2, (0, 34), (x * 0.7, y * 0.9))
        pen.tilted(leaf if angle % 4 else lighter(leaf, 0.2), (x, y), (18, 8), angle)
    pot = (196, 100, 62) if look.shade % 2 else (216, 196, 168)
    pen.poly(pot, (-22, 34), (22, 34), (16, 0), (-16, 0))
    pen.rect(darker(pot, 0.16), (-25, 30), (25, 40), 3)


def draw_tv(pen: Pen, look: Look) -> None:
    """140 by 92 units, on its foot; the screen shows hills."""
    pen.rect((60, 62, 68), (-30, 0), (30, 5), 2)
    pen.rect((60, 62, 68), (-6, 4), (6, 14))
    pen.rect((26, 28, 32), (-70, 11), (70, 92), 4)
    sky = ((70, 90, 120), (92, 70, 110), (60, 110, 120))[look.shade % 3]
    pen.rect(sky, (-64, 17), (64, 86))
    pen.poly(darker(sky, 0.35), (-64, 17), (-64, 40), (-24, 62), (10, 34), (40, 52), (64, 36), (64, 17))
    pen.oval(lighter(sky, 0.7), 40, 70, 8, 8)
    pen.poly(lighter(sky, 0.22), (-58, 86), (-40, 86), (-56, 50), (-64, 50), (-64, 76))


def draw_laptop(pen: Pen, look: Look) -> None:
    """110 by 78 units, open, from the front."""
    case = look.paint
    pen.rect(darker(case, 0.3), (-44, 16), (44, 78), 4)
    pen.rect((64, 120, 196), (-39, 21), (39, 73), 1)
    pen.poly((110, 170, 230), (-39, 73), (10, 73), (-20, 21), (-39, 21))
    pen.rect(WHITE, (6, 44), (32, 66), 2)
    for y in (50, 55, 60):
        pen.rect((150, 156, 168), (10, y), (28, y + 2))
    pen.poly(case, (-44, 17), (44, 17), (55, 3), (-55, 3))
    pen.poly((70, 74, 82), (-38, 15), (38, 15), (43, 9), (-43, 9))
    pen.poly(lighter(case, 0.3), (-12, 8), (12, 8), (14, 4), (-14, 4))
    pen.rect(darker(case, 0.35), (-55, 0), (55, 4), 2)


def draw_clock(pen: Pen, look: Look) -> None:
    """Round, 80 across; `shade` sets the hands."""
    pen.oval(look.paint, 0, 40, 40, 40)
    pen.oval((252, 250, 242), 0, 40, 31, 31)
    for mark in range(12):
        turn = math.radians(30 * mark)
        inner = 22 if mark % 3 == 0 else 26
        start = (inner * math.cos(turn), 40 + inner * math.sin(turn))
        pen.line(INK, 3 if mark % 3 == 0 else 1.6, start, (28.5 * math.cos(turn), 40 + 28.5 * math.sin(turn)))
    for length, width, turns in ((15, 4, look.shade * 41), (23, 2.6, look.shade * 97)):
        turn = math.radians(turns)
        pen.line(INK, width, (0, 40), (length * math.cos(turn), 40 + length * math.sin(turn)))
    pen.oval(PAINT["red"], 0, 40, 3, 3)


def draw_teddy_bear(pen: Pen, look: Look) -> None:
    """100 tall, sitting."""
    fur = look.paint
    pale = lighter(fur, 0.5)
    for side in (-1, 1):
        pen.oval(fur, side * 20, 90, 10, 10)
        pen.oval(pale, side * 20, 90, 5.5, 5.5)
        pen.tilted(darker(fur, 0.1), (side * 30, 42), (8, 18), side * 30)
    pen.oval(fur, 0, 32, 27, 30)
    pen.oval(pale, 0, 30, 16, 19)
    for side in (-1, 1):
        pen.oval(fur, side * 27, 12, 15, 12)
        pen.oval(pale, side * 29, 11, 8, 7)
    pen.oval(fur, 0, 72, 27, 24)
    pen.oval(pale, 0, 65, 12, 10)
    pen.oval(INK, 0, 69, 4.5, 3.4)
    pen.stroke(INK, 1.6, (-5, 62), (0, 60), (5, 62))
    for side in (-1, 1):
        pen.oval(INK, side * 10, 77, 3.2, 3.6)
    bow = PAINT["red"] if look.colour != "red" else PAINT["blue"]
    for side in (-1, 1):
        pen.poly(bow, (0, 49), (side * 14, 56), (side * 14, 42))


def draw_vase(pen: Pen, look: Look) -> None:
    """100 tall, with flowers in it."""
    paint = look.paint
    petals = [colour for colour in ("red", "yellow", "pink", "white", "purple") if colour != look.colour]
    for step, (x, y) in enumerate(((-20, 76), (0, 86), (20, 78))):
        pen.line((70, 140, 76), 2.6, (x * 0.2, 42), (x, y))
        pen.tilted(_LEAF, (x * 0.6, 58), (8, 3.6), 60 if x > 0 else 120)
        petal = PAINT[petals[(look.shade + step) % len(petals)]]
        for dx, dy in ((-6, 0), (6, 0), (0, 6), (0, -6)):
            pen.oval(petal, x + dx, y + dy, 6, 6)
        pen.oval((250, 200, 60) if petal != PAINT["yellow"] else PAINT["brown"], x, y, 4.4, 4.4)
    pen.blob(paint, (-10, 50), (0, 48), (10, 50), (11, 44), (24, 24), (14, 1), (0, 0), (-14, 1), (-24, 24), (-11, 44))
    pen.blob(lighter(paint, 0.4), (-14, 30), (-10, 34), (-9, 14), (-13, 14))


def draw_book(pen: Pen, look: Look) -> None:
    """Lying closed, 90 by 30 units."""
    cover = look.paint
    pen.poly((248, 244, 230), (-40, 14), (45, 14), (45, 4), (-40, 4))
    for y in (6.5, 9, 11.5):
        pen.line((206, 200, 184), 0.8, (-38, y), (44, y))
    pen.rect(darker(cover, 0.2), (-45, 0), (46, 4), 1)
    pen.poly(cover, (-45, 13), (46, 13), (36, 29), (-33, 29))
    pen.poly(lighter(cover, 0.5), (-22, 18), (24, 18), (20, 24), (-18, 24))
    pen.line(darker(cover, 0.2), 4.4, (-43, 2), (-43, 12))


def draw_dining_table(pen: Pen, look: Look) -> None:
    """400 by 150 units: its top is seen from above, so that things can stand on it; its legs are out of sight."""
    wood = look.paint
    pen.rect(darker(wood, 0.35), (-198, -60), (198, 20))
    pen.poly(wood, (-172, 150), (172, 150), (200, 16), (-200, 16))
    for share in (0.16, 0.34, 0.54, 0.77):
        y, half = 150 - 134 * share, 172 + 28 * share
        pen.line(darker(wood, 0.1), 1.2, (-half, y), (half, y))
    pen.rect(lighter(wood, 0.2), (-200, 13), (200, 19))
