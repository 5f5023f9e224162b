"""Food and what it is served in, seen from a little above the table."""

from instructgen.scenes.palette import PAINT, WHITE, Rgb, darker, lighter, mix
from instructgen.scenes.pen import Look, Pen

_PLATE: Rgb = (238, 240, 244)
_STALK: Rgb = (110, 76, 44)


def draw_cup(pen: Pen, look: Look) -> None:
    """A mug, 60 tall."""
    paint = look.paint
    pen.oval(paint, 24, 31, 15, 17)
    pen.oval((214, 204, 190), 24, 31, 8.4, 10)
    pen.rect(paint, (-24, 4), (24, 54), 6)
    pen.oval(darker(paint, 0.12), 0, 6, 22, 6)
    pen.oval(lighter(paint, 0.4), 0, 53, 24, 7)
    pen.oval((104, 66, 40), 0, 52, 20, 5)
    pen.rect(lighter(paint, 0.35), (-18, 14), (-13, 42), 2)


def draw_wine_glass(pen: Pen, look: Look) -> None:
    """100 tall, half full."""
    glass = (206, 224, 234)
    pen.oval(glass, 0, 4, 18, 4.4)
    pen.rect(glass, (-2, 4), (2, 46))
    pen.blob(glass, (-17, 98), (-21, 74), (-12, 50), (0, 45), (12, 50), (21, 74), (17, 98), (0, 99))
    wine = (150, 30, 62) if look.variant == "red" else (238, 214, 120)
    pen.blob(wine, (-19, 74), (-13, 54), (0, 48), (13, 54), (19, 74), (0, 76))
    pen.oval(lighter(wine, 0.3), 0, 74, 19, 3.6)
    pen.rect(WHITE, (-13, 66), (-10, 92), 1)


def draw_bottle(pen: Pen, look: Look) -> None:
    """110 tall."""
    paint = look.paint
    pen.rect(paint, (-18, 0), (18, 66), 6)
    pen.blob(paint, (-18, 56), (-17, 70), (-7, 84), (7, 84), (17, 70), (18, 56))
    pen.rect(paint, (-7, 74), (7, 104), 2)
    pen.rect(darker(paint, 0.45), (-8.5, 98), (8.5, 110), 2)
    pen.rect((248, 242, 226), (-18, 22), (18, 48))
    pen.oval(darker(paint, 0.1), 0, 35, 8, 8)
    pen.rect(lighter(paint, 0.5), (-14, 52), (-10.5, 66), 1.5)


def draw_bowl(pen: Pen, look: Look) -> None:
    """90 by 48 units; variant soup, salad or rice."""
    paint = look.paint
    pen.wedge(paint, (0, 36), (45, 36), (180, 360))
    pen.rect(darker(paint, 0.2), (-17, 0), (17, 5), 2)
    pen.oval(lighter(paint, 0.35), 0, 36, 45, 11)
    fill = {"soup": (226, 120, 50), "salad": (96, 172, 70), "rice": (250, 246, 234)}[look.variant]
    pen.oval(fill, 0, 35, 38, 8)
    if look.variant == "salad":
        for x, y in ((-24, 37), (-8, 40), (10, 38), (25, 37)):
            pen.oval((130, 196, 88), x, y, 9, 5)
        pen.oval(PAINT["red"], 0, 38, 5, 4)
        pen.oval(PAINT["red"], 19, 37, 5, 4)
    else:
        pen.oval(lighter(fill, 0.4), -8, 36, 12, 3)


def draw_apple(pen: Pen, look: Look) -> None:
    """60 tall."""
    paint = look.paint
    pen.blob(paint, (0, 46), (14, 52), (28, 42), (26, 16), (10, 0), (0, 3), (-10, 0), (-26, 16), (-28, 42), (-14, 52))
    pen.oval(darker(paint, 0.3), 0, 47, 7, 2.6)
    pen.stroke(_STALK, 3.6, (0, 46), (1, 54), (5, 62))
    pen.tilted((92, 170, 70), (13, 58), (10, 4.4), 20)
    pen.tilted(lighter(paint, 0.5), (-15, 34), (4, 8), -20)


