"""What a question takes for granted or offers, and whether its answer fits it."""

import re
from collections.abc import Iterator

from instructgen.scenegraph.claims import Claim
from instructgen.teachers.scene_program.talk import Told
from tests.provers.evidence import Evidence, category_of, find_things, is_many, name_pattern, singular_of
from tests.provers.text import is_same, plain, strings_of, things_of
from tests.provers.words import COLORS

# Families whose question offers things of which so many are there; None: none of them is.
_OFFERS = {"missing": (2, 1), "which_present": (3, 1), "odd_one": (4, 3), "neither": (2, 0)}
_YES = re.compile(r"\byes\b")
_NO = re.compile(
    r"^no\b(?! need| other)|\bno(?=[.,])|answer is no\b|\ba no\b|say no\b|\bno to both\b|no for each|no when it comes"
)
_POLAR_YES, _POLAR_NO = ("present_",), ("absent_", "neither")
_LARGEST = re.compile(r"\b(?:largest|biggest|which|one of) (?:of )?(?:the )?$")


def doubt_question(evidence: Evidence, told: Told) -> Iterator[str]:
    asked = plain(told.question)
    claims = list(told.claims)
    yield from _doubt_granted(evidence, told.family, asked, claims)
    yield from _doubt_offer(evidence, told, asked)
    yield from _doubt_polarity(told)


def _doubt_granted(evidence: Evidence, family: str, asked: str, claims: list[Claim]) -> Iterator[str]:
    """What is called "the X" has to exist, once where it is one; all else that is named is the answer's matter."""
    claimed = [thing for _, thing in things_of(claims)]
    values = {word for claim in claims for text in strings_of(claim) for word in re.findall(r"[a-z]+", text)}
    for thing in find_things(asked):
        before = asked[: thing.start]
        if thing.word == "orange" and not before.endswith("an "):
            continue  # the color
        known = any(is_same(thing, one) for one in claimed) or thing.word in values
        if not known and family not in _OFFERS and thing.category:
            yield f"question: '{thing.word}' is no matter of the answer"
        if not before.endswith("the ") or family.startswith("false_") or not thing.category:
            continue
        several = family == "clarify" or is_many(thing.word) or thing.category == "person" or _LARGEST.search(before)
        if not evidence.is_boxed(thing.category):
            yield f"question: there is no {thing.word}"
        elif not several and not evidence.is_one(thing.category) and thing.category not in ("sheep", "broccoli"):
            if "largest" not in {claim.kind for claim in claims}:
                yield f"question: 'the {thing.word}' may be any of several"
        elif (
            singular_of(thing.word) != "person" and thing.category == "person" and not _is_said(evidence, thing.word)
        ):
            yield f"question: nobody is called '{thing.word}'"


def _is_said(evidence: Evidence, word: str) -> bool:
    return bool(evidence.captions_with(name_pattern(word)))


def _doubt_offer(evidence: Evidence, told: Told, asked: str) -> Iterator[str]:
    if told.family in _OFFERS:
        size, there = _OFFERS[told.family]
        offered = [thing for thing in find_things(asked) if thing.category]
        present = [thing for thing in offered if evidence.is_boxed(thing.category)]
        absent = [thing for thing in offered if not evidence.doubts_absence(thing.category)]
        if len({thing.category for thing in offered}) != size or len(present) != there or len(absent) != size - there:
            yield f"question: of {[thing.word for thing in offered]} not {there} are there"
    if told.family == "color_choice":
        values = {word for claim in told.claims for word in re.findall(r"[a-z]+", claim.value)}
        offered_colors = [word for word in re.findall(r"[a-z]+", asked) if word in COLORS and word not in values]
        right = [word for word in re.findall(r"[a-z]+", asked) if word in COLORS and word in values]
        if len(offered_colors) != 1 or len(right) != 1:
            yield f"question: offers {right} and {offered_colors}"


def _doubt_polarity(told: Told) -> Iterator[str]:
    answer = plain(told.answer)
    first = told.claims[0].kind if told.claims else ""
    yes, no = bool(_YES.search(answer)), bool(_NO.search(answer))
    if yes and no:
        yield "polarity: yes and no in one answer"
    if (yes and first == "absent") or (no and first not in ("absent", "")):
        yield f"polarity: {'yes' if yes else 'no'} to what is claimed {first}"
    if (told.family.startswith(_POLAR_YES) and not yes) or (told.family.startswith(_POLAR_NO) and not no):
        yield "polarity: neither yes nor no, or the other"
    if told.family.startswith("false_"):
        absent = [claim.subject for claim in told.claims if claim.kind == "absent"]
        denied = re.search(
            r"\b(?:no|not|n't|without|isn't|don't|doesn't|can't|nowhere|none|missing|absent|lacks?|never|neither|nothing|zero)\b|n't\b",
            answer,
        )
        if not absent or not denied:
            yield "polarity: what the question takes for granted is not denied"


def doubt_boxes(evidence: Evidence, told: Told) -> Iterator[str]:
    """Coordinates in question or answer have to be those of the cited box, to three decimals."""
    located = [claim for claim in told.claims if claim.kind == "located"]
    written = re.findall(r"\[(\d[\d., ]*)\]", f"{told.question} {told.answer}")
    for claim in located:
        boxes = evidence.cited_boxes(claim, category_of(claim.subject) or "")
        wanted = [", ".join(f"{side:.3f}" for side in (box.x0, box.y0, box.x1, box.y1)) for box in boxes]
        if not written or any(numbers not in wanted for numbers in written):
            yield f"box: {written} is not the box {wanted} of '{claim.subject}'"
        category = category_of(claim.subject) or ""
        is_clear = evidence.is_one(category) or any(one.kind == "largest" for one in told.claims)
        if not is_clear and re.search(r"\bthe (?:[a-z]+ ){0,2}" + claim.subject, told.question.lower()):
            yield f"box: 'the {claim.subject}' may be any of several"
    if written and not located:
        yield "box: coordinates of nothing"
