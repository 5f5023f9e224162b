"""Animals, seen from the side and facing right, in units of about a hundredth of their length."""

from instructgen.scenes.palette import INK, PAINT, WHITE, Rgb, darker, lighter, mix
from instructgen.scenes.pen import Look, Pen

_NOSE: Rgb = (52, 40, 40)
_BLUSH: Rgb = (240, 168, 170)
_BEAK: Rgb = (244, 164, 40)


def draw_dog(pen: Pen, look: Look) -> None:
    """Pose: standing, sitting, running."""
    coat = look.paint
    shade = darker(coat)
    if look.pose == "sitting":
        pen.stroke(coat, 7, (-20, 8), (-36, 12), (-40, 26))
        pen.blob(coat, (-26, 4), (-28, 24), (-12, 44), (2, 60), (18, 56), (22, 34), (18, 4), (0, 1))
        pen.oval(shade, -12, 15, 15, 14)
        pen.line(coat, 9, (14, 36), (16, 5))
        pen.oval(lighter(coat), 19, 4, 8, 4.5)
        pen.oval(lighter(coat), -4, 4, 10, 4.5)
        _draw_dog_head(pen, coat, (16, 68))
        return
    reach = 12 if look.pose == "running" else 0
    pen.stroke(coat, 7, (-32, 50), (-46, 60), (-50, 74))
    for x, side in ((-22, -1), (26, 1)):
        pen.line(shade, 9, (x, 34), (x + side * reach, 5))
    pen.blob(coat, (-38, 50), (-34, 62), (-10, 60), (20, 64), (34, 58), (34, 36), (16, 30), (-10, 33), (-34, 30))
    for x, side in ((-31, -1), (16, 1)):
        pen.line(coat, 10, (x, 38), (x + side * reach, 5))
        pen.oval(lighter(coat), x + side * reach + 2, 4, 7, 4.2)
    _draw_dog_head(pen, coat, (38, 70))


def _draw_dog_head(pen: Pen, coat: Rgb, middle: tuple[float, float]) -> None:
    x, y = middle
    pen.oval(coat, x, y, 17, 16)
    pen.oval(lighter(coat, 0.45), x + 14, y - 6, 12, 8)
    pen.oval(_NOSE, x + 23, y - 2, 4, 3.4)
    pen.stroke(_NOSE, 1.4, (x + 10, y - 10), (x + 15, y - 11.5), (x + 20, y - 9.5))
    pen.oval(WHITE, x + 6, y + 4, 4, 4.4)
    pen.oval(INK, x + 7, y + 4, 2.8, 3.2)
    pen.tilted(darker(coat, 0.4), (x - 11, y - 1), (6, 14), -14)
    pen.line((206, 50, 60) if coat != PAINT["red"] else INK, 4, (x - 14, y - 15), (x + 5, y - 17))


def draw_cat(pen: Pen, look: Look) -> None:
    """Pose: sitting (from the front), lying."""
    coat = look.paint
    if look.pose == "lying":
        pen.stroke(darker(coat), 8, (-40, 10), (-56, 14), (-52, 28))
        pen.blob(coat, (-48, 4), (-50, 20), (-32, 36), (0, 38), (30, 34), (42, 18), (40, 3), (0, 1))
        for x in (-26, -14, -2):
            pen.line(darker(coat), 3, (x, 36), (x + 3, 24))
        pen.oval(lighter(coat), 24, 5, 15, 5)
        _draw_cat_head(pen, coat, (34, 38))
        return
    pen.stroke(darker(coat), 8, (16, 6), (38, 8), (38, 26), (30, 32))
    pen.blob(coat, (-24, 3), (-26, 20), (-17, 50), (0, 58), (17, 50), (26, 20), (24, 3), (0, 1))
    pen.blob(lighter(coat, 0.5), (-9, 18), (0, 48), (9, 18), (0, 12))
    for side in (-1, 1):
        pen.line(darker(coat, 0.12), 8, (side * 8, 26), (side * 8, 6))
        pen.oval(lighter(coat), side * 9, 4.5, 8, 4.5)
    _draw_cat_head(pen, coat, (0, 68))


