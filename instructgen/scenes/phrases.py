"""The words for what is seen: nouns with their plurals, places, light, and the article before them."""

import random

from msgspec import Struct

from instructgen.scenes.render import Sighting

# The first pair is COCO's own name; the others are words that people use for the same thing.
NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    "dog": (("dog", "dogs"),),
    "cat": (("cat", "cats"),),
    "bird": (("bird", "birds"),),
    "horse": (("horse", "horses"),),
    "cow": (("cow", "cows"),),
    "sheep": (("sheep", "sheep"),),
    "elephant": (("elephant", "elephants"),),
    "car": (("car", "cars"),),
    "bus": (("bus", "buses"),),
    "truck": (("truck", "trucks"),),
    "boat": (("boat", "boats"),),
    "bicycle": (("bicycle", "bicycles"), ("bike", "bikes")),
    "airplane": (("airplane", "airplanes"), ("plane", "planes")),
    "traffic light": (("traffic light", "traffic lights"),),
    "stop sign": (("stop sign", "stop signs"),),
    "fire hydrant": (("fire hydrant", "fire hydrants"),),
    "bench": (("bench", "benches"),),
    "umbrella": (("umbrella", "umbrellas"),),
    "kite": (("kite", "kites"),),
    "sports ball": (("ball", "balls"),),
    "frisbee": (("frisbee", "frisbees"),),
    "surfboard": (("surfboard", "surfboards"),),
    "snowboard": (("snowboard", "snowboards"),),
    "skateboard": (("skateboard", "skateboards"),),
    "chair": (("chair", "chairs"),),
    "couch": (("couch", "couches"), ("sofa", "sofas")),
    "bed": (("bed", "beds"),),
    "potted plant": (("potted plant", "potted plants"),),
    "tv": (("TV", "TVs"), ("television", "televisions")),
    "laptop": (("laptop", "laptops"), ("laptop computer", "laptop computers")),
    "clock": (("clock", "clocks"), ("round clock", "round clocks")),
    "teddy bear": (("teddy bear", "teddy bears"),),
    "vase": (("vase", "vases"), ("vase of flowers", "vases of flowers")),
    "book": (("book", "books"),),
    "dining table": (("dining table", "dining tables"),),
    "cup": (("cup", "cups"), ("mug", "mugs")),
    "wine glass": (("wine glass", "wine glasses"),),
    "bottle": (("bottle", "bottles"),),
    "bowl": (("bowl", "bowls"),),
    "apple": (("apple", "apples"),),
    "orange": (("orange", "oranges"),),
    "banana": (("banana", "bananas"),),
    "pizza": (("pizza", "pizzas"),),
    "donut": (("donut", "donuts"),),
    "cake": (("cake", "cakes"), ("birthday cake", "birthday cakes")),
}
_PEOPLE: dict[str, tuple[str, str]] = {
    "man": ("man", "men"),
    "woman": ("woman", "women"),
    "child": ("child", "children"),
}
_VARIANT_NOUNS: dict[str, tuple[str, str]] = {
    "sail": ("sailboat", "sailboats"),
    "soccer": ("soccer ball", "soccer balls"),
    "basketball": ("basketball", "basketballs"),
    "soup": ("bowl of soup", "bowls of soup"),
    "salad": ("bowl of salad", "bowls of salad"),
    "rice": ("bowl of rice", "bowls of rice"),
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_PARTICIPLES: dict[str, str] = {
    "boat": "floating",
    "kite": "flying",
    "airplane": "flying",
    "clock": "hanging",
    "sports ball": "lying",
    "book": "lying",
    "teddy bear": "sitting",
    "traffic light": "standing",
    "stop sign": "standing",
    "fire hydrant": "standing",
    "potted plant": "standing",
    "surfboard": "standing",
    "snowboard": "standing",
    "chair": "standing",
    "umbrella": "standing",
}
PLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("park", "ground"): ("in a park", "in a green park", "on the grass in a park", "on the green grass"),
    ("park", "sky"): ("in the sky over a park", "above a green park", "over the trees of a park"),
    ("street", "pavement"): ("on the sidewalk of a city street", "beside a city street", "on a sidewalk in the city"),
    ("street", "road"): ("on a city street", "on the road in a city", "on a street lined with buildings"),
    ("beach", "ground"): ("on a sandy beach", "on the sand by the sea", "on the beach"),
    ("beach", "water"): ("on the sea near a beach", "on the blue sea", "on the water by the beach"),
    ("beach", "sky"): ("in the sky over a beach", "above the sea at a beach"),
    ("lake", "ground"): ("on the shore of a lake", "on the grass beside a lake", "by a calm lake"),
    ("lake", "water"): ("on a calm lake", "on a lake in front of some hills", "on the water of a lake"),
    ("lake", "sky"): ("in the sky over a lake", "above a calm lake"),
    ("field", "ground"): ("in a grassy field", "in a green pasture", "in a field with a wooden fence"),
    ("field", "sky"): ("in the sky over a grassy field", "above a green pasture"),
    ("savanna", "ground"): ("on a dry grassy plain", "in the savanna", "in the dry grass of a savanna"),
    ("savanna", "sky"): ("in the sky over a dry plain", "above the savanna"),
    ("snow", "ground"): ("in the snow", "in front of snowy mountains", "on a snowy field near pine trees"),
    ("living room", "back"): ("in a living room", "in a bright living room", "in a living room with a window"),
    ("living room", "floor"): ("on the floor of a living room", "on a living room floor"),
    ("living room", "wall"): ("on the wall of a living room", "on a living room wall"),
    ("bedroom", "back"): ("in a bedroom", "in a small bedroom", "in a bedroom with a window"),
    ("bedroom", "floor"): ("on the floor of a bedroom", "on a bedroom floor"),
    ("bedroom", "wall"): ("on the wall of a bedroom", "on a bedroom wall"),
    ("kitchen", "table"): ("on a wooden table", "on a kitchen table", "on a wooden table in a kitchen"),
    ("kitchen", "wall"): ("on the wall of a kitchen", "on a kitchen wall"),
    ("lawn", "ground"): ("on the grass", "on the green grass", "in a grassy field"),
    ("snow field", "ground"): ("in the snow", "in the white snow", "on a snowy field"),
    ("road", "ground"): ("on a road", "on a gray road", "on the road"),
}
# Where things of several zones are: nothing more exact holds for all of them.
GENERAL_PLACES: dict[str, tuple[str, ...]] = {
    "park": ("in a park", "in a green park", "in a park with trees"),
    "street": ("on a city street", "in a city", "on a street lined with buildings"),
    "beach": ("at the beach", "at a sandy beach", "at the sea"),
    "lake": ("at a lake", "by a calm lake", "at a lake near some hills"),
    "field": ("in a grassy field", "in a green pasture", "in a field with a wooden fence"),
    "savanna": ("in the savanna", "in a dry savanna"),
    "snow": ("in the snow", "in front of snowy mountains", "in a snowy landscape"),
    "living room": ("in a living room", "in a living room with a window"),
    "bedroom": ("in a bedroom", "in a bedroom with a window"),
    "kitchen": ("in a kitchen", "in a kitchen with a window"),
    "lawn": ("on the grass", "in a grassy field"),
    "snow field": ("in the snow", "on a snowy field"),
    "road": ("on a road", "on the road"),
}
SCENE_NOUNS: dict[str, tuple[str, ...]] = {
    "park": ("park", "green park"),
    "street": ("city street", "street"),
    "beach": ("beach", "sandy beach"),
    "lake": ("lake", "calm lake"),
    "field": ("field", "grassy field"),
    "savanna": ("dry plain", "savanna"),
    "snow": ("snowy landscape", "snowy scene"),
    "living room": ("living room",),
    "bedroom": ("bedroom",),
    "kitchen": ("kitchen",),
    "lawn": ("grassy field", "field"),
    "snow field": ("snowy field", "field of snow"),
    "road": ("gray road", "road"),
}
_LIGHTS: dict[str, tuple[str, ...]] = {
    "day": ("on a sunny day", "under a blue sky", "on a clear day"),
    "evening": ("at sunset", "in the evening", "under an evening sky"),
    "rain": ("in the rain", "on a rainy day", "under a gray sky"),
    "snowfall": ("on a snowy day", "while snow is falling"),
}
_WITHOUT_SKY = frozenset({"living room", "bedroom", "kitchen", "lawn", "snow field", "road"})


