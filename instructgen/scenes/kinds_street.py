"""Things that stand, fly or roll outdoors."""

import math

from instructgen.scenes.palette import INK, PAINT, WHITE, Rgb, darker, lighter
from instructgen.scenes.pen import Look, Pen, Point

_STEEL: Rgb = (112, 118, 126)
_WOOD: Rgb = (160, 106, 62)


def draw_traffic_light(pen: Pen, look: Look) -> None:
    """100 tall; variant red, yellow or green is the lamp that is lit."""
    pen.rect(_STEEL, (-3, 0), (3, 52))
    pen.rect(_STEEL, (-9, 0), (9, 4), 1)
    pen.rect((34, 36, 40), (-14, 46), (14, 100), 5)
    lamps = (("red", 89, (250, 50, 44)), ("yellow", 73, (255, 206, 40)), ("green", 57, (50, 214, 92)))
    for name, y, lit in lamps:
        if name == look.variant:
            pen.oval(darker(lit, 0.45), 0, y, 8.4, 8.4)
            pen.oval(lit, 0, y, 7, 7)
            pen.oval(lighter(lit, 0.6), -2, y + 2.4, 2.2, 2.2)
        else:
            pen.oval(darker(lit, 0.74), 0, y, 7, 7)


def draw_stop_sign(pen: Pen, look: Look) -> None:
    """100 tall; a raised hand stands for the word."""
    pen.rect(_STEEL, (-2.6, 0), (2.6, 60))
    for colour, radius in ((WHITE, 26.0), (look.paint, 23.5)):
        turns = [math.radians(22.5 + 45 * corner) for corner in range(8)]
        pen.poly(colour, *((radius * math.cos(turn), 74 + radius * math.sin(turn)) for turn in turns))
    pen.rect(WHITE, (-7.5, 61), (8, 76), 4)
    for x, top in ((-5.6, 85), (-1.4, 88.5), (2.8, 87.5), (6.6, 83)):
        pen.line(WHITE, 3.2, (x, 72), (x, top))
    pen.line(WHITE, 3.6, (-5, 66), (-12, 74))


def draw_fire_hydrant(pen: Pen, look: Look) -> None:
    """80 tall."""
    body = look.paint
    pen.rect(darker(body, 0.3), (-20, 0), (20, 8), 3)
    pen.rect(body, (-14, 6), (14, 60))
    pen.rect(lighter(body, 0.35), (-10, 10), (-5, 54), 2)
    for side in (-1, 1):
        pen.rect(darker(body), (side * 13, 34), (side * 22, 50), 3)
        pen.rect(darker(body, 0.4), (side * 20, 32), (side * 25, 52), 2)
    pen.rect(darker(body), (-18, 56), (18, 63), 3)
    pen.wedge(body, (0, 62), (15, 15), (0, 180))
    pen.rect(darker(body, 0.3), (-4, 75), (4, 82), 2)
    pen.oval(darker(body, 0.4), 0, 40, 7, 7)
    pen.oval(lighter(body, 0.3), 0, 40, 4, 4)


def draw_bench(pen: Pen, look: Look) -> None:
    """150 by 62 units; the seat is 26 high."""
    wood = look.paint
    for x in (-58, 58):
        pen.line(_STEEL, 5, (x - 4, 2), (x, 26), (x, 60))
        pen.line(_STEEL, 5, (x + 6, 2), (x + 2, 26))
    for y in (36, 46, 56):
        pen.rect(wood, (-74, y), (74, y + 7), 2)
    pen.rect(lighter(wood, 0.15), (-76, 24), (76, 31), 2)
    pen.rect(darker(wood), (-76, 21), (76, 25), 2)


def draw_umbrella(pen: Pen, look: Look) -> None:
    """Open, 100 tall, the handle's end at the origin; variant beach is planted and striped with white."""
    canopy = look.paint
    light = WHITE if look.variant == "beach" else lighter(canopy, 0.22)
    pen.line(_STEEL if look.variant != "beach" else _WOOD, 3.2, (0, 4), (0, 96))
    if look.variant != "beach":
        pen.stroke(INK, 3.6, (0, 8), (3, 0), (9, 2), (10, 8))
    pen.wedge(canopy, (0, 54), (60, 42), (0, 180))
    pen.wedge(light, (0, 54), (60, 42), (60, 84))
    pen.wedge(light, (0, 54), (60, 42), (114, 146))
    pen.wedge(light if look.variant == "beach" else darker(canopy), (0, 54), (60, 42), (0, 24))
    for x in (-48, -24, 0, 24, 48):
        pen.oval(darker(canopy, 0.32), x, 54, 12, 3.4)
    pen.line(canopy, 3.2, (0, 92), (0, 100))


