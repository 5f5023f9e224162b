"""Answers that compare two images, each statement held against the image that it speaks of."""

import pytest

from instructgen.grounding.claims import Claim
from instructgen.grounding.samples import find_claims, join_records
from instructgen.grounding.two_images import part_answer
from instructgen.records import Box, Message
from tests.support.make import make_record

# Two dogs and a bus in the first, one cat in the second.
FIRST = make_record(
    1,
    captions=("Two dogs sit beside a red bus.", "There are two dogs and a red bus."),
    boxes=(Box("dog", 0.1, 0.5, 0.3, 0.9), Box("dog", 0.4, 0.5, 0.6, 0.9), Box("bus", 0.6, 0.2, 0.9, 0.8)),
)
SECOND = make_record(
    2,
    captions=("A black cat sleeps on a couch.", "One cat lies there."),
    boxes=(Box("cat", 0.1, 0.5, 0.4, 0.9), Box("couch", 0.0, 0.4, 1.0, 1.0)),
)


def judge(answer: str, question: str = "How do they differ?") -> tuple[Claim, ...]:
    turns = (Message("user", question), Message("assistant", answer))
    return find_claims(turns, SECOND, "multi-image", FIRST).claims


RIGHT = (
    "The first picture shows two dogs, and the second picture shows a cat.",
    "Only the second photo has a cat.",
    "While the first image has a bus, there is no bus in the second one.",
    "There are more dogs in the first picture, with two compared to none in the second.",
    "You will want to look at the second picture. It shows a cat, while the first one has no cat.",
    "The bus is red in the first picture, but the cat is black in the second.",
    "No, neither of the pictures shows a horse.",
    "In the second picture I see a couch, a cat and nothing else that the first picture has.",
)
WRONG = (
    ("The first picture shows a cat, and the second picture shows a cat.", "a cat"),
    ("The first picture shows two dogs, and the second picture shows two dogs.", "two dogs"),
    ("Only the first photo has a cat.", "a cat"),
    ("While the first image has a bus, there is a bus in the second one.", "a bus"),
    ("While the second image has a cat, there is no bus in the first one.", "no bus"),
    ("You will want to look at the first picture. It shows a cat, while the second one has no dog.", "a cat"),
    ("Both pictures show a cat.", "a cat"),
    ("The first picture shows three dogs, unlike the second.", "three dogs"),
    ("The second picture has a white cat, and the first picture has a bus.", "a white cat"),
)


@pytest.mark.parametrize("answer", RIGHT)
def test_true_comparison_is_not_contradicted(answer: str) -> None:
    claims = judge(answer)
    assert [one.text for one in claims if one.truth == "contradicted"] == []
    assert any(one.truth == "supported" for one in claims), "nothing was looked at"


@pytest.mark.parametrize(("answer", "told"), WRONG)
def test_false_comparison_is_contradicted_at_its_place(answer: str, told: str) -> None:
    (wrong, *_) = [one for one in judge(answer) if one.truth == "contradicted"]
    assert told in wrong.text
    assert wrong.turn == 1
    assert wrong.text in answer[wrong.start : wrong.end]


def test_exchanged_images_contradict_what_was_right() -> None:
    """The same words fail with the records the other way round: it is not the words that are checked."""
    for answer in RIGHT[:6]:
        turns = (Message("user", "How do they differ?"), Message("assistant", answer))
        claims = find_claims(turns, FIRST, "multi-image", SECOND).claims
        assert any(one.truth == "contradicted" for one in claims), answer


def test_short_answers_and_questions_claim_nothing() -> None:
    assert judge("Yes.", "Is there a horse in both pictures?") == ()
    assert judge("No, only the second.", "Is there a cat in both pictures?") == ()
    assert judge("Three.", "How many dogs does the first picture show?") == ()


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("The first shows a dog.", [("The first shows a dog.", {0})]),
        ("Both show a dog.", [("Both show a dog.", {0, 1})]),
        ("A dog.", [("A dog.", set())]),
        (
            "The first has a dog, a cat and a bus, while the second has a cow.",
            [("The first has a dog, a cat and a bus, ", {0}), ("while the second has a cow.", {1})],
        ),
        ("The second has a dog. It is big.", [("The second has a dog.", {1}), ("It is big.", {1})]),
        (
            "Look at the second. It has a dog, but the first has none.",
            [("Look at the second.", {1}), ("It has a dog, ", {1}), ("but the first has none.", {0})],
        ),
        ("A dog in the first the second lacks.", [("A dog in the first ", {0}), ("the second lacks.", {1})]),
    ],
)
def test_answer_is_parted_where_the_image_changes(answer: str, parts: list[tuple[str, set[int]]]) -> None:
    assert [(answer[one.start : one.end], set(one.images)) for one in part_answer(answer)] == parts


def test_records_are_joined_for_measures() -> None:
    both = join_records(FIRST, SECOND)
    assert {box.category for box in both.boxes} == {"dog", "bus", "cat", "couch"}
    assert both.captions == FIRST.captions + SECOND.captions
    assert both.image_id == SECOND.image_id
