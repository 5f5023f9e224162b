"""Boxes that are not believed: what captions call by another name, what is printed, on a screen, or boxed twice."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.mentions import CATEGORY_PHRASES
from instructgen.records import Box
from instructgen.scenegraph.reading import CaptionReading, Mentions
from instructgen.scenegraph.vocabulary import LIKENESS
from instructgen.surrogate.boxes import overlap

_SAME_PLACE = 0.8  # intersection over union of two boxes that may be one thing named twice
_SAME_ANIMAL = 0.55
_SAME_KIND = 0.5
_SPLIT = 2  # captions of each of two names, between which nothing decides
_SLACK = 0.02  # how far a box on a screen may reach beyond it
_SCREENS = frozenset(("tv", "laptop", "cell phone"))
# Where a caption has these, what lies all within a screen's box is shown on it.
_ON_SCREEN = frozenset((
    "movie", "showing", "shows", "display", "displays", "displaying", "screen", "program", "channel", "news", "video",
    "commercial",
))  # fmt: skip
# Where a caption has these, what none names and lies all within the box of a shiny thing is mirrored by it.
_REFLECTED = frozenset(("reflection", "reflections", "reflecting", "reflected", "reflects", "reflective"))
_SHINY = frozenset((
    "vase", "tv", "laptop", "cell phone", "oven", "microwave", "toaster", "refrigerator", "wine glass", "bottle",
    "bowl", "cup", "spoon", "motorcycle", "parking meter",
))  # fmt: skip
_SEATS = frozenset(("chair", "couch", "bench"))
_VEHICLES = frozenset(("car", "bus", "train", "truck", "airplane", "boat"))
_LARGE_BOOK = 0.3  # share of the picture
# Pictures that stand or hang in the scene, and the words behind which one is told as a thing of it.
_PICTURES = frozenset((
    "picture", "pictures", "photo", "photos", "photograph", "photographs", "poster", "posters", "painting",
    "paintings", "billboard", "banner", "mural", "advertisement", "ad", "portrait", "print", "drawing",
))  # fmt: skip
_BEFORE_PICTURE = frozenset((
    "by", "of", "front", "near", "beside", "behind", "against", "at", "to", "holding", "under", "with", "on", "below",
    "above", "hanging", "showing",
))  # fmt: skip
_OPENERS = frozenset(("close", "up", "view", "this", "is", "there", "here", "a", "an", "the"))
_OF = frozenset(("of", "showing", "depicting", "featuring"))
_NEAR = 4  # tokens before a picture
_TAKING = frozenset(("taking", "takes", "take", "taken", "for"))  # a picture that somebody takes
_ENDS_PICTURE = frozenset(("and", "with", "on", "in", "at", "by", "near", "next", "is", ",", ".", "behind", "while"))
_GENERAL = frozenset(("pastry", "pastries", "dough", "mix", "batter", "bread"))  # donuts are of these too
# Never beside what else they are called.
_OUTVOTED = frozenset((
    "clock", "sheep", "kite", "cell phone", "surfboard", "book", "couch", "bed", "toilet", "cake", "donut",
    "sandwich", "hot dog", "orange", "apple", "banana", "carrot",
))  # fmt: skip
_PIECE = re.compile(
    r"\b(?:slices?|sliced|pieces?) of (?:[a-z]+ ){0,3}(?:pizza|cake)\b|\b(?:pizza|cake) (?:slices?|pieces?)\b"
)
_IN_PIECES = frozenset(("pizza", "cake"))
# Where captions have these and not the animal that is boxed, it may be a likeness, or another animal.
_UNREAL = LIKENESS | {"animal", "animals", "wolf", "fox", "deer", "moose", "lion", "tiger", "monkey", "goat"}
_MURALS = frozenset(("mural", "murals", "painting", "paintings", "poster", "posters"))
# Shapes of kites that captions name without calling them kites.
_FLYING = frozenset((
    "paraglider", "paragliders", "glider", "sail", "sails", "seahorse", "seahorses", "horses", "dragon", "fish",
    "birds",
))  # fmt: skip
# A category whose boxes annotators may mean where people say otherwise.
_RIVALS = {
    "sheep": {"goat", "goats"},
    "motorcycle": {"atv", "atvs", "wheeler", "wheelers", "quad", "quads", "scooter", "scooters"},
    "bowl": {
        *("plate", "plates", "pan", "pans", "pot", "pots", "platter", "tray", "container", "containers", "dish"),
        *("dishes", "bucket", "basin", "cup", "cups", "box", "tub"),
    },
    "toilet": {"urinal", "urinals", "stool", "bucket", "bidet"},
    "potted plant": {"vase", "vases", "bouquet", "flowers"},
    "clock": {"thermometer", "gauge", "gauges", "instrument", "meter", "watch", "watches", "wristwatch"},
    "bottle": {"jar", "jars", "can", "cans", "carton", "container", "containers", "thermos", "pitcher", "jug"},
    "orange": {
        *("slice", "slices", "sliced", "wedge", "wedges", "juice", "lemon", "lemons", "grapefruit", "pumpkin"),
        "pumpkins",
    },
    "carrot": {"chopped", "slice", "slices", "sliced", "shredded", "diced"},
    "banana": {"slice", "slices", "sliced", "plantain", "plantains"},
    "cow": {"horse", "horses", "goat", "goats", "sheep", "buffalo", "yak"},
    "horse": {"cow", "cows", "donkey", "donkeys", "mule", "mules", "camel", "camels"},
    "dining table": {"desk", "counter", "bed", "shelf", "island", "cart"},
    "sandwich": {"hot", "pizza", "burrito", "wrap", "taco", "tacos", "pastry", "pita", "croissants"},
    "bird": {"kite", "kites", "airplane", "airplanes", "plane", "planes"},
    "truck": {
        *("van", "bus", "suv", "tractor", "tractors", "mower", "combine", "harvester", "bulldozer", "excavator"),
        *("backhoe", "crane", "carriage", "wagon", "jeep", "trailer", "trolley", "conveyer", "conveyor"),
    },
    "teddy bear": {"doll", "dolls", "rabbit", "bunny", "monkey", "statue"},
    "bed": {"couch", "sofa", "cushion", "bench", "crib"},
    "couch": {"bed", "chair", "booth", "bench", "armchair", "recliner"},
    "skis": {"snowboard", "snowboards"},
    "laptop": {"tablet"},
    "boat": {"surfboard", "surfboards"},
    "cake": {"pie", "donut", "donuts", "bread", "batter", "dough", "mix", "waffle", "waffles", "pancakes", "muffins"},
    "donut": {
        *("cake", "bagel", "bagels", "bread", "pastry", "pastries", "bun", "buns", "cookies", "roll", "rolls"),
        *("croissant", "croissants", "muffin", "muffins", "pretzel", "pretzels"),
    },
    "bear": {"teddy", "stuffed", "dog"},
    "hot dog": {"sandwich", "sandwiches", "sub"},
    "dog": {"wolf", "fox", "cow", "sheep", "goat", "goats", "pig"},
    "apple": {"slice", "slices", "sliced", "tomato", "tomatoes", "peach", "peaches", "pear", "pears", "plums"},
    "broccoli": {"cauliflower", "lettuce", "spinach", "parsley"},
    "kite": {"parachute", "parachutes", "balloon", "balloons", "flag", "flags", *_FLYING},
    "umbrella": {"tent", "tents", "canopy", "awning", "parachute", "gazebo", "shade"},
    "cell phone": {"remote", "camera", "calculator", "ipod", "radio", "walkie", "mp3"},
    "remote": {"phone", "cellphone", "camera"},
    "tennis racket": {"wii", "remote", "remotes", "paddle", "paddles"},
    "keyboard": {"piano", "typewriter"},
    "skateboard": {"scooter", "snowboard", "surfboard"},
    "snowboard": {"skis", "ski", "skiing", "skier", "skiers"},
    "backpack": {"parachute"},
    "microwave": {"oven", "ovens", "toaster"},
    "oven": {"fireplace", "grill", "furnace", "kiln"},
    "refrigerator": {"freezer", "cooler"},
    "sink": {"tub", "bathtub", "fountain", "urinal"},
    "book": {
        "magazine",
        "magazines",
        "newspaper",
        "newspapers",
        "menu",
        "notebook",
        "binder",
        "paper",
        "papers",
        "paperwork",
        "pamphlet",
        "envelope",
        "documents",
        "mail",
        "tablet",
    },
    "surfboard": {"boogie", "body", "belly", "bodyboard", "wakeboard", "kneeboard", "wakeboarding", "bodyboarding"},
    "tie": {"necklace", "necklaces", "scarf", "lanyard", "beads"},
    "bench": {
        *("steps", "stairs", "step", "ledge", "pew", "pews", "bleachers", "mantle", "mantel", "mantelpiece"),
        *("counter", "log", "wall", "shelf", "curb", "rail", "ramp", "picnic", "couch"),
    },
    "chair": {"stroller", "wheelchair", "seat", "seats", "stool", "stools", "booth", "bleachers", "throne", "crib"},
    "vase": {"jar", "jars", "pitcher", "jug", "bottle", "bottles", "cup", "mug", "pot", "pots", "urn", "bucket"},
    "cup": {"bowl", "bowls", "jar", "jars", "can", "bucket", "buckets", "pail", "container", "containers", "pitcher"},
    "wine glass": {"cup", "cups", "mug", "mugs", "jar", "jars", "beer"},
    "fork": {"chopsticks", "spatula", "tongs"},
    "knife": {"spatula", "scissors", "sword"},
    "spoon": {"ladle", "spatula", "whisk", "tongs"},
    "handbag": {"backpack", "suitcase", "briefcase"},
    "suitcase": {"box", "boxes", "trunk", "crate", "crates", "bag", "bags", "chest", "briefcase", "brief"},
    "bus": {"van", "trolley", "rv", "camper", "trailer", "tram"},
    "train": {"trolley", "tram"},
    "parking meter": {"mailbox", "payphone", "pump"},
    "fire hydrant": {"pump", "fountain"},
    "frisbee": {"plate", "plates", "lid"},
}
_BY_ALL_NAMES = (
    "oven", "horse", "train", "motorcycle", "handbag", "skis", "skateboard", "laptop", "teddy bear",
)  # fmt: skip
# What outvotes the own name where it is not boxed too: all other names, or of those below some only.
_OUTVOTED_BY = {name: _RIVALS[name] for name in _BY_ALL_NAMES} | {
    "tv": {"monitor", "monitors"},
    "dining table": {"desk", "desks", "counter", "island", "mantle", "mantel"},
    "bowl": {"pan", "pans", "pot", "pots", "platter", "tray", "container", "containers", "bucket", "basin", "tub"},
    "vase": {"jar", "jars", "pitcher", "jug", "urn", "bucket"},
    "bottle": {"jar", "jars", "cans", "thermos", "pitcher", "jug"},
    "cow": {"goat", "goats", "horse", "horses", "sheep", "yak"},
    "dog": {"wolf", "fox"},
    "truck": {"van", "suv", "tractor"},
    "car": {"van"},
    "bus": {"trolley", "rv", "camper", "tram"},
    "bench": {"ledge", "mantle", "mantel", "mantelpiece", "log"},
    "chair": {"stroller", "wheelchair", "throne", "booth"},
    "suitcase": {"trunk", "trunks", "briefcase"},
    "umbrella": {"parachute", "tent", "tents", "canopy", "awning", "gazebo"},
    "snowboard": {"skis"},
    "tie": {"scarf", "lanyard", "necklace"},
    "refrigerator": {"cooler"},
    "wine glass": {"cup", "cups", "mug", "mugs", "jar", "jars"},
}


def find_doubt(
    name: str,
    boxes: list[Box],
    others: Iterable[Box],
    said: Mentions,
    readings: tuple[CaptionReading, ...],
    words: frozenset[str],
) -> tuple[str, ...] | None:
    """Return what speaks against the boxes of a category, or None; `others` are all boxes of the image."""
    if name != "book" and _is_on_cover(boxes, others):
        return ("likeness",)
    if not _ON_SCREEN.isdisjoint(words) and _is_on_screen(name, boxes, others):
        return ("likeness",)
    is_mirrored = not said and not _REFLECTED.isdisjoint(words) and _is_on_screen(name, boxes, others, _SHINY)
    if is_mirrored or _is_printed(said, readings):
        return ("likeness",)
    rivals = tuple(sorted(_RIVALS.get(name, set()) & words))
    votes = rivals if name in _OUTVOTED else _find_votes(name, others, said, words)
    if votes and _is_outvoted(votes, said, readings):
        return votes
    if name in _IN_PIECES and _is_piece(name, readings):
        return ("piece",)
    twin = _find_twin(name, boxes, others, readings)
    if twin:
        return (twin,)
    shaped = bool({"shape", "shaped"} & words)
    if name == "cup" and _are_glasses(others, readings):
        return ("glass",)
    if name in _SEATS and not said and _is_inside(boxes, others):
        return ("seat",)
    group = find_category(name).group
    unreal = group == "animal" and not _UNREAL.isdisjoint(words)
    unreal = unreal or (group == "vehicle" and not _MURALS.isdisjoint(words) and _shows_mural(readings))
    if not said and (rivals or shaped or unreal or _is_covered(name, boxes, others) or _is_mixed_up(boxes, others)):
        return rivals
    return None


def _shows_mural(readings: tuple[CaptionReading, ...]) -> bool:
    """True for "a mural of Venice": a vehicle that no caption names may be on it."""
    return any(one in _MURALS and behind == "of" for reading in readings for one, behind in pairwise(reading.tokens))


def _is_printed(said: Mentions, readings: tuple[CaptionReading, ...]) -> bool:
    """True for what more captions show on a picture within the picture than tell as a thing of the scene.

    Where a caption has it "in front of a photo of a couch", those count too that have such a photo and no couch.
    """
    naming = {reading.number for reading, _ in said}
    shown = {reading.number for reading, phrase in said if _is_in_picture(reading.tokens, phrase.start)}
    beside = {one.number for one in readings if one.number not in naming and _picture_ends(one.tokens)}
    return bool(shown) and len(shown) + len(beside) > len(naming - shown)


def _picture_ends(tokens: tuple[str, ...]) -> list[int]:
    """Return the tokens behind the pictures that a caption tells as things: not "a picture of" at its opening."""
    return [
        at + 1
        for at, token in enumerate(tokens)
        if token in _PICTURES
        and not _OPENERS.issuperset(tokens[:at])
        and any(word in _BEFORE_PICTURE for word in tokens[max(0, at - _NEAR) : at])
        and not _TAKING.intersection(tokens[max(0, at - _NEAR) : at])
    ]


def _is_in_picture(tokens: tuple[str, ...], start: int) -> bool:
    """True right behind "photo of": of two things on it the first is sure to be there."""
    ends = (end for end in _picture_ends(tokens) if end < start and tokens[end] in _OF)
    return any(not _ENDS_PICTURE.intersection(tokens[end + 1 : start]) for end in ends)


def _are_glasses(others: Iterable[Box], readings: tuple[CaptionReading, ...]) -> bool:
    """True for cups that as many captions call glasses as cups: no wine glass is boxed that they may mean."""
    named = [{phrase.noun.category or phrase.noun.lemma for phrase in reading.phrases} for reading in readings]
    glasses = sum(bool({"glass", "glass of water"} & one) for one in named if "cup" not in one)
    is_glass = glasses >= max(1, sum("cup" in one for one in named))
    return is_glass and all(other.category != "wine glass" for other in others)


def _is_piece(name: str, readings: tuple[CaptionReading, ...]) -> bool:
    """True for a pizza of which more captions have a slice than have it whole."""
    said = [" ".join(reading.tokens) for reading in readings]
    pieces = [_PIECE.search(text) is not None and name in text for text in said]
    return sum(pieces) >= _SPLIT and 2 * sum(pieces) > sum(f" {name} " in f" {text} " for text in said)


def _find_votes(name: str, others: Iterable[Box], said: Mentions, words: frozenset[str]) -> tuple[str, ...]:
    """Return the other names of what some caption calls by its own; not those of what is boxed for itself."""
    boxed = {other.category for other in others} - {name}
    rivals = _OUTVOTED_BY.get(name, set()) & words if said else set()
    return tuple(word for word in sorted(rivals) if (CATEGORY_PHRASES.get(word) or ("",))[0] not in boxed)


def _is_inside(boxes: list[Box], others: Iterable[Box]) -> bool:
    """True for seats that all lie within a vehicle: they are its own."""
    vehicles = [other for other in others if other.category in _VEHICLES]
    return bool(vehicles) and all(any(_lies_in(box, vehicle) for vehicle in vehicles) for box in boxes)


def _is_covered(name: str, boxes: list[Box], others: Iterable[Box]) -> bool:
    """True for a thing that another one's box covers: it may be that thing, named twice, or shown on a screen."""
    return _is_on_screen(name, boxes, others) or any(
        other.category != name and overlap(box, other) > _SAME_PLACE for box in boxes for other in others
    )


