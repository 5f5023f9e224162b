"""Samples that boxes and captions contradict, or do not bear out where they must."""

import pytest

from instructgen.filters.grounding import Grounding, GroundingLimits
from instructgen.records import Box, ImageRecord, Message, Sample, Verdict

RECORD = ImageRecord(
    "coco/1",
    "1.jpg",
    640,
    480,
    ("A brown dog lies beside a red ball.", "The dog rests on the grass."),
    (Box("dog", 0.1, 0.5, 0.45, 0.9), Box("sports ball", 0.7, 0.75, 0.8, 0.9)),
)
GOOD = ("What lies there?", "A brown dog lies beside a red ball.")
BAD = ("What else is there?", "A zebra stands behind the dog.")


def make_turns(*pairs: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))


def check(sample_type: str, *pairs: tuple[str, str], rule: Grounding | None = None) -> Verdict:
    sample = Sample(f"coco/1/{sample_type}/0", "coco/1", sample_type, make_turns(*pairs), (), {})
    return (rule or Grounding()).check(sample, RECORD)


def reason(sample_type: str, answer: str, rule: Grounding | None = None) -> str | None:
    fault = check(sample_type, ("Describe it.", answer), rule=rule).fault
    return fault.reason if fault else None


@pytest.mark.parametrize("sample_type", ["conv", "detail", "caption", "reasoning", "mine"])
def test_contradicted_claim_rejects_a_sample_of_any_type(sample_type: str) -> None:
    verdict = check(sample_type, GOOD, BAD)
    assert verdict.fault is not None
    assert verdict.fault.reason == "contradicted_claim"
    assert verdict.fault.detail == "A zebra: no box of zebra, and no caption names one"
    assert verdict.turns is None


@pytest.mark.parametrize("sample_type", ["conv", "detail", "caption", "reasoning", "mine"])
def test_sample_that_is_borne_out_passes_as_it_is(sample_type: str) -> None:
    assert check(sample_type, GOOD) == Verdict(0.0)


@pytest.mark.parametrize(
    ("sample_type", "answer", "expected"),
    [
        ("conv", "A dog lies by a green lamp.", "unverifiable_claim"),
        ("detail", "A dog lies by a green lamp.", "unverifiable_claim"),
        ("mine", "A dog lies by a green lamp.", "unverifiable_claim"),
        ("caption", "A dog lies by a green lamp.", None),
        ("reasoning", "A dog lies by a green lamp.", None),
        ("conv", "The dog is dreaming on the grass.", "unverifiable_claim"),
        ("detail", "The dog is dreaming on the grass.", None),
        ("conv", "A dog lies by a lamp.", None),
    ],
)
def test_what_nothing_bears_out_is_turned_away_by_kind_and_type(
    sample_type: str, answer: str, expected: str | None
) -> None:
    assert reason(sample_type, answer) == expected


def test_answer_of_which_most_is_not_borne_out_is_turned_away() -> None:
    answer = "A dog lies by a lamp, a fence and a tree."
    verdict = check("detail", ("Describe it.", answer))
    assert verdict.fault is not None
    assert (verdict.fault.reason, verdict.fault.detail) == ("mostly_unverifiable", "3 of 4 claims")
    assert verdict.score == 0.75
    assert reason("reasoning", answer) is None


def test_two_claims_are_too_few_to_speak_of_most() -> None:
    assert reason("detail", "A lamp and a fence.") is None


def test_half_is_not_yet_most() -> None:
    assert reason("detail", "A dog and a ball lie by a lamp and a fence.") is None


def test_score_is_the_share_that_nothing_bears_out() -> None:
    assert check("detail", ("Describe it.", "A dog lies by a lamp.")).score == 0.5
    assert check("conv", ("What is it?", "Hard to say.")).score == 0.0


def test_limits_of_a_type_are_its_own() -> None:
    rule = Grounding(
        conv=GroundingLimits(must_hold=("thing",)), detail=GroundingLimits((), 0.9), other=GroundingLimits((), 0.2)
    )
    assert reason("conv", "A dog lies by a lamp.", rule) == "unverifiable_claim"
    assert reason("detail", "A dog lies by a green lamp, a fence and a tree.", rule) is None
    assert reason("mine", "A dog and a ball lie by a lamp.", rule) == "mostly_unverifiable"


def test_contradiction_is_the_worst_reason_of_an_answer() -> None:
    assert reason("conv", "A green lamp. A zebra.") == "contradicted_claim"


def test_first_faulty_answer_gives_the_reason() -> None:
    verdict = check("conv", ("What is that?", "A green lamp."), BAD)
    assert verdict.fault is not None
    assert verdict.fault.reason == "unverifiable_claim"


def test_cut_drops_the_faulty_pairs_of_a_conversation() -> None:
    verdict = check("conv", BAD, GOOD, BAD, rule=Grounding(on_fault="cut"))
    assert verdict.fault is None
    assert verdict.turns == make_turns(GOOD)


def test_cut_drops_the_faulty_sentences_of_a_description() -> None:
    answer = "A zebra waits. A brown dog lies there.  Beside it is a cow! The dog rests on the grass."
    verdict = check("detail", ("Describe it.", answer), rule=Grounding(on_fault="cut"))
    assert verdict.fault is None
    assert verdict.turns == make_turns(("Describe it.", "A brown dog lies there. The dog rests on the grass."))


def test_sentence_whose_claim_must_hold_is_cut_too() -> None:
    verdict = check(
        "detail", ("Describe it.", "A dog lies there. The lamp is green."), rule=Grounding(on_fault="cut")
    )
    assert verdict.turns == make_turns(("Describe it.", "A dog lies there."))


@pytest.mark.parametrize(
    ("sample_type", "pairs"),
    [
        ("conv", (BAD, BAD)),
        ("detail", (("Describe it.", "A zebra waits. A cow lies there."),)),
        ("detail", (("Describe it.", "A dog lies by a lamp, a fence and a tree."),)),
    ],
)
def test_sample_of_which_cutting_leaves_nothing_good_is_rejected(
    sample_type: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    verdict = check(sample_type, *pairs, rule=Grounding(on_fault="cut"))
    assert verdict.fault is not None
    assert verdict.turns is None


def test_reasoning_is_never_cut() -> None:
    one = ("Why?", "The dog rests. There is a zebra beside it.")
    for pairs in ((one,), (GOOD, one)):
        verdict = check("reasoning", *pairs, rule=Grounding(on_fault="cut"))
        assert verdict.fault is not None
        assert verdict.turns is None


def test_reasoning_may_go_beyond_what_is_seen() -> None:
    answer = "Dogs often rest after chasing cats. Its owner may have parked a car nearby."
    assert reason("reasoning", answer) is None
    assert reason("reasoning", "There is a cat beside the dog.") == "contradicted_claim"


def test_cut_leaves_paragraphs_and_one_space_between_sentences() -> None:
    rule = Grounding(on_fault="cut")
    answer = "A dog lies there. A zebra is near. It rests.\n\nA cow stands there. The ball is red.\nA cat sleeps."
    verdict = check("detail", ("Describe it.", answer), rule=rule)
    assert verdict.turns is not None
    assert verdict.turns[-1].content == "A dog lies there. It rests.\n\nThe ball is red."
