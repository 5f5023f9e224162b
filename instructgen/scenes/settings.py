"""The places where scenes play: what may stand there, how large, and in which light."""

from msgspec import Struct

from instructgen.scenes.palette import Rgb


class Zone(Struct, frozen=True):
    """A band where things stand. `low` to `high` is where their feet may be (heights from the bottom).

    `near` and `far` multiply a kind's size at `low` and at `high`. A larger `layer` is painted later; within a
    layer the farther comes first.
    """

    low: float
    high: float
    near: float
    far: float
    layer: int
    has_shadow: bool = True
    xs: tuple[float, float] = (0.0, 1.0)  # where across the picture, as shares of its width

    def size_at(self, y: float) -> float:
        return self.near + (self.far - self.near) * (y - self.low) / (self.high - self.low)


class Cast(Struct, frozen=True):
    """A kind that may appear. An empty `poses` or `variants` means all that the kind has."""

    kind: str
    zone: str
    weight: float = 1.0
    max_count: int = 5
    poses: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


class Setting(Struct, frozen=True):
    """`acts` pairs a name in acts.ACTS with the zone where it plays; things `avoid` the colours of the ground."""

    lights: tuple[str, ...]
    zones: dict[str, Zone]
    casts: tuple[Cast, ...]
    acts: tuple[tuple[str, str], ...]
    avoid: frozenset[str]
    shadow: Rgb


_SKY = Zone(0.6, 0.86, 1.0, 1.0, 0, has_shadow=False)
_WALL = Zone(0.62, 0.76, 1.0, 1.0, 0, has_shadow=False, xs=(0.37, 0.63))  # between the windows
_OUTDOORS = ("day", "day", "day", "evening", "rain")
_STANDING = ("standing",)
_FLYING = ("flying",)

