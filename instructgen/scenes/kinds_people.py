"""People, 100 units tall, seen from the front; a rider is seen from the side."""

from instructgen.scenes.palette import INK, PAINT, Rgb, darker, lighter, mix
from instructgen.scenes.pen import Look, Pen

_SKINS: tuple[Rgb, ...] = ((250, 214, 184), (226, 176, 138), (176, 122, 86), (122, 82, 60))
_HAIRS: tuple[Rgb, ...] = ((62, 44, 36), (36, 32, 36), (150, 96, 48), (226, 184, 96))
_TROUSERS: tuple[Rgb, ...] = ((58, 66, 96), (84, 86, 92), (112, 92, 74), (48, 50, 56))
_SHOE: Rgb = (60, 48, 46)


def _skin(look: Look) -> Rgb:
    return _SKINS[look.shade % len(_SKINS)]


def _hair(look: Look) -> Rgb:
    return _HAIRS[look.shade // len(_SKINS) % (2 if look.shade % len(_SKINS) > 1 else len(_HAIRS))]


def _trousers(look: Look) -> Rgb:
    return _TROUSERS[look.shade % 3 if look.colour != "gray" else 0]


def draw_person(pen: Pen, look: Look) -> None:
    """Pose: standing, walking, sitting, riding, reaching (an arm up); variant: man, woman, child."""
    if look.pose == "riding":
        _draw_rider(pen, look)
        return
    drop = 16 if look.pose == "sitting" else 0
    if look.variant == "woman":
        _draw_long_hair(pen, look, drop)
    if look.pose == "sitting":
        _draw_seated_legs(pen, look)
    else:
        _draw_legs(pen, look)
    _draw_arms(pen, look, drop)
    _draw_torso(pen, look, drop)
    _draw_head(pen, look, (0, 84 - drop))
    if look.is_wrapped_up:
        _draw_winter_hat(pen, look, drop)


def _draw_legs(pen: Pen, look: Look) -> None:
    colour = _skin(look) if look.variant == "woman" else _trousers(look)
    spread = 9 if look.pose == "walking" else 1
    for side in (-1, 1):
        foot = side * (6 + spread)
        pen.line(colour if side > 0 else darker(colour, 0.12), 9, (side * 5.5, 40), (foot, 7))
        pen.oval(_SHOE, foot + 2, 3.5, 7, 3.8)


def _draw_seated_legs(pen: Pen, look: Look) -> None:
    colour = _trousers(look)
    for side in (-1, 1):
        pen.line(darker(colour, 0.15), 9, (side * 7, 24), (side * 7, 6))
        pen.oval(_SHOE, side * 7 + 1, 3.5, 6.5, 3.8)
        pen.rect(colour, (side * 7 - 6, 19), (side * 7 + 6, 34), 5)


def _draw_arms(pen: Pen, look: Look, drop: float) -> None:
    sleeve, skin = darker(look.paint, 0.14), _skin(look)
    left = (-17, 48 - drop) if look.pose != "walking" else (-20, 50)
    right = (17, 48 - drop) if look.pose != "walking" else (16, 45)
    if look.pose == "reaching":
        right = (25, 82)
    for side, hand in ((-1, left), (1, right)):
        pen.line(sleeve, 7.5, (side * 10, 66 - drop), hand)
        pen.oval(skin, hand[0], hand[1] - (0 if hand[1] > 70 else 2), 4.2, 4.2)


def _draw_torso(pen: Pen, look: Look, drop: float) -> None:
    pen.rect(_skin(look), (-4, 66 - drop), (4, 76 - drop))
    if look.variant == "woman" and look.pose != "sitting":
        pen.blob(look.paint, (-11, 70), (0, 71), (11, 70), (9, 52), (17, 27), (0, 24), (-17, 27), (-9, 52))
        return
    pen.rect(look.paint, (-13, 37 - drop), (13, 71 - drop), 7)
    pen.rect(look.paint, (-13, 37 - drop), (13, 48 - drop), 2)
    if look.pose != "sitting":
        pen.rect(_trousers(look), (-11.5, 34), (11.5, 40), 2)


def _draw_long_hair(pen: Pen, look: Look, drop: float) -> None:
    pen.blob(
        darker(_hair(look), 0.1), (-14, 90 - drop), (0, 100 - drop), (14, 90 - drop), (16, 66 - drop),
        (0, 64 - drop), (-16, 66 - drop),
    )  # fmt: skip


def _draw_head(pen: Pen, look: Look, middle: tuple[float, float]) -> None:
    x, y = middle
    skin, hair = _skin(look), _hair(look)
    pen.oval(skin, x - 12.5, y - 2, 2.6, 3.2)
    pen.oval(skin, x + 12.5, y - 2, 2.6, 3.2)
    pen.oval(skin, x, y, 12.5, 13.5)
    pen.wedge(hair, (x, y + 3.5), (13.2, 12.5), (0, 180))
    pen.poly(skin, (x - 9, y + 4.5), (x + 4, y + 8.5), (x + 10, y + 4.5), (x + 8, y + 2), (x - 8, y + 2))
    for side in (-1, 1):
        pen.oval(INK, x + side * 4.8, y, 1.6, 2)
        pen.oval(mix(skin, PAINT["red"], 0.3), x + side * 7.6, y - 4.4, 2.2, 1.5)
    pen.stroke(mix(skin, INK, 0.6), 1.2, (x - 4, y - 6), (x, y - 7.6), (x + 4, y - 6))


def _draw_winter_hat(pen: Pen, look: Look, drop: float) -> None:
    coat = look.paint
    pen.rect(darker(coat, 0.3), (-11, 65 - drop), (11, 71 - drop), 3)
    pen.wedge(coat, (0, 89 - drop), (14, 12), (0, 180))
    pen.rect(lighter(coat, 0.55), (-14.5, 87 - drop), (14.5, 92 - drop), 2.5)
    pen.oval(lighter(coat, 0.55), 0, 102 - drop, 4, 4)


def _draw_rider(pen: Pen, look: Look) -> None:
    """From the side, facing right; the origin is the pedal axle, the saddle at (-10, 34), the grip at (31, 41)."""
    skin, hair, trousers = _skin(look), _hair(look), _trousers(look)
    pen.line(darker(trousers, 0.25), 9, (-8, 37), (10, 22), (-2, 8))
    pen.line(darker(trousers, 0.25), 6, (-2, 6), (5, 4))
    pen.line(trousers, 10, (-8, 38), (14, 26), (4, -4))
    pen.line(_SHOE, 6, (3, -6), (10, -7))
    pen.blob(look.paint, (-15, 36), (-12, 56), (3, 76), (14, 72), (8, 54), (0, 36))
    pen.line(darker(look.paint, 0.18), 7.5, (7, 68), (18, 48), (30, 43))
    pen.oval(skin, 31, 42, 4, 4)
    pen.line(skin, 7, (9, 74), (11, 80))
    if look.variant == "woman":
        pen.blob(darker(hair, 0.1), (14, 102), (2, 99), (-4, 84), (-6, 70), (4, 72), (10, 86))
    pen.oval(skin, 13, 90, 12, 13)
    pen.wedge(hair, (11, 92), (13, 12.5), (20, 220))
    pen.oval(INK, 20, 91, 1.6, 2)
    pen.stroke(mix(skin, INK, 0.6), 1.2, (16, 83.5), (19, 82.8), (22, 84.5))
