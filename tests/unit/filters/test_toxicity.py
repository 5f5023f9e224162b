"""Obscene words and slurs."""

import sys

import pytest

from instructgen.errors import InstructgenError
from instructgen.filters.toxicity import OffensiveText
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog.",), ())

OFFENSIVE = ["The man is a fucking idiot.", "What a BITCH.", "He looks like a retard.", "That is bullshit."]
HARMLESS = [
    "A dog is tied up to a fire hydrant.",
    "A big black bear walks by the river.",
    "A girl on a skateboard; a boy with a hoe.",
    "The cock crows, and a great tit sits on a twig.",
    "The assassin bug sits on the glass in Scunthorpe.",
    "A classic cocktail stands on the table.",
]


def make_sample(answer: str) -> Sample:
    turns = (Message("user", "What is there?"), Message("assistant", answer))
    return Sample("own/1/conv/0", "own/1", "conv", turns, (), {})


@pytest.mark.parametrize("answer", OFFENSIVE)
def test_offensive_word_is_rejected(answer: str) -> None:
    fault = OffensiveText().check(make_sample(answer), RECORD).fault
    assert fault is not None
    assert fault.reason == "offensive_text"


@pytest.mark.parametrize("answer", HARMLESS)
def test_harmless_sense_passes(answer: str) -> None:
    assert OffensiveText().check(make_sample(answer), RECORD).fault is None


def test_list_of_allowed_words_can_be_changed() -> None:
    sample = make_sample("A cock on the roof.")
    assert OffensiveText(allow=()).check(sample, RECORD).fault is not None
    assert OffensiveText(allow=("cock",)).check(sample, RECORD).fault is None


def test_other_languages_have_lists_too() -> None:
    sample = make_sample("So ein Arschloch.")
    assert OffensiveText().check(sample, RECORD).fault is None
    assert OffensiveText(languages=("english", "german")).check(sample, RECORD).fault is not None
    with pytest.raises(InstructgenError, match="no words for 'klingon'; there are: arabic"):
        OffensiveText(languages=("klingon",))


def test_missing_library_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "glin_profanity", None)
    with pytest.raises(InstructgenError, match=r"pip install instructgen\[safety\]"):
        OffensiveText(allow=("only here",))