def _is_mixed_up(boxes: list[Box], others: Iterable[Box]) -> bool:
    """True where at most one box is left beside those that lie where one of the same kind is: handbag or backpack."""
    kind = find_category(boxes[0].category).group
    alike = [one for one in others if one.category != boxes[0].category and find_category(one.category).group == kind]
    alike += [one for one in others if one.category == "vase" and kind == "kitchen"]  # boxed as a cup, too
    apart = sum(not any(overlap(box, other) > _SAME_KIND for other in alike) for box in boxes)
    return apart < min(len(boxes), _SPLIT)


def _is_on_screen(name: str, boxes: list[Box], others: Iterable[Box], kinds: frozenset[str] = _SCREENS) -> bool:
    screens = [other for other in others if other.category in kinds and other.category != name]
    return bool(screens) and all(any(_lies_in(box, screen) for screen in screens) for box in boxes)


def _find_twin(name: str, boxes: list[Box], others: Iterable[Box], readings: tuple[CaptionReading, ...]) -> str:
    """Return what a box of the category is boxed as too, if more captions call it so; "" for none."""
    named = Counter(one for reading in readings for one in {phrase.noun.category for phrase in reading.phrases})
    least = max(_SPLIT, named[name])
    rivals = [other for other in others if other.category != name and named[other.category] >= least]
    twins = {
        other.category
        for other in rivals
        for box in boxes
        if overlap(box, other) > _least_overlap(name, other.category)
    }
    told = [{phrase.noun.category for phrase in reading.phrases} for reading in readings] if twins else []
    # "Apples and oranges" are two.
    return next((one for one in sorted(twins) if sum({one, name} <= names for names in told) < _SPLIT), "")


