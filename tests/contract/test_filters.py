"""What holds for every filter in the table, and how the table is made into a build's filters."""

from pathlib import Path

import msgspec
import pytest

from instructgen.config import FiltersConfig
from instructgen.errors import InstructgenError
from instructgen.filters import CORPUS_FILTERS, FILTERS, make_corpus_filters, make_filters
from instructgen.filters.diversity import DiversitySelection
from instructgen.filters.length import AnswerLength, WordLimits
from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.prompting.prompts import load_prompt, load_questions
from instructgen.records import ImageRecord, Message, Sample
from instructgen.sample_types import PROMPTED_TYPES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "filters.md"
RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A brown dog lies beside a red ball.",), ())
GOOD = Sample(
    "own/1/conv/0",
    "own/1",
    "conv",
    (
        Message("user", "What lies beside the dog?"),
        Message("assistant", "A red ball lies beside it."),
        Message("user", "Why might the dog rest there?"),
        Message("assistant", "It may have played with the ball for a while and is tired now."),
    ),
    (),
    {},
)
FAULTY = {
    "leakage": "There is no mention of a cat.",
    "control_strings": "A dog.</s>",
    "length": "dog " * 401,
    "refusal": "I'm sorry, but I cannot see the image.",
    "repetition": "The dog sleeps on the mat. " * 5,
    "language": "Der Hund liegt auf der Matte und schläft.",
    "relevance": "Yes.",
    "given_away": "A dog.",
    "answerable": "The dog is called Rex.",
    "grounding": "There is a zebra beside the dog.",
    "personal_data": "Write to jane.doe@example.org for the dog.",
    "toxicity": "The man is a fucking idiot.",
}
QUESTIONS = {
    "given_away": "What kind of animal is the brown dog?",
    "answerable": "What is the name of the dog?",
}
DEFAULTS = [
    *("leakage", "control_strings", "refusal", "length", "repetition", "language", "relevance", "given_away"),
    *("answerable", "grounding"),
]


@pytest.mark.parametrize("name", FILTERS)
def test_filter_is_a_frozen_struct_with_a_default_for_every_option(name: str) -> None:
    rule = FILTERS[name]()
    assert isinstance(rule, msgspec.Struct)
    assert rule.__struct_config__.frozen
    assert rule.__struct_config__.forbid_unknown_fields
    assert rule == FILTERS[name]()


@pytest.mark.parametrize("name", FILTERS)
def test_good_sample_gets_a_score_and_no_fault(name: str) -> None:
    verdict = FILTERS[name]().check(GOOD, RECORD)
    assert verdict.fault is None
    assert isinstance(verdict.score, float)


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_answer_gets_a_reason_that_the_filter_declares(name: str) -> None:
    turns = (Message("user", QUESTIONS.get(name, "What is there?")), Message("assistant", FAULTY[name]))
    fault = FILTERS[name]().check(Sample("own/1/conv/0", "own/1", "conv", turns, (), {}), RECORD).fault
    assert fault is not None
    assert fault.reason in FILTERS[name].reasons  # type: ignore[attr-defined]
    assert 0 < len(fault.detail) <= 80
    assert "\n" not in fault.detail


@pytest.mark.parametrize("name", FILTERS)
def test_check_changes_nothing_and_answers_the_same_again(name: str) -> None:
    rule = FILTERS[name]()
    before = msgspec.json.encode(GOOD)
    assert rule.check(GOOD, RECORD) == rule.check(GOOD, RECORD)
    assert msgspec.json.encode(GOOD) == before


@pytest.mark.parametrize("name", FILTERS)
def test_sample_without_words_is_judged_without_an_error(name: str) -> None:
    for turns in ((), (Message("user", ""), Message("assistant", ""))):
        FILTERS[name]().check(Sample("own/1/conv/0", "own/1", "conv", turns, (), {}), RECORD)


@pytest.mark.parametrize("name", [*FILTERS, *CORPUS_FILTERS])
def test_reason_words_and_options_are_documented(name: str) -> None:
    rule = FILTERS.get(name) or CORPUS_FILTERS[name]
    docs = DOCS.read_text(encoding="utf-8")
    assert f"## {name}\n" in docs
    section = docs.partition(f"## {name}\n")[2].partition("\n## ")[0]
    for reason in rule.reasons:  # type: ignore[attr-defined]
        assert reason.isidentifier()
        assert f"`{reason}`" in section
    for option in rule.__struct_fields__:  # type: ignore[attr-defined]
        assert f"`{option}`" in section


