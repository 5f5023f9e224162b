"""What one caption of five tells, and another may see otherwise, is not asked for."""

import random

import pytest

from instructgen.records import ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program.conversation import make_conversation
from instructgen.teachers.scene_program.risks import find_risky
from tests.unit.teachers.scene_program.making import at, fact, facts_of, find, make, slots_of, swap

HYDRANT = make(
    (
        "A yellow fire hydrant near a wooden fence on a sunny day.",
        "A fire hydrant on a path.",
        "A fire hydrant by some grass.",
        "There is a fire hydrant.",
        "A fire hydrant stands outside.",
    ),
    at("left", "fire hydrant"),
)
WORN = make(
    ("A man in a green jacket.", "A man smiling.", "A man.", "The man smiles.", "A man in the sun."),
    at("left", "person"),
)


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (HYDRANT, "material fence"),
        (
            swap(HYDRANT, "There is a fire hydrant", "The fire hydrant is painted yellow and orange"),
            "color fire hydrant",
        ),
        (swap(HYDRANT, "There is a fire hydrant", "A blue sign"), "color fire hydrant"),
        (swap(HYDRANT, "There is a fire hydrant", "A colorful fire hydrant"), "color fire hydrant"),
        (swap(HYDRANT, "There is a fire hydrant", "Lit by street lights"), "time"),
        (swap(HYDRANT, "There is a fire hydrant", "Clouds in the sky"), "weather"),
        (swap(HYDRANT, "on a sunny day", "under a clear sky"), "weather"),
        (swap(HYDRANT, "on a sunny day", "at dusk"), "time"),
        (swap(HYDRANT, "on a sunny day", "by a foggy hill"), "weather"),
    ],
    ids=[
        *("named once", "two colors", "another name", "colorful", "lights", "clouds", "clear sky", "dusk alone"),
        "fog elsewhere",
    ],
)
def test_detail_of_one_caption_is_risky_where_another_may_see_it_otherwise(record: ImageRecord, key: str) -> None:
    assert key in find_risky(read_graph(record))


@pytest.mark.parametrize(
    "record",
    [
        swap(HYDRANT, " near a wooden fence", ""),
        swap(swap(HYDRANT, " near a wooden fence", ""), "There is a fire hydrant", "A red car"),
        WORN,
    ],
    ids=["nobody disputes it", "of another thing", "worn by the only one"],
)
def test_detail_that_nobody_may_dispute_is_told(record: ImageRecord) -> None:
    assert find_risky(read_graph(record)) == frozenset()


def test_detail_of_two_captions_and_of_few_is_told() -> None:
    two = swap(HYDRANT, "There is a fire hydrant", "A yellow fire hydrant, and a wooden fence")
    few = make(HYDRANT.captions[:2], *HYDRANT.boxes)
    assert find_risky(read_graph(two)) == find_risky(read_graph(few)) == frozenset()


@pytest.mark.parametrize(("other", "told"), [("street", set()), ("path", {"on a highway"})])
def test_ground_is_told_where_most_captions_name_it(other: str, told: set[str]) -> None:
    captions = (
        "A car on a highway.",
        "A car on a highway.",
        "A car.",
        f"A car on a {other}.",
        f"A car on the {other}.",
    )
    record = make(captions, at("left", "car"))
    assert slots_of(find("setting", record), "place") == told


def test_risky_detail_is_told_in_no_conversation() -> None:
    record = swap(HYDRANT, "There is a fire hydrant", "A blue sign")
    turns = [
        turn for seed in range(40) for turn in make_conversation(read_graph(record), random.Random(seed), "plain")
    ]
    assert turns
    assert not any("yellow" in turn.answer or "wood" in turn.answer for turn in turns)


def test_sunny_day_is_told_once() -> None:
    for seed in range(60):
        turns = make_conversation(read_graph(HYDRANT), random.Random(seed), "plain")
        assert sum(turn.family in ("time", "weather") for turn in turns) <= 1


def test_summary_does_not_tell_again_what_was_asked_for() -> None:
    record = make(
        ("A white dog sits on a bench in a park.", "A white dog on a bench.", "A white dog.", "A dog in a park."),
        at("left", "dog"),
        at("right", "bench"),
    )
    for seed in range(60):
        turns = make_conversation(read_graph(record), random.Random(seed), "plain")
        assert sum("white" in turn.answer for turn in turns) <= 1


@pytest.mark.parametrize(("name", "words"), [("scissors", "a pair of scissors"), ("broccoli", "broccoli")])
def test_what_boxes_do_not_count_is_affirmed(name: str, words: str) -> None:
    record = make((f"Some {name} on a table.", f"The {name} on a table.", f"A table with {name}."), at("left", name))
    assert fact("exists", name, number=1) in facts_of(find("named", record))
    assert words in slots_of((one for one in find("named", record) if one.claims[0].subject == name), "a_x")
