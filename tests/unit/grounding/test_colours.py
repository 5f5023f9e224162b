"""Colours against captions."""

import pytest

from tests.support.claims import find_claims, image, tell

RED = image("A red bus drives past a black car.|The red bus is on a street.", "bus", "car")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A red bus waits.", "colour supported: A red bus"),
        ("A maroon bus waits.", "colour supported: A maroon bus"),
        ("A blue bus waits.", "colour contradicted: A blue bus"),
        ("The bus is blue.", "colour contradicted: The bus is blue"),
        ("The bus is red and white.", "colour unverifiable: The bus is red and white"),
        ("The bus is blue and white.", "colour contradicted: The bus is blue and white"),
        ("A yellow taxi waits.", "colour contradicted: A yellow taxi"),
        ("A gray street", "colour unverifiable: A gray street"),
    ],
)
def test_colour_is_held_against_those_that_captions_give_the_thing(text: str, told: str) -> None:
    assert tell(find_claims(RED, text), "colour") == [told]


@pytest.mark.parametrize(
    ("captions", "text"),
    [
        ("A gray cat.", "A silver cat"),
        ("A tan dog.", "A brown dog"),
        ("A beige dog.", "A golden dog"),
        ("A turquoise bus.", "A teal bus"),
        ("A grey cat.", "A gray cat"),
    ],
)
def test_near_colours_agree(captions: str, text: str) -> None:
    (found,) = [one for one in find_claims(image(captions), text) if one.kind == "colour"]
    assert found.truth == "supported"


def test_several_things_may_share_the_colours_of_captions() -> None:
    record = image("A red bus behind a white bus.", "bus", "bus")
    assert tell(find_claims(record, "A white bus"), "colour") == ["colour supported: A white bus"]
    assert tell(find_claims(record, "A green bus"), "colour") == ["colour contradicted: A green bus"]


def test_colour_that_captions_give_to_something_else_may_be_one_of_several() -> None:
    captions = "Two red buses on a blue bridge."
    (several,) = [
        one for one in find_claims(image(captions, "bus", "bus"), "A blue bus waits.") if one.kind == "colour"
    ]
    assert (several.truth, several.evidence) == ("unverifiable", "captions say red, but there are several")


def test_black_and_white_photograph_tells_no_colours() -> None:
    record = image("A black and white photo of a dog.|A dog runs.", "dog")
    (found,) = [one for one in find_claims(record, "A brown dog runs.") if one.kind == "colour"]
    assert (found.truth, found.evidence) == ("unverifiable", "no caption tells its color")
    assert tell(find_claims(record, "The photo is black and white.")) == []


def test_evidence_names_the_colours_of_captions() -> None:
    (found,) = [one for one in find_claims(RED, "A blue bus waits.") if one.kind == "colour"]
    assert (found.subject, found.evidence) == ("bus", "captions say red")


@pytest.mark.parametrize(
    ("text", "truth"),
    [("A wooden bench", "supported"), ("A metal bench", "contradicted")],
)
def test_material_is_held_against_captions(text: str, truth: str) -> None:
    (found,) = [one for one in find_claims(image("A wooden bench.", "bench"), text) if one.kind == "colour"]
    assert (found.truth, found.evidence) == (truth, "captions say wood")


def test_other_material_may_be_that_of_another_bench() -> None:
    (found,) = [
        one
        for one in find_claims(image("A wooden bench.", "bench", "bench"), "A metal bench")
        if one.kind == "colour"
    ]
    assert found.truth == "unverifiable"


def test_colour_of_what_is_only_supposed_is_no_claim() -> None:
    assert tell(find_claims(RED, "There might be a blue bus."), "colour") == []