SETTINGS: dict[str, Setting] = {
    "park": Setting(
        lights=_OUTDOORS,
        zones={"sky": _SKY, "ground": Zone(0.04, 0.36, 1.0, 0.62, 1)},
        casts=(
            Cast("dog", "ground", 2.0, 4),
            Cast("person", "ground", 2.0, 4),
            Cast("cat", "ground", 0.7, 2),
            Cast("bird", "ground", 1.0, 5, _STANDING),
            Cast("bird", "sky", 0.8, 5, _FLYING),
            Cast("kite", "sky", 1.0, 4),
            Cast("bench", "ground", 1.2, 2),
            Cast("bicycle", "ground", 1.2, 2),
            Cast("sports ball", "ground", 1.2, 3),
            Cast("frisbee", "ground", 0.6, 2),
            Cast("umbrella", "ground", 0.3, 1, (), ("beach",)),
            Cast("airplane", "sky", 0.4, 2),
        ),
        acts=(
            ("fly_kite", "ground"),
            ("ride_bicycle", "ground"),
            ("sit_on_bench", "ground"),
            ("chase_frisbee", "ground"),
            ("walk_dog", "ground"),
            ("hold_umbrella", "ground"),
        ),
        avoid=frozenset({"green"}),
        shadow=(92, 142, 72),
    ),
    "street": Setting(
        lights=_OUTDOORS,
        zones={"pavement": Zone(0.37, 0.41, 0.68, 0.64, 1), "road": Zone(0.05, 0.26, 0.98, 0.78, 2), "sky": _SKY},
        casts=(
            Cast("car", "road", 3.0, 4),
            Cast("bus", "road", 1.5, 2),
            Cast("truck", "road", 1.2, 2),
            Cast("bicycle", "road", 0.8, 2),
            Cast("person", "pavement", 1.8, 5),
            Cast("traffic light", "pavement", 1.5, 2),
            Cast("stop sign", "pavement", 1.0, 1),
            Cast("fire hydrant", "pavement", 1.0, 2),
            Cast("bench", "pavement", 0.6, 1),
            Cast("dog", "pavement", 0.8, 2),
            Cast("potted plant", "pavement", 0.4, 3),
        ),
        acts=(
            ("ride_bicycle", "road"),
            ("ride_skateboard", "road"),
            ("walk_dog", "pavement"),
            ("hold_umbrella", "pavement"),
            ("sit_on_bench", "pavement"),
        ),
        avoid=frozenset({"gray", "black"}),
        shadow=(74, 76, 84),
    ),
    "beach": Setting(
        lights=("day", "day", "day", "evening"),
        zones={
            "sky": _SKY,
            "water": Zone(0.42, 0.5, 0.8, 0.55, 1, has_shadow=False),
            "ground": Zone(0.03, 0.3, 1.0, 0.7, 2),
        },
        casts=(
            Cast("person", "ground", 1.6, 4),
            Cast("umbrella", "ground", 1.6, 3, (), ("beach",)),
            Cast("boat", "water", 2.0, 4),
            Cast("surfboard", "ground", 1.4, 3),
            Cast("sports ball", "ground", 1.2, 2, (), ("beach",)),
            Cast("dog", "ground", 1.0, 2),
            Cast("bird", "sky", 1.0, 5, _FLYING),
            Cast("bird", "ground", 0.8, 3, _STANDING),
            Cast("kite", "sky", 0.8, 3),
            Cast("chair", "ground", 0.6, 2),
            Cast("airplane", "sky", 0.4, 1),
        ),
        acts=(
            ("fly_kite", "ground"),
            ("walk_dog", "ground"),
            ("chase_frisbee", "ground"),
            ("hold_surfboard", "ground"),
        ),
        avoid=frozenset({"yellow", "brown", "orange"}),
        shadow=(206, 178, 122),
    ),
    "lake": Setting(
        lights=("day", "day", "evening"),
        zones={
            "sky": _SKY,
            "water": Zone(0.2, 0.44, 1.15, 0.6, 1, has_shadow=False),
            "ground": Zone(0.02, 0.1, 0.95, 0.85, 2),
        },
        casts=(
            Cast("boat", "water", 4.0, 4),
            Cast("bird", "sky", 1.2, 5, _FLYING),
            Cast("bird", "ground", 1.0, 3, _STANDING),
            Cast("person", "ground", 0.8, 2),
            Cast("dog", "ground", 0.8, 1),
            Cast("airplane", "sky", 0.5, 1),
            Cast("bench", "ground", 0.5, 1),
        ),
        acts=(
            ("walk_dog", "ground"),
            ("sit_on_bench", "ground"),
        ),
        avoid=frozenset({"green", "blue"}),
        shadow=(84, 132, 70),
    ),
    "field": Setting(
        lights=_OUTDOORS,
        zones={"sky": _SKY, "ground": Zone(0.04, 0.4, 1.0, 0.55, 1)},
        casts=(
            Cast("horse", "ground", 2.0, 4),
            Cast("cow", "ground", 2.0, 5),
            Cast("sheep", "ground", 2.0, 5),
            Cast("dog", "ground", 1.0, 2),
            Cast("truck", "ground", 0.5, 1),
            Cast("person", "ground", 0.8, 2),
            Cast("bird", "sky", 0.8, 5, _FLYING),
        ),
        acts=(("walk_dog", "ground"),),
        avoid=frozenset({"green"}),
        shadow=(118, 152, 66),
    ),
    "savanna": Setting(
        lights=("day", "evening"),
        zones={"sky": _SKY, "ground": Zone(0.05, 0.36, 1.0, 0.6, 1)},
        casts=(
            Cast("elephant", "ground", 4.0, 4),
            Cast("bird", "sky", 1.0, 5, _FLYING),
            Cast("bird", "ground", 1.0, 3, _STANDING),
            Cast("truck", "ground", 0.6, 1),
            Cast("airplane", "sky", 0.4, 1),
        ),
        acts=(),
        avoid=frozenset({"yellow", "brown", "orange"}),
        shadow=(180, 146, 76),
    ),
    "snow": Setting(
        lights=("day", "snowfall", "snowfall", "evening"),
        zones={"sky": _SKY, "ground": Zone(0.04, 0.36, 1.0, 0.62, 1)},
        casts=(
            Cast("person", "ground", 2.5, 4),
            Cast("dog", "ground", 1.5, 3),
            Cast("snowboard", "ground", 1.5, 3),
            Cast("bird", "ground", 1.0, 4, _STANDING),
            Cast("bench", "ground", 0.7, 1),
            Cast("car", "ground", 0.4, 1),
            Cast("horse", "ground", 0.5, 1, _STANDING),
        ),
        acts=(
            ("walk_dog", "ground"),
            ("hold_snowboard", "ground"),
            ("sit_on_bench", "ground"),
        ),
        avoid=frozenset({"white", "gray"}),
        shadow=(204, 214, 230),
    ),
    "living room": Setting(
        lights=("day", "day", "evening"),
        zones={"wall": _WALL, "back": Zone(0.2, 0.28, 1.0, 0.92, 1), "floor": Zone(0.03, 0.14, 1.0, 0.9, 2)},
        casts=(
            Cast("couch", "back", 2.5, 1),
            Cast("chair", "back", 1.5, 3),
            Cast("potted plant", "back", 1.5, 3),
            Cast("tv", "back", 1.2, 1),
            Cast("clock", "wall", 1.2, 2),
            Cast("cat", "floor", 1.6, 3),
            Cast("dog", "floor", 1.2, 2, ("standing", "sitting")),
            Cast("teddy bear", "floor", 0.8, 2),
            Cast("sports ball", "floor", 0.6, 2),
            Cast("book", "floor", 0.8, 3),
            Cast("vase", "floor", 0.5, 2),
            Cast("person", "back", 0.8, 2, _STANDING),
        ),
        acts=(
            ("sit_on_couch", "back"),
            ("cat_on_couch", "back"),
            ("bear_on_couch", "back"),
            ("cat_on_couch", "back"),
        ),
        avoid=frozenset({"brown"}),
        shadow=(150, 112, 76),
    ),
    "bedroom": Setting(
        lights=("day", "evening"),
        zones={"wall": _WALL, "back": Zone(0.2, 0.27, 1.0, 0.94, 1), "floor": Zone(0.03, 0.13, 1.0, 0.9, 2)},
        casts=(
            Cast("bed", "back", 4.0, 1),
            Cast("chair", "back", 1.0, 1),
            Cast("potted plant", "back", 1.0, 1),
            Cast("clock", "wall", 1.2, 1),
            Cast("teddy bear", "floor", 1.6, 3),
            Cast("cat", "floor", 1.0, 2),
            Cast("dog", "floor", 1.0, 1, ("sitting",)),
            Cast("book", "floor", 1.2, 4),
            Cast("sports ball", "floor", 0.6, 1),
            Cast("skateboard", "floor", 0.6, 1),
        ),
        acts=(
            ("cat_on_bed", "back"),
            ("bear_on_bed", "back"),
            ("bear_on_bed", "back"),
        ),
        avoid=frozenset({"brown", "gray"}),
        shadow=(150, 140, 132),
    ),
    "kitchen": Setting(
        lights=("day", "day", "evening"),
        zones={"wall": _WALL, "table": Zone(0.1, 0.38, 1.1, 0.82, 2, xs=(0.1, 0.9))},
        casts=(
            Cast("cup", "table", 2.0, 4),
            Cast("bowl", "table", 1.5, 3),
            Cast("bottle", "table", 1.2, 3),
            Cast("apple", "table", 2.0, 5),
            Cast("orange", "table", 1.6, 5),
            Cast("banana", "table", 1.4, 4),
            Cast("pizza", "table", 1.6, 2),
            Cast("donut", "table", 1.4, 5),
            Cast("cake", "table", 1.2, 1),
            Cast("wine glass", "table", 1.0, 3),
            Cast("vase", "table", 1.0, 1),
            Cast("laptop", "table", 1.0, 1),
            Cast("book", "table", 0.8, 2),
            Cast("clock", "wall", 0.8, 1),
        ),
        acts=(),
        avoid=frozenset({"brown"}),
        shadow=(112, 68, 40),
    ),
}

_ANYWHERE = Zone(0.0, 1.0, 1.0, 1.0, 1, has_shadow=False)
# Plain grounds seen from above, for scenes.simple alone: `SETTINGS` is what the other scenes are drawn from.
PLAIN_SETTINGS: dict[str, Setting] = {
    name: Setting(("day",), {"ground": _ANYWHERE}, (), (), frozenset(avoid), shadow=(0, 0, 0))
    for name, avoid in (("lawn", {"green"}), ("snow field", {"white"}), ("road", {"black"}))
}
ALL_SETTINGS = {**SETTINGS, **PLAIN_SETTINGS}
