"""Whole replies, many of them: builds can read them, their English is sound, and the filters let them pass."""

import random
import re
from functools import cache

import inflect
import pytest

from instructgen.config import Style
from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.grounding import Grounding
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.refusal import Refusal
from instructgen.filters.repetition import RepeatedText
from instructgen.records import Fault, ImageRecord, Message, Sample
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.teachers.scene_program import Task, write_text
from instructgen.teachers.scene_program.wordings import STYLES
from tests.unit.teachers.scene_program.making import at, make, read_bundled
from tests.unit.teachers.scene_program.test_generators import MADE

TYPES = ("conv", "detail", "reasoning", "negative", "referring")


@cache
def bundled() -> tuple[ImageRecord, ...]:
    return tuple(read_bundled(20))


@cache
def replies(sample_type: str, style: Style) -> tuple[tuple[ImageRecord, str], ...]:
    found = ((one, write_text(Task(sample_type, one), 7, style)) for one in (*MADE, *bundled()))
    return tuple((record, text) for record, text in found if text)


def turns_of(sample_type: str, text: str) -> tuple[Message, ...]:
    turns = SAMPLE_TYPES[sample_type].parse(text, ["What is this?"], random.Random(0))
    assert not isinstance(turns, Fault), text
    return turns


def all_contents() -> list[str]:
    return [
        turn.content
        for kind in TYPES
        for style in STYLES
        for _, text in replies(kind, style)
        for turn in turns_of(kind, text)
    ]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample_type", TYPES)
def test_reply_is_read_back_by_its_sample_type(sample_type: str, style: Style) -> None:
    pairs = {"conv": range(2, 7), "detail": [1], "reasoning": [1], "negative": range(2, 6), "referring": range(2, 6)}
    assert len(replies(sample_type, style)) > 60
    for _, text in replies(sample_type, style):
        turns = turns_of(sample_type, text)
        assert [turn.role for turn in turns[:2]] == ["user", "assistant"]
        assert len(turns) // 2 in pairs[sample_type]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample_type", TYPES)
def test_reply_passes_the_grounding_filter(sample_type: str, style: Style) -> None:
    """What the program proves, the filter finds no fault with, over the bundled sample."""
    turned_away = []
    for record, text in replies(sample_type, style):
        if record.image_id.startswith("sample/"):
            sample = Sample("s", record.image_id, sample_type, turns_of(sample_type, text), ("r1",), {})
            fault = Grounding().check(sample, record).fault
            turned_away += [f"{record.image_id}: {fault.reason}: {fault.detail}"] if fault is not None else []
    assert turned_away == []


def test_reply_passes_the_other_filters() -> None:
    filters = (SourceLeakage(), ControlStrings(), Refusal(), RepeatedText())
    faults = [
        (record.image_id, kind, style, fault)
        for kind in TYPES
        for style in STYLES
        for record, text in replies(kind, style)
        for one in filters
        if (fault := one.check(Sample("s", record.image_id, kind, turns_of(kind, text), ("r",), {}), record).fault)
    ]
    assert faults == []


def test_article_is_right_to_inflects_ear() -> None:
    oracle = inflect.engine()
    words = {found for text in all_contents() for found in re.findall(r"\b([Aa]n?) ([a-z]+)", text)}
    assert len(words) > 100
    assert [pair for pair in sorted(words) if oracle.a(pair[1]).split()[0] != pair[0].lower()] == []


@pytest.mark.parametrize(
    "slip",
    [
        *(r"\.\.", r" [,.;:?!]", "  ", r"[{}]", r"^\s|\s$"),
        r"(?:^|[.?!] )[a-z]",
        r"\b(?!that\b|had\b)(\w+) \1\b",
        *(r"\b(?:the|an?) (?:the|an?)\b", r"\bthere is (?:two|three|four|several|many)\b", r"\bpersons\b"),
        *(
            r"(?<!shows )\bis (?:two|three|four|five|six) [a-z]+s\b",
            r"\bare an? [a-z]+\.$",
            r"\ba people\b",
            r"(?<!of )\bthe people is\b",
        ),
        *(r"\bnumber of (?:a|an|the one)\b", r"\bone [a-z]+ are\b", r"\ba [a-z]+(?:ch|sh|x)es\b", r"\ban? of\b"),
        r"\b(?:holding|catching|throwing|chasing|with|near) (?:frisbee|basketball|football|volleyball)\b",
    ],
)
def test_slip_of_grammar_does_not_occur(slip: str) -> None:
    assert [text for text in all_contents() if re.search(slip, text)] == []


@pytest.mark.parametrize("verb", ["holding", "catching", "throwing", "chasing"])
def test_thing_that_one_plays_with_has_its_article(verb: str) -> None:
    """One plays frisbee, but holds a frisbee."""
    who = "dog" if verb == "chasing" else "man"
    captions = (f"A {who} is {verb} a frisbee.", f"A {who} {verb} a frisbee.", f"A {who} is {verb} a frisbee.")
    record = make(captions, at("left", "dog" if who == "dog" else "person"), at("right", "frisbee"))
    told = " ".join(write_text(Task("conv", record), seed) for seed in range(20))
    assert f"{verb} a frisbee" in told.lower()
    assert f"{verb} frisbee" not in told.lower()


def test_question_is_a_question_or_a_request() -> None:
    asked = [
        turn.content
        for kind in TYPES
        if kind != "detail"
        for _, text in replies(kind, "plain")
        for turn in turns_of(kind, text)[::2]
    ]
    assert [one for one in asked if not one.endswith(("?", "."))] == []
    assert sum(one.endswith("?") for one in asked) > 0.6 * len(asked)
    # A model that learns from these is not to learn one way of asking.
    assert len({" ".join(one.split()[:3]) for one in asked}) > 0.25 * len(asked)
