"""What a question asks, and of what."""

import pytest

from instructgen.grounding.questions import read_question

ASKED = [
    ("Is there a dog?", "existence", "dog"),
    ("Can you see any cats in the image?", "existence", "cat"),
    ("Tell me whether there is a cat.", "existence", "cat"),
    ("Do you know if there is a cat?", "existence", "cat"),
    ("Is the dog brown?", "whether", "dog"),
    ("Is the dog next to the cat?", "whether", "dog"),
    ("There is a man. Does he wear a hat?", "whether", "hat"),
    ("How many dogs are there?", "number", "dog"),
    ("What is the number of dogs?", "number", "dog"),
    ("In the room, how many of the chairs are red?", "number", "chair"),
    ("What color is the dog?", "colour", "dog"),
    ("Is the bus red or blue?", "colour", "bus"),
    ("Where is the dog?", "place", "dog"),
    ("On which side is the dog?", "place", "dog"),
    ("What is the dog doing?", "other", "dog"),
    ("Are there two dogs?", "whether", "dog"),
    ("What if there were a cat?", "other", "cat"),
    ("Who is it?", "other", None),
    ("", "other", None),
]


@pytest.mark.parametrize(("text", "asks", "subject"), ASKED)
def test_question_is_known_by_its_words(text: str, asks: str, subject: str | None) -> None:
    found = read_question(text)
    assert found.asks == asks
    assert (found.subject.lemma if found.subject else None) == subject


def test_only_the_last_question_of_a_turn_is_read() -> None:
    found = read_question("I like dogs! Here is a picture. Is there a cat in it?")
    assert [phrase.category for phrase in found.phrases if phrase.category] == ["cat"]


def test_thing_of_a_question_is_not_supposed_but_may_be_denied() -> None:
    (cat,) = read_question("Might there be a cat?").phrases
    assert cat.is_asserted
    (dog,) = read_question("Is there no dog?").phrases
    assert dog.is_negated


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("What can't be seen here?", True),
        ("Which of these is missing?", True),
        ("What can be seen here?", False),
        ("Is the dog missing?", False),
    ],
)
def test_question_for_what_is_not_there(text: str, is_so: bool) -> None:
    assert read_question(text).asks_what_is_not is is_so
