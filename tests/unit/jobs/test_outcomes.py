import random
from collections.abc import Sequence

import pytest

from instructgen.config import FiltersConfig
from instructgen.errors import InstructgenError
from instructgen.filters import make_filters
from instructgen.jobs.outcomes import Judge, Tally, check_types
from instructgen.records import Failed, Message, Rejected, Sample
from instructgen.sample_types import SAMPLE_TYPES
from tests.support.make import make_reply, make_sample, make_unit

GOOD = "Question:\nWhat lies on the grass?\n===\nAnswer:\nA brown dog lies beside a red ball."


def make_judge(
    seed: int = 0, questions: Sequence[str] = ("Describe it.", "Tell me more.", "What is there?")
) -> Judge:
    by_type = {"conv": (), "detail": tuple(questions), "reasoning": ()}
    return Judge(SAMPLE_TYPES, by_type, make_filters(FiltersConfig()), seed)


def test_good_reply_becomes_a_sample_with_a_score_for_each_filter() -> None:
    outcome = make_judge().judge(make_unit(), make_reply(text=GOOD))
    assert isinstance(outcome, Sample)
    assert outcome.sample_id == "coco/000000000001/conv/0"
    assert [turn.content for turn in outcome.turns] == [
        "What lies on the grass?",
        "A brown dog lies beside a red ball.",
    ]
    assert set(outcome.checks) == set(make_filters(FiltersConfig()))


@pytest.mark.parametrize(
    ("changes", "stage", "reason"),
    [
        ({"finish_reason": "length"}, "teacher", "truncated_reply"),
        ({"finish_reason": "content_filter"}, "teacher", "content_filtered"),
        ({"text": ""}, "parse", "empty_reply"),
        ({"text": GOOD.replace("A brown", "The caption says a brown")}, "filter", "source_leak"),
    ],
)
def test_bad_reply_is_rejected_at_its_stage(changes: dict[str, object], stage: str, reason: str) -> None:
    outcome = make_judge().judge(make_unit(), make_reply(**{"text": GOOD, **changes}))
    assert isinstance(outcome, Rejected)
    assert (outcome.record_id, outcome.stage, outcome.reason) == ("coco/000000000001/conv", stage, reason)


def test_failure_keeps_its_reason_and_gets_the_units_id() -> None:
    outcome = make_judge().judge(make_unit(), Failed("request", "teacher", "timeout", "after 120 s"))
    assert outcome == Failed("coco/000000000001/conv", "teacher", "timeout", "after 120 s")


def test_question_of_a_description_is_drawn_by_seed_and_image_alone() -> None:
    text = "A brown dog lies on the grass of a park. " * 1 + " ".join(f"word{n}" for n in range(40)) + "."
    drawn = {}
    for seed in range(20):
        outcome = make_judge(seed).judge(make_unit(sample_type="detail"), make_reply(text=text))
        again = make_judge(seed).judge(make_unit(sample_type="detail"), make_reply(text=text))
        assert isinstance(outcome, Sample)
        assert outcome == again
        drawn[seed] = outcome.turns[0].content
    assert set(drawn.values()) == {"Describe it.", "Tell me more.", "What is there?"}


def test_counts_add_up_over_random_outcomes() -> None:
    draw = random.Random(1)
    tally = Tally(("conv", "detail"))
    for _ in range(500):
        for name in tally.types:
            outcome = draw.choice(
                [make_sample(), Rejected("x", "parse", "empty_reply"), Failed("x", "teacher", "timeout")]
            )
            tally.count(name, outcome)
    counts = tally.close(500)
    for name in ("conv", "detail"):
        assert counts.accepted[name] + counts.rejected[name] + counts.failed[name] == counts.planned[name] == 500
        assert sum(counts.reasons[name].values()) == counts.rejected[name] + counts.failed[name]


def test_unit_that_was_lost_is_a_bug_that_shows() -> None:
    tally = Tally(("conv",))
    tally.count("conv", make_sample())
    with pytest.raises(AssertionError, match="1 outcomes for 2 units"):
        tally.close(2)


@pytest.mark.parametrize("types", [(), ("haiku",), ("conv", "conv")])
def test_bad_types_are_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(InstructgenError):
        check_types(types, SAMPLE_TYPES)


def test_what_a_cut_leaves_must_pass_all_filters() -> None:
    options: dict[str, dict[str, object]] = {
        "grounding": {"on_fault": "cut"},
        "length": {"detail": {"min_words": 12, "max_words": 99}},
    }
    by_type: dict[str, tuple[str, ...]] = {"conv": (), "detail": ("Describe it.",), "reasoning": ()}
    judge = Judge(SAMPLE_TYPES, by_type, make_filters(FiltersConfig(options=options)), 0)
    answer = "A dog is here. A large zebra stands right behind it in the grass today."
    turns = (Message("user", "Describe it."), Message("assistant", answer))
    judged = judge.sift(make_unit(sample_type="detail"), turns, ("r",))
    assert isinstance(judged.outcome, Rejected)
    assert judged.outcome.reason == "answer_too_short"
    assert judged.changed_by == ("grounding",)
    assert judged.turns[-1].content == "A dog is here."
