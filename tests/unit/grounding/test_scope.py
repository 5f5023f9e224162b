"""What an answer that reasons says of this picture, and what of the world."""

import pytest

from tests.support.claims import find_claims, image, tell

DOG = image("A brown dog rests on the grass.", "dog")

GENERAL = [
    "Cats are fine animals.",
    "People can throw balls.",
    "A person might throw it.",
    "Many people enjoy it.",
    "The owner may have a car.",
    "It is important that a car passes.",
    "Cats need water.",
    "The dog is waiting for a person.",
    "Often a cat comes by.",
    "Their car needs fuel and should be clean.",
]
SEEN = [
    "There are zebras.",
    "In the image, zebras run.",
    "The dog is beside a zebra.",
    "The presence of a zebra is odd.",
    "The dog watches two zebras.",
    "The dog is near zebras.",
    "Several zebras run.",
    "The zebra needs water.",
]


@pytest.mark.parametrize("text", GENERAL)
def test_reasoning_may_speak_of_things_in_general(text: str) -> None:
    assert {one.truth for one in find_claims(DOG, text, sample_type="reasoning") if one.subject != "dog"} <= {
        "unverifiable",
        "supported",
    }


@pytest.mark.parametrize("text", SEEN)
def test_reasoning_that_speaks_of_the_picture_is_held_to_it(text: str) -> None:
    claims = find_claims(DOG, text, sample_type="reasoning")
    assert "contradicted" in {one.truth for one in claims if one.subject == "zebra"}


@pytest.mark.parametrize("text", ["Cats are fine animals.", "A person stands there.", "Zebras run by."])
def test_description_is_held_to_the_picture_by_the_same_words(text: str) -> None:
    (bare,) = [one for one in find_claims(DOG, text, sample_type="detail") if one.kind == "object"]
    assert bare.truth == "contradicted"


@pytest.mark.parametrize("sample_type", ["reasoning", "complex", "complex_reasoning"])
def test_reasoning_is_known_by_any_of_its_names(sample_type: str) -> None:
    assert tell(find_claims(DOG, "Zebras run by.", sample_type=sample_type)) == ["object unverifiable: Zebras"]


def test_answer_to_why_reasons_in_a_conversation_too() -> None:
    assert tell(find_claims(DOG, "Why does it rest?", "Zebras run by.")) == ["object unverifiable: Zebras"]
    assert tell(find_claims(DOG, "What happens?", "Zebras run by.")) == ["object contradicted: Zebras"]


def test_whoever_eats_a_meal_is_only_supposed_by_reasoning() -> None:
    text = "The woman enjoys it."
    record = image("A pizza.", "pizza")
    assert tell(find_claims(record, text, sample_type="reasoning")) == ["object unverifiable: The woman"]
    assert tell(find_claims(record, text, sample_type="detail")) == ["object contradicted: The woman"]


def test_denial_goes_over_or_and_a_list() -> None:
    claims = find_claims(DOG, "There are no cats, zebras or dogs.")
    assert tell(claims) == ["object supported: no cats", "object supported: zebras", "object contradicted: dogs"]


def test_likeness_goes_over_and() -> None:
    assert tell(find_claims(DOG, "A painting of a cat and a zebra."), "object") == []
