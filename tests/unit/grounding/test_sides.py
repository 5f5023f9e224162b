"""Where sentences place things, and whom they place."""

import pytest

from instructgen.grounding.sides import find_placements
from tests.support.claims import phrases, sentence


def read(text: str, about: str = "") -> list[tuple[tuple[str, ...], str, str]]:
    context = phrases(about)[0] if about else None
    placements = find_placements(sentence(text), phrases(text), context)
    return [
        (one.sides, "/".join(subject.lemma for subject in one.subjects), one.target.lemma if one.target else "")
        for one in placements
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("On the left there is a dog.", [(("left",), "dog", "")]),
        ("To the right, a dog sleeps.", [(("right",), "dog", "")]),
        ("A dog is on the far left side of the picture.", [(("left",), "dog", "")]),
        ("In the lower left corner is a dog.", [(("bottom", "left"), "dog", "")]),
        ("The dog is at the top of the picture.", [(("top",), "dog", "")]),
        ("The dog is in the middle of the picture.", [(("middle",), "dog", "")]),
        ("The dog sits to the left of the cat.", [(("left",), "dog", "cat")]),
        ("Left of the cat is a dog.", [(("left",), "dog", "cat")]),
        ("The dog is left of the kitchen.", [(("left",), "dog", "")]),
        ("The dog is above the cat.", [(("top",), "dog", "cat")]),
        ("The dog lies beneath the bench.", [(("bottom",), "dog", "bench")]),
        ("The dog, which is on the right, sleeps.", [(("right",), "dog", "")]),
        (
            "The dog is on the left and the cat is on the right.",
            [(("left",), "dog", ""), (("right",), "cat", "")],
        ),
        ("A dog with a ball is on the left.", [(("left",), "dog", "")]),
        ("A dog near a bench on the left sleeps.", [(("left",), "dog/bench", "")]),
    ],
)
def test_place_is_said_of_the_things_of_its_clause(text: str, found: list[tuple[tuple[str, ...], str, str]]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "The dog is right next to the cat.",
        "The dog raises its left paw.",
        "He has a dog in his left hand.",
        "The dog has the right of way.",
        "A dog turned right.",
        "The dog is turning to the right.",
        "The dog looks to the left.",
        "The dog is on top of the bed.",
        "The dog was left behind.",
        "The dog isn't on the right.",
        "The dog is in the middle.",
        "There are dogs on the left and right.",
        "A dog",
    ],
)
def test_other_senses_and_denied_places_place_nothing(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("text", ["It is on the right.", "One is on the right.", "On the right.", "Right."])
def test_pronoun_or_a_bare_place_is_of_what_the_text_was_about(text: str) -> None:
    assert read(text, "A dog") == [(("right",), "dog", "")]
    assert read(text) == []
