"""What the scene program wrote, proved from the record: its claims, its words, its questions, and what it repeats.

The prover shares records and claims with the generators, and nothing of how they read captions or measure boxes.
"""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Iterator

from instructgen.records import ImageRecord
from instructgen.scenegraph.claims import Claim
from instructgen.teachers.scene_program import Written
from instructgen.teachers.scene_program.talk import Told
from tests.provers.align import align, sentences_of
from tests.provers.audit import audit
from tests.provers.claims import doubt_claim
from tests.provers.evidence import Evidence, category_of, find_things
from tests.provers.questions import doubt_boxes, doubt_question

_HEDGE = re.compile(
    r"\b(?:usually|often|may|might|can|could|would|should|tends?|generally|typically|likely|sometimes|commonly|probably|normally"
    r"|mostly|rarely|seldom|hardly|many|most|some|few|if|when|unless|whenever|perhaps|possibly|in general|as a rule|largely|cannot)\b"
)
_OF_THIS_IMAGE = re.compile(
    r"\b(?:in (?:this (?:picture|image|photo|scene|frame)|the (?:picture|image|photo))|visible here|seen here|shown here"
    r"|the (?:man|woman|boy|girl|child|people|person|men|women|children|player|rider|surfer|skier) (?:is|are|has|have|seems?|looks?)\b"
    r"|(?:he|she) (?:is|has)\b)"
)
# Elsewhere a thing that is there is only put beside one that is not.
_TELL_WHAT_IS_THERE = ("present_one", "present_one_bare", "present_many", "overview", "which_present")
_FOLLOW_UPS = ("color_follow", "where_follow", "doing_follow", "wearing", "holding")


def find_objections(record: ImageRecord, sample_type: str, written: Written) -> list[str]:
    """Return why what was written is not proved by the record, one line for each fault; none where it is sound."""
    evidence = Evidence(record)
    if sample_type == "detail":
        return [*_prove_claims(evidence, written.claims), *_prove_paragraph(evidence, written)]
    faults: list[str] = []
    for told in written.turns:
        faults += _prove_claims(evidence, told.claims)
        if sample_type == "reasoning":
            faults += _prove_reasoning(evidence, told)
            continue
        faults += audit(evidence, told.answer, list(told.claims), told.question)
        faults += [f"{fault} [{told.question}]" for fault in doubt_question(evidence, told)]
        faults += list(doubt_boxes(evidence, told))
    return faults + list(_find_repeated(written.turns if sample_type in ("conv", "negative") else ()))


def _prove_claims(evidence: Evidence, claims: tuple[Claim, ...]) -> list[str]:
    return [fault for claim in claims for fault in doubt_claim(evidence, claim)]


def _prove_paragraph(evidence: Evidence, written: Written) -> Iterator[str]:
    sentences = sentences_of(written.text)
    told, unsaid = align(sentences, written.claims)
    yield from _say_unsaid(unsaid)
    for sentence, claims in zip(sentences, told, strict=True):
        yield from audit(evidence, sentence, claims)
    keys = [(claim.kind, claim.subject, claim.value, claim.other, _least_of(claim)) for claim in written.claims]
    yield from (f"repeated: {' '.join(key)} twice" for key in sorted({key for key in keys if keys.count(key) > 1}))


def _least_of(claim: Claim) -> str:
    """That there are "at least seven" is more than that there are some."""
    return str(claim.number) if claim.kind == "exists" and claim.number > 2 else ""


def _say_unsaid(unsaid: list[Claim]) -> Iterator[str]:
    for claim in unsaid:
        told = " ".join(filter(None, (claim.subject, claim.value, claim.other)))
        yield f"text unsaid: claims {claim.kind} of {told}, which no sentence says"


def _prove_reasoning(evidence: Evidence, told: Told) -> Iterator[str]:
    """The sentences that carry claims come first; the rest is background, hedged and not about this image."""
    sentences = sentences_of(told.answer)
    claims_of, unsaid = align(sentences, told.claims)
    grounds = max((number + 1 for number, claims in enumerate(_firsts(claims_of)) if claims), default=0)
    yield from _say_unsaid(unsaid)
    for sentence, claims in zip(sentences[:grounds], claims_of[:grounds], strict=True):
        yield from audit(evidence, sentence, claims)
    if grounds == 0 or grounds == len(sentences):
        yield f"reasoning: grounds are {grounds} of {len(sentences)} sentences [{told.answer}]"
    for sentence in sentences[grounds:]:
        lowered = sentence.lower()
        if _OF_THIS_IMAGE.search(lowered):
            yield f"background: speaks of this image [{sentence}]"
        elif not _HEDGE.search(lowered) and re.search(
            r"\b(?:the|this|that|these|those) [a-z]+ (?:is|are) [a-z]+ing\b", lowered
        ):
            yield f"background: is neither hedged nor general [{sentence}]"
    named = {category_of(noun) or "" for claim in told.claims for noun in claim.subject.lower().split("|")}
    for thing in find_things(told.question.lower()):
        if thing.category and thing.category in named and thing.category != "person":
            yield f"question: gives '{thing.word}' away [{told.question}]"


def _firsts(claims_of: list[list[Claim]]) -> list[list[Claim]]:
    """Leave of each sentence the claims that none before it makes: background may name the same things again."""
    known: list[Claim] = []
    firsts = []
    for claims in claims_of:
        firsts.append([claim for claim in claims if claim not in known])
        known += claims
    return firsts


def _find_repeated(turns: tuple[Told, ...]) -> Iterator[str]:
    """No turn tells what another told, apart from a follow-up that takes it up."""
    known: dict[tuple[str, ...], str] = {}
    for told in turns:
        for claim in told.claims:
            key = _key_of(claim)
            again = key in known and known[key] != told.question and told.family not in _FOLLOW_UPS
            if again and (claim.kind != "exists" or told.family in _TELL_WHAT_IS_THERE):
                yield f"repeated: {' '.join(key)} in [{known[key]}] and in [{told.question}]"
            known.setdefault(key, told.question)


def _key_of(claim: Claim) -> tuple[str, ...]:
    """The same fact has the same key: left of one is right of the other."""
    turned = {"right": "left", "lower": "higher"}
    subject, other = (category_of(noun) or noun for noun in (claim.subject, claim.other))
    if claim.kind == "relation" and claim.value in turned:
        return ("relation", other, turned[claim.value], subject)
    return (claim.kind, claim.subject, claim.value, claim.other)
