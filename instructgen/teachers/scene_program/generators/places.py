"""Where things are in the frame, how large they look, how they lie to one another: from boxes, with margins."""

from collections.abc import Iterator
from itertools import pairwise

from instructgen.lexicon.words import join_words, with_article
from instructgen.records import Box
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.geometry import relation_of
from instructgen.scenegraph.graph import Entity, Evidence, SceneGraph
from instructgen.surrogate.boxes import overlap, shared_area
from instructgen.teachers.scene_program.generators.presence import region_claim
from instructgen.teachers.scene_program.speech import is_countable, region_of, say_region
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, region_in, subject_of

SIZE_MARGIN = 1.8  # one box is called larger where it has this many times the other's area
_SIZE_LIMIT = 10.0  # and no more than this, or the question is no question
_LARGE_KINDS = frozenset(("person", "animal", "vehicle", "furniture"))  # of which one asks beside a person
_HELD_IN = 0.5  # share of a box from which it is said to lie within another
LARGEST_MARGIN = 1.5
_NEARLY = 0.55  # a centre short of this may be called left, or upper, by somebody
_NEAR_EDGE = 0.02  # another edge must be farther away
_AT_EDGE = 0.004  # how near the frame's edge a box must come to be said to reach it
_LARGE = 0.25  # share of the frame
_FILLED = 0.34  # share of the frame from which one says how much of it a thing takes up: more than a third
_MIDDLE = 0.1  # how near the middle a centre may be of what is on neither side
_MET = 0.08  # intersection over union from which two boxes are said to overlap
_INSIDE = 0.9
_HALF, _CLEAR = 0.5, 0.01  # how far from the middle a box must stay to be in one half
_WHOLE = 0.9  # share of width and height from which a thing fills the frame in both
FAR_REACH = 0.75  # share of the frame's width or height that counts as most of it
RELATIONS = {"left": "left_of", "right": "right_of", "higher": "above", "lower": "below"}
# One box may hold a bunch of these, or an open one: how large one looks it does not tell.
IN_BUNCHES = frozenset(("banana", "broccoli", "carrot", "book", "apple", "orange"))
# Their boxes hold what stands or lies on them: size, order and overlap say little of them.
SUPPORTS = frozenset(("dining table", "bed", "couch", "bench", "boat", "tie"))


def _pronoun(one: Entity) -> dict[str, str]:
    it = subject_of(one).pronouns
    return {"it": it.it, "is": it.be}


def find_region(talk: Talk) -> Iterator[Move]:
    things = list(talk.solid)
    talk.draw.shuffle(things)
    for one in things:
        region = region_in(one, talk.graph)
        keys = (f"region {one.name}", f"there {one.name}")
        if region and talk.is_new(keys[0]):
            slots = {**_pronoun(one), "x": one.word, "where": say_region(region, talk.draw)}
            yield Move("region", keys, (region_claim(one, region),), slots, about=subject_of(one))


def extent_of(one: Entity) -> str:
    """Return "wide" or "tall" for what takes up most of the frame's width or height, else ""."""
    box = one.boxes[0]
    return "wide" if box.x1 - box.x0 > FAR_REACH else "tall" if box.y1 - box.y0 > FAR_REACH else ""


def find_extent(talk: Talk) -> Iterator[Move]:
    """Ask how much of the frame a thing takes up."""
    for one in talk.solid:
        extent = extent_of(one)
        if extent and one.area > _FILLED and talk.is_new(f"extent {one.name}") and one.num_captions:
            claim = Claim("extent", one.word, extent, evidence=one.evidence)
            slots = {"x": one.word, "extent": {"wide": "width", "tall": "height"}[extent]}
            keys = (f"extent {one.name}", f"there {one.name}")
            family = "extent_whole" if _fills_whole(one.boxes[0]) else "extent"
            yield Move(family, keys, (claim,), slots, about=subject_of(one))


def _fills_whole(box: Box) -> bool:
    return min(box.x1 - box.x0, box.y1 - box.y0) > _WHOLE


def half_of(entity: Entity) -> str:
    """Return the half of the frame that all boxes are in; "" where they are in none."""
    low, high = _HALF - _CLEAR, _HALF + _CLEAR
    if all(box.x1 < low for box in entity.boxes):
        return "left"
    if all(box.x0 > high for box in entity.boxes):
        return "right"
    if all(box.y1 < low for box in entity.boxes):
        return "upper"
    return "lower" if all(box.y0 > high for box in entity.boxes) else ""


def is_on_both_sides(entity: Entity, *, may_be_between: bool = False) -> bool:
    """True where some are on the left, some on the right, and none between, unless they may be there."""
    sides = [_side_of(box) for box in entity.boxes]
    return "left" in sides and "right" in sides and (may_be_between or "" not in sides)


def _side_of(box: Box) -> str:
    across = (box.x0 + box.x1) / 2
    if box.x1 < _HALF - _CLEAR and across < _HALF - _MIDDLE:
        return "left"
    return "right" if box.x0 > _HALF + _CLEAR and across > _HALF + _MIDDLE else ""


