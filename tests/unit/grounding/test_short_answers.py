"""Answers that leave it to their question what they claim."""

import pytest

from instructgen.records import Box
from tests.support.claims import find_claims, image, tell

DOG = image(
    "A brown dog lies beside a red ball.|The brown dog rests on the grass.", Box("dog", 0.05, 0.3, 0.25, 0.6), "cup"
)

ANSWERS = [
    ("Is there a dog?", "Yes.", ["object supported: Yes"]),
    ("Is there a dog?", "No.", ["object contradicted: No"]),
    ("Is there a dog?", "Yes, there is.", ["object supported: Yes"]),
    ("Is there a cat?", "Yes.", ["object contradicted: Yes"]),
    ("Is there a cat?", "Nope.", ["object supported: Nope"]),
    ("Is there a cat?", "I believe there is.", ["object contradicted: I"]),
    ("Is there a dog?", "It does not.", ["object contradicted: It"]),
    ("Is there a dog?", "No, there is no dog.", ["object contradicted: no dog"]),
    ("Is there no dog?", "Yes.", ["object contradicted: Yes"]),
    ("Is there no dog?", "No.", ["object supported: No"]),
    ("Is there a cat or a dog?", "A dog.", ["object supported: A dog"]),
    ("Is there a blue dog?", "Yes.", ["object supported: Yes", "colour contradicted: Yes"]),
    ("Is this a brown dog?", "No.", ["colour contradicted: No"]),
    ("Is this a blue dog?", "No.", []),
    ("Is this a brown dog?", "No, it is not only brown.", []),
    ("Is the dog on the left?", "Yes.", ["object supported: Yes", "position supported: Yes"]),
    ("Is the dog on the right?", "Yes.", ["object supported: Yes", "position contradicted: Yes"]),
    ("How many dogs are there?", "One.", ["count supported: One"]),
    ("How many dogs are there?", "Three.", ["count contradicted: Three"]),
    ("How many dogs are there?", "I count 3.", ["count contradicted: 3"]),
    ("What color is the dog?", "Brown.", ["colour supported: Brown"]),
    ("What color is the dog?", "Blue.", ["colour contradicted: Blue"]),
    ("What color is the dog?", "Blue and white.", ["colour contradicted: Blue and white"]),
    ("Is the dog brown or blue?", "Blue.", ["colour contradicted: Blue"]),
    ("Where is the dog?", "On the left.", ["position supported: On the left"]),
    ("Where is the dog?", "Right.", ["position contradicted: Right"]),
    ("Where is the dog?", "In the right corner.", ["position contradicted: In the right corner"]),
    ("Where is the dog?", "No, I see none.", ["object contradicted: No"]),
    ("What can't be seen here?", "A dog.", ["object contradicted: A dog"]),
    ("What can't be seen here?", "A cat.", ["object supported: A cat"]),
    ("What is there?", "Yes.", []),
    ("What is the dog doing?", "Resting.", []),
    ("How many dogs are there?", "Many.", []),
]


@pytest.mark.parametrize(("question", "answer", "told"), ANSWERS)
def test_short_answer_claims_what_its_question_asks(question: str, answer: str, told: list[str]) -> None:
    assert tell(find_claims(DOG, question, answer)) == told


def test_how_many_wants_a_total() -> None:
    record = image("Dogs.", *["dog"] * 4)
    assert tell(find_claims(record, "How many dogs are there?", "Three."), "count") == ["count contradicted: Three"]
    assert tell(find_claims(record, "How many dogs are there?", "Three dogs run."), "count") == [
        "count contradicted: Three dogs"
    ]
    assert tell(find_claims(record, "How many small dogs are there?", "Three."), "count") == [
        "count supported: Three"
    ]


def test_none_is_right_where_nothing_shows_one() -> None:
    assert tell(find_claims(DOG, "How many cats are there?", "None."), "count") == ["count supported: None"]


def test_it_may_stand_for_what_an_earlier_sentence_named() -> None:
    claims = find_claims(DOG, "I wonder whether it shows a dog. Does it?", "Yes.")
    assert all(one.truth != "contradicted" for one in claims)
    first = find_claims(
        DOG, "Is there a cat?", "No.", "I wonder whether this picture shows one. Does it not?", "Yes."
    )
    assert [one.turn for one in first][:1] == [1]


def test_only_the_first_sentence_leans_on_the_question() -> None:
    assert tell(find_claims(DOG, "Is there a cat?", "Hard to say! Yes.")) == []


def test_question_without_a_thing_asks_for_the_last_one() -> None:
    claims = find_claims(DOG, "What is there?", "A dog.", "What color is it?", "Blue.")
    assert tell(claims) == ["object supported: A dog", "colour contradicted: Blue"]
    assert [one.turn for one in claims] == [1, 3]
