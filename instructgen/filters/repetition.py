"""Answers that go round in circles, and conversations that ask the same twice (docs/filters.md)."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.config import Fraction
from instructgen.filters.quotes import shorten
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict
from instructgen.text import repeated_fraction


class RepeatedText(Struct, frozen=True, forbid_unknown_fields=True):
    """Judge each answer by itself, so that a long conversation is not punished for its subject.

    The score is the largest share, 0 to 1, of n-grams in one answer that are copies of an earlier one.
    """

    reasons: ClassVar[tuple[str, ...]] = ("repeated_text",)

    # Gopher (arXiv 2112.11446) table A1: duplicated 5-grams; its share is of characters, ours of n-grams.
    n: Annotated[int, Meta(ge=2, le=10)] = 5
    max_fraction: Fraction = 0.15

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        worst = 0.0
        worst_text = ""
        for turn in sample.turns:
            if turn.role == "assistant":
                fraction = repeated_fraction(turn.content.lower().split(), self.n)
                if fraction > worst:
                    worst, worst_text = fraction, turn.content
        if worst > self.max_fraction:
            return Verdict(worst, Fault("repeated_text", shorten(worst_text)))
        question = _find_repeated_question(sample.turns)
        if question is not None:
            return Verdict(worst, Fault("repeated_text", shorten(question)))
        return Verdict(worst)


def _find_repeated_question(turns: tuple[Message, ...]) -> str | None:
    """Return the first question that was asked before; case, spacing and the last mark do not count."""
    if len(turns) <= 2:
        return None
    seen: set[str] = set()
    for turn in turns:
        if turn.role == "user":
            question = " ".join(turn.content.lower().split()).rstrip(" ?!.")
            if question in seen:
                return turn.content
            seen.add(question)
    return None
