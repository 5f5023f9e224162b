"""Questions that give their answer away, so that no picture is needed (docs/filters.md). English only."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.filters.pairs import OnFault, cut_pairs
from instructgen.filters.questions import Question, content_stems, pair_turns, read_question
from instructgen.filters.quotes import shorten
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict

# An answer of yes or no, or one of the things that were named, is in its question by right.
_EXEMPT = ("yes_no", "choice", "request")


class GivenAway(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample with a short answer that its question holds word for word.

    The score is the share, 0 to 1, of answers that are so. `on_fault` "cut" drops their pairs, and rejects a sample
    of which nothing is left.
    """

    reasons: ClassVar[tuple[str, ...]] = ("answer_in_question",)

    # A longer answer says something of its own; four times what LLaVA's short answers have would be 16.
    max_answer_words: Annotated[int, Meta(ge=1)] = 12

    on_fault: OnFault = "reject"

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        kept, fault, num_faulty = cut_pairs(sample.turns, lambda _, asked, answer: self._find_fault(asked, answer))
        score = num_faulty / max(1, sum(1 for _ in pair_turns(sample.turns)))
        if fault is not None and self.on_fault == "cut" and kept:
            return Verdict(score, None, kept)
        return Verdict(score, fault)

    def _find_fault(self, asked: Message, answer: Message) -> Fault | None:
        is_short = len(answer.content.split()) <= self.max_answer_words
        if not is_short or not _is_given(read_question(asked.content), answer.content):
            return None
        return Fault("answer_in_question", shorten(f"{asked.content.strip()[:50]} - {answer.content.strip()}"))


def _is_given(question: Question, answer: str) -> bool:
    if question.kind in _EXEMPT:
        return False
    num_stems = 0
    for stem in content_stems(answer):
        if stem not in question.stems:
            return False
        num_stems += 1
    # "There is a dog" counts the dogs that were asked for, though it has no other word.
    return num_stems > 0 and not (question.kind == "count" and {"a", "an"} & set(answer.lower().split()))
