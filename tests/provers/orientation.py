"""What belongs to what in a sentence of two things: which is left of which, which is larger, which has which color."""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Iterator

from instructgen.scenegraph.claims import Claim
from tests.provers.evidence import category_of, find_things, name_pattern
from tests.provers.text import directions_in, loosely, positions_of
from tests.provers.words import COLORS

# Words before the thing that another is told from: it is the claim's `other`.
_FROM = (
    r"(?:(?:left|right) of|above|below|from|compared (?:with|to)|than|start(?:ing)? at|start from|ahead of|beat|found"
    r"|that of|look at)(?: where| that of)?(?: the| a| an)?"
)
_LESS = r"(?:smaller|less)"
_MORE = r"(?:larger|more|ahead|wins?|bigger)"
_NEGATIVE = re.compile(
    r"\b(?:no|not|neither|nor|without|missing|lacks?|absent|vain|nowhere|nobody|cannot|can't|isn't|aren't|doesn't|don't|didn't"
    r"|won't|wouldn't|none|zero|except|odd one|fail|no one|never)\b"
)
_ANSWERS = re.compile(
    r"^no(?=[.,])|\bno(?=[,.]| for (?:each|both|all)| to (?:both|each|all))|answer is no\b|\ba (?:clear |plain |easy |simple )?no\b|say no\b|\bno more\b"
    r"|\bnot just\b|\bno others?\b|missed nothing|nothing else|\bnot both\b|\bnot hard\b|no doubt|no trouble|without (?:trouble|effort)"
    r"|no need|not (?:clear|sure|certain)|without doubt|it's not that you|won't have"
)
_CLAUSES = re.compile(
    r"[.;:!?]| but |, (?:but|though|although|while|whereas|which|since|because|so|yet|and)\b|,| though | while | so | since "
    r"| because | and (?=it |there |i |you |that )| to take attention| instead"
)
_AFFIRMS = re.compile(r"\b(?:can see|shows?|has|have|find|found|includes?|there is|there are|contains?)\b")


def doubt_orientation(said: str, claims: list[Claim]) -> Iterator[str]:
    for claim in claims:
        if claim.kind == "relation":
            yield from _doubt_pair(said, claim, rf"\b{_FROM} ")
        elif claim.kind == "larger":
            yield from _doubt_size(said, claim)
        elif claim.kind == "more":
            yield from _doubt_more(said, claim)
        elif claim.kind == "order":
            yield from _doubt_order(said, claim)
    yield from _doubt_owners(said, claims)
    yield from _doubt_doers(said, claims)
    yield from _doubt_denials(said, claims)


def _names(noun: str) -> str:
    return name_pattern(category_of(noun) or noun)


def _doubt_pair(said: str, claim: Claim, cue: str) -> Iterator[str]:
    """In the sentence that tells the direction, the thing behind a cue ("left of", "than") is not the one placed."""
    for sentence in re.split(r"(?<=[.;]) ", said):
        if not directions_in(sentence):
            continue
        passed = re.search(r"\bfrom (left|right) to (?:left|right)\b", sentence)
        if passed:
            yield from _doubt_passed(sentence, claim, passed.group(1))
            continue
        one, other = positions_of(sentence, claim.subject.lower()), positions_of(sentence, claim.other.lower())
        turned = re.search(rf"{cue}(?:{_names(claim.subject)})\b", sentence)
        right = re.search(rf"{cue}(?:{_names(claim.other)})\b", sentence)
        named_alone = bool(other) and not one and not right and not re.search(r"\b(?:it|he|she|they)\b", sentence)
        first_turned = turned and (right is None or (turned.start() < right.start() and "look at" not in sentence))
        if first_turned or (named_alone and not _sides_of_other(said, claim)):
            yield f"turned: '{claim.other}' is told from '{claim.subject}'"
        elif one and other and not turned and not right:
            yield f"turned: it is not clear which of '{claim.subject}' and '{claim.other}' is told from which"