def draw_kite(pen: Pen, look: Look) -> None:
    """A diamond of 60 by 80 with a tail below; the origin is the tail's end."""
    paint = look.paint
    tail = darker(paint, 0.3)
    pen.stroke(tail, 2.2, (0, 52), (9, 36), (-7, 20), (3, 0))
    for x, y in ((7, 38), (-4, 22), (1, 6)):
        pen.poly(paint, (x, y), (x - 8, y + 6), (x - 8, y - 6))
        pen.poly(paint, (x, y), (x + 8, y + 6), (x + 8, y - 6))
    pen.poly(paint, (0, 130), (30, 96), (0, 50), (-30, 96))
    pen.poly(lighter(paint, 0.4), (0, 130), (30, 96), (0, 96))
    pen.poly(darker(paint, 0.2), (0, 50), (-30, 96), (0, 96))
    pen.line(WHITE, 1.8, (0, 128), (0, 52))
    pen.line(WHITE, 1.8, (-28, 96), (28, 96))


def draw_ball(pen: Pen, look: Look) -> None:
    """60 across; variant soccer, basketball or beach."""
    if look.variant == "soccer":
        pen.oval(WHITE, 0, 30, 30, 30)
        _draw_pentagon(pen, (0, 31), 11)
        for corner in range(5):
            turn = math.radians(90 + 72 * corner)
            x, y = 27 * math.cos(turn), 30 + 27 * math.sin(turn)
            pen.line(INK, 2, (11 * math.cos(turn), 31 + 11 * math.sin(turn)), (x * 0.8, 30 + (y - 30) * 0.8))
            pen.tilted(INK, (x * 0.9, 30 + (y - 30) * 0.9), (5.5, 3.4), 180 + 72 * corner)
        return
    paint = look.paint
    pen.oval(paint, 0, 30, 30, 30)
    if look.variant == "basketball":
        pen.line(INK, 2.2, (0, 1), (0, 59))
        pen.line(INK, 2.2, (-29, 30), (29, 30))
        pen.stroke(INK, 2.2, (-20, 52), (-10, 30), (-20, 8))
        pen.stroke(INK, 2.2, (20, 52), (10, 30), (20, 8))
        return
    pen.wedge(WHITE, (0, 34), (26, 24), (20, 70))
    pen.wedge(lighter(paint, 0.5), (0, 34), (26, 24), (140, 190))
    pen.wedge(WHITE, (0, 34), (26, 29), (250, 295))
    pen.oval(lighter(paint, 0.6), 0, 34, 5, 5)


def _draw_pentagon(pen: Pen, middle: Point, radius: float) -> None:
    turns = [math.radians(90 + 72 * corner) for corner in range(5)]
    pen.poly(INK, *((middle[0] + radius * math.cos(t), middle[1] + radius * math.sin(t)) for t in turns))


def draw_frisbee(pen: Pen, look: Look) -> None:
    """A disc of 80 by 30, seen from a little above."""
    paint = look.paint
    pen.oval(darker(paint, 0.25), 0, 13, 40, 13)
    pen.oval(paint, 0, 17, 40, 13)
    pen.oval(lighter(paint, 0.28), 0, 18, 27, 8)
    pen.oval(paint, 0, 18, 20, 5.6)


def draw_surfboard(pen: Pen, look: Look) -> None:
    """Planted upright, 100 tall."""
    paint = look.paint
    pen.blob(paint, (-9, 2), (-16, 30), (-14, 70), (0, 100), (14, 70), (16, 30), (9, 2))
    pen.blob(lighter(paint, 0.5), (-4, 4), (-6, 40), (-4, 84), (0, 92), (4, 84), (6, 40), (4, 4))
    pen.line(darker(paint, 0.4), 1.6, (0, 4), (0, 94))


def draw_snowboard(pen: Pen, look: Look) -> None:
    """Planted upright, 100 tall, with bindings."""
    paint = look.paint
    pen.rect(paint, (-13, 0), (13, 100), 12)
    pen.rect(lighter(paint, 0.45), (-13, 44), (13, 58))
    for y in (26, 74):
        pen.rect(INK, (-15, y - 4), (15, y + 4), 3)


def draw_skateboard(pen: Pen, look: Look) -> None:
    """100 by 24 units, from the side."""
    paint = look.paint
    for x in (-28, 28):
        pen.oval(WHITE, x, 7, 7, 7)
        pen.oval(PAINT["gray"], x, 7, 3, 3)
        pen.rect(_STEEL, (x - 4, 11), (x + 4, 15))
    pen.line(paint, 7, (-46, 24), (-36, 18), (36, 18), (46, 24))
