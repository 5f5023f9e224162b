"""What is told to whoever corrects a text: its faults, each with the evidence."""

from collections.abc import Sequence

from instructgen.grounding.claims import Claim, Findings
from instructgen.records import Message
from instructgen.refine.prompts import ShownFault

_MAX_FAULTS = 20  # a text with more is not worth its correction; what is left comes in the next round


def list_faults(turns: Sequence[Message], findings: Findings, *, with_unverifiable: bool) -> tuple[ShownFault, ...]:
    """Return the claims that do not hold, in the order of the text, and those that nothing bears out if asked."""
    wanted = ("contradicted", "unverifiable") if with_unverifiable else ("contradicted",)
    claims = [claim for claim in findings.claims if claim.truth in wanted][:_MAX_FAULTS]
    return tuple(
        ShownFault(number, claim.text, _find_sentence(turns, claim), claim.evidence)
        for number, claim in enumerate(claims, 1)
    )


def _find_sentence(turns: Sequence[Message], claim: Claim) -> str:
    return " ".join(turns[claim.turn].content[claim.start : claim.end].split())