class Phrase(Struct, frozen=True):
    """Words for some things: one noun phrase, or one for each of two. A verb after them may take the plural."""

    parts: tuple[str, ...]
    is_plural: bool = True

    @property
    def text(self) -> str:
        return " and ".join(self.parts)

    @property
    def be(self) -> str:
        return "are" if self.is_plural else "is"


def with_article(words: str) -> str:
    """Put "a" or "an" in front; none of our words has a silent h or begins with the sound of "you"."""
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def count_noun(count: int, singular: str, plural: str) -> Phrase:
    return (
        Phrase((f"{_NUMBERS[count]} {plural}",)) if count > 1 else Phrase((with_article(singular),), is_plural=False)
    )


def join_phrases(phrases: list[Phrase]) -> str:
    parts = [part for phrase in phrases for part in phrase.parts]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def light_phrase(setting: str, light: str, draw: random.Random) -> str:
    """Return how the weather or the hour is said, with a space before it; "" where no sky is seen."""
    return "" if setting in _WITHOUT_SKY else f" {draw.choice(_LIGHTS[light])}"


class Group(Struct, frozen=True):
    """All visible things of one kind."""

    kind: str
    sightings: tuple[Sighting, ...]

    @property
    def zone(self) -> str:
        """The zone that all stand in, or "air" where no single one holds."""
        zones = {sighting.thing.zone for sighting in self.sightings}
        return zones.pop() if len(zones) == 1 else "air"

    @property
    def area_px(self) -> int:
        return sum(sighting.area_px for sighting in self.sightings)

    def participle(self) -> str | None:
        """Return what they all do, or None where they differ or where nothing is worth saying."""
        poses = {sighting.thing.look.pose for sighting in self.sightings}
        if len(poses) > 1:
            return None
        pose = poses.pop()
        if pose == "riding":
            return None
        return {"": _PARTICIPLES.get(self.kind), "reaching": "standing"}.get(pose, pose)