def _least_overlap(name: str, other: str) -> float:
    """Return from which overlap two boxes may be of one thing: two animals seldom lie within one another."""
    is_animal = find_category(name).group == find_category(other).group == "animal"
    return _SAME_ANIMAL if is_animal else _SAME_PLACE


def _is_on_cover(boxes: list[Box], others: Iterable[Box]) -> bool:
    """True for what lies all within a book that fills much of the picture: it is printed there."""
    books = [other for other in others if other.category == "book" and other.area > _LARGE_BOOK]
    return bool(books) and all(any(_lies_in(box, book) for book in books) for box in boxes)


def _is_outvoted(rivals: tuple[str, ...], said: Mentions, readings: tuple[CaptionReading, ...]) -> bool:
    """True where as many captions call it by another name."""
    # "A boogie board" is in the lexicon's words for the category, and no surfboard for all that.
    # Nor is "a slice of an orange" one.
    own = {r.number for r, phrase in said if set(rivals).isdisjoint(r.tokens[max(0, phrase.start - 2) : phrase.end])}
    # What a caption names beside it is another thing: "a toilet and a bucket".
    beside = {token for one in readings if one.number in own for token in one.tokens}
    apart = set(rivals) - _GENERAL - beside
    others = sum(not apart.isdisjoint(one.tokens) for one in readings if one.number not in own)
    return others >= max(1, len(own))


def _lies_in(box: Box, outer: Box) -> bool:
    across = outer.x0 - _SLACK <= box.x0 and box.x1 <= outer.x1 + _SLACK
    return across and outer.y0 - _SLACK <= box.y0 and box.y1 <= outer.y1 + _SLACK
