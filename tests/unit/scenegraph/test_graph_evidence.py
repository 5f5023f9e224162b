"""Whatever a graph says, it cites: characters of captions that hold its words, and boxes of its categories."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from instructgen.lexicon.words import plural_of
from instructgen.records import ImageRecord
from instructgen.scenegraph.graph import Evidence, SceneGraph
from instructgen.scenegraph.phrases import tokenise
from instructgen.scenegraph.read import read_graph
from instructgen.scenegraph.vocabulary import NOUNS
from instructgen.sources.coco import CocoSource
from tests.unit.scenegraph.pictures import make_picture, read

RECORDS = (
    make_picture(
        "A red bus at night. | The bus is red, and parked on a street. | A blue bus.", "bus, 2 person, car*"
    ),
    make_picture("Two men in hats ride horses on a beach. | A couple of men riding horses.", "2 person, 2 horse"),
    make_picture(
        "A man sits on a wooden bench. | A man standing near a bench with a black dog.", "person, bench, dog"
    ),
    make_picture(
        "A man by a tall lamp. | Lamps near a man and a woman on a sunny day in a kitchen.", "2 person, oven"
    ),
    make_picture("A goat in a field. | Three dogs lie next to each other on a big rug.", "cow, 2 dog, dog*"),
)


def all_evidence(graph: SceneGraph) -> Iterator[tuple[str, Evidence]]:
    for part in (graph.entities, graph.attributes, graph.actions, graph.circumstances, graph.contradictions):
        for fact in part:
            yield f"{graph.image_id}: {fact}", fact.evidence


def check_evidence(record: ImageRecord, graph: SceneGraph) -> list[str]:
    """Return what is wrong: a span outside its caption or cutting words apart, or a box that is not there."""
    faults = []
    for fact, evidence in all_evidence(graph):
        for span in evidence.spans:
            caption = record.captions[span.caption] if 0 <= span.caption < len(record.captions) else ""
            words = caption[span.start : span.end]
            whole = not (caption[span.start - 1 : span.start] + caption[span.end : span.end + 1]).strip(
                " -.,'\"();:!?/&"
            )
            if not words or words != words.strip() or not whole or span.end > len(caption):
                faults.append(f"{fact} cites {words!r} of {caption!r}")
        if not all(0 <= number < len(record.boxes) for number in evidence.boxes):
            faults.append(f"{fact} cites boxes that are not there")
    return faults


def check_boxes(record: ImageRecord, graph: SceneGraph) -> list[str]:
    """Return facts whose boxes are not those of the categories that they speak of."""
    faults = []
    for one in graph.entities:
        cited = [record.boxes[number] for number in one.evidence.boxes]
        if {box.category for box in cited} != ({one.category} if one.category else set()):
            faults.append(f"{one}")
        shown = tuple(box for box in cited if not box.is_crowd)
        is_in_parts = one.is_single and len(shown) > 1 and not one.boxes  # no box is all of it
        if one.member_of is None and one.category and shown != one.boxes and not is_in_parts:
            faults.append(f"{one}")
    entities = graph.entities
    faults += [f"{one}" for one in graph.attributes if one.evidence.boxes != entities[one.entity].evidence.boxes]
    for action in graph.actions:
        told = {record.boxes[number].category for number in action.evidence.boxes}
        if told != {action.category, *action.things} - {""}:
            faults.append(f"{action}")
    return [f"{graph.image_id}: {fault} has other boxes" for fault in faults]


def check_words(record: ImageRecord, graph: SceneGraph) -> list[str]:
    """Return entities that cite words which do not end in a noun for them: of a box its category, else the lemma.

    Of nouns that no table has, the last word is the lemma or its plural.
    """
    faults = []
    for one in graph.entities:
        for span in one.evidence.spans:
            words = tokenise(record.captions[span.caption][span.start : span.end])
            nouns = [NOUNS.get(" ".join(words[first:])) for first in range(len(words))]
            known = {noun.category or noun.lemma for noun in nouns if noun is not None}
            if not known and not one.category and words[-1] in (one.name, plural_of(one.name)):
                continue
            if (one.category or one.name) not in known:
                faults.append(f"{graph.image_id}: {one.name} cites {' '.join(words)!r}")
    return faults


def check_certainty(record: ImageRecord, graph: SceneGraph) -> list[str]:
    """Return facts that are sure with one source, or likely with two, or miscount the captions that they cite."""
    faults = []
    for part in (graph.attributes, graph.actions, graph.circumstances):
        for fact in part:
            captions = len({span.caption for span in fact.evidence.spans})
            if captions != fact.num_captions or (fact.certainty == "sure") is not (captions > 1):
                faults.append(f"{graph.image_id}: {fact}")
    for one in graph.entities:
        sources = one.num_captions + bool(one.evidence.boxes)
        if (one.certainty == "sure") is not (sources > 1):
            faults.append(f"{graph.image_id}: {one}")
        if one.num_captions != len({span.caption for span in one.evidence.spans}):
            faults.append(f"{graph.image_id}: {one}")
    return faults


CHECKS = (check_evidence, check_boxes, check_words, check_certainty)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_made_up_pictures_cite_what_they_say(record: ImageRecord, check: object) -> None:
    assert callable(check)
    graph = read_graph(record)
    assert len(list(all_evidence(graph))) > 3
    assert check(record, graph) == []


@cache
def read_val2017(root: Path) -> tuple[tuple[ImageRecord, SceneGraph], ...]:
    records = (record for record in CocoSource(root).records() if isinstance(record, ImageRecord))
    return tuple((record, read_graph(record)) for record in records)


@pytest.mark.coco
@pytest.mark.parametrize("check", CHECKS)
def test_all_of_val2017_cites_what_it_says(coco_root: Path, check: object) -> None:
    assert callable(check)
    faults = [fault for record, graph in read_val2017(coco_root) for fault in check(record, graph)]
    assert faults == []


@pytest.mark.coco
def test_one_of_several_disputed_places_at_most_is_told(coco_root: Path) -> None:
    faults = []
    for _, graph in read_val2017(coco_root):
        told = {one.value for one in graph.circumstances if one.kind == "place"}
        disputes = [set(one.values) for one in graph.contradictions if one.kind == "place"]
        faults += [f"{graph.image_id}: {values}" for values in disputes if len(values & told) > 1]
    assert faults == []


@pytest.mark.coco
def test_no_fact_of_val2017_is_a_contradiction_too(coco_root: Path) -> None:
    faults = []
    for _, graph in read_val2017(coco_root):
        disputed = {(one.about, one.kind, value) for one in graph.contradictions for value in one.values}
        told = [(graph.entities[one.entity].name, one.kind, one.value) for one in graph.attributes]
        faults += [f"{graph.image_id}: {fact}" for fact in told if fact in disputed]
        absent = {one.about for one in graph.contradictions if one.kind == "entity"}
        faults += [f"{graph.image_id}: {one}" for one in graph.entities if one.category in absent]
        unclear = {one.kind for one in graph.contradictions if one.about == "scene"} - {"place"}
        faults += [f"{graph.image_id}: {one}" for one in graph.circumstances if one.kind in unclear]
    assert faults == []


def test_a_fact_cites_the_characters_that_say_it() -> None:
    captions = ("Look: a red bus!", "THE BUS is red.")
    graph = read(" | ".join(captions), "bus")
    (color,) = [one for one in graph.attributes if one.kind == "color"]
    said = [captions[span.caption][span.start : span.end] for span in color.evidence.spans]
    assert said[0] == "a red bus"
    assert said[1] == "THE BUS is red"


def test_box_numbers_are_the_records_own() -> None:
    graph = read("A dog on a couch by two cats.", "vase, cat, dog, cat, couch, cat*")
    cited = {one.name: one.evidence.boxes for one in graph.boxed_entities()}
    assert cited == {"vase": (0,), "cat": (1, 3, 5), "dog": (2,), "couch": (4,)}
    (lies,) = [one for one in graph.actions if one.subject == "dog"]
    assert lies.evidence.boxes == (2, 4)
