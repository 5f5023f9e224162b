"""What is there and what is not: overview, existence, absence, and choices between named things."""

from collections.abc import Iterator

from instructgen.lexicon.categories import Category
from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words, with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.teachers.scene_program.absence import UNFIT, find_absent
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.shown import find_whole
from instructgen.teachers.scene_program.speech import (
    be_of,
    is_countable,
    may_be_one,
    say_number,
    say_one,
    say_region,
    say_thing,
)
from instructgen.teachers.scene_program.support import is_number_denied
from instructgen.teachers.scene_program.talk import SOLID_AREA, Generator, Move, Talk, exists, region_in, subject_of

_LARGE = 0.05  # share of the image
_CONTRAST_SHARE = 0.7  # of denials beside which something alike is there


def apart(things: list[Entity]) -> list[Entity]:
    """Leave out what another names too: "a plate" beside "a plate of food", sausages beside hot dogs."""
    kept: list[Entity] = []
    for one in things:
        words = set(one.said.split()) - {"of", "and"}
        if not any(
            words & set(other.said.split()) or may_be_one(one, other) or _is_kind(one, other) for other in kept
        ):
            kept.append(one)
    return kept


def _is_kind(one: Entity, other: Entity) -> bool:
    """True for carrots and vegetables: one is told by its kind, and by a general word."""
    return is_meant(one.name, other.said) or is_meant(other.name, one.said)


def _is_told(one: Entity, things: list[Entity]) -> bool:
    return one in things or any(_is_kind(one, other) for other in things)


def _is_covered(key: str, things: list[Entity]) -> bool:
    """True for what most captions name where a thing of the list is it, holds it or may be it."""
    for one in things:
        words = {one.name, one.word, one.category, *one.said.split(), *one.word.split()}
        if key in words or key.rpartition(" ")[2] in words or SAID_TWICE.get(key, frozenset()) & words:
            return True
        if is_meant(one.name, key) or is_meant(key, one.said):
            return True
    return False


def _place_in_captions(one: Entity) -> tuple[int, float]:
    """Rank by how many captions name it, then by how early in them: what they are about comes first."""
    starts = [span.start for span in one.evidence.spans]
    return -one.num_captions, sum(starts) / len(starts) if starts else 0


def _spread(graph: SceneGraph) -> list[Entity]:
    """Return what is no single thing and most captions name: food, fruit."""
    return [one for one in graph.entities if one.kind == "mass" and one.is_listed and one.name in graph.common]


def _is_of_weight(one: Entity) -> bool:
    """True for what belongs into a list: two captions name it, or it is large enough to be named unasked."""
    return one.num_captions > 1 or one.area > (SOLID_AREA if one.num_captions else _LARGE)


def _is_large(one: Entity) -> bool:
    """True for what captions name and no list may lack: a couch that some captions have in the plural."""
    return one.num_captions > 1 and one.area > _LARGE


def _passes_over(graph: SceneGraph, things: list[Entity]) -> bool:
    """True where two captions name a thing or a place that a list of these does not have."""
    named = [
        one.name for one in graph.entities if one.num_captions > 1 and one.kind != "unique" and one not in things
    ]
    places = [one.value for one in graph.circumstances if one.kind == "place" and one.num_captions > 1]
    return not all(_is_covered(key, things) for key in (*named, *places))


def find_overview(talk: Talk) -> Iterator[Move]:
    if next(find_whole(talk.graph), None) is not None:
        return  # which tells more than a list
    listed = [one for one in (*talk.listed(), *_spread(talk.graph)) if _is_of_weight(one)]
    boxed = [one for one in listed if one.category][:3]
    others = sorted((one for one in listed if not one.category), key=_place_in_captions)
    # What most captions name comes first, and what boxes alone have last.
    things = sorted(boxed + others[: 4 - len(boxed)], key=lambda one: -one.num_captions)
    new = [one for one in things if talk.is_new(f"there {one.name}") and not talk.has_named_part(one.name)]
    fresh = apart(new)
    # What comes first, or nearly all captions name, is not passed over, as if it were not seen.
    passed = [one for one in things if is_obvious(talk.graph, one) and not _is_told(one, fresh)]
    passed += [
        one for one in talk.graph.boxed_entities() if one.is_unclear and _is_large(one) and not _is_told(one, fresh)
    ]
    if _passes_over(talk.graph, things):
        fresh = [one for one in fresh if one.num_captions]  # what no caption names does not stand for what two name
    is_whole = not passed and all(_is_covered(key, things) for key in talk.graph.common)
    if len(fresh) > 1 and fresh[0] is things[0] and is_whole:
        keys = ("overview", *(f"there {one.name}" for one in fresh))
        claims = tuple(exists(one) for one in fresh)
        yield Move("overview", keys, claims, {"list": join_words([say_thing(one) for one in fresh])})


