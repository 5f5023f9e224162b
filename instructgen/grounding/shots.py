"""Answers that go from image to image: each is held against its own image, and against no other."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Claim, Findings
from instructgen.grounding.evidence import Evidence
from instructgen.records import Message

# A text of a document that asks before it answers; what is asked claims nothing.
_ASKED = re.compile(
    r"(?:Question:\s*)?(?P<asked>[^?]{1,200}\?)\s*(?:(?:Short answer|Answer):)?\s*(?P<told>.*)", re.DOTALL
)
_LABEL = re.compile(r"(?:Output):\s*")


def check_shots(turns: Sequence[Message], evidence: Sequence[Evidence], sample_type: str) -> Findings:
    """Return what the answers claim; there are as many turns for each image, in the order of the images."""
    num_each = max(1, len(turns) // len(evidence))
    claims: list[Claim] = []
    for number, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        image = min(number // num_each, len(evidence) - 1)
        asked = turns[number - 1] if number % num_each and turns[number - 1].role == "user" else None
        question, start = (asked.content, 0) if asked is not None else _part(turn.content)
        told = Message("assistant", turn.content[start:])
        own = (told,) if not question else (Message("user", question), told)
        claims += [
            replace(claim, turn=number, start=claim.start + start, end=claim.end + start)
            for claim in check_turns(own, evidence[image], sample_type).claims
        ]
    return Findings(tuple(claims))


def _part(text: str) -> tuple[str, int]:
    """Return the question that a text begins with, "" for none, and where what is told starts."""
    if label := _LABEL.match(text):
        return "", label.end()
    found = _ASKED.match(text)
    return ("", 0) if found is None else (found["asked"], found.start("told"))