def find_halves(talk: Talk) -> Iterator[Move]:
    """Ask where several things are: all in one half, or on both sides."""
    for one in talk.graph.boxed_entities():
        keys = (f"halves {one.name}", f"there {one.name}")
        if len(one.boxes) < 2 or one.has_crowd or not is_countable(one) or not talk.is_new(keys[0]):
            continue
        half = half_of(one)
        if half or is_on_both_sides(one):
            family = "in_both_halves" if not half else "in_half_two" if one.count == 2 else "in_half"
            claim = Claim("half", one.plural, half or "both", evidence=one.evidence)
            slots = {"xs": one.plural, **({"half": half} if half else {})}
            yield Move(family, keys, (claim,), slots, about=subject_of(one))


def pairs_of(talk: Talk) -> Iterator[tuple[Entity, Entity]]:
    things = talk.solid[:5]
    pairs = [(one, other) for one in things for other in things if one is not other]
    talk.draw.shuffle(pairs)
    yield from pairs


def relation_claim(one: Entity, other: Entity, relation: str) -> Claim:
    boxes = Evidence(boxes=(*one.evidence.boxes, *other.evidence.boxes))
    return Claim("relation", one.word, relation, other.word, evidence=boxes)


def may_reach_on(one: Entity) -> bool:
    """True for a table or bed cut by the frame's edge: of what things cover its box holds a corner alone."""
    box = one.boxes[0]
    return one.name in SUPPORTS and min(box.x0, box.y0, 1 - box.x1, 1 - box.y1) < _NEAR_EDGE


def find_relation(talk: Talk) -> Iterator[Move]:
    for one, other in pairs_of(talk):
        if may_reach_on(one) or may_reach_on(other):
            continue
        relation = relation_of(one.boxes[0], other.boxes[0])
        stacked = relation in ("higher", "lower") and (one.name in SUPPORTS or other.name in SUPPORTS)
        if not relation or stacked or not talk.is_new("relation", f"region {one.name}"):
            continue
        keys = ("relation", f"region {one.name}", f"there {one.name}", f"there {other.name}")
        claims = (relation_claim(one, other, relation),)
        slots = {**_pronoun(one), "x": one.word, "y": other.word}
        if relation in ("left", "right") and talk.draw.random() < 0.3:
            yield Move("side_choice", keys, claims, {**slots, "side": relation})
        else:
            yield Move(RELATIONS[relation], keys, claims, slots)


def is_comparable(one: Entity, other: Entity) -> bool:
    """True where the first looks larger, and one has to look: it is no giant beside it, and does not hold it."""
    if not {one.name, other.name}.isdisjoint(SUPPORTS | IN_BUNCHES):
        return False
    if "person" in (one.kind, other.kind) and not {one.kind, other.kind} <= _LARGE_KINDS:
        return False
    held = shared_area(one.boxes[0], other.boxes[0]) > _HELD_IN * other.area
    return not held and SIZE_MARGIN * other.area < one.area < _SIZE_LIMIT * other.area


def larger_claim(one: Entity, other: Entity) -> Claim:
    return Claim("larger", one.word, other=other.word, evidence=relation_claim(one, other, "").evidence)


def find_larger(talk: Talk) -> Iterator[Move]:
    for one, other in sorted(pairs_of(talk), key=lambda pair: pair[0].area / pair[1].area):
        if is_comparable(one, other) and talk.is_new("size"):
            a, b = talk.draw.sample((f"the {one.word}", f"the {other.word}"), 2)
            slots = {"x": one.word, "y": other.word}
            keys = ("size", f"there {one.name}", f"there {other.name}")
            yield Move("larger", keys, (larger_claim(one, other),), slots, {"a": a, "b": b})


def _order_move(talk: Talk, family: str, value: str, things: list[Entity]) -> Move:
    boxes = tuple(number for one in things for number in one.evidence.boxes)
    claim = Claim("order", "|".join(one.word for one in things), value, evidence=Evidence(boxes=boxes))
    keys = ("order", *(("size",) if family == "order_size" else ()), *(f"there {one.name}" for one in things))
    return Move(family, keys, (claim,), {"list": join_words([_say_in_order(talk, one) for one in things])})


def _say_in_order(talk: Talk, one: Entity) -> str:
    return with_article(one.word) if talk.is_new(f"there {one.name}") else f"the {one.word}"


def find_order(talk: Talk) -> Iterator[Move]:
    things = sorted((one for one in talk.solid if one.num_captions), key=lambda one: one.boxes[0].x0)[:4]
    clear = all(relation_of(one.boxes[0], other.boxes[0]) == "left" for one, other in pairwise(things))
    if len(things) > 2 and clear and talk.is_new("order"):
        yield _order_move(talk, "order_left_right", "left to right", things)


def _passes_larger(things: list[Entity], graph: SceneGraph) -> bool:
    """True where something else looks as large as what is ranked last: cats that are no single thing."""
    return any(one not in things and one.area >= things[-1].area for one in graph.boxed_entities())


