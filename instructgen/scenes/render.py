"""Draws a scene, and says what can be seen in it: boxes, areas and colours come from the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.scenes.backdrops import PAINTERS
from instructgen.scenes.kinds import KINDS
from instructgen.scenes.palette import COLOUR_NAMES, name_pixels
from instructgen.scenes.pen import Frame, Pen
from instructgen.scenes.scene import Scene, Thing
from instructgen.scenes.settings import ALL_SETTINGS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_OVERSAMPLING = 2  # canvas pixels per pixel and direction: smooth edges at a quarter of the speed
_MIN_VISIBLE_SHARE = 0.45  # of a thing; below it people would not name it
_MIN_VISIBLE_PX = 10
_MIN_COLOUR_SHARE = 0.34  # of a thing's pixels; several colours at less are no colour to name it by
_OUTDOOR_TINTS: dict[str, tuple[float, float, float]] = {
    "evening": (0.96, 0.86, 0.86),
    "rain": (0.9, 0.92, 0.95),
}


class Sighting(Struct, frozen=True):
    """One visible thing. The box is x0, y0, x1, y1 in pixels, y down, ends exclusive; `colour` None: not clear."""

    thing: Thing
    box_px: tuple[int, int, int, int]
    area_px: int
    colour: str | None


class Drawing(Struct, frozen=True):
    """A picture with its truth. `mask` holds 1 + the position of the sighting whose pixel it is, else 0."""

    scene: Scene
    picture: Image
    mask: NDArray[np.uint8]
    sightings: tuple[Sighting, ...]


def draw_scene(scene: Scene, size_px: tuple[int, int]) -> Drawing:
    """Draw; groups with a hidden thing leave and the rest is drawn again, so that all that is there can be seen.

    The largest stays whatever its size, so that no picture is empty.
    """
    while True:
        picture, mask, visible_shares = _paint(scene, size_px)
        areas_px = [int((mask == ident).sum()) for ident in range(1, len(scene.things) + 1)]
        hidden = frozenset(
            thing.group
            for thing, share, area_px in zip(scene.things, visible_shares, areas_px, strict=True)
            if share < _MIN_VISIBLE_SHARE or area_px < _MIN_VISIBLE_PX
        )
        if hidden and len(hidden) == len({thing.group for thing in scene.things}):
            largest = scene.things[areas_px.index(max(areas_px))].group
            hidden -= {largest}
        if not hidden:
            return Drawing(scene, picture, mask, _find_sightings(scene, picture, mask))
        scene = scene.without_groups(hidden)


def _paint(scene: Scene, size_px: tuple[int, int]) -> tuple[Image, NDArray[np.uint8], list[float]]:
    """Return the picture, the mask and each thing's visible share of what lies inside the picture."""
    import numpy as np
    from PIL import Image, ImageDraw

    canvas_px = (size_px[0] * _OVERSAMPLING, size_px[1] * _OVERSAMPLING)
    picture, mask = Image.new("RGB", canvas_px), Image.new("L", canvas_px)
    pens = _Pens(ImageDraw.Draw(picture), ImageDraw.Draw(mask), canvas_px[1])
    _paint_backdrop(scene, pens, size_px)
    setting = ALL_SETTINGS[scene.setting]
    for thing in scene.things:
        if thing.zone in setting.zones and setting.zones[thing.zone].has_shadow:
            half = KINDS[thing.kind].width * 0.47
            pens.for_thing(thing, 0).oval(setting.shadow, 0, 0, half, half * 0.13)
    whole_px = []
    for position, thing in enumerate(scene.things):
        if thing.tether is not None:
            x0, y0, x1, y1 = thing.tether
            pens.for_scenery().line((70, 70, 76), 0.35, (x0 * 100, y0 * 100), (x1 * 100, y1 * 100))
        KINDS[thing.kind].draw(pens.for_thing(thing, position + 1), thing.look)
        whole_px.append(mask.histogram()[position + 1])
    counts_px = mask.histogram()
    _paint_weather(scene, pens, size_px)
    picture = _tint(picture.reduce(_OVERSAMPLING), scene)
    shares = [counts_px[position + 1] / max(1, whole) for position, whole in enumerate(whole_px)]
    middle = _OVERSAMPLING // 2
    return picture, np.asarray(mask)[middle::_OVERSAMPLING, middle::_OVERSAMPLING].copy(), shares


class _Pens:
    """Makes pens for one canvas."""

    def __init__(self, picture: ImageDraw, mask: ImageDraw, height_px: int) -> None:
        self._picture = picture
        self._mask = mask
        self._height_px = height_px

    def for_thing(self, thing: Thing, ident: int) -> Pen:
        height_px = self._height_px
        frame = Frame(thing.x * height_px, (1 - thing.y) * height_px, thing.unit * height_px, thing.is_flipped)
        return Pen(self._picture, self._mask, frame, ident)

    def for_scenery(self) -> Pen:
        """Its units are hundredths of the picture's height, from the lower left corner."""
        return Pen(self._picture, self._mask, Frame(0, self._height_px, self._height_px / 100), 0)


def _paint_backdrop(scene: Scene, pens: _Pens, size_px: tuple[int, int]) -> None:
    draw = make_generator(scene.shade, "backdrop", scene.setting)
    width = 100 * size_px[0] / size_px[1]
    PAINTERS[scene.setting](pens.for_scenery(), width, scene.light, draw)


def _paint_weather(scene: Scene, pens: _Pens, size_px: tuple[int, int]) -> None:
    """Rain and snow fall in front of everything, and leave the mask as it is: they hide nothing."""
    draw = make_generator(scene.shade, "weather", scene.setting)
    pen, width = pens.for_scenery(), 100 * size_px[0] / size_px[1]
    if scene.light == "rain":
        for _ in range(round(0.7 * width)):
            x, y = draw.uniform(-4, width), draw.uniform(0, 100)
            pen.line((206, 220, 234), 0.35, (x, y), (x - 1.6, y - 5.5))
    if scene.light == "snowfall":
        for _ in range(round(0.7 * width)):
            size = draw.uniform(0.4, 0.95)
            pen.oval((252, 253, 255), draw.uniform(0, width), draw.uniform(0, 100), size, size)


def _tint(picture: Image, scene: Scene) -> Image:
    if scene.light not in _OUTDOOR_TINTS or "wall" in ALL_SETTINGS[scene.setting].zones:
        return picture
    tint = _OUTDOOR_TINTS[scene.light]
    return picture.point([round(level * share) for share in tint for level in range(256)])


def _find_sightings(scene: Scene, picture: Image, mask: NDArray[np.uint8]) -> tuple[Sighting, ...]:
    import numpy as np

    names = name_pixels(np.asarray(picture))
    sightings = []
    for position, thing in enumerate(scene.things):
        is_own = mask == position + 1
        ys, xs = np.flatnonzero(is_own.any(axis=1)), np.flatnonzero(is_own.any(axis=0))
        box_px = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)
        own_names = np.bincount(names[is_own], minlength=len(COLOUR_NAMES))
        area_px = int(own_names.sum())
        sightings.append(Sighting(thing, box_px, area_px, _clear_colour(thing, own_names.tolist(), area_px)))
    return tuple(sightings)


def _clear_colour(thing: Thing, counts: list[int], area_px: int) -> str | None:
    """Return the painted colour's name if most of the pixels show it; never one that the light has changed."""
    name = COLOUR_NAMES[counts.index(max(counts))]
    is_clear = KINDS[thing.kind].is_painted and max(counts) >= _MIN_COLOUR_SHARE * area_px
    return name if is_clear and name == thing.look.colour else None
