"""The table of everything that can be drawn, under COCO's own category names."""

from collections.abc import Callable

from msgspec import Struct

from instructgen.scenes import kinds_animals, kinds_food, kinds_home, kinds_people, kinds_street, kinds_vehicles
from instructgen.scenes.pen import Look, Pen


class Kind(Struct, frozen=True):
    """How one category is drawn, in its own units.

    `height` is what `share` of the picture's shorter side shows of it when it stands near.
    `is_painted` False: the colour is natural to it, so nobody would say it (a traffic light, a pizza).
    """

    draw: Callable[[Pen, Look], None]
    width: float
    height: float
    share: float
    colours: tuple[str, ...]
    poses: tuple[str, ...] = ("",)
    variants: tuple[str, ...] = ("",)
    is_painted: bool = True

    def pick_colour(self, variant: str, wanted: str) -> str:
        """Return `wanted`, or the colour that a variant always has."""
        return _COLOUR_BY_VARIANT.get(variant, wanted)


_COLOUR_BY_VARIANT = {"soccer": "white", "basketball": "orange"}
_BRIGHT = ("red", "blue", "green", "yellow", "orange", "purple", "pink")
_CLOTHES = ("red", "blue", "green", "yellow", "orange", "purple", "pink", "white")
_FURNITURE = ("blue", "red", "green", "gray", "brown", "purple", "orange")

