"""Things that carry people, seen from the side and facing right."""

from instructgen.scenes.palette import INK, PAINT, WHITE, Rgb, darker, lighter
from instructgen.scenes.pen import Look, Pen

_GLASS: Rgb = (186, 222, 238)
_TYRE: Rgb = (46, 46, 50)
_HUB: Rgb = (196, 200, 206)
_LAMP: Rgb = (252, 232, 150)


def _draw_wheel(pen: Pen, x: float, radius: float) -> None:
    pen.oval(_TYRE, x, radius, radius, radius)
    pen.oval(_HUB, x, radius, radius * 0.5, radius * 0.5)
    pen.oval(darker(_HUB, 0.4), x, radius, radius * 0.16, radius * 0.16)


def draw_car(pen: Pen, look: Look) -> None:
    """200 by 78 units."""
    body = look.paint
    pen.blob(body, (-68, 42), (-48, 74), (-10, 79), (30, 74), (62, 44), (0, 40))
    pen.poly(_GLASS, (-52, 46), (-40, 68), (-8, 71), (-8, 46))
    pen.poly(_GLASS, (-1, 46), (-1, 71), (26, 67), (46, 46))
    pen.poly(WHITE, (-34, 46), (-26, 69), (-20, 69), (-28, 46))
    pen.rect(body, (-98, 14), (98, 48), 13)
    pen.rect(darker(body), (-98, 14), (98, 24), 5)
    pen.rect(_LAMP, (86, 34), (98, 42), 3)
    pen.rect((220, 60, 50) if look.colour != "red" else (255, 150, 120), (-98, 34), (-90, 43), 3)
    pen.rect(darker(body, 0.35), (-24, 37), (-12, 40))
    pen.rect(darker(body, 0.35), (22, 37), (34, 40))
    pen.line(darker(body, 0.3), 1.4, (-4, 46), (-4, 24))
    _draw_wheel(pen, -56, 18)
    _draw_wheel(pen, 58, 18)


def draw_bus(pen: Pen, look: Look) -> None:
    """250 by 112 units."""
    body = look.paint
    pen.rect(body, (-122, 16), (122, 112), 12)
    pen.rect(lighter(body, 0.35), (-120, 104), (120, 111), 5)
    pen.rect(darker(body), (-122, 16), (122, 28), 4)
    pen.rect(lighter(body, 0.7), (-122, 44), (122, 49))
    for x in (-112, -76, -40, -4):
        pen.rect(_GLASS, (x, 60), (x + 29, 96), 4)
        pen.poly(WHITE, (x + 6, 60), (x + 16, 95), (x + 21, 95), (x + 11, 60))
    pen.rect(darker(body, 0.3), (34, 22), (66, 98), 3)
    pen.rect(_GLASS, (37, 26), (49, 94), 2)
    pen.rect(_GLASS, (51, 26), (63, 94), 2)
    pen.rect(_GLASS, (76, 54), (121, 98), 5)
    pen.rect(_LAMP, (110, 30), (122, 40), 3)
    _draw_wheel(pen, -70, 19)
    _draw_wheel(pen, 88, 19)


def draw_truck(pen: Pen, look: Look) -> None:
    """240 by 112 units: a cab and a box, both in the colour."""
    body = look.paint
    pen.rect((84, 86, 92), (-116, 18), (112, 30))
    pen.rect(body, (-118, 28), (42, 112), 4)
    for x in range(-104, 40, 18):
        pen.rect(darker(body, 0.16), (x, 34), (x + 3, 106))
    pen.rect(lighter(body, 0.35), (-118, 106), (42, 112), 2)
    pen.blob(body, (50, 26), (49, 84), (62, 90), (88, 88), (104, 62), (118, 50), (118, 24), (80, 20))
    pen.poly(_GLASS, (62, 56), (62, 81), (83, 81), (96, 57))
    pen.rect(darker(body, 0.35), (64, 44), (75, 47))
    pen.rect(_LAMP, (108, 34), (118, 43), 3)
    pen.rect((150, 152, 158), (104, 18), (120, 26), 3)
    for x in (-88, -48, 82):
        _draw_wheel(pen, x, 19)