def _doubt_passed(sentence: str, claim: Claim, start: str) -> Iterator[str]:
    """Going from the left, one comes to what is on the left before the other."""
    one, other = positions_of(sentence, claim.subject.lower()), positions_of(sentence, claim.other.lower())
    first = bool(one and other and one[0] < other[0])
    if not one or not other or " before " not in sentence or first != (claim.value == start):
        yield f"turned: '{claim.subject}' is not told to be {claim.value} of '{claim.other}'"


def _sides_of_other(said: str, claim: Claim) -> bool:
    """True where another sentence places the claim's subject: this one may have a claim of its own."""
    told = [part for part in re.split(r"(?<=[.;]) ", said) if directions_in(part)]
    return any(positions_of(part, claim.subject.lower()) for part in told)


def _doubt_size(said: str, claim: Claim) -> Iterator[str]:
    one, other = _names(claim.subject), _names(claim.other)
    gap = r"(?:(?! and |,|\.).)*?"
    wrong = (
        rf"\b(?:{other})\b (?:that |which )?(?:does |is |are |looks? |takes? up |fills? |covers? |shown )?{gap}\b{_MORE}\b(?! than the (?:{other}))",
        rf"\b(?:{one})\b (?:that |which )?(?:is |are |looks? |takes? up )?{gap}\b{_LESS}\b",
        rf"\b{_MORE}\b{gap} (?:than|ahead of)(?: that of)? the (?:{one})\b",
        rf"\b{_LESS}\b{gap} than(?: that of)? the (?:{other})\b",
        rf"\bcompared (?:with|to) the (?:{one})\b",
        rf"\bcompared (?:with|to) the (?:{other})\b, (?:it|he|she|they|the (?:{one}))\b{gap}\b{_LESS}\b",
        rf"\bahead of the (?:{one})\b",
        rf"\blarger is the (?:{other})\b|\bsmaller is the (?:{one})\b",
    )
    right = (
        rf"\b(?:{one})\b{gap}\b{_MORE}\b",
        rf"\b(?:{other})\b{gap}\b{_LESS}\b",
        rf"\bthan(?: that of)? the (?:{other})\b|\b(?:compared with|compared to|ahead of) the (?:{other})\b",
        rf"\b{_LESS}\b{gap} than the (?:{one})\b",
        rf"\blarger is the (?:{one})\b",
        rf"^(?:it is |it's )?the (?:{one})(?: does| is)?\.?$",
    )
    holds = [bool(re.search(pattern, said)) for pattern in right]
    if not any(holds):
        yield f"turned: it does not say that '{claim.subject}' is larger than '{claim.other}'"
    for pattern in wrong:
        if re.search(pattern, said):
            yield f"turned: '{claim.other}' is told to be larger than '{claim.subject}'"
            return


def _doubt_more(said: str, claim: Claim) -> Iterator[str]:
    one, other = _names(claim.subject), _names(claim.other)
    if re.search(rf"\b(?:than|ahead of|beat|outnumber) (?:the )?(?:{one})\b", said) or re.search(
        rf"\b(?:{other}) (?:outnumber|win|come out ahead)|\bmore (?:{other})\b", said
    ):
        yield f"turned: '{claim.other}' are told to outnumber '{claim.subject}'"


def _doubt_order(said: str, claim: Claim) -> Iterator[str]:
    starts = [positions_of(said, noun) for noun in claim.subject.lower().split("|")]
    flat = [found[-1] for found in starts if found]
    if len(flat) == len(starts) and flat != sorted(flat):
        yield f"turned: the order is not {claim.subject}"


