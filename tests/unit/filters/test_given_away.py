"""Questions that give their answer away."""

import pytest

from instructgen.filters.given_away import GivenAway
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

GIVEN = [
    ("What color is the red car?", "Red."),
    ("What color is the red car?", "The car is red."),
    ("What kind of animal is the brown dog?", "A dog."),
    ("How many of the two men wear hats?", "Two."),
    ("What is the person who rides a horse doing?", "The person is riding a horse."),
    ("Where is the dog that sleeps on the couch?", "On the couch."),
    ("What is the man with the umbrella holding?", "An umbrella."),
    ("Which animal is next to the cat and its kittens?", "A kitten."),
]
HARMLESS = [
    ("What color is the bed, yellow or pink?", "The bed is yellow."),
    ("What color is the car?", "Red."),
    ("What color is the red car's roof?", "White."),
    ("Is the car red?", "The car is red."),
    ("Is there a dog?", "Yes, there is a dog."),
    ("Can you see a dog in the picture?", "A dog."),
    ("Which is larger, the bed or the chair?", "The bed."),
    ("Is it a boy or a girl?", "A girl."),
    ("Between a bus and a bench, which one is missing?", "The bench."),
    ("How many dogs are there?", "There is a dog."),
    ("How many dogs are there?", "There are no dogs."),
    ("Where is the dog?", "The dog is behind it."),
    ("What does the photo show?", "The photo shows a dog."),
    ("What is it?", "It is."),
    ("Describe the dog on the mat.", "A dog on a mat."),
    (
        "What do the men who play tennis and the women who play tennis with the men do on the tennis court?",
        "The men play tennis with the women, and the women play tennis with the men.",
    ),
]


def make_sample(*pairs: tuple[str, str]) -> Sample:
    turns = tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize(("question", "answer"), GIVEN)
def test_short_answer_that_stands_in_the_question_is_rejected(question: str, answer: str) -> None:
    fault = GivenAway().check(make_sample((question, answer)), RECORD).fault
    assert fault is not None
    assert fault.reason == "answer_in_question"


@pytest.mark.parametrize(("question", "answer"), HARMLESS)
def test_answer_that_the_question_leaves_open_passes(question: str, answer: str) -> None:
    assert GivenAway().check(make_sample((question, answer)), RECORD).fault is None


def test_option_says_what_a_short_answer_is() -> None:
    sample = make_sample(("What color is the red car?", "The car is red."))
    assert GivenAway(max_answer_words=3).check(sample, RECORD).fault is None
    assert GivenAway(max_answer_words=4).check(sample, RECORD).fault is not None


def test_score_is_the_share_of_answers_given_away() -> None:
    sample = make_sample(("What color is the red car?", "Red."), ("What is behind it?", "A wall."))
    assert GivenAway().check(sample, RECORD).score == 0.5