def _sure_things(talk: Talk) -> list[Entity]:
    boxed = [one for one in talk.graph.boxed_entities() if is_countable(one) and not one.is_unclear]
    known = [one for one in boxed if one.num_captions > 1 or one.area > SOLID_AREA]
    known = [one for one in known if one.kind != "person" or one.is_many or one.is_single]
    # "Skateboards", where captions have one, only where nothing else can be asked for.
    known = ([one for one in known if not is_number_denied(one)] or known)[:6]
    return [one for one in known if one.kind != "person" or not talk.has_told_part]


def is_obvious(graph: SceneGraph, one: Entity) -> bool:
    """True for what nearly every caption names: nobody would ask whether it is there."""
    return one.num_captions >= max(3, graph.num_captions - 1)


def has_question(talk: Talk) -> bool:
    """True where something is there that one may ask for."""
    return any(not is_obvious(talk.graph, one) for one in _sure_things(talk))


def find_present(talk: Talk) -> Iterator[Move]:
    """Affirm what is there; what is obvious comes last."""
    counted = talk.counted()
    told = [one for one in talk.graph.entities if not talk.is_new(f"there {one.name}")]
    things = [one for one in _sure_things(talk) if not any(may_be_one(one, other) for other in told)]
    talk.draw.shuffle(things)
    for one in sorted(things, key=lambda one: is_obvious(talk.graph, one)):
        if not talk.is_new(f"there {one.name}", f"no {one.name}"):
            continue
        keys = (f"there {one.name}", "yes")
        slots = {"x": one.word, "xs": one.plural, "a_x": say_one(one.word)}
        if one.is_many and one in counted:
            numbered = {**slots, "number": say_number(one.count or 0)}
            moved = (*keys, f"count {one.name}")
            yield Move("present_counted", moved, (count_claim(one),), numbered, about=subject_of(one))
            continue
        if one.is_many:
            yield Move("present_many", keys, (exists(one),), slots, about=subject_of(one))
            continue
        region = (
            region_in(one, talk.graph) if one.is_single and one.boxes and talk.is_new(f"region {one.name}") else ""
        )
        if not region:
            yield Move("present_one_bare", keys, (exists(one),), slots, about=subject_of(one))
            continue
        where = say_region(region, talk.draw)
        claims = (exists(one), region_claim(one, region))
        moved = (*keys, f"region {one.name}")
        yield Move("present_one", moved, claims, {**slots, "where": where}, about=subject_of(one))


def find_named(talk: Talk) -> Iterator[Move]:
    """Affirm what several captions name and no box holds, or boxes do not count: skis, broccoli."""
    known = [one for one in talk.listed() if one.category or not talk.is_new(f"there {one.name}")]
    pairs = [one for one in talk.graph.boxed_entities() if one.is_unclear and one.num_captions > 1]
    for one in sorted((*talk.listed(), *pairs), key=_place_in_captions):
        is_asked = not (one.category and is_countable(one)) and talk.is_new(f"there {one.name}")
        if is_asked and not talk.has_named(one.name) and not any(may_be_one(one, other) for other in known):
            is_several = be_of(one) == "are"
            slots = {"xs": one.plural} if is_several else {"x": one.word, "a_x": say_one(one.word)}
            family = "present_named_many" if is_several else "present_named"
            yield Move(family, (f"there {one.name}", "yes"), (exists(one),), slots, about=subject_of(one))


def region_claim(entity: Entity, region: str) -> Claim:
    return Claim("region", entity.word, region, evidence=entity.evidence)


def _fresh_things(talk: Talk, group: str) -> list[Entity]:
    """Return up to three things to name beside what is absent, of its group, none told before."""
    boxed = [one for one in talk.graph.boxed_entities() if one.num_captions and is_countable(one)]
    boxed = [one for one in boxed if one.kind == group and not one.is_unclear]
    return [one for one in boxed if talk.is_new(f"there {one.name}")][:3]


def find_absence(talk: Talk) -> Iterator[Move]:
    """Deny what often keeps company with what is there, and certainly is not."""
    for kind in _absent(talk, 3):
        present = _fresh_things(talk, kind.group)
        keys = (f"no {kind.name}", "no")
        slots = {"x": kind.spoken, "xs": kind.plural, "a_x": say_one(kind.spoken)}
        claim = Claim("absent", kind.spoken)
        if kind.name in UNFIT or talk.draw.random() < 0.3:
            yield Move("absent_many", keys, (Claim("absent", kind.plural),), slots)
        elif present and talk.draw.random() < _CONTRAST_SHARE:
            other = talk.draw.choice(present)
            told = (*keys, f"there {other.name}")
            yield Move("absent_but", told, (claim, exists(other)), {**slots, "a_y": say_thing(other)})
        else:
            yield Move("absent_one", keys, (claim,), slots)


