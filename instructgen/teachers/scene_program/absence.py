"""What is plausibly expected in a scene and certainly not there."""

# ruff: noqa: E501 - a row of the table is a line

import random
import re

from instructgen.lexicon.categories import CATEGORIES, Category
from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.graph import SceneGraph

# Things that are met together; small things that annotators overlook are left out.
_COMPANIES = tuple(
    tuple(name.strip() for name in line.split(","))
    for line in """
car, bus, truck, bicycle, motorcycle, traffic light, fire hydrant, stop sign, parking meter, bench, dog, umbrella
microwave, oven, toaster, sink, refrigerator, wine glass, pizza, cat, clock
pizza, cake, sandwich, wine glass, banana, apple, orange, donut, hot dog, carrot, laptop, vase, fork
tv, couch, laptop, clock, vase, cat, teddy bear, bed, dog, chair
toilet, sink, toothbrush, hair drier, clock, vase
bed, laptop, teddy bear, clock, cat, tv, couch, suitcase
laptop, keyboard, tv, cell phone, clock, scissors, vase, cat
surfboard, boat, umbrella, kite, dog, frisbee, bird
skis, snowboard, dog, bench
frisbee, baseball bat, tennis racket, skateboard, bench, umbrella, bicycle, kite, dog, sports ball
horse, sheep, cow, dog, bird, zebra, giraffe, elephant
airplane, kite, bird, truck, bus, suitcase
cat, dog, bird, horse, teddy bear
train, bus, car, bench, clock, bicycle, suitcase, person
person, dog, bench, umbrella, bicycle
boat, bird, surfboard, person, bench, car
""".strip().splitlines()
)
# What may be asked for where nothing boxed suggests better.
_ANYWHERE = ("dog", "cat", "bicycle", "umbrella", "person", "boat", "kite", "laptop", "suitcase", "train")
# What "a ..." does not go with, or is asked for otherwise.
UNFIT = frozenset(("person", "skis", "scissors", "broccoli"))
# Boxed things that annotators and speakers mix up with the candidate.
_MIXED_UP = {
    "truck": {"car", "bus"}, "car": {"truck", "bus"}, "bus": {"truck", "train"}, "couch": {"chair", "bed"},
    "chair": {"couch", "bench", "dining table"}, "bench": {"chair"}, "sheep": {"cow", "horse"}, "cow": {"sheep", "horse"},
    "horse": {"cow", "sheep"}, "skis": {"snowboard"}, "snowboard": {"skis"}, "sandwich": {"hot dog", "pizza"},
    "hot dog": {"sandwich"}, "keyboard": {"laptop"}, "laptop": {"tv", "keyboard"}, "tv": {"laptop"},
    "vase": {"potted plant", "cup", "bottle"}, "microwave": {"oven", "toaster"}, "oven": {"microwave", "toaster"},
    "toaster": {"oven", "microwave"}, "cake": {"donut"}, "donut": {"cake"}, "apple": {"orange"}, "orange": {"apple"},
    "wine glass": {"cup"}, "bicycle": {"motorcycle"}, "motorcycle": {"bicycle"}, "suitcase": {"handbag", "backpack"},
    "surfboard": {"boat"}, "sink": {"toilet"}, "fork": {"knife", "spoon"},
    "bed": {"couch"}, "boat": {"surfboard"}, "refrigerator": {"microwave", "oven"}, "sports ball": {"tennis racket", "baseball bat"},
}  # fmt: skip
# What belongs indoors and what outdoors: beside a tower nobody asks for a sink.
_INDOORS = frozenset((
    "microwave", "oven", "toaster", "sink", "refrigerator", "toilet", "toothbrush", "hair drier", "tv", "couch", "bed",
    "keyboard", "laptop", "vase", "wine glass", "fork", "scissors", "teddy bear",
))  # fmt: skip
_OUTDOORS = frozenset((
    "car", "bus", "truck", "traffic light", "fire hydrant", "stop sign", "parking meter", "surfboard", "boat", "kite",
    "airplane", "train", "horse", "sheep", "cow", "zebra", "giraffe", "elephant", "bear", "skis", "snowboard", "frisbee",
    "baseball bat", "tennis racket", "skateboard", "motorcycle", "bicycle", "bench", "umbrella",
))  # fmt: skip
_INSIDE_SIGNS = _INDOORS | {
    *("dining table", "chair", "cup", "bowl", "knife", "spoon", "remote", "mouse", "pizza", "cake"),
}
_OUTSIDE_WORDS = frozenset((
    "outside", "outdoors", "street", "road", "sky", "tower", "beach", "ocean", "field", "sidewalk", "park", "snow",
    "building", "buildings", "city", "grass", "tree", "trees", "mountain", "hill", "river", "lake", "court",
))  # fmt: skip
_INSIDE_WORDS = frozenset((
    "room", "kitchen", "bathroom", "bedroom", "office", "desk", "restaurant", "inside", "indoors", "plate", "floor",
    "wall", "shelf", "counter", "store", "hallway", "table", "window",
))  # fmt: skip
_WORDS = re.compile(r"[a-z0-9]+")


def _make_blockers(category: Category) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """Return single words, and sets of words, any of which forbids claiming that the thing is absent."""
    said = {form for word in category.synonyms for form in (word, plural_of(word))} | set(category.hints)
    single = frozenset(word for word in said if " " not in word)
    together = tuple(frozenset(_WORDS.findall(word)) for word in sorted(said) if " " in word)
    return single, together


_BLOCKERS = {name: _make_blockers(category) for name, category in CATEGORIES.items()}


def is_absent(name: str, graph: SceneGraph) -> bool:
    """True where no box, and no word of any caption, leaves room for the thing."""
    if name in graph.boxed or _MIXED_UP.get(name, set()) & graph.boxed:
        return False
    single, together = _BLOCKERS[name]
    return not single & graph.words and not any(words <= graph.words for words in together)


def _find_unfit(graph: SceneGraph) -> frozenset[str]:
    """Return what nobody expects, indoors or outdoors, where it is clear which of them it is."""
    num_outside = len(_OUTDOORS & graph.boxed) + len(_OUTSIDE_WORDS & graph.words)
    num_inside = len(_INSIDE_SIGNS & graph.boxed) + len(_INSIDE_WORDS & graph.words)
    if graph.outdoors is not None or num_outside > num_inside:
        return _INDOORS
    return _OUTDOORS if num_inside > num_outside else frozenset()


def find_absent(graph: SceneGraph, draw: random.Random, num: int) -> list[Category]:
    """Draw up to `num` absent things, those that often keep company with what is there the likeliest."""
    weights: dict[str, int] = {}
    for company in _COMPANIES:
        shared = len(graph.boxed.intersection(company))
        for name in company if shared else ():
            weights[name] = weights.get(name, 0) + shared
    unfit = _find_unfit(graph)
    names = sorted(name for name in weights if name not in unfit and is_absent(name, graph))
    if len(names) < num:
        others = [name for name in _ANYWHERE if name not in (*weights, *unfit) and is_absent(name, graph)]
        weights |= dict.fromkeys(others, 1)
        names = sorted((*names, *others))
    if "person" in names:
        weights["person"] = 3
    drawn: list[Category] = []
    while names and len(drawn) < num:
        name = draw.choices(names, [weights[name] for name in names])[0]
        names.remove(name)
        drawn.append(CATEGORIES[name])
    return drawn
