"""The scenes that the demo's stage 0 learns from: what a drawing shows, in words, patch by patch and as a list.

They are of another seed than the scenes that the student is trained on and asked about.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructgen.lexicon.words import NUMBER_NAMES, plural_of, with_article
from instructgen.scenes.simple import SIMPLE_COLOURS, SIMPLE_KINDS
from instructgen.sources.scenes import SceneImage, SimpleScenesSource, encode_jpeg
from instructgen.teachers.scene_program.speech import polish
from instructgen.teachers.scene_program.wordings import load_wordings

if TYPE_CHECKING:
    from instructgen.records import ImageRecord
    from instructgen.scenes.render import Drawing

GRID = 3  # patches a side
SIZE_PX = (160, 120)
_MIN_COVER = 0.15  # of a patch; a thing too small for that is where it covers most
NOUNS, COLOURS = SIMPLE_KINDS, SIMPLE_COLOURS
ACROSS = ("left", "middle", "right")
DOWN = ("upper", "middle", "lower")
_BOUNDS = (0.4, 0.6)
_PLACES = {
    "upper": ("upper left", "upper half", "upper right"),
    "middle": ("left side", "middle", "right side"),
    "lower": ("lower left", "lower half", "lower right"),
}
_MAX_TURNS = 7
_NUMBERS = {0: "no", **NUMBER_NAMES}
_PICTURES = ("image", "picture", "photo")
_NUM_FORMS = 4  # the rarer ones of an answer's forms are left to conversations


@dataclass(frozen=True, slots=True)
class SeenThing:
    """`x` and `y` are its middle, as shares of the picture from the left and the top; `patches` count row by row."""

    noun: str
    colour: str | None
    x: float
    y: float
    patches: tuple[int, ...]

    @property
    def place(self) -> str:
        """One of nine, as people say it."""
        return _PLACES[self.down][ACROSS.index(self.across)]

    @property
    def across(self) -> str:
        return ACROSS[sum(self.x > bound for bound in _BOUNDS)]

    @property
    def down(self) -> str:
        return DOWN[sum(self.y > bound for bound in _BOUNDS)]


@dataclass(frozen=True, slots=True)
class OtherScene:
    """A scene of stage 0: its picture as a JPEG, what is in it, and what an annotator wrote."""

    record: "ImageRecord"
    jpeg: bytes
    things: tuple[SeenThing, ...]


def draw_other_scenes(seed: int, count: int) -> Iterator[OtherScene]:
    """Yield scenes 1 to count of the seed."""
    source = SimpleScenesSource(count, seed, SIZE_PX)
    for number in range(1, count + 1):
        scene = source.draw(number)
        yield OtherScene(source.make_record(number, scene), encode_jpeg(scene.drawing), _see(scene))


def write_list(things: tuple[SeenThing, ...]) -> str:
    """Write what is where, from left to right: "bench orange upper left; dog brown middle"."""
    ordered = sorted(things, key=lambda thing: thing.x)
    return "; ".join(f"{thing.noun} {thing.colour or 'plain'} {thing.place}" for thing in ordered)


def write_tally(things: tuple[SeenThing, ...], draw: random.Random) -> str:
    """Write how many there are of every kind, in a drawn order: "kite no; cup one; bench two"."""
    counts = Counter(thing.noun for thing in things)
    return "; ".join(f"{noun} {_NUMBERS[counts[noun]]}" for noun in draw.sample(NOUNS, len(NOUNS)))


def write_drill(things: tuple[SeenThing, ...], draw: random.Random) -> tuple[tuple[str, str], ...]:
    """Return short questions with short answers about all that is there, in a drawn order."""
    of_noun: dict[str, list[SeenThing]] = {}
    for thing in things:
        of_noun.setdefault(thing.noun, []).append(thing)
    turns = []
    for noun, alike in of_noun.items():
        one = alike[0]
        are, named = ("is", noun) if len(alike) == 1 else ("are", plural_of(noun))
        turns.append((f"How many {plural_of(noun)} are there?", f"There {are} {NUMBER_NAMES[len(alike)]} {named}."))
        if one.colour is not None:
            turns.append((f"What color {are} the {named}?", f"The {named} {are} {one.colour}."))
        if len(alike) == 1:
            turns.append((f"Where is the {noun}?", f"The {noun} is in the {one.place}."))
    absent = draw.sample([noun for noun in NOUNS if noun not in of_noun], 2)
    there = draw.sample(list(of_noun), min(2, len(of_noun)))
    for noun in (*absent, *there):
        is_there = "No, there is no" if noun in absent else "Yes, there is a"
        turns.append((f"Is there {with_article(noun)}?", f"{is_there} {noun}."))
    singles = [alike[0] for alike in of_noun.values() if len(alike) == 1]
    pairs = [(one, other) for one in singles for other in singles if one.across != other.across]
    for one, other in draw.sample(pairs, min(3, len(pairs))):
        side = "left" if one.x < other.x else "right"
        question = f"Is the {one.noun} left or right of the {other.noun}?"
        turns.append((question, f"The {one.noun} is to the {side} of the {other.noun}."))
    draw.shuffle(turns)
    return tuple(turns[:_MAX_TURNS])


def write_presence(things: tuple[SeenThing, ...], draw: random.Random) -> tuple[tuple[str, str], ...]:
    """Ask in the scene program's words whether things are there: as many that are as are not, of the same kinds."""
    wordings = load_wordings()
    there = sorted({thing.noun for thing in things})
    absent = draw.sample([noun for noun in NOUNS if noun not in there], len(there))
    turns = []
    for noun in (*there, *absent):
        wording = wordings["present_one_bare" if noun in there else "absent_one"]
        slots = {"x": noun, "a_x": with_article(noun), "pic": draw.choice(_PICTURES)}
        asked, told = draw.choice(wording.ask), draw.choice(wording.plain[:_NUM_FORMS])
        turns.append((polish(asked.format(**slots)), polish(told.format(**slots))))
    draw.shuffle(turns)
    return tuple(turns[:_MAX_TURNS])


def _see(scene: SceneImage) -> tuple[SeenThing, ...]:
    drawing = scene.drawing
    width, height = drawing.picture.size
    seen = []
    for position, sighting in enumerate(drawing.sightings):
        x0, y0, x1, y1 = sighting.box_px
        patches = _find_patches(drawing, position)
        seen.append(
            SeenThing(sighting.thing.kind, sighting.colour, (x0 + x1) / 2 / width, (y0 + y1) / 2 / height, patches)
        )
    return tuple(seen)


def _find_patches(drawing: "Drawing", position: int) -> tuple[int, ...]:
    import numpy as np
    from PIL import Image

    own = (drawing.mask == position + 1).astype(np.uint8) * 255
    cover = np.asarray(Image.fromarray(own).resize((GRID, GRID), Image.Resampling.BOX)).reshape(-1) / 255
    bound = min(_MIN_COVER, 0.6 * float(cover.max()))
    return tuple(int(patch) for patch in np.flatnonzero(cover > bound))