KINDS: dict[str, Kind] = {
    "person": Kind(
        kinds_people.draw_person, 44, 100, 0.56, _CLOTHES, ("standing", "walking"), ("man", "woman", "child")
    ),
    "dog": Kind(
        kinds_animals.draw_dog, 108, 86, 0.28, ("brown", "black", "white", "gray"), ("standing", "sitting", "running")
    ),
    "cat": Kind(
        kinds_animals.draw_cat, 104, 96, 0.26, ("orange", "black", "gray", "white", "brown"), ("sitting", "lying")
    ),
    "bird": Kind(
        kinds_animals.draw_bird,
        120,
        82,
        0.15,
        ("blue", "red", "yellow", "black", "white", "green"),
        ("standing", "flying"),
    ),
    "horse": Kind(
        kinds_animals.draw_horse, 132, 122, 0.5, ("brown", "black", "white", "gray"), ("standing", "grazing")
    ),
    "cow": Kind(kinds_animals.draw_cow, 136, 104, 0.42, ("white", "brown", "black"), ("standing", "grazing")),
    "sheep": Kind(
        kinds_animals.draw_sheep, 106, 84, 0.3, ("white", "white", "black", "gray"), ("standing", "grazing")
    ),
    "elephant": Kind(kinds_animals.draw_elephant, 152, 96, 0.46, ("gray",), ("standing",)),
    "car": Kind(
        kinds_vehicles.draw_car, 200, 80, 0.27, ("red", "blue", "green", "yellow", "orange", "white", "black", "gray")
    ),
    "bus": Kind(kinds_vehicles.draw_bus, 246, 112, 0.42, ("red", "yellow", "blue", "green", "orange", "white")),
    "truck": Kind(kinds_vehicles.draw_truck, 240, 112, 0.38, ("red", "blue", "green", "white", "orange", "yellow")),
    "boat": Kind(
        kinds_vehicles.draw_boat,
        176,
        152,
        0.34,
        ("red", "blue", "green", "orange", "purple", "yellow"),
        ("",),
        ("sail", "motor"),
    ),
    "bicycle": Kind(kinds_vehicles.draw_bicycle, 130, 72, 0.33, ("red", "blue", "green", "orange", "purple")),
    "airplane": Kind(kinds_vehicles.draw_airplane, 226, 86, 0.17, ("white", "red", "blue", "yellow")),
    "traffic light": Kind(
        kinds_street.draw_traffic_light,
        30,
        100,
        0.62,
        ("black",),
        ("",),
        ("red", "yellow", "green"),
        is_painted=False,
    ),
    "stop sign": Kind(kinds_street.draw_stop_sign, 54, 100, 0.5, ("red",)),
    "fire hydrant": Kind(kinds_street.draw_fire_hydrant, 52, 82, 0.24, ("red", "yellow", "blue", "orange")),
    "bench": Kind(kinds_street.draw_bench, 154, 64, 0.27, ("brown", "brown", "green", "red", "blue")),
    "umbrella": Kind(kinds_street.draw_umbrella, 122, 100, 0.42, _BRIGHT, ("",), ("", "beach")),
    "kite": Kind(kinds_street.draw_kite, 62, 130, 0.32, _BRIGHT),
    "sports ball": Kind(
        kinds_street.draw_ball,
        60,
        60,
        0.12,
        ("red", "blue", "green", "yellow", "pink"),
        ("",),
        ("soccer", "basketball", "beach"),
    ),
    "frisbee": Kind(kinds_street.draw_frisbee, 80, 30, 0.07, ("red", "blue", "yellow", "orange", "purple", "pink")),
    "surfboard": Kind(
        kinds_street.draw_surfboard, 32, 100, 0.5, ("red", "blue", "yellow", "orange", "purple", "green", "pink")
    ),
    "snowboard": Kind(
        kinds_street.draw_snowboard, 30, 100, 0.42, ("red", "blue", "green", "purple", "orange", "black")
    ),
    "skateboard": Kind(kinds_street.draw_skateboard, 100, 28, 0.09, ("red", "blue", "green", "purple", "orange")),
    "chair": Kind(kinds_home.draw_chair, 70, 100, 0.42, ("brown", "red", "blue", "green", "white", "yellow")),
    "couch": Kind(kinds_home.draw_couch, 200, 86, 0.38, _FURNITURE),
    "bed": Kind(kinds_home.draw_bed, 210, 98, 0.42, ("red", "blue", "green", "purple", "pink", "orange", "yellow")),
    "potted plant": Kind(kinds_home.draw_potted_plant, 84, 104, 0.38, ("green",)),
    "tv": Kind(kinds_home.draw_tv, 140, 92, 0.34, ("black",), is_painted=False),
    "laptop": Kind(kinds_home.draw_laptop, 110, 78, 0.27, ("gray", "white", "black"), is_painted=False),
    "clock": Kind(kinds_home.draw_clock, 80, 80, 0.17, ("red", "blue", "black", "brown", "green"), is_painted=False),
    "teddy bear": Kind(kinds_home.draw_teddy_bear, 88, 100, 0.26, ("brown", "brown", "white", "pink", "gray")),
    "vase": Kind(kinds_home.draw_vase, 60, 96, 0.32, ("blue", "red", "green", "purple", "white", "orange")),
    "book": Kind(kinds_home.draw_book, 92, 30, 0.1, ("red", "blue", "green", "purple", "orange", "brown")),
    "dining table": Kind(kinds_home.draw_dining_table, 400, 150, 0.6, ("brown", "white", "gray")),
    "cup": Kind(
        kinds_food.draw_cup, 66, 60, 0.17, ("red", "blue", "green", "yellow", "white", "purple", "pink", "orange")
    ),
    "wine glass": Kind(
        kinds_food.draw_wine_glass, 44, 100, 0.3, ("white",), ("",), ("red", "white"), is_painted=False
    ),
    "bottle": Kind(kinds_food.draw_bottle, 38, 110, 0.38, ("green", "blue", "red", "brown", "purple")),
    "bowl": Kind(
        kinds_food.draw_bowl,
        92,
        48,
        0.16,
        ("blue", "red", "green", "white", "yellow", "purple"),
        ("",),
        ("soup", "salad", "rice"),
    ),
    "apple": Kind(kinds_food.draw_apple, 58, 64, 0.14, ("red", "red", "green", "yellow")),
    "orange": Kind(kinds_food.draw_orange, 58, 58, 0.13, ("orange",), is_painted=False),
    "banana": Kind(kinds_food.draw_banana, 102, 52, 0.13, ("yellow",)),
    "pizza": Kind(kinds_food.draw_pizza, 124, 50, 0.17, ("yellow",), is_painted=False),
    "donut": Kind(
        kinds_food.draw_donut, 80, 44, 0.11, ("pink", "brown", "white", "blue", "yellow"), is_painted=False
    ),
    "cake": Kind(kinds_food.draw_cake, 106, 94, 0.28, ("pink", "brown", "white", "purple"), is_painted=False),
}