def name_group(group: Group, draw: random.Random, with_colour: bool) -> Phrase:
    """Return words for the whole group, so that the count in them is the total."""
    if group.kind == "person":
        return _name_people(group, draw, with_colour)
    count = len(group.sightings)
    singular, plural = _pick_noun(group, draw)
    colours = [sighting.colour for sighting in group.sightings]
    if with_colour and None not in colours:
        if len(set(colours)) == 1:
            return count_noun(count, f"{colours[0]} {singular}", f"{colours[0]} {plural}")
        if count == 2:
            return Phrase(tuple(with_article(f"{colour} {singular}") for colour in colours))
    return count_noun(count, singular, plural)


def _pick_noun(group: Group, draw: random.Random) -> tuple[str, str]:
    variants = {sighting.thing.look.variant for sighting in group.sightings}
    special = _VARIANT_NOUNS.get(variants.pop()) if len(variants) == 1 else None
    if special is not None and draw.random() < 0.5:
        return special
    if (
        group.kind == "sports ball"
        and special is None
        and all(s.thing.look.variant == "beach" for s in group.sightings)
    ):
        return draw.choice((("ball", "balls"), ("beach ball", "beach balls")))
    return draw.choice(NOUNS[group.kind])


def _name_people(group: Group, draw: random.Random, with_colour: bool) -> Phrase:
    looks = [sighting.thing.look for sighting in group.sightings]
    variants = sorted({look.variant for look in looks})
    if len(looks) == 2 and len(variants) == 2 and draw.random() < 0.7:
        return Phrase(tuple(with_article(_PEOPLE[look.variant][0]) for look in looks))
    noun = _PEOPLE[variants[0]] if len(variants) == 1 and draw.random() < 0.85 else ("person", "people")
    phrase = count_noun(len(looks), *noun)
    colours = {sighting.colour for sighting in group.sightings}
    colour = colours.pop() if len(colours) == 1 else None
    if not with_colour or colour is None:
        return phrase
    if len(looks) > 1:
        return Phrase((f"{phrase.text} in {colour}",))
    look = looks[0]
    is_dress = look.variant == "woman" and look.pose not in ("sitting", "riding")
    garment = "coat" if look.is_wrapped_up else "dress" if is_dress else "shirt"
    return Phrase((f"{phrase.text} in {with_article(f'{colour} {garment}')}",), is_plural=False)