def find_size_order(talk: Talk) -> Iterator[Move]:
    solid = [one for one in talk.solid if one.name not in SUPPORTS]
    things = sorted(solid, key=lambda one: -one.area)[:3]
    clear = all(is_comparable(one, other) for one, other in pairwise(things))
    if len(things) > 2 and clear and talk.is_new("order", "size") and not _passes_larger(things, talk.graph):
        yield _order_move(talk, "order_size", "large to small", things)


def largest_of(entity: Entity) -> tuple[int, Box] | None:
    """Return number and box of the one that clearly looks larger than the others of its kind."""
    is_vague = entity.name in SUPPORTS or entity.name in IN_BUNCHES or not is_countable(entity)
    if len(entity.boxes) < 2 or entity.has_crowd or is_vague:
        return None
    numbers = entity.evidence.boxes
    if len(numbers) != len(entity.boxes):
        return None
    ranked = sorted(zip(numbers, entity.boxes, strict=True), key=lambda pair: -pair[1].area)
    region = region_of(ranked[0][1])
    # Where it lies must tell it from the others.
    alone = not any(_lies_in(box, region) for _, box in ranked[1:])
    return ranked[0] if alone and ranked[0][1].area > LARGEST_MARGIN * ranked[1][1].area else None


def _lies_in(box: Box, region: str) -> bool:
    """True where a box might be said to lie in the region too."""
    across, along = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    near = {
        "left": across < _NEARLY,
        "right": across > 1 - _NEARLY,
        "top": along < _NEARLY,
        "bottom": along > 1 - _NEARLY,
        "middle": abs(across - 0.5) < 0.2 and abs(along - 0.5) < 0.2,
    }
    return all(near[part] for part in region.split())


def find_largest(talk: Talk) -> Iterator[Move]:
    for one in talk.graph.boxed_entities()[:4]:
        found = largest_of(one)
        region = region_of(found[1]) if found is not None else ""
        keys = (f"largest {one.name}", f"there {one.name}")
        fit = found is not None and len(one.boxes) > 2 and one.kind != "person"
        if fit and found is not None and region and talk.is_new(keys[0]):
            claim = Claim("largest", one.word, region, evidence=Evidence(boxes=(found[0],)))
            slots = {"x": one.word, "xs": one.plural, "where": say_region(region, talk.draw)}
            yield Move("largest_of", keys, (claim,), slots)


def find_overlap(talk: Talk) -> Iterator[Move]:
    for one, other in pairs_of(talk):
        unfit = one.name in SUPPORTS or other.name in SUPPORTS or talk.graph.find("person") in (one, other)
        met = overlap(one.boxes[0], other.boxes[0])
        if unfit or not _MET < met < _INSIDE or not talk.is_new("overlap"):
            continue
        boxes = Evidence(boxes=(*one.evidence.boxes, *other.evidence.boxes))
        claim = Claim("overlap", one.word, other=other.word, evidence=boxes)
        keys = ("overlap", f"there {one.name}", f"there {other.name}")
        yield Move("overlap", keys, (claim,), {"x": one.word, "y": other.word})


def edge_of(box: Box) -> str:
    """Return the one edge of the frame that a box reaches; "" for none or several."""
    gaps = {"left": box.x0, "right": 1 - box.x1, "top": box.y0, "bottom": 1 - box.y1}
    near = [edge for edge, gap in gaps.items() if gap < _NEAR_EDGE]
    return near[0] if len(near) == 1 and gaps[near[0]] < _AT_EDGE else ""


def _fills_frame(one: Entity) -> bool:
    """True for what is large, or reaches across most of the frame: that it is at an edge tells nothing of it."""
    return one.area > _LARGE or bool(extent_of(one))


def find_edge(talk: Talk) -> Iterator[Move]:
    for one in talk.solid[:4]:
        edge = edge_of(one.boxes[0])
        is_asked = one.num_captions and one.kind in ("vehicle", "animal") and not _fills_frame(one)
        if edge and is_asked and talk.is_new("edge", f"region {one.name}", f"extent {one.name}"):
            claim = Claim("edge", one.word, edge, evidence=one.evidence)
            keys = ("edge", f"region {one.name}", f"there {one.name}")
            yield Move("edge", keys, (claim,), {"x": one.word, "edge": f"{edge} edge"}, about=subject_of(one))


PLACES = (
    Generator("region", find_region, ("region",), ("region",)),
    Generator("relation", find_relation, ("left_of", "right_of", "above", "below", "side_choice"), ("relation",)),
    Generator("larger", find_larger, ("larger",), ("larger",)),
    Generator("order", find_order, ("order_left_right",), ("order",)),
    Generator("order-of-size", find_size_order, ("order_size",), ("order",)),
    Generator("largest", find_largest, ("largest_of",), ("largest",)),
    Generator("overlap", find_overlap, ("overlap",), ("overlap",)),
    Generator("extent", find_extent, ("extent", "extent_whole"), ("extent",)),
    Generator("halves", find_halves, ("in_half", "in_half_two", "in_both_halves"), ("half",)),
    Generator("edge", find_edge, ("edge",), ("edge",)),
)