def _absent(talk: Talk, num: int) -> list[Category]:
    return [kind for kind in find_absent(talk.graph, talk.draw, num + 3) if talk.is_new(f"no {kind.name}")][:num]


def find_neither(talk: Talk) -> Iterator[Move]:
    kinds = [kind for kind in _absent(talk, 4) if kind.name not in UNFIT]
    if len(kinds) > 1:
        one, other = kinds[:2]
        slots = {"x": one.spoken, "y": other.spoken, "a_x": say_one(one.spoken), "a_y": say_one(other.spoken)}
        keys = (f"no {one.name}", f"no {other.name}", "no")
        yield Move("neither", keys, (Claim("absent", one.spoken), Claim("absent", other.spoken)), slots)


def _nameable(talk: Talk) -> list[Entity]:
    """Return single things that may stand beside absent ones in a choice."""
    things = [one for one in talk.singles if one.name not in UNFIT and talk.is_new(f"there {one.name}")]
    return [one for one in things if one.num_captions or one.area > SOLID_AREA][:5]


def find_missing(talk: Talk) -> Iterator[Move]:
    kinds = [kind for kind in _absent(talk, 3) if kind.name not in UNFIT]
    things = _nameable(talk)
    talk.draw.shuffle(things)
    for kind, one in zip(kinds, things, strict=False):
        named = [say_one(kind.spoken), say_one(one.word)]
        talk.draw.shuffle(named)
        tell = {"x": kind.spoken, "a_x": say_one(kind.spoken), "a_y": say_one(one.word)}
        claims = (Claim("absent", kind.spoken), exists(one))
        keys = (f"no {kind.name}", f"there {one.name}", "choice")
        if talk.is_new("choice"):
            yield Move("missing", keys, claims, tell, {"a": named[0], "b": named[1]})


def find_which_present(talk: Talk) -> Iterator[Move]:
    kinds = [kind for kind in _absent(talk, 4) if kind.name not in UNFIT][:2]
    things = [one for one in _nameable(talk) if talk.is_new(f"there {one.name}")]
    talk.draw.shuffle(things)
    for one in things[:1] if len(kinds) == 2 and talk.is_new("choice") else ():
        named = [say_one(one.word), *(say_one(kind.spoken) for kind in kinds)]
        talk.draw.shuffle(named)
        claims = (exists(one), *(Claim("absent", kind.spoken) for kind in kinds))
        keys = (f"there {one.name}", "choice", *(f"no {kind.name}" for kind in kinds))
        ask = dict(zip("abc", named, strict=True))
        tell = {"x": one.word, "a_x": say_one(one.word)}
        yield Move("which_present", keys, claims, tell, ask, subject_of(one))


def find_odd(talk: Talk) -> Iterator[Move]:
    kinds = [kind for kind in _absent(talk, 3) if kind.name not in UNFIT]
    things = _nameable(talk)
    if not kinds or len(things) < 3 or not talk.is_new("choice"):
        return
    kind, there = kinds[0], talk.draw.sample(things, 3)
    named = [with_article(kind.spoken), *(say_one(one.word) for one in there)]
    talk.draw.shuffle(named)
    listed = join_words([say_one(one.word) for one in there])
    tell = {"x": kind.spoken, "a_x": say_one(kind.spoken), "list": listed}
    claims = (Claim("absent", kind.spoken), *(exists(one) for one in there))
    keys = (f"no {kind.name}", "choice", *(f"there {one.name}" for one in there))
    yield Move("odd_one", keys, claims, tell, dict(zip("abcd", named, strict=True)))


PRESENCE = (
    Generator("overview", find_overview, ("overview",), ("exists",)),
    Generator(
        "existence",
        find_present,
        ("present_one", "present_one_bare", "present_many", "present_counted"),
        ("exists", "region", "count"),
    ),
    Generator("named", find_named, ("present_named", "present_named_many"), ("exists",)),
    Generator("absence", find_absence, ("absent_one", "absent_many", "absent_but"), ("absent", "exists")),
    Generator("neither", find_neither, ("neither",), ("absent",)),
    Generator("missing", find_missing, ("missing",), ("absent", "exists")),
    Generator("which-present", find_which_present, ("which_present",), ("exists", "absent")),
    Generator("odd-one-out", find_odd, ("odd_one",), ("absent", "exists")),
)
