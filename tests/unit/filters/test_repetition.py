"""Answers that go round in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructgen.filters.repetition import RepeatedText
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

LOOPS = [
    "the dog " * 20,
    "A brown dog sleeps on the mat. " * 4,
    "The man holds a red cup in his hand and the man holds a red cup in his hand.",
    "There is a person on the left. There is a person on the left. There is a person on the right.",
]

HARMLESS = [
    "",
    "Yes.",
    "Yes, yes, yes, yes.",
    "A red cup is on the table and a blue cup is on the chair.",
    "The man on the left side of the table and the woman on the right side of the table both smile.",
    "1. Look to the left.\n2. Look to the right.\n3. Cross when the road is free.",
]


def make_sample(*pairs: tuple[str, str]) -> Sample:
    turns = tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", LOOPS)
def test_answer_in_circles_is_rejected(answer: str) -> None:
    verdict = RepeatedText().check(make_sample(("What is there?", answer)), RECORD)
    assert verdict.score > 0.15
    assert verdict.fault is not None
    assert verdict.fault.reason == "repeated_text"


@pytest.mark.parametrize("answer", HARMLESS)
def test_ordinary_answer_passes(answer: str) -> None:
    assert RepeatedText().check(make_sample(("What is there?", answer)), RECORD).fault is None


def test_answers_that_share_words_are_not_punished_for_each_other() -> None:
    answer = "The brown dog sleeps on a mat in front of the door."
    sample = make_sample(("Where is the dog?", answer), ("What is on the mat?", answer))
    assert RepeatedText().check(sample, RECORD).score == 0.0
    assert RepeatedText().check(sample, RECORD).fault is None


def test_same_question_twice_is_rejected_whatever_its_case_and_mark() -> None:
    sample = make_sample(("What is there?", "A dog."), ("what is  there", "A mat."))
    fault = RepeatedText().check(sample, RECORD).fault
    assert fault is not None
    assert fault.detail == "what is there"


def test_similar_questions_pass() -> None:
    sample = make_sample(("What is on the left?", "A dog."), ("What is on the right?", "A mat."))
    assert RepeatedText().check(sample, RECORD).fault is None


def test_share_at_the_limit_passes() -> None:
    sample = make_sample(("What?", "a b c a b d e f g"))
    share = RepeatedText(n=2).check(sample, RECORD).score
    assert share == 1 / 8
    assert RepeatedText(n=2, max_fraction=share).check(sample, RECORD).fault is None


def share_of_copies(words: list[str], n: int) -> float:
    """The plain way: count each n-gram that an earlier place has."""
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    copies = sum(gram in grams[:place] for place, gram in enumerate(grams))
    return copies / len(grams) if grams else 0.0


@given(st.lists(st.sampled_from(["dog", "cat", "mat"]), max_size=30), st.integers(2, 6))
def test_score_is_the_share_of_copied_ngrams(words: list[str], n: int) -> None:
    sample = make_sample(("What?", " ".join(words)))
    assert RepeatedText(n=n).check(sample, RECORD).score == pytest.approx(share_of_copies(words, n))