def _draw_cat_head(pen: Pen, coat: Rgb, middle: tuple[float, float]) -> None:
    x, y = middle
    for side in (-1, 1):
        pen.poly(coat, (x + side * 23, y + 27), (x + side * 22, y + 2), (x + side * 4, y + 16))
        pen.poly(_BLUSH, (x + side * 20, y + 22), (x + side * 19, y + 8), (x + side * 9, y + 15))
    pen.oval(coat, x, y, 24, 20)
    for line_x in (-5, 0, 5):
        pen.line(darker(coat, 0.3), 2.4, (x + line_x, y + 19), (x + line_x * 0.8, y + 12))
    pen.oval(lighter(coat, 0.6), x, y - 8, 11, 8)
    for side in (-1, 1):
        pen.oval((196, 214, 84), x + side * 10, y + 2, 5, 5.6)
        pen.oval(INK, x + side * 10, y + 2, 2.6, 5)
        for rise in (-2, 2):
            pen.line(darker(coat, 0.5), 1, (x + side * 8, y - 7), (x + side * 27, y - 7 + rise * 2))
    pen.poly((226, 110, 120), (x - 3, y - 4), (x + 3, y - 4), (x, y - 8))


def draw_bird(pen: Pen, look: Look) -> None:
    """Pose: standing, flying."""
    coat = look.paint
    wing = darker(coat, 0.28)
    if look.pose == "flying":
        pen.poly(wing, (-40, 34), (-60, 44), (-60, 24))
        pen.blob(darker(coat, 0.4), (-6, 40), (-20, 70), (-34, 84), (0, 78), (18, 44))
        pen.blob(coat, (-46, 32), (-10, 44), (26, 46), (44, 38), (30, 24), (0, 20), (-30, 24))
        pen.oval(coat, 36, 40, 15, 14)
        pen.poly(_BEAK, (48, 44), (66, 38), (48, 34))
        pen.oval(INK, 41, 44, 3, 3)
        pen.blob(wing, (-14, 38), (-38, 62), (-46, 90), (-8, 78), (16, 36))
        return
    for x in (-4, 8):
        pen.line(_BEAK, 3.4, (x, 18), (x, 2), (x + 8, 2))
    pen.poly(wing, (-30, 36), (-62, 26), (-56, 44), (-28, 46))
    pen.blob(coat, (-38, 36), (-16, 54), (14, 60), (34, 40), (20, 18), (-12, 14))
    pen.oval(coat, 22, 62, 19, 18)
    pen.blob(lighter(coat, 0.5), (8, 40), (26, 44), (26, 26), (8, 20))
    pen.poly(_BEAK, (38, 68), (58, 60), (38, 54))
    pen.oval(WHITE, 28, 66, 4.6, 4.6)
    pen.oval(INK, 29.5, 66, 3, 3)
    pen.blob(wing, (-34, 34), (-10, 48), (10, 42), (0, 26), (-20, 22))


def draw_horse(pen: Pen, look: Look) -> None:
    """Pose: standing, grazing."""
    coat = look.paint
    mane = INK if look.colour not in ("black", "gray") else (214, 208, 200)
    pen.stroke(mane, 9, (-42, 66), (-56, 54), (-55, 26))
    for x in (-26, 22):
        pen.line(darker(coat, 0.3), 8, (x, 48), (x, 6))
        pen.rect(INK, (x - 5, 0), (x + 5, 6))
    pen.blob(coat, (-44, 60), (-36, 76), (-8, 72), (20, 76), (38, 70), (38, 50), (16, 42), (-14, 44), (-38, 42))
    for x in (-36, 31):
        pen.line(coat, 9, (x, 52), (x, 6))
        pen.rect(INK, (x - 5, 0), (x + 5, 6))
    if look.pose == "grazing":
        pen.blob(coat, (22, 74), (38, 74), (62, 40), (60, 26), (48, 30), (30, 50))
        pen.stroke(mane, 7, (28, 78), (46, 66), (58, 46))
        _draw_horse_head(pen, coat, ((52, 38), (66, 38), (74, 8), (62, 2), (54, 12)), (62, 30))
        return
    pen.blob(coat, (20, 72), (34, 96), (46, 108), (54, 100), (50, 84), (38, 54))
    pen.stroke(mane, 8, (20, 78), (28, 96), (42, 112))
    _draw_horse_head(pen, coat, ((38, 108), (50, 114), (74, 94), (74, 82), (62, 82), (46, 90)), (56, 103))


