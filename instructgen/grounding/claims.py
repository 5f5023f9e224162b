"""A claim: one statement of an answer that boxes and captions can bear out or not."""

from typing import Literal

from msgspec import Struct

Kind = Literal["object", "count", "position", "relation", "colour", "action", "thing", "leakage"]
"""What is claimed: that a thing is there (or is not), how many there are, where in the frame something lies, or from
something else, its colour or material, what somebody does; "thing": that something that COCO does not box is there.
"leakage" is no claim, but a turn that speaks of the captions and boxes themselves: the audit adds it."""

KINDS: tuple[Kind, ...] = ("object", "count", "position", "relation", "colour", "action", "thing", "leakage")

Truth = Literal["supported", "contradicted", "unverifiable"]


class Claim(Struct, frozen=True):
    """`turn` is the place of the answer among the sample's turns; `start` and `end` are its sentence in it.

    `text` is what was claimed, in the answer's own words; `evidence` is what boxes and captions say of it.
    `subject` is the category or noun that it speaks of.
    """

    kind: Kind
    truth: Truth
    text: str
    evidence: str
    subject: str
    turn: int
    start: int
    end: int


class Findings(Struct, frozen=True):
    """All claims of a sample, in the order of the text."""

    claims: tuple[Claim, ...]

    @property
    def faults(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.truth == "contradicted")

    def count(self, truth: Truth) -> int:
        return sum(1 for claim in self.claims if claim.truth == truth)

    @property
    def truth(self) -> Truth:
        """Contradicted by one fault; else supported where the evidence bears at least half of the claims."""
        if self.faults:
            return "contradicted"
        supported = self.count("supported")
        return "supported" if supported and supported >= self.count("unverifiable") else "unverifiable"
