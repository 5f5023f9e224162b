"""Answers that boxes and captions contradict, or do not bear out where they must (docs/grounding.md)."""

from typing import ClassVar

from msgspec import Struct

from instructgen.config import Fraction
from instructgen.filters.pairs import OnFault, cut_pairs
from instructgen.filters.quotes import shorten
from instructgen.grounding.claims import Claim, Findings, Kind
from instructgen.grounding.samples import find_claims
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict


class GroundingLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one type may claim beyond the evidence; what contradicts it never passes.

    A claim of a kind in `must_hold` is turned away where nothing bears it out. `max_unverifiable` is the share of an
    answer's claims that may be so, of whatever kind; an answer with fewer than three claims is not judged by it.
    """

    must_hold: tuple[Kind, ...] = ()
    max_unverifiable: Fraction = 1.0


# A description says what is to be seen, and must not make up colors, numbers or places; reasoning may go beyond it.
_SEEN: tuple[Kind, ...] = ("colour", "count", "position")
_MIN_CLAIMS = 3


class Grounding(Struct, frozen=True, forbid_unknown_fields=True):
    """Judge every claim of every answer; the score is the share, 0 to 1, of claims that nothing bears out.

    `on_fault` "cut" drops the pair of a conversation, or the sentence of a description, and keeps the rest; a sample
    of which nothing is left, or that reasons, is rejected all the same.
    """

    reasons: ClassVar[tuple[str, ...]] = ("contradicted_claim", "unverifiable_claim", "mostly_unverifiable")

    on_fault: OnFault = "reject"
    conv: GroundingLimits = GroundingLimits((*_SEEN, "action"), 0.5)
    detail: GroundingLimits = GroundingLimits(_SEEN, 0.5)
    caption: GroundingLimits = GroundingLimits((), 1.0)  # its teacher saw the picture, and sees more than is boxed
    reasoning: GroundingLimits = GroundingLimits()
    other: GroundingLimits = GroundingLimits(_SEEN, 0.5)

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        limits = self._limits(sample.sample_type)
        findings = find_claims(sample.turns, record, sample.sample_type, sample.partner, sample.shots)
        score = findings.count("unverifiable") / max(1, len(findings.claims))
        by_turn: dict[int, list[Claim]] = {}
        for claim in findings.claims:
            by_turn.setdefault(claim.turn, []).append(claim)
        faults = {turn: fault for turn, claims in by_turn.items() if (fault := _find_fault(claims, limits))}
        if not faults:
            return Verdict(score)
        first = faults[min(faults)]
        kept = self._cut(sample, findings, faults, limits) if self.on_fault == "cut" else None
        return Verdict(score, first) if kept is None else Verdict(score, None, kept)

    def _limits(self, sample_type: str) -> GroundingLimits:
        by_type = {"conv": self.conv, "detail": self.detail, "caption": self.caption, "reasoning": self.reasoning}
        return by_type.get(sample_type, self.other)

    def _cut(
        self, sample: Sample, findings: Findings, faults: dict[int, Fault], limits: GroundingLimits
    ) -> tuple[Message, ...] | None:
        """Return what is left without the faulty pairs or sentences; None where that is nothing."""
        if sample.sample_type == "reasoning":
            return None
        if len(sample.turns) > 2:
            kept, _, _ = cut_pairs(sample.turns, lambda index, _asked, _answer: faults.get(index))
            return kept or None
        answer = sample.turns[-1]
        bad = {(claim.start, claim.end) for claim in findings.claims if _find_fault([claim], limits)}
        text = _cut_sentences(answer.content, bad)
        return (*sample.turns[:-1], Message("assistant", text)) if bad and text else None


def _find_fault(claims: list[Claim], limits: GroundingLimits) -> Fault | None:
    """Return why one answer is turned away: the worst reason that it gives."""
    for claim in claims:
        if claim.truth == "contradicted":
            return Fault("contradicted_claim", shorten(f"{claim.text}: {claim.evidence}"))
    unverifiable = [claim for claim in claims if claim.truth == "unverifiable"]
    for claim in unverifiable:
        if claim.kind in limits.must_hold:
            return Fault("unverifiable_claim", shorten(f"{claim.text}: {claim.evidence}"))
    if len(claims) >= _MIN_CLAIMS and len(unverifiable) > limits.max_unverifiable * len(claims):
        return Fault("mostly_unverifiable", f"{len(unverifiable)} of {len(claims)} claims")
    return None


def _cut_sentences(text: str, spans: set[tuple[int, int]]) -> str:
    """Return the text without the sentences at these places."""
    for start, end in sorted(spans, reverse=True):
        before, after = text[:start].rstrip(" "), text[end:].lstrip(" ")
        text = before + ("" if not before or before.endswith("\n") or after.startswith("\n") else " ") + after
    return text.strip()
