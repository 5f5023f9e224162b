"""Sentences that add to an answer what was not asked but belongs to it."""

from collections.abc import Iterator

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.geometry import relation_of
from instructgen.teachers.scene_program.generators.doings import doings, keys_of
from instructgen.teachers.scene_program.generators.places import may_reach_on, relation_claim
from instructgen.teachers.scene_program.generators.presence import apart, region_claim
from instructgen.teachers.scene_program.generators.settings import is_place_told, place_of
from instructgen.teachers.scene_program.phrasing import attribute_claim, say_doing
from instructgen.teachers.scene_program.speech import say_one, say_region, say_thing
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, circumstance_claim, exists, region_in


def _its(talk: Talk) -> dict[str, str]:
    assert talk.last is not None
    it = talk.last.pronouns
    return {"it": it.it, "its": it.its, "is": it.be}


def add_region(talk: Talk) -> Iterator[Move]:
    one = talk.last.entity if talk.last is not None else None
    if one is not None and one in talk.solid and one.kind != "person":
        region = region_in(one, talk.graph)
        if region and talk.is_new(f"region {one.name}"):
            slots = {**_its(talk), "where": say_region(region, talk.draw)}
            yield Move("add_region", (f"region {one.name}",), (region_claim(one, region),), slots)


def add_color(talk: Talk) -> Iterator[Move]:
    one = talk.last.entity if talk.last is not None else None
    if one is None or not one.is_single or one.kind == "person" or not talk.is_new(f"color {one.name}"):
        return
    for color in talk.graph.attributes_of(one):
        if color.kind == "color":
            keys = (f"color {one.name}", f"looks {one.name}")
            yield Move("add_color", keys, (attribute_claim(one, color),), {**_its(talk), "color": color.value})


def add_doing(talk: Talk) -> Iterator[Move]:
    last = talk.last
    for action in doings(talk) if last is not None else ():
        same = last is not None and action.subject == last.word and action.is_plural == last.is_plural
        if same and talk.is_new(f"doing {action.subject}", f"{action.verb} {action.subject}"):
            what = say_doing(talk.graph, action, talk.is_new)
            keys = (*keys_of(action), *what.keys)
            yield Move("add_doing", keys, what.claims, {**_its(talk), "doing": what.words})


def add_side(talk: Talk) -> Iterator[Move]:
    one = talk.last.entity if talk.last is not None else None
    if one is None or one not in talk.solid or one.kind == "person" or not talk.is_new("relation"):
        return
    for other in talk.solid if not may_reach_on(one) else ():
        relation = relation_of(other.boxes[0], one.boxes[0]) if other is not one and not may_reach_on(other) else ""
        if relation in ("left", "right") and talk.is_new(f"there {other.name}"):
            slots = {**_its(talk), "x": one.word, "y": other.word, "a_y": say_one(other.word)}
            keys = ("relation", f"there {other.name}")
            yield Move(f"add_{relation}", keys, (relation_claim(other, one, relation),), slots)


def add_others(talk: Talk) -> Iterator[Move]:
    fresh = apart([one for one in talk.listed() if talk.is_new(f"there {one.name}")])[:3]
    if len(fresh) > 1 and talk.is_new("others"):
        keys = ("others", *(f"there {one.name}" for one in fresh))
        listed = join_words([say_thing(one) for one in fresh])
        yield Move("add_others", keys, tuple(exists(one) for one in fresh), {"list": listed})


def add_setting(talk: Talk) -> Iterator[Move]:
    place = place_of(talk.graph)
    if place is not None and not is_place_told(talk, place) and talk.is_new("setting"):
        claim = circumstance_claim(place)
        yield Move("add_setting", ("setting", f"place {place.value}"), (claim,), {"place": place.phrase})


ADDED = (
    Generator("add-color", add_color, ("add_color",), ("attribute",), leans=True),
    Generator("add-doing", add_doing, ("add_doing",), ("doing", "attribute"), leans=True),
    Generator("add-region", add_region, ("add_region",), ("region",), leans=True),
    Generator("add-side", add_side, ("add_left", "add_right"), ("relation",), leans=True),
    Generator("add-others", add_others, ("add_others",), ("exists",)),
    Generator("add-setting", add_setting, ("add_setting",), ("place",)),
)
