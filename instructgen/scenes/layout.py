"""Decides what stands where. Scene k depends on (seed, k, aspect ratio) and on nothing else."""

from collections.abc import Callable
from functools import partial

import msgspec

from instructgen.draws import make_generator
from instructgen.scenes.acts import ACTS, Spot, Stage, place_one
from instructgen.scenes.kinds import KINDS
from instructgen.scenes.pen import Look
from instructgen.scenes.scene import Act, Scene, Thing
from instructgen.scenes.settings import SETTINGS, Cast, Setting

Box = tuple[float, float, float, float]
_Play = tuple[tuple[Thing, ...], tuple[Act, ...]]

_NUM_THINGS = (1, 2, 3, 4, 5, 6, 7, 8)
_NUM_THINGS_WEIGHTS = (5, 13, 18, 19, 16, 13, 9, 7)
_COUNTS = (1, 2, 3, 4, 5)
_COUNT_WEIGHTS = (52, 20, 13, 8, 7)
_TRIES = 14
_ACT_SHARE = 0.5
_SAME_COLOUR_SHARE = 0.6


def lay_out(seed: int, number: int, aspect: float) -> Scene:
    """Return a scene of one to eight things for a picture whose width is `aspect` times its height."""
    draw = make_generator(seed, "scenes", f"{number:012d}")
    name = draw.choice(tuple(SETTINGS))
    setting = SETTINGS[name]
    light = draw.choice(setting.lights)
    builder = _Builder(Stage(draw, name, aspect), setting)
    wanted = draw.choices(_NUM_THINGS, _NUM_THINGS_WEIGHTS)[0]
    if name == "kitchen":
        builder.lay_table()
        wanted = max(3, wanted)
    if wanted > 1 and setting.acts and draw.random() < _ACT_SHARE:
        builder.add_act(light)
    for _ in range(10):
        if len(builder.things) >= wanted:
            break
        builder.add_cast(wanted - len(builder.things))
    return Scene(name, light, draw.randrange(1 << 30), builder.ordered_things(), tuple(builder.acts))


class _Builder:
    """One scene while it grows."""

    def __init__(self, stage: Stage, setting: Setting) -> None:
        self._stage = stage
        self._setting = setting
        self._boxes: list[Box] = []
        self._depth_by_group: list[tuple[int, float]] = []
        self.things: list[Thing] = []
        self.acts: list[Act] = []

    def lay_table(self) -> None:
        spec = KINDS["dining table"]
        unit = self._stage.aspect * 0.98 / spec.width
        # In a wide picture the top must leave room for the wall.
        unit_high = min(unit, 0.56 / spec.height)
        look = self._stage.pick_look("dining table")
        look = Look("brown", look.pose, look.variant, look.shade)
        x = self._stage.aspect / 2
        self._depth_by_group.append((1, 0.0))
        self.things.append(Thing("dining table", look, x, 0.03, unit_high, "air", 0))

    def add_act(self, light: str) -> None:
        """Try one act; in the rain it is the umbrella where the place has one."""
        draw = self._stage.draw
        choices = [act for act in self._setting.acts if act[0] != "hold_umbrella" or light == "rain"]
        if light == "rain":
            choices = [act for act in choices if act[0] == "hold_umbrella"] or choices
        name, zone = draw.choice(choices)

        def play(spot: Spot) -> _Play:
            things, act = ACTS[name](self._stage, spot)
            return things, (act,)

        self._try_to_place(zone, play)

    def add_cast(self, room: int) -> None:
        """Try to place one to five things of a kind that is not there yet."""
        draw = self._stage.draw
        present = {thing.kind for thing in self.things}
        casts = [cast for cast in self._setting.casts if cast.kind not in present]
        if not casts:
            return
        cast = draw.choices(casts, [cast.weight for cast in casts])[0]
        count = min(draw.choices(_COUNTS, _COUNT_WEIGHTS)[0], cast.max_count, room)
        is_uniform = draw.random() < _SAME_COLOUR_SHARE
        first = self._pick_look(cast)
        for _ in range(count):
            other = self._pick_look(cast)
            look = _with_colour(other, cast.kind, first) if is_uniform else other
            self._try_to_place(cast.zone, partial(self._play_one, cast.kind, look))

    def _play_one(self, kind: str, look: Look, spot: Spot) -> _Play:
        return place_one(self._stage, spot, kind, look), ()

    def _pick_look(self, cast: Cast) -> Look:
        draw = self._stage.draw
        pose = draw.choice(cast.poses) if cast.poses else None
        return self._stage.pick_look(cast.kind, pose, draw.choice(cast.variants) if cast.variants else None)

    def _try_to_place(self, zone: str, play: Callable[[Spot], _Play]) -> None:
        """Keep the first try that fits; a scene that is full goes without."""
        draw, band = self._stage.draw, self._setting.zones[zone]
        group = len(self._depth_by_group)
        limit = 0.08 if draw.random() < 0.6 else 0.3  # share of the smaller that may be covered
        x0, x1 = (share * self._stage.aspect for share in band.xs)
        for _ in range(_TRIES):
            spot = Spot(zone, draw.uniform(x0 + 0.04, x1 - 0.04), draw.uniform(band.low, band.high), group)
            things, acts = play(spot)
            things = _shift_inside(things, (x0 + 0.01, x1 - 0.01))
            boxes = [thing_box(thing) for thing in things]
            if all(_covered_share(a, b) <= limit for a in boxes for b in self._boxes):
                self._boxes += boxes
                self._depth_by_group.append((band.layer, -things[0].y))
                self.things += things
                self.acts += acts
                return

    def ordered_things(self) -> tuple[Thing, ...]:
        """Return the things from the farthest to the nearest; a group stays together, in its own order."""
        return tuple(sorted(self.things, key=lambda thing: self._depth_by_group[thing.group]))


def _with_colour(look: Look, kind: str, first: Look) -> Look:
    variant = first.variant if kind == "sports ball" else look.variant
    return Look(first.colour, look.pose, variant, look.shade, look.is_wrapped_up)


def thing_box(thing: Thing) -> Box:
    """Return about where the thing is: x0, y0, x1, y1 in heights of the picture, y up."""
    spec = KINDS[thing.kind]
    half = spec.width * thing.unit / 2
    return thing.x - half, thing.y, thing.x + half, thing.y + spec.height * thing.unit


def _shift_inside(things: tuple[Thing, ...], xs: tuple[float, float]) -> tuple[Thing, ...]:
    """Move a group sideways until it is between the two, or in their middle where it is too wide, and down."""
    boxes = [thing_box(thing) for thing in things]
    x0, x1 = min(box[0] for box in boxes), max(box[2] for box in boxes)
    dx = sum(xs) / 2 - (x0 + x1) / 2 if x1 - x0 > xs[1] - xs[0] else max(0.0, xs[0] - x0) - max(0.0, x1 - xs[1])
    dy = min(0.0, 0.985 - max(box[3] for box in boxes))
    return tuple(_moved(thing, dx, dy) for thing in things)


def _moved(thing: Thing, dx: float, dy: float) -> Thing:
    tether = thing.tether
    if tether is not None:
        tether = (tether[0] + dx, tether[1] + dy, tether[2] + dx, tether[3] + dy)
    return msgspec.structs.replace(thing, x=thing.x + dx, y=thing.y + dy, tether=tether)


def _covered_share(first: Box, second: Box) -> float:
    """Return how much of the smaller box lies in the other, 0 to 1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / min(areas)
