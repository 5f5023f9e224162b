"""Answers that go round in circles, and conversations that ask the same twice (docs/filters.md)."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.config import Fraction
from instructgen.filters.pairs import OnFault, cut_pairs
from instructgen.filters.quotes import shorten
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict
from instructgen.text import repeated_fraction

_ASKS_AGAIN = "few-shot"  # the type asks the same of one image after the other


class RepeatedText(Struct, frozen=True, forbid_unknown_fields=True):
    """Judge each answer by itself, so that a long conversation is not punished for its subject.

    The score is the largest share, 0 to 1, of n-grams in one answer that are copies of an earlier one. `on_fault`
    "cut" drops such an answer, or a question that was asked before, and rejects a sample of which nothing is left.
    """

    reasons: ClassVar[tuple[str, ...]] = ("repeated_text",)

    # Gopher (arXiv 2112.11446) table A1: duplicated 5-grams; its share is of characters, ours of n-grams.
    n: Annotated[int, Meta(ge=2, le=10)] = 5
    max_fraction: Fraction = 0.15
    on_fault: OnFault = "reject"

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        fractions = {
            index: repeated_fraction(turn.content.lower().split(), self.n)
            for index, turn in enumerate(sample.turns)
            if turn.role == "assistant"
        }
        worst = max(fractions.values(), default=0.0)
        faults = {index: turn.content for index, turn in enumerate(sample.turns) if self._repeats(fractions, index)}
        if sample.sample_type != _ASKS_AGAIN:
            faults |= _find_repeated_questions(sample.turns)
        if not faults:
            return Verdict(worst)
        first = max(faults, key=lambda index: (fractions.get(index, 0.0), -index))
        fault = Fault("repeated_text", shorten(faults[first]))
        if self.on_fault == "cut":
            kept, _, _ = cut_pairs(
                sample.turns, lambda index, *_: fault if {index, index - 1} & set(faults) else None
            )
            if kept:
                return Verdict(worst, None, kept)
        return Verdict(worst, fault)

    def _repeats(self, fractions: dict[int, float], index: int) -> bool:
        return fractions.get(index, 0.0) > self.max_fraction


def _find_repeated_questions(turns: tuple[Message, ...]) -> dict[int, str]:
    """Return each question that was asked before, by its place; case, spacing and the last mark do not count."""
    found: dict[int, str] = {}
    seen: set[str] = set()
    for index, turn in enumerate(turns):
        if turn.role == "user":
            question = " ".join(turn.content.lower().split()).rstrip(" ?!.")
            if question in seen:
                found[index] = turn.content
            seen.add(question)
    return found
