"""Things that belong together: a rider and a bicycle, a hand and a kite, a cat on a couch."""

import random
from collections.abc import Callable

from msgspec import Struct

from instructgen.scenes.kinds import KINDS
from instructgen.scenes.pen import Look
from instructgen.scenes.scene import Act, Thing
from instructgen.scenes.settings import SETTINGS

_CHILD_SIZE = 0.74
_NO_SHADOW = "air"  # a zone of no setting: held, in the air or on a seat


class Stage(Struct):
    """Where one scene is being set up: draws looks that fit the place, and knows how large a kind is there."""

    draw: random.Random
    setting: str
    aspect: float

    def pick_look(self, kind: str, pose: str | None = None, variant: str | None = None) -> Look:
        spec = KINDS[kind]
        avoided = SETTINGS[self.setting].avoid
        colours = [colour for colour in spec.colours if colour not in avoided] or list(spec.colours)
        chosen = variant if variant is not None else self.draw.choice(spec.variants)
        return Look(
            colour=spec.pick_colour(chosen, self.draw.choice(colours)),
            pose=pose if pose is not None else self.draw.choice(spec.poses),
            variant=chosen,
            shade=self.draw.randrange(16),
            is_wrapped_up=kind == "person" and self.setting == "snow",
        )

    def unit_at(self, kind: str, zone: str, y: float) -> float:
        """Return the size of one of the kind's units there, in heights of the picture."""
        spec = KINDS[kind]
        size = SETTINGS[self.setting].zones[zone].size_at(y)
        return spec.share * size * min(1.0, self.aspect) / spec.height


class Spot(Struct, frozen=True):
    """Where a group stands, and its number."""

    zone: str
    x: float
    y: float
    group: int


Troupe = tuple[tuple[Thing, ...], Act]
Play = Callable[[Stage, Spot], Troupe]


def _place(stage: Stage, spot: Spot, kind: str, look: Look) -> Thing:
    unit = stage.unit_at(kind, spot.zone, spot.y) * (_CHILD_SIZE if look.variant == "child" else 1)
    return Thing(kind, look, spot.x, spot.y, unit, spot.zone, spot.group, stage.draw.random() < 0.5)


def _beside(base: Thing, kind: str, look: Look, offset: tuple[float, float], unit: float) -> Thing:
    """Return a thing of the base's group at an offset in the base's units, mirrored with the base."""
    dx = -offset[0] if base.is_flipped else offset[0]
    x, y = base.x + dx * base.unit, base.y + offset[1] * base.unit
    return Thing(kind, look, x, y, unit, _NO_SHADOW, base.group, base.is_flipped)


def _at(thing: Thing, x: float, y: float) -> tuple[float, float]:
    """Return a point of the thing in heights of the picture."""
    return thing.x + (-x if thing.is_flipped else x) * thing.unit, thing.y + y * thing.unit


def place_one(stage: Stage, spot: Spot, kind: str, look: Look) -> tuple[Thing, ...]:
    return (_place(stage, spot, kind, look),)


def _adult(stage: Stage) -> str:
    return stage.draw.choice(("man", "woman"))


def ride_bicycle(stage: Stage, spot: Spot) -> Troupe:
    bicycle = _place(stage, spot, "bicycle", stage.pick_look("bicycle"))
    rider = _beside(bicycle, "person", stage.pick_look("person", "riding", _adult(stage)), (-4, 25), bicycle.unit)
    return (bicycle, rider), Act("riding", "person", "bicycle", spot.group)


def ride_skateboard(stage: Stage, spot: Spot) -> Troupe:
    board = _place(stage, spot, "skateboard", stage.pick_look("skateboard"))
    look = stage.pick_look("person", "walking", stage.draw.choice(("man", "child")))
    unit = stage.unit_at("person", spot.zone, spot.y) * (_CHILD_SIZE if look.variant == "child" else 1)
    return (board, _beside(board, "person", look, (0, 20), unit)), Act("riding", "person", "skateboard", spot.group)


def fly_kite(stage: Stage, spot: Spot) -> Troupe:
    look = stage.pick_look("person", "reaching")
    person = _place(stage, spot, "person", look)
    hand = _at(person, 25, 82)
    side = -1 if person.is_flipped else 1
    unit = stage.unit_at("kite", spot.zone, spot.y)
    x = hand[0] + side * stage.draw.uniform(0.16, 0.34)
    y = min(0.97 - 130 * unit, hand[1] + stage.draw.uniform(0.12, 0.3))
    tether = (*hand, x, y + 50 * unit)
    kite = Thing("kite", stage.pick_look("kite"), x, y, unit, _NO_SHADOW, spot.group, tether=tether)
    return (kite, person), Act("flying", "person", "kite", spot.group)