def _doubt_owners(said: str, claims: list[Claim]) -> Iterator[str]:
    """Where several things have looks or doings, each value belongs to the thing named last before it, or right behind."""
    for kind in ("attribute", "doing"):
        owned = [claim for claim in claims if claim.kind == kind and claim.value]
        for claim in owned if len({claim.subject for claim in owned}) > 1 else ():
            rivals = [one.subject for one in owned if one.subject != claim.subject]
            if not any(one.value == claim.value for one in owned if one.subject != claim.subject):
                yield from _doubt_owner(said, claim, rivals)


def _doubt_owner(said: str, claim: Claim, rivals: list[str]) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.;]) ", said):
        yield from _doubt_owner_in(sentence, claim, rivals)


def _doubt_owner_in(said: str, claim: Claim, rivals: list[str]) -> Iterator[str]:
    own = positions_of(said, claim.subject.lower())
    covered = {at for start in own for at in range(start, start + len(claim.subject))}
    others = [at for rival in rivals for at in positions_of(said, rival.lower()) if at not in covered]
    value = loosely(claim.value.lower()) if claim.kind == "doing" else rf"\b{re.escape(claim.value.lower())}\b"
    for match in re.finditer(value, said):
        if re.match(r" and (?:" + "|".join(COLORS) + r")\b", said[match.end() :]) or said[: match.start()].endswith(
            " and "
        ):
            continue  # a part of another value
        ahead = re.compile(rf"(?:,? [a-z]+){{0,4}}? (?:{name_pattern(claim.subject.lower())})\b").match(
            said, match.end()
        )
        before = [at for at in sorted({*own, *others}) if at < match.start()]
        near = ahead is not None and not any(match.end() < at < ahead.end() - 1 for at in others if at not in own)
        if not near and before and before[-1] not in own:
            yield f"turned: '{claim.value}' is told of another thing than '{claim.subject}'"
            return


def _doubt_doers(said: str, claims: list[Claim]) -> Iterator[str]:
    """What a sentence says first of a doing, it says of the thing that it names last before."""
    for sentence in re.split(r"(?<=[.;:]) ", said):
        found = [
            (match.start(), claim)
            for claim in claims
            if claim.kind == "doing" and claim.value
            for match in [re.search(loosely(claim.value.lower()), sentence)]
            if match is not None
        ]
        if not found:
            continue
        start, claim = min(found, key=lambda pair: pair[0])
        before = [thing for thing in find_things(sentence[:start]) if thing.category]
        if before and before[-1].start not in positions_of(sentence, claim.subject.lower()):
            yield f"turned: '{claim.value}' is told of '{before[-1].word}', not of '{claim.subject}'"


def _doubt_denials(said: str, claims: list[Claim]) -> Iterator[str]:
    """What is denied must be absent, and what is absent must be denied or be the answer to "what is missing"."""
    absent = [claim.subject.lower() for claim in claims if claim.kind == "absent"]
    there = [claim for claim in claims if claim.kind != "absent" and claim.subject]
    special = re.match(r"not (.+), but (.+)", said)
    if special or not (absent or _NEGATIVE.search(said)):
        return
    bare = _ANSWERS.sub(" ", said)
    denied = re.sub(r"^no(?=[.,])", " ", said)
    for clause in _CLAUSES.split(bare):
        denies = bool(_NEGATIVE.search(clause))
        for claim in there:
            tells = claim.kind in ("exists", "count", "main")
            if denies and tells and positions_of(clause, claim.subject.lower()):
                yield f"polarity: it denies '{claim.subject}', which is claimed to be there"
    for clause in _CLAUSES.split(denied) if absent else ():
        if not _NEGATIVE.search(clause) and _AFFIRMS.search(clause) and not re.search(r"\bno\b|\blook", clause):
            named = [noun for noun in absent if positions_of(clause, noun)]
            yield from (f"polarity: it affirms '{noun}', which is claimed to be absent" for noun in named)
    if absent and not _NEGATIVE.search(denied) and len(said.split()) > 4 and "missing" not in said:
        named = [noun for noun in absent if positions_of(said, noun)]
        yield from (f"polarity: it does not deny '{noun}'" for noun in named)
