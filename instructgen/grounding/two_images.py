"""Answers that compare two images: each statement is held against the image that it speaks of, or against both.

What is said of "the first picture" is parted from what is said of "the second" at the words between them, and the
rest of the answer is blanked out, so that every claim keeps its place. A statement that names neither and does not
speak of both goes with the one before it, and so does one that begins with "it". Questions are not read: what "yes"
stands for depends on both images.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from instructgen.grounding.check import check_turns, find_sentences
from instructgen.grounding.claims import Claim, Findings
from instructgen.grounding.evidence import Evidence
from instructgen.records import Message

_NAMED = re.compile(r"\bthe (first|second)\b", re.IGNORECASE)
_OF_BOTH = re.compile(r"\b(?:both|each|neither|either|the two)\b", re.IGNORECASE)
# Where one statement ends and the next begins, the last of them between two images that are named.
_BETWEEN = re.compile(
    r"[,;:(] ?|\b(?:and|but|while|whereas|though|than|compared|unlike|against|which|that|yet|not|versus)\b",
    re.IGNORECASE,
)
_TAKES_UP = re.compile(r"\s*(it|that one|this one)\b", re.IGNORECASE)
_ENDS = ".!?"
_NUMBERS = {"first": 0, "second": 1}
_BOTH = frozenset((0, 1))


class Part(Struct, frozen=True):
    """A stretch of an answer and the numbers of the images that it speaks of, 0 for the first."""

    start: int
    end: int
    images: frozenset[int]


def check_two(turns: Sequence[Message], evidence: tuple[Evidence, Evidence], sample_type: str) -> Findings:
    """Return what the answers claim of the first and of the second image."""
    claims: list[Claim] = []
    for number, turn in enumerate(turns):
        parts = part_answer(turn.content) if turn.role == "assistant" else []
        for image, of_image in enumerate(evidence):
            told = _blank_others(turn.content, parts, image)
            if told.strip(f" {_ENDS}"):
                found = check_turns((Message("assistant", told),), of_image, sample_type)
                claims.extend(replace(claim, turn=number) for claim in found.claims)
    return Findings(tuple(sorted(claims, key=lambda claim: (claim.turn, claim.start))))


def part_answer(text: str) -> list[Part]:
    """Return the stretches of an answer; what is clearly of neither image is of none."""
    parts: list[Part] = []
    for start, end in find_sentences(text):
        parts.extend(_part_sentence(text, start, end, parts[-1].images if parts else frozenset()))
    return parts


def _part_sentence(text: str, start: int, end: int, before: frozenset[int]) -> Iterator[Part]:
    named = [(match, _NUMBERS[match[1].lower()]) for match in _NAMED.finditer(text, start, end)]
    if not named:
        yield Part(start, end, _BOTH if _OF_BOTH.search(text, start, end) else before)
        return
    taken_up = _TAKES_UP.match(text, start, end)
    if taken_up is not None and len(before) == 1:
        named.insert(0, (taken_up, min(before)))
    at = start
    for (match, image), (following, other) in pairwise(named):
        if image != other:
            cuts = [found.start() for found in _BETWEEN.finditer(text, match.end(), following.start())]
            cut = cuts[-1] if cuts else following.start()
            yield Part(at, cut, frozenset((image,)))
            at = cut
    yield Part(at, end, frozenset((named[-1][1],)))


def _blank_others(text: str, parts: Sequence[Part], image: int) -> str:
    kept = [char if char in _ENDS else " " for char in text]  # or what two sentences say would run together
    for part in parts:
        if image in part.images:
            kept[part.start : part.end] = text[part.start : part.end]
    return "".join(kept)
