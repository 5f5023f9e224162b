"""How long turns may be, type by type."""

import pytest

from instructgen.filters.length import AnswerLength, WordLimits
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())


def make_sample(sample_type: str, *answers: str, question: str = "What is there?") -> Sample:
    turns = tuple(turn for text in answers for turn in (Message("user", question), Message("assistant", text)))
    return Sample(f"own/1/{sample_type}/0", "own/1", sample_type, turns, (), {})


def words(count: int) -> str:
    return " ".join(["dog"] * count)


@pytest.mark.parametrize(
    ("sample_type", "num_words", "reason"),
    [
        ("conv", 1, None),
        ("conv", 400, None),
        ("conv", 401, "answer_too_long"),
        ("detail", 11, "answer_too_short"),
        ("detail", 12, None),
        ("detail", 360, None),
        ("detail", 361, "answer_too_long"),
        ("reasoning", 9, "answer_too_short"),
        ("reasoning", 10, None),
        ("reasoning", 500, None),
        ("reasoning", 501, "answer_too_long"),
        ("brief", 1, None),
        ("brief", 501, "answer_too_long"),
    ],
)
def test_limits_include_their_ends(sample_type: str, num_words: int, reason: str | None) -> None:
    fault = AnswerLength().check(make_sample(sample_type, words(num_words)), RECORD).fault
    assert (fault.reason if fault else None) == reason


def test_question_of_more_than_eighty_words_is_rejected() -> None:
    assert AnswerLength().check(make_sample("conv", "Yes.", question=words(80)), RECORD).fault is None
    fault = AnswerLength().check(make_sample("conv", "Yes.", question=words(81)), RECORD).fault
    assert fault is not None
    assert fault.reason == "question_too_long"
    assert fault.detail == "81 words, at most 80 allowed"


def test_score_is_the_mean_of_the_answers() -> None:
    assert AnswerLength().check(make_sample("conv", words(3), words(5)), RECORD).score == 4.0


def test_each_answer_is_judged_by_itself() -> None:
    strict = AnswerLength(conv=WordLimits(2, 10))
    fault = strict.check(make_sample("conv", words(9), "Yes."), RECORD).fault
    assert fault is not None
    assert fault.reason == "answer_too_short"
    assert strict.check(make_sample("conv", words(9), words(9)), RECORD).fault is None