def draw_orange(pen: Pen, look: Look) -> None:
    """56 tall."""
    paint = look.paint
    pen.oval(paint, 0, 27, 28, 27)
    pen.oval(darker(paint, 0.12), 4, 20, 21, 16)
    pen.oval(paint, 1, 24, 22, 18)
    for x, y in ((-10, 14), (4, 12), (14, 22), (-16, 26), (0, 26), (12, 34)):
        pen.oval(darker(paint, 0.16), x, y, 1.2, 1.2)
    pen.oval(lighter(paint, 0.4), -10, 38, 7, 5)
    pen.oval((80, 140, 60), 1, 52, 5, 3)
    pen.tilted((92, 170, 70), (9, 55), (9, 3.6), 10)


def draw_banana(pen: Pen, look: Look) -> None:
    """A single one, 100 by 50 units: a hand of them could not be counted."""
    paint = look.paint
    outer = ((46, 36), (50, 32), (36, 8), (4, -1), (-28, 6), (-46, 28))
    pen.blob(paint, (-46, 44), (-38, 42), (-26, 24), (0, 14), (28, 20), *outer)
    pen.stroke(darker(paint, 0.2), 2.6, (-40, 30), (-22, 12), (4, 6), (32, 13))
    pen.line(_STALK, 6, (-45, 42), (-48, 50))
    pen.oval(_STALK, 48, 34, 3.4, 3.4)


def draw_pizza(pen: Pen, look: Look) -> None:
    """A whole one on a plate, 120 by 50 units; the colour is the cheese's."""
    pen.oval(darker(_PLATE, 0.2), 0, 22, 62, 22)
    pen.oval(_PLATE, 0, 25, 62, 22)
    pen.oval((196, 128, 60), 0, 27, 54, 19)
    pen.oval((206, 62, 40), 0, 28, 48, 16)
    pen.oval(lighter(look.paint, 0.15), 0, 29, 46, 14.5)
    for x, y in ((-28, 31), (-8, 36), (16, 35), (31, 28), (4, 27), (-18, 23), (14, 20)):
        pen.oval((206, 58, 44), x, y, 7.6, 3.4)
    for x, y in ((-6, 31), (22, 29), (-32, 26), (0, 20)):
        pen.oval((72, 142, 66), x, y, 4, 2)
    for dx, dy in ((46, 14.5), (-46, 14.5), (46, -14.5), (-46, -14.5)):
        pen.line((226, 168, 70), 1.2, (0, 29), (dx * 0.7, 29 + dy * 0.7))


def draw_donut(pen: Pen, look: Look) -> None:
    """80 by 44 units, iced in the colour."""
    icing = look.paint
    pen.oval((206, 150, 88), 0, 19, 40, 19)
    pen.blob(
        icing, (-37, 24), (-24, 39), (0, 43), (24, 39), (37, 24), (28, 12), (14, 15), (2, 8), (-12, 14), (-26, 11)
    )
    sprinkles = ("yellow", "white", "blue", "green") if look.colour != "yellow" else ("red", "white", "blue", "green")
    spots = ((-26, 26), (-16, 34), (4, 37), (20, 33), (28, 22), (13, 17), (-8, 17), (-22, 18))
    for step, (x, y) in enumerate(spots):
        pen.tilted(PAINT[sprinkles[step % 4]], (x, y), (3.6, 1.5), 40 * step)
    pen.oval(darker(icing, 0.35), 0, 27, 12, 6)
    pen.oval((150, 104, 62), 0, 26, 10, 4.6)


def draw_cake(pen: Pen, look: Look) -> None:
    """A layer cake with a cherry and candles on a plate, 100 by 92 units."""
    icing = look.paint
    sponge = mix((226, 178, 112), icing, 0.15)
    pen.oval(darker(_PLATE, 0.15), 0, 9, 52, 9)
    pen.oval(_PLATE, 0, 11, 52, 9)
    pen.rect(sponge, (-38, 12), (38, 56), 3)
    pen.oval(sponge, 0, 12, 38, 7)
    pen.rect(WHITE, (-38, 30), (38, 35))
    pen.rect(icing, (-40, 42), (40, 64), 4)
    for x, drop in ((-33, 32), (-18, 38), (-2, 33), (14, 39), (31, 34)):
        pen.line(icing, 11, (x, 50), (x, drop))
    pen.oval(lighter(icing, 0.3), 0, 64, 40, 9)
    for x, tint in ((-20, "blue"), (0, "yellow"), (20, "green")):
        pen.rect(PAINT[tint], (x - 2, 64), (x + 2, 82))
        pen.blob((255, 190, 60), (x, 82), (x - 2.8, 86), (x, 93), (x + 2.8, 86))
    for x in (-30, -10, 11, 30):
        pen.oval((200, 36, 52), x, 63, 5, 4.6)
