"""Questions that no picture answers."""

import pytest

from instructgen.filters.answerable import AnswerableQuestion
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

UNANSWERABLE = [
    "What is the name of the man on the bench?",
    "What's the dog's name?",
    "What is the woman's last name?",
    "Who owns the couch?",
    "Who built this bridge?",
    "How much does the refrigerator cost?",
    "How expensive is the car?",
    "What is the price of the cake?",
    "What is the most expensive thing in the room?",
    "Where do you live?",
    "What is your favorite animal?",
    "Have you ever seen a bear?",
    "Do you like pizza?",
    "How old is the man?",
    "What is the capital of England?",
]
ANSWERABLE = [
    "What do you see in the picture?",
    "Can you describe the scene?",
    "Could you tell me how many dogs there are?",
    "What is the name of the sport that is played?",
    "What is the name on the sign?",
    "Who is riding the horse?",
    "How many people are there?",
    "Why might the man have stopped?",
    "What is the most prominent object?",
    "What color is your guess for the car?",
    "Do you notice a cat?",
    "Where do you think this photo was taken?",
    "Are there any dogs?",
]


def make_sample(*questions: str, sample_type: str = "conv") -> Sample:
    turns = tuple(turn for asked in questions for turn in (Message("user", asked), Message("assistant", "A dog.")))
    return Sample("own/1/conv/0", "own/1", sample_type, turns, (), {})


@pytest.mark.parametrize("question", UNANSWERABLE)
def test_what_no_picture_shows_is_rejected(question: str) -> None:
    fault = AnswerableQuestion().check(make_sample(question), RECORD).fault
    assert fault is not None
    assert fault.reason == "unanswerable_question"


@pytest.mark.parametrize("question", ANSWERABLE)
def test_what_a_picture_may_show_passes(question: str) -> None:
    assert AnswerableQuestion().check(make_sample(question), RECORD).fault is None


def test_other_types_may_ask_what_they_like() -> None:
    assert AnswerableQuestion().check(make_sample("Who owns it?", sample_type="reasoning"), RECORD).fault is None


def test_cut_keeps_the_other_questions() -> None:
    verdict = AnswerableQuestion(on_fault="cut").check(make_sample("Who owns it?", "What is it?"), RECORD)
    assert verdict.fault is None
    assert verdict.turns == make_sample("What is it?").turns
    assert verdict.score == 0.5


def test_cut_rejects_where_nothing_is_left() -> None:
    assert AnswerableQuestion(on_fault="cut").check(make_sample("Who owns it?"), RECORD).fault is not None