def draw_boat(pen: Pen, look: Look) -> None:
    """Variant: sail, motor. The origin is the water line."""
    hull = look.paint
    if look.variant == "motor":
        pen.blob(hull, (-82, 30), (0, 24), (92, 38), (70, 4), (0, -2), (-72, 0))
        pen.rect(WHITE, (-46, 27), (26, 52), 5)
        pen.poly(_GLASS, (-38, 34), (-38, 47), (-8, 47), (-8, 34))
        pen.poly(_GLASS, (0, 34), (0, 47), (14, 47), (22, 34))
        pen.rect(darker(hull), (-54, 50), (30, 57), 3)
        pen.line(lighter(hull, 0.7), 4, (-72, 14), (74, 18))
        return
    pen.rect((120, 84, 54), (-2, 24), (3, 142))
    pen.poly(WHITE, (8, 36), (8, 138), (66, 36))
    pen.poly(lighter(hull, 0.25), (-6, 36), (-6, 126), (-50, 36))
    pen.poly(hull, (2, 150), (2, 140), (-20, 143))
    pen.blob(hull, (-78, 30), (0, 22), (84, 34), (60, 2), (0, -4), (-58, 0))
    pen.line(lighter(hull, 0.7), 4, (-66, 20), (68, 20))


def draw_bicycle(pen: Pen, look: Look) -> None:
    """130 by 72 units; the pedal axle is at (-4, 25), the saddle at (-14, 59), the grip at (27, 66)."""
    frame = look.paint
    for x in (-38, 38):
        for points in (
            ((x, 2), (x, 50)),
            ((x - 24, 26), (x + 24, 26)),
            ((x - 17, 9), (x + 17, 43)),
            ((x - 17, 43), (x + 17, 9)),
        ):
            pen.line(_HUB, 1, *points)
        rim = [(x + 24.5 * c, 26 + 24.5 * s) for c, s in _RIM]
        pen.line(_TYRE, 4.6, *rim)
        pen.oval(_TYRE, x, 26, 3.4, 3.4)
    pen.line(frame, 5.4, (-38, 26), (-13, 52), (24, 54), (-4, 25), (-38, 26))
    pen.line(frame, 5.4, (-4, 25), (-14, 56))
    pen.line(frame, 5.4, (38, 26), (22, 64))
    pen.line(INK, 5, (18, 66), (30, 67))
    pen.line(INK, 6, (-23, 60), (-6, 60))
    pen.oval(_HUB, -4, 25, 6.5, 6.5)
    pen.line(INK, 4, (-4, 25), (1, 12), (8, 12))


_RIM: tuple[tuple[float, float], ...] = (
    (1, 0), (0.924, 0.383), (0.707, 0.707), (0.383, 0.924), (0, 1), (-0.383, 0.924), (-0.707, 0.707), (-0.924, 0.383),
    (-1, 0), (-0.924, -0.383), (-0.707, -0.707), (-0.383, -0.924), (0, -1), (0.383, -0.924), (0.707, -0.707),
    (0.924, -0.383), (1, 0),
)  # fmt: skip


def draw_airplane(pen: Pen, look: Look) -> None:
    """220 by 84 units, flying to the right."""
    body = look.paint
    tail = PAINT["blue"] if look.colour != "blue" else PAINT["red"]
    pen.poly(darker(body, 0.16), (6, 46), (-22, 76), (-8, 76), (36, 46))
    pen.poly(tail, (-104, 40), (-116, 84), (-96, 84), (-66, 46))
    pen.blob(body, (-112, 42), (-60, 52), (60, 54), (100, 46), (110, 36), (90, 26), (20, 22), (-70, 28))
    pen.poly(_GLASS, (82, 45), (98, 43), (103, 38), (84, 38))
    for x in range(-56, 76, 15):
        pen.oval((70, 110, 150), x, 42, 3.6, 4)
    pen.poly(darker(body, 0.28), (14, 34), (-44, 2), (-24, 2), (52, 34))
    pen.poly(darker(body, 0.28), (-84, 38), (-112, 24), (-98, 24), (-62, 38))
