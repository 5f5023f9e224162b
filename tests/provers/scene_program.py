"""Reads each finished sentence of the scene program back into claims; what it cannot read is an objection."""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Iterator

from instructgen.records import ImageRecord
from instructgen.refine.sentences import split_line
from tests.provers import checks
from tests.provers.clauses import NUMBER, simplify, split_clauses
from tests.provers.evidence import Evidence, category_of, names_of
from tests.provers.forms import FORMS, strip_article

_HEDGE = re.compile(
    r"\b(?:usually|often|may|might|can|could|would|tends?|generally|typically|likely|sometimes|commonly|probably|normally"
    r"|suggests?|should|simply)\b"
)
_ASSERTS = re.compile(
    rf"\b(?:in (?:the|this) (?:picture|image|photo)|in view|visible here|there (?:is|are) (?:an?|{NUMBER})\b)"
)
# What a hedged sentence infers must have its sign in a box.
_INFERENCES = {
    "points to surfing": {"surfboard"}, "suggest surfing": {"surfboard"}, "points to tennis": {"tennis racket"},
    "point to tennis": {"tennis racket"}, "suggests tennis": {"tennis racket"},
    "belongs to baseball": {"baseball bat", "baseball glove"}, "suggest baseball": {"baseball bat", "baseball glove"},
    "suggests skateboarding": {"skateboard"}, "point to skateboarding": {"skateboard"},
    "suggests a winter sport": {"skis", "snowboard"}, "belongs to winter sports": {"skis", "snowboard"},
    "ball game on a field": {"sports ball"}, "game with a ball": {"sports ball"},
}  # fmt: skip


def find_objections(record: ImageRecord, sample_type: str, text: str) -> list[str]:
    """Return why the reply is not proved by the record, one line for each fault; none for a sound reply."""
    evidence = Evidence(record)
    if sample_type == "detail":
        return [fault for sentence in _sentences(text) for fault in _prove(evidence, sentence)]
    faults: list[str] = []
    blocks = text.split("\n===\n")
    for asked, told in zip(blocks[::2], blocks[1::2], strict=True):
        question, answer = asked.removeprefix("Question:\n"), told.removeprefix("Answer:\n")
        faults += [f"{fault} [{question}]" for fault in _doubt_question(evidence, question)]
        for sentence in _sentences(answer):
            faults += (
                []
                if sample_type == "reasoning" and _is_background(evidence, sentence)
                else _prove(evidence, sentence)
            )
        faults += _mismatch(question, answer)
    return faults


def read_claims(sentence: str) -> list[tuple[str, re.Match[str]]]:
    """Return the claims of a sentence, each as the clause and the form it has; raise ValueError if it has none."""
    claims = []
    for clause in split_clauses(simplify(sentence)):
        for pattern, _ in FORMS:
            match = pattern.fullmatch(clause)
            if match:
                claims.append((clause, match))
                break
        else:
            raise ValueError(clause)
    return claims


def _sentences(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in split_line(line)]


def _prove(evidence: Evidence, sentence: str) -> list[str]:
    try:
        claims = read_claims(sentence)
    except ValueError as unread:
        return [f"cannot read '{unread}' in: {sentence}"]
    checks_by_form = dict(FORMS)
    faults = [fault for _, match in claims for fault in checks_by_form[match.re](evidence, match) if fault]
    return [f"{fault} in: {sentence}" for fault in faults]


def _is_background(evidence: Evidence, sentence: str) -> bool:
    """True for a hedged sentence of general knowledge that claims nothing about this image."""
    lowered = sentence.lower()
    if not _HEDGE.search(lowered) or _ASSERTS.search(lowered):
        return False
    boxed = {box.category for box in evidence.record.boxes}
    return all(signs & boxed for inference, signs in _INFERENCES.items() if inference in lowered)


_QUIET = re.compile(
    r"\b(?:which|one|is missing|is absent|will i (?:not )?find|does the \w+ not contain|are not in)\b"
)


def _doubt_question(evidence: Evidence, question: str) -> Iterator[str]:
    """A question may not take for granted what is not there: each "the X" it names must exist."""
    lowered = re.sub(r"the people (?=who |in charge)", "those ", question.lower().rstrip("?"))
    is_count = bool(re.match(r"how many|could you count|what is the number", lowered))
    for match in re.finditer(r"\bthe ((?:[a-z]+ ){0,2}?[a-z]+)(?=[ ,.;]|$)", lowered):
        for noun in _prefixes(lowered[match.start(1) :]):
            if category_of(noun) is not None and noun not in ("range", "meal"):
                fault = checks.check_exists(evidence, noun, many=False if is_count else None)
                if fault:
                    yield fault
                break
    offered = re.search(
        r"(?:between |: |for |absent from this scene, |what about )(an? [a-z ]+?) (?:or|and) (an? [a-z ]+?)(?:[,.:?]| in this| which|$)",
        lowered,
    )
    if (
        offered
        and _QUIET.search(lowered)
        and "neither" not in lowered
        and "what about" not in lowered
        and " or " not in f"{lowered.split(offered[1])[0]}"
    ):
        there = [not checks.check_exists(evidence, strip_article(thing)[0], many=False) for thing in offered.groups()]
        if "one of them" not in lowered and sum(there) != 1:
            yield "not exactly one of the two is there"


def _prefixes(text: str) -> list[str]:
    words = re.findall(r"[a-z]+", text)[:3]
    return [" ".join(words[:length]) for length in range(len(words), 0, -1)]


def _mismatch(question: str, answer: str) -> list[str]:
    """A question of yes or no must be about the thing that the answer affirms or denies."""
    if not answer.startswith(("Yes, ", "No, ")):
        return []
    first = re.split(r"[;,](?= (?:but|although|though|what)\b)", answer)[0].lower()
    words = re.findall(r"[a-z]+", question.lower())
    asked = {
        category
        for start in range(len(words))
        for length in (3, 2, 1)
        if (category := category_of(" ".join(words[start : start + length]))) is not None
    }
    told = [category for category in asked if re.search(rf"\b(?:{names_of(category)})\b", first)]
    denies = bool(re.search(r"\b(?:no [a-z]+|not|cannot)\b", first[4:]))
    wrong = answer.startswith("Yes") == denies
    return [] if told and not wrong else [f"answer does not fit: {question} {answer}"]
