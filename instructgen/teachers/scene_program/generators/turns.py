"""Turns that lean on the dialogue: follow-ups, questions that are not clear, and premises that are false."""

from collections.abc import Iterator

from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence
from instructgen.teachers.scene_program.absence import UNFIT, find_absent
from instructgen.teachers.scene_program.generators.places import largest_of
from instructgen.teachers.scene_program.generators.presence import region_claim
from instructgen.teachers.scene_program.phrasing import attribute_claim
from instructgen.teachers.scene_program.speech import (
    region_of,
    say_number,
    say_one,
    say_region,
)
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, exists, region_in

_PAIR = 2


def find_color_after(talk: Talk) -> Iterator[Move]:
    one = talk.last.entity if talk.last is not None else None
    if one is None or not one.is_single or one.kind == "person":
        return
    color = next((found for found in talk.graph.attributes_of(one) if found.kind == "color"), None)
    if color is not None and talk.is_new(f"color {one.name}"):
        slots = {"it": "it", "color": color.value, "x": one.word}
        keys = (f"color {one.name}", f"looks {one.name}")
        yield Move("color_follow", keys, (attribute_claim(one, color),), slots, about=talk.last)


def find_region_after(talk: Talk) -> Iterator[Move]:
    one = talk.last.entity if talk.last is not None else None
    if one is None or one not in talk.solid or one.kind == "person":
        return
    region = region_in(one, talk.graph)
    if region and talk.is_new(f"region {one.name}"):
        slots = {"it": "it", "where": say_region(region, talk.draw)}
        yield Move("where_follow", (f"region {one.name}",), (region_claim(one, region),), slots, about=talk.last)


def find_clarified(talk: Talk) -> Iterator[Move]:
    """Somebody asks after one thing where there are several: say so, and say which can be told apart."""
    for one in talk.graph.boxed_entities()[:3]:
        found = largest_of(one)
        region = region_of(found[1]) if found is not None else ""
        keys = ("clarify", f"count {one.name}", f"largest {one.name}")
        if found is None or not region or one.kind == "person" or one.num_captions < 2 or not talk.is_new(*keys):
            continue
        if talk.graph.sources is not None and len(talk.graph.sources.colors.get(one.name, ())) == 1:
            continue  # whichever is meant, captions tell of one color
        number = say_number(one.count) if one.count else "several" if len(one.boxes) > 2 else ""
        if not number:
            continue
        exact = Claim("count", one.plural, number=one.count, evidence=one.evidence) if one.count else exists(one)
        largest = Claim("largest", one.word, region, evidence=Evidence(boxes=(found[0],)))
        most = "larger" if len(one.boxes) == _PAIR else "largest"
        slots = {"x": one.word, "xs": one.plural, "number": number, "most": most}
        slots["where"] = say_region(region, talk.draw)
        keys = ("clarify", f"largest {one.name}", f"there {one.name}", *((f"count {one.name}",) if one.count else ()))
        yield Move("clarify", keys, (exact, largest), slots)


def find_corrected(talk: Talk) -> Iterator[Move]:
    """Somebody takes for granted what is not there; correct it politely."""
    for kind in find_absent(talk.graph, talk.draw, 4):
        if kind.name in UNFIT or not talk.is_new(f"no {kind.name}"):
            continue
        families = ["false_color", "false_place", "false_count"]
        if kind.group == "animal":
            families.append("false_doing")
        slots = {"x": kind.spoken, "xs": kind.plural, "a_x": say_one(kind.spoken)}
        keys = (f"no {kind.name}", "premise")
        yield Move(talk.draw.choice(families), keys, (Claim("absent", kind.spoken),), slots)


TURNS = (
    Generator("clarify", find_clarified, ("clarify",), ("count", "exists", "largest")),
    Generator(
        "false-premise",
        find_corrected,
        ("false_color", "false_doing", "false_count", "false_place"),
        ("absent",),
    ),
)
FOLLOWING_TURNS = (
    Generator("color-after", find_color_after, ("color_follow",), ("attribute",), leans=True),
    Generator("region-after", find_region_after, ("where_follow",), ("region",), leans=True),
)
