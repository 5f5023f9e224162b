"""Numbers against boxes and captions."""

import pytest

from instructgen.records import Box
from tests.support.claims import find_claims, image, tell

FOUR = image("Dogs on a beach.", *["dog"] * 4)
ONE = image("A dog on a beach.|A dog runs.", "dog")
CROWD = image("People at a show.", *["person"] * 3, Box("person", 0.0, 0.0, 1.0, 1.0, is_crowd=True))


def truth_of(captions: str, boxes: list[str], text: str) -> str:
    (found,) = [one for one in find_claims(image(captions, *boxes), text) if one.kind == "count"]
    return found.truth


@pytest.mark.parametrize(
    "text",
    [
        "There are four dogs.",
        "Three dogs are running.",
        "One dog sleeps.",
        "There are three dogs running.",
        "Several dogs run.",
        "A couple of dogs run.",
        "Two dogs run and another dog sleeps.",
    ],
)
def test_number_that_leaves_room_for_what_is_boxed_is_supported(text: str) -> None:
    assert {one.truth for one in find_claims(FOUR, text) if one.kind == "count"} == {"supported"}


@pytest.mark.parametrize(
    "text",
    [
        "There are three dogs.",
        "There are three dogs in the picture.",
        "The image shows two dogs.",
        "Exactly three dogs run.",
        "Only three dogs run.",
        "A total of three dogs run.",
        "Two dogs are visible.",
        "The number of dogs is three.",
        "As for dogs, there are three of them.",
        "Five dogs are running.",
        "There are five dogs.",
    ],
)
def test_wrong_total_and_too_many_are_contradicted(text: str) -> None:
    (found,) = [one for one in find_claims(FOUR, text) if one.kind == "count"]
    assert (found.truth, found.evidence) == ("contradicted", "4 boxes of dog")


@pytest.mark.parametrize(
    "text", ["Several dogs run.", "A couple of dogs run.", "A pair of dogs run.", "Many dogs run."]
)
def test_several_is_contradicted_by_one_box_where_captions_speak_of_one(text: str) -> None:
    (found,) = [one for one in find_claims(ONE, text) if one.kind == "count"]
    assert (found.truth, found.evidence) == ("contradicted", "one box of dog, and every caption speaks of one")


@pytest.mark.parametrize("captions", ["Dogs run.", "A beach."])
def test_several_is_not_contradicted_by_one_box_alone(captions: str) -> None:
    assert truth_of(captions, ["dog"], "Several dogs run.") != "contradicted"


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Two people sit.", "supported"),
        ("Several people sit.", "supported"),
        ("There are three people.", "unverifiable"),
        ("There are twenty people.", "unverifiable"),
    ],
)
def test_crowd_leaves_totals_open(text: str, truth: str) -> None:
    (found,) = [one for one in find_claims(CROWD, text) if one.kind == "count"]
    assert found.truth == truth


@pytest.mark.parametrize(
    ("captions", "text", "truth"),
    [
        ("Three cats sleep.|Three cats.", "Three cats sleep.", "supported"),
        ("Three cats sleep.|Three cats.", "Four cats sleep.", "contradicted"),
        ("Three cats sleep.|Three cats.", "There are two cats.", "contradicted"),
        ("A cat sleeps.", "Two cats sleep.", "contradicted"),
        ("Cats sleep.", "Two cats sleep.", "unverifiable"),
        ("Three lamps.", "Two lamps are on.", "contradicted"),
    ],
)
def test_without_boxes_captions_count(captions: str, text: str, truth: str) -> None:
    assert truth_of(captions, [], text) == truth


@pytest.mark.parametrize(
    ("captions", "num", "text", "truth"),
    [
        ("A man and a woman walk.", 2, "There are two people.", "supported"),
        ("A man and a woman walk.", 2, "There is one person.", "contradicted"),
        ("A man and a woman walk.", 2, "One man walks.", "unverifiable"),
        ("Two men and three women.", 5, "There are two men.", "supported"),
        ("Two men and three women.", 5, "There are three men.", "contradicted"),
        ("Two men and three women.", 5, "There are five people.", "supported"),
        ("People sit.", 5, "There are two men.", "unverifiable"),
        ("People sit.", 5, "There are six men.", "contradicted"),
    ],
)
def test_kinds_of_people_are_counted_by_captions_alone(captions: str, num: int, text: str, truth: str) -> None:
    assert truth_of(captions, ["person"] * num, text) == truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("There are twelve books.", "supported"),
        ("There are ten books.", "unverifiable"),
        ("There are exactly ten books.", "contradicted"),
        ("There are five books.", "contradicted"),
        ("There are thirteen books.", "contradicted"),
    ],
)
def test_what_is_boxed_loosely_is_counted_loosely(text: str, truth: str) -> None:
    assert truth_of("Books on a shelf.", ["book"] * 12, text) == truth


def test_tiny_boxes_may_be_left_out() -> None:
    record = image("Birds.", *["bird"] * 3, Box("bird", 0.0, 0.0, 0.01, 0.01))
    assert tell(find_claims(record, "There are three birds."), "count") == ["count supported: three birds"]
    assert tell(find_claims(record, "There are two birds."), "count") == ["count contradicted: two birds"]


def test_majority_of_captions_with_the_boxes_outvotes_the_one_that_agrees() -> None:
    captions = "Two dogs.|Two dogs run.|Three dogs."
    assert truth_of(captions, ["dog"] * 2, "There are three dogs.") == "contradicted"
    assert truth_of("Two dogs.|Three dogs.", ["dog"] * 2, "There are three dogs.") == "supported"


def test_number_of_what_neither_boxes_nor_captions_count_is_no_claim() -> None:
    assert tell(find_claims(FOUR, "Two lamps are on."), "count") == []


def test_supposed_denied_and_likened_things_are_not_counted() -> None:
    for text in ("There might be nine dogs.", "There are no two dogs.", "Two toy giraffes."):
        assert tell(find_claims(FOUR, text), "count") == []
