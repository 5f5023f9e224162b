"""The place, the time of day, the weather, and what most viewers would name first."""

from collections.abc import Iterator

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import is_collage
from instructgen.scenegraph.graph import Circumstance, Entity, Evidence, SceneGraph
from instructgen.scenegraph.settings import PLACE_WORDS, VAGUE, infer_setting
from instructgen.teachers.scene_program.generators.presence import is_obvious
from instructgen.teachers.scene_program.generators.shown import find_whole
from instructgen.teachers.scene_program.phrasing import told_claim
from instructgen.teachers.scene_program.speech import say_thing
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, circumstance_claim, subject_of

# Where something is rather than where a picture is taken, or what says next to nothing.
_NO_SETTING = VAGUE | {"ocean", "snow"}
_OF_SPORTS = ("baseball bat", "baseball glove", "sports ball", "tennis racket")  # their field is no mere field
_MAIN_AREA = 0.06  # share of the image from which a thing may be what it is about


def place_of(graph: SceneGraph) -> Circumstance | None:
    """Return the place as an answer to where the picture was taken; None where it would be none."""
    place = graph.circumstance("place")
    if place is None or place.value in _NO_SETTING:
        return None
    sports = place.value == "field" and any(one.name in _OF_SPORTS for one in graph.boxed_entities())
    return None if sports else place


def is_place_told(talk: Talk, place: Circumstance) -> bool:
    """True where the place, or its last word, was told before: a tennis court after a court."""
    return any(key.endswith((f" {place.value}", f" {place.value.split()[-1]}")) for key in talk.said)


def find_setting(talk: Talk) -> Iterator[Move]:
    place = place_of(talk.graph)
    if place is not None and not is_place_told(talk, place) and talk.is_new("setting"):
        claim = circumstance_claim(place)
        yield Move("setting", ("setting", f"place {place.value}"), (claim,), {"place": place.phrase})


def find_inferred(talk: Talk) -> Iterator[Move]:
    found = infer_setting(talk.graph.boxed, talk.graph.words) if talk.graph.circumstance("place") is None else None
    if found is None or not talk.is_new("setting"):
        return
    setting, signs = found
    things = [one for one in talk.graph.boxed_entities() if one.name in signs]
    if len(things) == len(signs):
        boxes = tuple(number for one in things for number in one.evidence.boxes)
        claim = Claim("inferred", "|".join(one.name for one in things), setting.lemma, evidence=Evidence(boxes=boxes))
        listed = join_words([say_thing(one) for one in things])
        keys = ("setting", *(f"there {one.name}" for one in things))
        yield Move("setting_inferred", keys, (claim,), {"name": setting.name, "list": listed})


def find_outdoors(talk: Talk) -> Iterator[Move]:
    """Tell that it was taken outdoors, where no caption names a place that would tell more."""
    evidence = talk.graph.outdoors
    is_placed = talk.graph.circumstance("place") is not None or not PLACE_WORDS.isdisjoint(talk.graph.words)
    if evidence is not None and not is_placed and talk.is_new("setting"):
        claim = Claim("place", value="outdoors", evidence=evidence)
        yield Move("outdoors", ("setting", "place outdoors"), (claim,), {})


def find_time(talk: Talk) -> Iterator[Move]:
    found = talk.graph.circumstance("time")
    if found is not None and talk.is_new("time"):
        claim = circumstance_claim(found)
        yield Move("time", ("time", *_same_as(found)), (claim,), {"time": found.phrase})


def find_weather(talk: Talk) -> Iterator[Move]:
    found = talk.graph.circumstance("weather")
    if found is not None and talk.is_new("weather"):
        claim = circumstance_claim(found)
        yield Move("weather", ("weather", *_same_as(found)), (claim,), {"weather": found.phrase})


def _same_as(found: Circumstance) -> tuple[str, ...]:
    """Return the key of what tells next to nothing new beside it: that a sunny day is a day."""
    return ("time", "weather") if found.value in ("day", "sunny") else ()


def find_most_named(graph: SceneGraph) -> Entity | None:
    """Return what all viewers agree on: the thing that nearly every caption names."""
    first = next(iter(graph.boxed_entities()), None)
    if first is None or first.is_unclear or not is_obvious(graph, first):
        return None
    if first.area < _MAIN_AREA or (first.is_many and first.plural.split()[-1] not in graph.words):
        return None
    if not _is_first(first, graph) or (first.is_many and 2 * first.num_plural <= first.num_captions):
        return None
    if any(
        2 * one.area > first.area and is_obvious(graph, one) for one in graph.boxed_entities() if one is not first
    ):
        return None  # two share the picture
    people = graph.find("person")
    if first.name != "person" and people is not None and people.num_captions > 1:
        return None  # it is in somebody's hands, or beside somebody
    # Of people of whom captions name one, "people" is not what they agree on.
    return None if any(one.member_of == first.number for one in graph.entities) else first


def _is_first(one: Entity, graph: SceneGraph) -> bool:
    """True for what most captions begin with, rather than tell of beside something else."""
    starts: dict[int, list[tuple[int, str]]] = {}
    for other in graph.boxed_entities():
        for span in other.evidence.spans:
            starts.setdefault(span.caption, []).append((span.start, other.name))
    first = sum(min(found)[1] == one.name for found in starts.values())
    return 2 * first > graph.num_captions


def find_collage(talk: Talk) -> Iterator[Move]:
    """Tell that there are several pictures in one."""
    first = next(iter(talk.graph.statements), None)
    if first is not None and is_collage(first) and talk.is_new("overview"):
        slots = {"what": first.said_of}
        yield Move("collage", ("overview", "summary"), (told_claim(first),), slots)


def find_main(talk: Talk) -> Iterator[Move]:
    one = find_most_named(talk.graph) if next(find_whole(talk.graph), None) is None else None
    if one is not None and one.kind != "furniture" and talk.is_new(f"there {one.name}"):
        claim = Claim("main", one.said, evidence=one.evidence)
        slots = {"x_main": say_thing(one)}
        yield Move("main", (f"there {one.name}", "main"), (claim,), slots, about=subject_of(one))


SETTINGS = (
    Generator("setting", find_setting, ("setting",), ("place",)),
    Generator("outdoors", find_outdoors, ("outdoors",), ("place",)),
    Generator("setting-inferred", find_inferred, ("setting_inferred",), ("inferred",)),
    Generator("time", find_time, ("time",), ("time",)),
    Generator("weather", find_weather, ("weather",), ("weather",)),
    Generator("collage", find_collage, ("collage",), ("told",)),
    Generator("main", find_main, ("main",), ("main",)),
)
