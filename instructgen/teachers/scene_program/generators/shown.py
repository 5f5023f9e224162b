"""What a picture shows as a whole: a caption's clause that has all that most captions name."""

from collections.abc import Iterable, Iterator

from instructgen.lexicon.generals import is_meant
from instructgen.scenegraph.collages import is_collage
from instructgen.scenegraph.graph import SceneGraph, Statement
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.teachers.scene_program.borne_out import is_called_otherwise
from instructgen.teachers.scene_program.generators.doings import keys_of_statement, subject_of_told
from instructgen.teachers.scene_program.generators.outdone import are_alike, is_outdone, is_outnumbered, loses_doing
from instructgen.teachers.scene_program.phrasing import after, say_parts, told_claim
from instructgen.teachers.scene_program.talk import Generator, Move, Talk

_MIN_NEW = 2  # things and doings
_FEWEST, _FEWEST_BRIEF = 3, 2  # things, doings and colors


def find_whole(graph: SceneGraph, fewest: int = _FEWEST) -> Iterator[Statement]:
    """Yield what captions tell that lacks nothing that most of them name, nor what most of them say is done."""
    if any(map(is_collage, graph.statements[:1])):
        return
    named = {one.name for one in graph.entities if one.num_captions > 1 or one.boxes}
    alone = {one.name for one in graph.entities} - named
    done = [one.verb for one in graph.told if one.is_main]
    for one in (*graph.statements, *graph.quotes):
        is_main = not done or any(are_alike(one.verb, verb) for verb in done)
        is_main = is_main and not (is_outnumbered(one, graph) or loses_doing(one, graph))
        is_main = is_main and len(one.keys) >= fewest and one.keys.isdisjoint(alone) and _is_of_common(one, graph)
        is_main = is_main and not is_called_otherwise(one, graph)
        if is_main and _has_all(graph.common, one.keys) and not is_outdone(one, graph):
            yield one


def _is_of_common(one: Statement, graph: SceneGraph) -> bool:
    """True where it is about what most captions name, or what holds it: a plate of food."""
    is_holder = " of " in one.said_of
    return (
        is_holder or one.kind == "place" or not graph.common or not graph.common.isdisjoint((one.category, one.lemma))
    )


def _has_all(common: frozenset[str], keys: frozenset[str]) -> bool:
    return all(key in keys or SAID_TWICE.get(key, frozenset()) & keys or _is_general(key, keys) for key in common)


def _is_general(key: str, keys: frozenset[str]) -> bool:
    """True for fruit where apples are told of, and the other way round."""
    return any(is_meant(key, other) or is_meant(other, key) for other in keys)


def _is_place_known(one: Statement, talk: Talk) -> bool:
    """True for a room after a living room."""
    return any(key.startswith("place ") and key.split()[-1] == one.lemma for key in talk.said)


def find_shown(talk: Talk) -> Iterator[Move]:
    yield from _show(talk, find_whole(talk.graph), _MIN_NEW)


def find_brief(talk: Talk) -> Iterator[Move]:
    """Tell two things that captions name together, where they tell no more of what is there: a clock on a wall."""
    wholes = find_whole(talk.graph, _FEWEST_BRIEF)
    yield from _show(talk, (one for one in wholes if len(one.keys - {one.verb}) >= _FEWEST_BRIEF), 1)


def _show(talk: Talk, wholes: Iterable[Statement], least_new: int) -> Iterator[Move]:
    for one in wholes:
        num_new = sum(talk.is_new(f"there {key}") for key in one.keys)
        if one.kind == "place" and _is_place_known(one, talk):
            continue
        told = not talk.is_new("overview", "summary") or any(key.startswith("doing ") for key in talk.said)
        if told or num_new < least_new:
            continue
        who = say_parts(talk.graph, one.subject, talk.is_new)
        what = say_parts(talk.graph, one.predicate, after(talk.is_new, who.keys))
        claims = (told_claim(one), *who.claims, *what.claims)
        keys = ("overview", *keys_of_statement(one), *who.keys, *what.keys)
        slots = {"shown": f"{who.words} {what.words}".strip()}
        yield Move("shown", tuple(dict.fromkeys(keys)), claims, slots, about=subject_of_told(one, talk.graph))


SHOWN = (Generator("shown", find_shown, ("shown",), ("told", "attribute")),)
# Where a conversation has told nothing as a whole.
BRIEF = Generator("brief", find_brief, ("shown",), ("told", "attribute"))
