"""Questions to be answered with no, where a conversation always says yes."""

import pytest

from instructgen.evaluate.pope import read_answer
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.yes_bias import YesBias
from instructgen.grounding.check import check_turns
from instructgen.grounding.evidence import read_evidence
from instructgen.records import Box, ImageRecord, Message, Sample

RECORD = ImageRecord(
    "own/1",
    "1.jpg",
    640,
    480,
    ("A red bus on a street.", "The red bus stops.", "A bus beside a dog."),
    (Box("bus", 0.1, 0.1, 0.6, 0.8), Box("dog", 0.7, 0.6, 0.9, 0.9)),
)
YES = (Message("user", "Is there a bus?"), Message("assistant", "Yes, there is a bus."))
NO = (Message("user", "Is there a cat?"), Message("assistant", "No, there is no cat."))
OPEN = (Message("user", "Where is the bus?"), Message("assistant", "It is on a street."))


def make_sample(*turns: Message, number: int = 0, sample_type: str = "conv") -> Sample:
    return Sample(f"own/{number}/conv/0", f"own/{number}", sample_type, turns, (), {})


def test_as_many_noes_are_added_as_yeses_are_over() -> None:
    verdict = YesBias().check(make_sample(*YES, *OPEN), RECORD)
    assert verdict.score == 1
    assert verdict.turns is not None
    assert verdict.turns[:4] == (*YES, *OPEN)
    assert len(verdict.turns) == 6


@pytest.mark.parametrize("turns", [(*OPEN,), (*YES, *NO), (*NO,)])
def test_conversation_that_is_balanced_is_left_alone(turns: tuple[Message, ...]) -> None:
    verdict = YesBias().check(make_sample(*turns), RECORD)
    assert (verdict.score, verdict.turns) == (0, None)


def test_other_types_are_left_alone() -> None:
    assert YesBias().check(make_sample(*YES, sample_type="reasoning"), RECORD).turns is None


def test_no_more_than_allowed_are_added() -> None:
    turns = YES + (Message("user", "Is the bus red?"), Message("assistant", "Yes.")) * 4
    assert YesBias(max_added=3).check(make_sample(*turns), RECORD).score == 3


@pytest.mark.parametrize("number", range(60))
def test_what_is_added_is_true_says_no_and_leaks_nothing(number: int) -> None:
    verdict = YesBias().check(make_sample(*YES, *YES, number=number), RECORD)
    assert verdict.turns is not None
    added = verdict.turns[4:]
    assert not check_turns(added, read_evidence(RECORD)).faults
    assert all(read_answer(turn.content) == "no" for turn in added if turn.role == "assistant")
    assert SourceLeakage().check(make_sample(*added), RECORD).fault is None


def test_a_color_is_asked_for_with_the_article_that_fits_it() -> None:
    added = set()
    for number in range(2000):
        turns = YesBias(max_added=1).check(make_sample(*YES, *YES, number=number), RECORD).turns
        assert turns is not None
        added.add(turns[4:])
    asked = {question.content for question, _ in added}
    assert {"Does the bus have an orange color?", "Does the bus have a blue color?"} & asked
    assert not any("a orange" in question for question in asked)
    assert not any(check_turns(turns, read_evidence(RECORD)).faults for turns in added)


def test_the_same_sample_gets_the_same_questions() -> None:
    sample = make_sample(*YES)
    assert YesBias().check(sample, RECORD) == YesBias().check(sample, RECORD)
    other = make_sample(*YES, number=7)
    assert YesBias().check(sample, RECORD).turns != YesBias().check(other, RECORD).turns
