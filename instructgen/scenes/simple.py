"""Simple scenes: a few clear things, each in a place of its own on a plain ground that is seen from above.

They are for students so small that the world of scenes.layout is too rich for them (docs/demo.md). What differs: ten
kinds that look unlike each other, eight colours that any of them may have, one colour for all things of a kind, three
rows of three places, nothing hidden. Scene k depends on (seed, k, aspect ratio) alone, as with the others.
"""

import random
from collections.abc import Sequence

from instructgen.draws import make_generator
from instructgen.scenes.kinds import KINDS
from instructgen.scenes.pen import Look
from instructgen.scenes.scene import Scene, Thing
from instructgen.scenes.settings import PLAIN_SETTINGS

SIMPLE_KINDS = ("car", "boat", "bird", "kite", "umbrella", "chair", "bottle", "book", "bench", "cup")
SIMPLE_COLOURS = ("red", "blue", "green", "yellow", "purple", "orange", "black", "white")
PLACES_A_SIDE = 3
_POSES = {"bird": "standing"}
_VARIANTS = {"boat": "motor"}
_NUM_KINDS, _NUM_KINDS_WEIGHTS = (2, 3, 4), (1, 2, 1)
_COUNTS, _COUNT_WEIGHTS = (1, 2, 3, 4), (66, 16, 10, 8)
_MAX_THINGS = 7
_FILLED = (0.72, 0.84)  # how much of its place a thing takes, in the direction in which it fits least
_JITTER = 0.03  # of the picture's sides


def lay_out_simply(seed: int, number: int, aspect: float) -> Scene:
    """Return a scene of two to seven things for a picture whose width is `aspect` times its height."""
    draw = make_generator(seed, "simple scenes", f"{number:012d}")
    setting = draw.choice(tuple(PLAIN_SETTINGS))
    colours = [colour for colour in SIMPLE_COLOURS if colour not in PLAIN_SETTINGS[setting].avoid]
    free = draw.sample(range(PLACES_A_SIDE**2), _MAX_THINGS)
    things: list[Thing] = []
    for kind in draw.sample(SIMPLE_KINDS, draw.choices(_NUM_KINDS, _NUM_KINDS_WEIGHTS)[0]):
        count = min(draw.choices(_COUNTS, _COUNT_WEIGHTS)[0], len(free))
        colour = draw.choice(colours)
        for _ in range(count):
            look = Look(colour, _POSES.get(kind, ""), _VARIANTS.get(kind, ""), draw.randrange(16))
            things.append(_place(draw, look, kind, free.pop(), len(things), aspect))
    return Scene(setting, "day", draw.randrange(1 << 30), tuple(things), ())


def lay_out_alike(draw: random.Random, kind: str, colour: str, places: Sequence[int], aspect: float) -> Scene:
    """Return a scene of one kind in one colour, a thing in each of the places, on a ground that shows the colour."""
    grounds = [name for name, setting in PLAIN_SETTINGS.items() if colour not in setting.avoid]
    things: list[Thing] = []
    for place in places:
        look = Look(colour, _POSES.get(kind, ""), _VARIANTS.get(kind, ""), draw.randrange(16))
        things.append(_place(draw, look, kind, place, len(things), aspect))
    return Scene(draw.choice(grounds), "day", draw.randrange(1 << 30), tuple(things), ())


def _place(draw: random.Random, look: Look, kind: str, place: int, group: int, aspect: float) -> Thing:
    """Put a thing about the middle of its place; places count row by row from the bottom left."""
    spec = KINDS[kind]
    row, column = divmod(place, PLACES_A_SIDE)
    fits = min(aspect / spec.width, 1 / spec.height) / PLACES_A_SIDE
    unit = fits * draw.uniform(*_FILLED)
    x = ((column + 0.5) / PLACES_A_SIDE + draw.uniform(-_JITTER, _JITTER)) * aspect
    y = (row + 0.5) / PLACES_A_SIDE + draw.uniform(-_JITTER, _JITTER) - spec.height * unit / 2
    return Thing(kind, look, x, y, unit, "ground", group, draw.random() < 0.5)
