"""A sample that goes from image to image, and of which a filter cut a turn."""

from typing import ClassVar

from msgspec.structs import replace

from instructgen.jobs.outcomes import Judge
from instructgen.records import ImageRecord, Message, Rejected, Sample, Verdict
from instructgen.sample_types import SAMPLE_TYPES
from tests.support.make import make_record, make_unit

TURNS = tuple(
    one for answer in ("A dog.", "A bus.") for one in (Message("user", "What is it?"), Message("assistant", answer))
)


class CutFirst:
    """Cuts the first question and its answer, as filters with on_fault "cut" do."""

    reasons: ClassVar[tuple[str, ...]] = ()

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        return Verdict(0.0, None, sample.turns[2:] if len(sample.turns) > 2 else None)


def test_cut_turn_rejects_it_for_the_others_would_be_of_other_images() -> None:
    judge = Judge(SAMPLE_TYPES, {}, {"cut": CutFirst()}, 0)
    unit = replace(make_unit(2, "few-shot"), shots=(make_record(1),))
    outcome = judge.sift(unit, TURNS, ("r",)).outcome
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.detail) == ("image_without_turn", "2 of 4")
    assert isinstance(judge.sift(make_unit(2, "conv"), TURNS, ("r",)).outcome, Sample)