def _draw_horse_head(pen: Pen, coat: Rgb, outline: tuple[tuple[float, float], ...], eye: tuple[float, float]) -> None:
    pen.poly(coat, (outline[0][0], outline[0][1] - 2), (outline[0][0] + 3, outline[0][1] + 14), outline[1])
    pen.blob(coat, *outline)
    muzzle = outline[-3]
    pen.oval(darker(coat, 0.3), muzzle[0] - 4, muzzle[1] + 5, 7, 6.5)
    pen.oval(INK, eye[0], eye[1], 2.6, 3)


def draw_cow(pen: Pen, look: Look) -> None:
    """Pose: standing, grazing. A white cow has black patches."""
    coat = look.paint
    patch = INK if look.colour == "white" else darker(coat, 0.35)
    pen.stroke(darker(coat), 4, (-50, 66), (-58, 54), (-57, 32))
    pen.oval(patch, -57, 28, 4, 7)
    for x in (-30, 24):
        pen.rect(darker(coat, 0.25), (x - 6, 0), (x + 6, 40))
    pen.oval(_BLUSH, -18, 32, 12, 8)
    pen.rect(coat, (-50, 32), (42, 76), 14)
    for x in (-40, 34):
        pen.rect(coat, (x - 6, 4), (x + 6, 40))
        pen.rect(INK, (x - 6, 0), (x + 6, 6))
    pen.blob(patch, (-36, 72), (-14, 74), (-12, 56), (-28, 50), (-42, 58))
    pen.blob(patch, (4, 56), (22, 62), (24, 46), (10, 40))
    x, y = (54, 30) if look.pose == "grazing" else (52, 74)
    if look.pose == "grazing":
        pen.blob(coat, (30, 72), (46, 66), (62, 40), (46, 30), (34, 46))
    for side in (-1, 1):
        pen.stroke((222, 206, 170), 4, (x + side * 9, y + 15), (x + side * 16, y + 20), (x + side * 14, y + 28))
        pen.tilted(patch, (x + side * 20, y + 9), (9, 5), side * -15)
    pen.rect(coat, (x - 15, y - 14), (x + 15, y + 18), 10)
    pen.oval(_BLUSH, x, y - 14, 17, 11)
    for side in (-1, 1):
        pen.oval(darker(_BLUSH, 0.4), x + side * 6, y - 13, 2.2, 3)
        pen.oval(INK, x + side * 7, y + 6, 2.6, 3.2)


def draw_sheep(pen: Pen, look: Look) -> None:
    """Pose: standing, grazing."""
    wool = look.paint
    face = (70, 62, 64) if look.colour != "black" else (170, 150, 136)
    for x in (-24, -12, 14, 25):
        pen.line(face, 6.5, (x, 28), (x, 3))
    middles = ((-30, 42), (-24, 58), (-6, 66), (14, 64), (28, 52), (26, 36), (8, 28), (-14, 28), (-28, 32), (0, 46))
    for x, y in middles:
        pen.oval(darker(wool, 0.07) if y < 40 else wool, x, y, 17, 16)
    x, y = (44, 36) if look.pose == "grazing" else (42, 62)
    pen.tilted(face, (x - 13, y + 6), (9, 4.5), 25)
    pen.tilted(face, (x, y), (15, 11), -50)
    pen.oval(wool, x - 7, y + 12, 11, 8)
    pen.oval(WHITE, x + 1, y + 3, 3.2, 3.2)
    pen.oval(INK, x + 1.6, y + 3, 1.8, 2)


def draw_elephant(pen: Pen, look: Look) -> None:
    """Pose: standing."""
    skin = mix(look.paint, (150, 150, 170), 0.15)
    dark = darker(skin, 0.2)
    pen.stroke(dark, 4, (-52, 62), (-60, 46), (-60, 34))
    for x in (-22, 16):
        pen.rect(dark, (x - 9, 0), (x + 9, 40), 3)
    pen.blob(skin, (-54, 58), (-40, 88), (0, 92), (36, 84), (44, 56), (30, 34), (-10, 32), (-46, 34))
    for x in (-38, 30):
        pen.rect(skin, (x - 10, 0), (x + 10, 46), 4)
        for toe in (-6, 0, 6):
            pen.oval(WHITE, x + toe, 2.5, 2.6, 2.5)
    pen.oval(skin, 50, 70, 24, 26)
    pen.stroke(skin, 13, (66, 64), (76, 44), (76, 22), (86, 14))
    pen.stroke(WHITE, 5, (64, 54), (76, 50), (84, 56))
    pen.blob(dark, (42, 92), (22, 88), (18, 62), (32, 48), (44, 60))
    pen.oval(INK, 60, 76, 3, 3.4)
