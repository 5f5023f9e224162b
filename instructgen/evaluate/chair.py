"""CHAIR (Rohrbach et al. 2018, arXiv 1809.02156): how many of the objects that are spoken of are not there.

An object is one of the known categories; those of an image are the ones that its boxes or its captions have. The
grounding finds the mentions; one that it contradicts is hallucinated, unless the category is there all the same (a
woman who is called a man). A denial ("there is no dog") is no mention, right or wrong.
"""

import re
from dataclasses import dataclass

from instructgen.grounding.claims import Claim, Findings
from instructgen.grounding.evidence import Evidence

_DENIAL = re.compile(r"\b(?:no|not|never|without|neither|nor|none|nothing|cannot)\b|n['’]t\b", re.IGNORECASE)


def is_mention(claim: Claim, evidence: Evidence) -> bool:
    """Return whether the claim says that something of a category is there."""
    if claim.kind != "object" or _DENIAL.search(claim.text):
        return False
    # Of what boxes and captions lack, only a denial is supported: "a dog is not to be seen".
    return claim.truth != "supported" or is_there(claim.subject, evidence)


def is_there(category: str, evidence: Evidence) -> bool:
    return evidence.is_boxed(category) or category in evidence.mentions


@dataclass(slots=True)
class ChairCounts:
    """What CHAIR is made of; counts of parts add up to those of the whole."""

    num_mentions: int = 0
    num_hallucinated: int = 0
    num_samples: int = 0
    num_samples_with: int = 0

    def observe(self, findings: Findings, evidence: Evidence) -> None:
        mentions = [claim for claim in findings.claims if is_mention(claim, evidence)]
        num_hallucinated = sum(
            claim.truth == "contradicted" and not is_there(claim.subject, evidence) for claim in mentions
        )
        self.num_mentions += len(mentions)
        self.num_hallucinated += num_hallucinated
        self.num_samples += 1
        self.num_samples_with += num_hallucinated > 0

    def merge(self, other: "ChairCounts") -> None:
        self.num_mentions += other.num_mentions
        self.num_hallucinated += other.num_hallucinated
        self.num_samples += other.num_samples
        self.num_samples_with += other.num_samples_with

    @property
    def chair_i(self) -> float | None:
        """Share of mentions, 0 to 1; None without a mention."""
        return self.num_hallucinated / self.num_mentions if self.num_mentions else None

    @property
    def chair_s(self) -> float | None:
        """Share of samples with at least one hallucinated mention, 0 to 1; None without a sample."""
        return self.num_samples_with / self.num_samples if self.num_samples else None