def chase_frisbee(stage: Stage, spot: Spot) -> Troupe:
    dog = _place(stage, spot, "dog", stage.pick_look("dog", "running"))
    unit = stage.unit_at("frisbee", spot.zone, spot.y)
    offset = (stage.draw.uniform(95, 120), stage.draw.uniform(70, 110))
    return (dog, _beside(dog, "frisbee", stage.pick_look("frisbee"), offset, unit)), Act(
        "chasing", "dog", "frisbee", spot.group
    )


def walk_dog(stage: Stage, spot: Spot) -> Troupe:
    person = _place(stage, spot, "person", stage.pick_look("person", "walking"))
    unit = stage.unit_at("dog", spot.zone, spot.y)
    side = -1 if person.is_flipped else 1
    x = person.x + side * (26 * person.unit + 56 * unit)
    look = stage.pick_look("dog", "standing")
    collar = (x + side * 26 * unit, spot.y + 54 * unit)
    tether = (*_at(person, 16, 45), *collar)
    dog = Thing("dog", look, x, spot.y, unit, spot.zone, spot.group, person.is_flipped, tether)
    return (person, dog), Act("walking", "person", "dog", spot.group)


def hold_umbrella(stage: Stage, spot: Spot) -> Troupe:
    person = _place(stage, spot, "person", stage.pick_look("person", "reaching"))
    unit = stage.unit_at("umbrella", spot.zone, spot.y) * 0.86
    umbrella = _beside(person, "umbrella", stage.pick_look("umbrella", variant=""), (25, 62), unit)
    return (umbrella, person), Act("holding", "person", "umbrella", spot.group)


def _hold_board(stage: Stage, spot: Spot, kind: str) -> Troupe:
    person = _place(stage, spot, "person", stage.pick_look("person", "standing", _adult(stage)))
    board = _beside(person, kind, stage.pick_look(kind), (22, 2), stage.unit_at(kind, spot.zone, spot.y))
    return (board, person), Act("holding", "person", kind, spot.group)


def hold_surfboard(stage: Stage, spot: Spot) -> Troupe:
    return _hold_board(stage, spot, "surfboard")


def hold_snowboard(stage: Stage, spot: Spot) -> Troupe:
    return _hold_board(stage, spot, "snowboard")


def _sit(stage: Stage, spot: Spot, seat_kind: str, spread: float) -> Troupe:
    """Seat one person at a side, or two."""
    seat = _place(stage, spot, seat_kind, stage.pick_look(seat_kind))
    unit = stage.unit_at("person", spot.zone, spot.y)
    sides = stage.draw.choice(((-1,), (1,), (-1, 1)))
    people = tuple(
        _beside(seat, "person", stage.pick_look("person", "sitting", _adult(stage)), (side * spread, -1), unit)
        for side in sides
    )
    return (seat, *people), Act("sitting on", "person", seat_kind, spot.group)


def sit_on_bench(stage: Stage, spot: Spot) -> Troupe:
    return _sit(stage, spot, "bench", 36)


def sit_on_couch(stage: Stage, spot: Spot) -> Troupe:
    return _sit(stage, spot, "couch", 38)


def _put_on(stage: Stage, spot: Spot, kind: str, seat_kind: str) -> Troupe:
    seat = _place(stage, spot, seat_kind, stage.pick_look(seat_kind))
    dx = stage.draw.uniform(-40, 55)
    # The couch is sat on at 39 of its units, the bed lain on at 50.
    height = 39 if seat_kind == "couch" else 50
    look = stage.pick_look(kind)
    upper = _beside(seat, kind, look, (dx, height), stage.unit_at(kind, spot.zone, spot.y) * 0.9)
    return (seat, upper), Act(f"{look.pose or 'sitting'} on", kind, seat_kind, spot.group)


def cat_on_couch(stage: Stage, spot: Spot) -> Troupe:
    return _put_on(stage, spot, "cat", "couch")


def bear_on_couch(stage: Stage, spot: Spot) -> Troupe:
    return _put_on(stage, spot, "teddy bear", "couch")


def cat_on_bed(stage: Stage, spot: Spot) -> Troupe:
    return _put_on(stage, spot, "cat", "bed")


def bear_on_bed(stage: Stage, spot: Spot) -> Troupe:
    return _put_on(stage, spot, "teddy bear", "bed")


ACTS: dict[str, Play] = {
    "ride_bicycle": ride_bicycle,
    "ride_skateboard": ride_skateboard,
    "fly_kite": fly_kite,
    "chase_frisbee": chase_frisbee,
    "walk_dog": walk_dog,
    "hold_umbrella": hold_umbrella,
    "hold_surfboard": hold_surfboard,
    "hold_snowboard": hold_snowboard,
    "sit_on_bench": sit_on_bench,
    "sit_on_couch": sit_on_couch,
    "cat_on_couch": cat_on_couch,
    "bear_on_couch": bear_on_couch,
    "cat_on_bed": cat_on_bed,
    "bear_on_bed": bear_on_bed,
}