@pytest.mark.parametrize("name", CORPUS_FILTERS)
def test_filter_over_the_dataset_is_a_frozen_struct_with_defaults(name: str) -> None:
    rule = CORPUS_FILTERS[name]()
    assert isinstance(rule, msgspec.Struct)
    assert rule.__struct_config__.frozen
    assert rule.__struct_config__.forbid_unknown_fields


def test_no_name_is_in_both_tables() -> None:
    assert not FILTERS.keys() & CORPUS_FILTERS.keys()


@pytest.mark.parametrize("sample_type", PROMPTED_TYPES)
def test_shipped_examples_pass_every_filter(sample_type: str) -> None:
    for shot in load_prompt(None, sample_type).shots:
        sample = Sample(f"{shot.record.image_id}/0", shot.record.image_id, sample_type, shot.turns, (), {})
        faults = [rule.check(sample, shot.record).fault for rule in make_filters(FiltersConfig()).values()]
        assert set(faults) == {None}


@pytest.mark.parametrize("name", ["detail", "brief"])
def test_shipped_questions_pass_every_filter(name: str) -> None:
    for question in load_questions(None, name):
        sample = Sample("own/1/conv/0", "own/1", "conv", (Message("user", question), *GOOD.turns[1:]), (), {})
        faults = [rule.check(sample, RECORD).fault for rule in make_filters(FiltersConfig()).values()]
        assert set(faults) == {None}, question


def test_default_filters_are_used_in_the_tables_order() -> None:
    assert [name for name in make_filters(FiltersConfig()) if name in DEFAULTS] == DEFAULTS
    assert make_corpus_filters(FiltersConfig()) == {}


def test_optional_filter_is_used_where_it_is_named() -> None:
    assert list(make_filters(FiltersConfig(use=("toxicity", "leakage")))) == ["leakage", "toxicity"]
    assert list(make_corpus_filters(FiltersConfig(use=("diversity", "contamination")))) == [
        "contamination",
        "diversity",
    ]
    assert make_corpus_filters(FiltersConfig(use=("leakage",))) == {}


def test_default_in_use_stands_for_all_that_are_used_anyway() -> None:
    config = FiltersConfig(use=("default", "toxicity"))
    assert list(make_filters(config)) == [*make_filters(FiltersConfig()), "toxicity"]
    assert make_corpus_filters(config) == {}


def test_options_of_an_optional_filter_turn_it_on_where_nothing_is_named() -> None:
    options = {"diversity": {"max_samples": 9}, "near_duplicate": {"threshold": 0.9}}
    assert make_corpus_filters(FiltersConfig(options=options)) == {
        "near_duplicate": NearDuplicate(threshold=0.9),
        "diversity": DiversitySelection(max_samples=9),
    }
    assert make_corpus_filters(FiltersConfig(use=("near_duplicate",), options=options)).keys() == {"near_duplicate"}


def test_order_of_use_does_not_matter() -> None:
    assert list(make_filters(FiltersConfig(use=("refusal", "leakage")))) == ["leakage", "refusal"]
    assert make_filters(FiltersConfig(use=())) == {}


def test_options_reach_their_filter() -> None:
    config = FiltersConfig(options={"length": {"max_question_words": 9, "conv": {"min_words": 2, "max_words": 7}}})
    assert make_filters(config)["length"] == AnswerLength(max_question_words=9, conv=WordLimits(2, 7))


@pytest.mark.parametrize("config", [FiltersConfig(use=("leekage",)), FiltersConfig(options={"leekage": {}})])
def test_unknown_filter_is_named_with_those_there_are(config: FiltersConfig) -> None:
    with pytest.raises(InstructgenError, match="no filter called 'leekage'; there are: leakage, control_strings"):
        make_filters(config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repetition": {"max_share": 0.1}}, r"\[filters.options.repetition\]: .*unknown field `max_share`"),
        ({"repetition": {"max_fraction": 2}}, r"\[filters.options.repetition\]: .*max_fraction"),
        ({"length": {"conv": {"min_words": 0, "max_words": 5}}}, r"\[filters.options.length\]: .*conv.min_words"),
        ({"leakage": {"strict": True}}, r"\[filters.options.leakage\]: .*strict"),
        ({"near_duplicate": {"threshold": 0.1}}, r"\[filters.options.near_duplicate\]: .*threshold"),
        ({"diversity": {"max_fraction": 0}}, r"\[filters.options.diversity\]: .*max_fraction"),
        ({"default": {"n": 1}}, "no filter called 'default'"),
    ],
)
def test_bad_option_is_named_with_its_place(options: dict[str, dict[str, object]], message: str) -> None:
    config = FiltersConfig(options=options)
    with pytest.raises(InstructgenError, match=message):
        (make_filters(config), make_corpus_filters(config))
