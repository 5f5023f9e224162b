"""The scenes that the demo's stage 0 learns from: what a drawing shows, in words, patch by patch and as a list.

They are of another seed than the scenes that the student is trained on and asked about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructgen.scenes.palette import PAINT
from instructgen.scenes.phrases import NOUNS
from instructgen.sources.scenes import SceneImage, ScenesSource, encode_jpeg, make_scene

if TYPE_CHECKING:
    from instructgen.records import ImageRecord
    from instructgen.scenes.render import Drawing

GRID = 8  # patches a side
SIZE_PX = (160, 120)  # drawn small, which is quick
_MIN_COVER = 0.15  # of a patch; a thing too small for that is where it covers most
_NOT_SPOKEN_OF = "dining table"
ACROSS = ("left", "middle", "right")
DOWN = ("top", "middle", "bottom")
_BOUNDS = (0.4, 0.6)


@dataclass(frozen=True, slots=True)
class SeenThing:
    """`x` and `y` are its middle, as shares of the picture from the left and the top; `patches` count row by row."""

    noun: str
    colour: str | None
    x: float
    y: float
    patches: tuple[int, ...]

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


def nouns() -> tuple[str, ...]:
    """Return every kind's name, in one order."""
    return tuple(sorted({_noun(kind) for kind in (*NOUNS, "person")}))


def colours() -> tuple[str, ...]:
    return tuple(PAINT)


def draw_other_scenes(seed: int, count: int) -> Iterator[OtherScene]:
    """Yield scenes 1 to count of the seed."""
    source = ScenesSource(count, seed, SIZE_PX)
    drawn = (make_scene(seed, number, SIZE_PX) for number in range(1, count + 1))
    for record, scene in zip(source.records(), drawn, strict=True):
        yield OtherScene(record, encode_jpeg(scene.drawing), _see(scene))


def write_list(things: tuple[SeenThing, ...]) -> str:
    """Write what is where, from left to right: "a brown dog, left bottom; a bench, right middle"."""
    ordered = sorted(things, key=lambda thing: thing.x)
    return "; ".join(f"{thing.noun} {thing.colour or 'plain'} {thing.across} {thing.down}" for thing in ordered)


def _see(scene: SceneImage) -> tuple[SeenThing, ...]:
    drawing = scene.drawing
    width, height = drawing.picture.size
    seen = []
    for position, sighting in enumerate(drawing.sightings):
        if sighting.thing.kind == _NOT_SPOKEN_OF and len(drawing.sightings) > 1:
            continue
        x0, y0, x1, y1 = sighting.box_px
        patches = _find_patches(drawing, position)
        noun = _noun(sighting.thing.kind)
        seen.append(SeenThing(noun, sighting.colour, (x0 + x1) / 2 / width, (y0 + y1) / 2 / height, patches))
    return tuple(seen)


def _find_patches(drawing: "Drawing", position: int) -> tuple[int, ...]:
    import numpy as np
    from PIL import Image

    own = (drawing.mask == position + 1).astype(np.uint8) * 255
    cover = np.asarray(Image.fromarray(own).resize((GRID, GRID), Image.Resampling.BOX)).reshape(-1) / 255
    bound = min(_MIN_COVER, 0.6 * float(cover.max()))
    return tuple(int(patch) for patch in np.flatnonzero(cover > bound))


def _noun(kind: str) -> str:
    return "person" if kind == "person" else NOUNS[kind][0][0]
