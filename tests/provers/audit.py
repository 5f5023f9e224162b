"""A text held against its claims: nothing said that is not claimed, nothing claimed that is not said."""

import re
from collections.abc import Iterator

from instructgen.scenegraph.claims import Claim
from tests.provers.evidence import Evidence, category_of, find_things, singular_of
from tests.provers.frame_words import FRAME_WORDS, FRAMING_VERBS
from tests.provers.orientation import doubt_orientation
from tests.provers.text import (
    SHORT,
    directions_in,
    is_same,
    loosely,
    numbers_in,
    plain,
    positions_of,
    sides_of,
    states,
    strings_of,
    things_of,
)
from tests.provers.words import (
    CIRCUMSTANCE_WORDS,
    CIRCUMSTANCES,
    COLORS,
    DIRECTIONS,
    DOINGS,
    LOOKS,
    MATERIALS,
    NUMBERS,
    PLACES,
    SIZE_WORDS,
    SIZES,
    lemma_of,
)

_MANY = re.compile(r"\b(?:several|many|a number of)\b")
_ONE = re.compile(r"\b(?:single|only one|just one|just the one|no second|no others?(?! things)|lone|the only)\b")
_SIZE_KINDS = ("larger", "largest", "order", "extent")
_DIRECTION_KINDS = ("region", "largest", "relation", "edge", "half", "order")
_HIDING = re.compile(
    r"\b(?:be )?(?:partly (?:in front of|behind|hide|hidden|covered|cover)|(?:hide|cover) a part of)\b"
)
_BE_DOING = re.compile(r"(?<!you )(?<!we )\b(?:is|are) (?:also |both |all |now |just )?([a-z]+ing)\b")


def audit(evidence: Evidence, text: str, claims: list[Claim], question: str = "") -> list[str]:
    """Return what the text says and no claim does, what a claim says and the text does not, and what is turned."""
    said = plain(text)
    is_short = bool(question) and len(said.split()) <= SHORT
    faults = list(_doubt_statements(said, claims, plain(question), is_short=is_short))
    faults += _doubt_things(said, claims)
    faults += _doubt_gender(said, claims)
    faults += _doubt_words(said, claims)
    faults += _doubt_numbers(evidence, said, claims)
    faults += _doubt_directions(said, claims)
    faults += doubt_orientation(said, claims)
    return [f"text {fault} [{text}]" for fault in faults]


def _doubt_gender(said: str, claims: list[Claim]) -> Iterator[str]:
    """He and she have to be somebody of whom a claim says so."""
    subjects = {singular_of(claim.subject.lower()) for claim in claims}
    subjects |= {singular_of(word) for one in claims if one.kind == "told" for word in one.subject.lower().split()}
    for words, who in (("he|his|him", {"man", "boy", "groom"}), ("she|her|hers", {"woman", "girl", "bride"})):
        found = re.search(rf"\b(?:{words})\b", said)
        if found and not subjects & who and claims:
            yield f"noun: '{found.group()}' is nobody of a claim"


def _doubt_statements(said: str, claims: list[Claim], question: str, *, is_short: bool) -> Iterator[str]:
    for claim in claims[:1] if is_short else claims:
        if is_short and claim.kind == "count" and any(one.kind == "more" for one in claims):
            continue
        asked_by_box = claim.kind == "attribute" and any(one.kind == "located" for one in claims)
        if not states(f"{question} {said}" if asked_by_box else said, claim, question, is_short=is_short):
            told = " ".join(filter(None, (claim.subject, claim.value, claim.other, str(claim.number or ""))))
            yield f"unsaid: claims {claim.kind} of {told}, which it does not say"


def _doubt_things(said: str, claims: list[Claim]) -> Iterator[str]:
    claimed = [thing for _, thing in things_of(claims)]
    for thing in find_things(said):
        if thing.word in FRAME_WORDS or thing.word in ("nobody", "no one", "somebody", "someone"):
            if thing.word in ("nobody", "no one") and not any(one.kind == "absent" for one in claims):
                yield f"noun: '{thing.word}' is nobody's claim"
            continue
        if thing.word == "orange" and any("orange" in claim.value for claim in claims):
            continue
        if (thing.category == "person" and not _names_people(thing.word, claims)) or not any(
            is_same(thing, one) for one in claimed
        ):
            yield f"noun: '{thing.word}' is in no claim"


def _names_people(word: str, claims: list[Claim]) -> bool:
    """A narrow word for a person has to be in the claims itself; "person" and "people" may stand for any."""
    subjects = [text for claim in claims for text in strings_of(claim)]
    people = [thing.word for text in subjects for thing in find_things(text) if thing.category == "person"]
    single = singular_of(word)
    return bool(people) and (single == "person" or single in {singular_of(one) for one in people})


def _claimed_words(claims: list[Claim]) -> set[str]:
    words = {word for claim in claims for text in strings_of(claim) for word in re.findall(r"[a-z']+", text)}
    words |= {singular_of(word) for word in words} | {f"{word}s" for word in words}
    words |= {"wooden"} if "wood" in words else set()
    words |= {form for word in words for form in (f"{word}es", f"{word[:-1]}ies" if word.endswith("y") else word)}
    return words


def _doubt_words(said: str, claims: list[Claim]) -> Iterator[str]:
    """Every word frames the talk, or is a claim's; what is left is a word that nobody vouches for."""
    claimed = _claimed_words(claims)
    kinds = {claim.kind for claim in claims}
    bare = re.sub(r"\[[\d., ]+\]", " ", said)
    for thing in reversed(find_things(bare)):
        if " " in thing.word and thing.category:
            bare = bare[: thing.start] + " " + bare[thing.end :]
    if any(claim.kind == "order" and claim.value == "large to small" for claim in claims):
        bare = bare.replace("large to small", " ").replace("how large", " ")
    if any(claim.kind == "extent" and claim.value == "small" for claim in claims):
        bare = re.sub(r"\b(?:small part|rather small)\b", " ", bare)
    if "overlap" in kinds:
        bare = _HIDING.sub(" ", bare)  # which one hides which is left open
    for word in re.findall(r"[a-z]+(?:'[a-z]+)?", bare):
        lemma = lemma_of(word)
        if word in claimed or word in DIRECTIONS or word in NUMBERS:
            continue
        if word in COLORS or word in MATERIALS or word in LOOKS or word in SIZES:
            yield f"look: '{word}' is in no claim"
        elif word in CIRCUMSTANCE_WORDS:
            told = [claim.value for claim in claims if claim.kind in ("time", "weather")]
            if not any(re.fullmatch(CIRCUMSTANCES.get(value, value), word) for value in told):
                yield f"circumstance: '{word}' is in no claim"
        elif word in SIZE_WORDS:
            if not kinds & set(_SIZE_KINDS) or (
                word.startswith("small") and not kinds & {"larger", "order", "extent"}
            ):
                yield f"size: '{word}' is in no claim"
        elif word in DOINGS and word not in FRAMING_VERBS and word not in FRAME_WORDS:
            if not any(lemma == lemma_of(claim.value.split()[0]) for claim in claims if claim.value):
                yield f"doing: '{word}' is in no claim"
        elif (
            word not in FRAME_WORDS | FRAMING_VERBS
            and not _is_other_form(word, lemma, claims)
            and not _is_place(word, claims)
        ):
            names = [thing for thing in find_things(word) if thing.category or thing.word in PLACES]
            if not names:
                yield f"word: '{word}' neither frames the talk nor is in a claim"
    for match in _BE_DOING.finditer(bare):
        word = match.group(1)
        if word in FRAMING_VERBS and not any(word in claim.value for claim in claims):
            yield f"doing: '{word}' is in no claim"


def _is_other_form(word: str, lemma: str, claims: list[Claim]) -> bool:
    """True for another form of a claimed verb, and for how clothes and hands are spoken of."""
    verbs = {lemma_of(claim.value.split()[0]) for claim in claims if claim.kind == "doing" and claim.value}
    put = {"wear": {"dressed", "clothes", "clothing", "outfit"}, "hold": {"hand", "hands", "grip"}}
    return lemma in verbs or any(word in put.get(verb, ()) for verb in verbs)


def _is_place(word: str, claims: list[Claim]) -> bool:
    """True for the preposition's noun of a place that is claimed."""
    return any(claim.kind == "place" and word in claim.value for claim in claims)


def _doubt_numbers(evidence: Evidence, said: str, claims: list[Claim]) -> Iterator[str]:
    counts = {claim.number: claim for claim in claims if claim.kind == "count"}
    subjects = [claim.subject for claim in claims if claim.kind == "count"]
    least = {claim.number for claim in claims if claim.kind == "exists" and claim.number > 2}
    for position, number in numbers_in(said):
        word = said[position:].split(maxsplit=1)[0].strip(".,;:")
        if number in least and said[:position].endswith("at least "):
            continue
        if any(re.search(rf"\b{word}\b", text) for claim in claims for text in strings_of(claim)):
            continue
        if number not in counts:
            yield f"number: '{word}' is in no claim"
            continue
        behind = find_things(said[position : position + 60])
        near = said[position : position + behind[0].start] if behind else ""
        if near and len(near.split()) <= 3 and not re.search(r"[.,;:]", near):
            alike = [one for one in claims if one.kind == "count" and one.number == number]
            if not any(_is_called(behind[0].word, one.subject) for one in alike) and behind[0].category:
                yield f"number: '{word} {behind[0].word}' is not what is counted"
    if len(counts) > 1:
        first = sorted(subjects, key=lambda noun: min(positions_of(said, noun), default=9999))
        stated = [number for _, number in numbers_in(said) if number in counts]
        wanted = [counts_of(claims, noun) for noun in first]
        if stated and list(dict.fromkeys(stated)) != list(dict.fromkeys(wanted)):
            yield f"number: {stated} stand in another order than {first}"
    many = _MANY.search(said)
    told = many is not None and any(many.group() in text for claim in claims for text in strings_of(claim))
    if many is not None and not told and not any(_is_several(evidence, claim) for claim in claims):
        yield "number: no claim holds of several"
    alone = _ONE.search(re.sub(r"no more|several", "", said))
    if (
        alone
        and not any(one.kind == "told" and alone.group() in f"{one.subject} {one.value}" for one in claims)
        and not any(claim.kind == "count" and claim.number == 1 for claim in claims)
        and "absent" not in {claim.kind for claim in claims}
    ):
        yield f"number: '{alone.group()}' is in no claim"


def counts_of(claims: list[Claim], noun: str) -> int:
    return next(claim.number for claim in claims if claim.kind == "count" and claim.subject == noun)


def _is_called(word: str, noun: str) -> bool:
    category = category_of(noun)
    return category_of(word) == category if category else singular_of(word) == singular_of(noun)


def _is_several(evidence: Evidence, claim: Claim) -> bool:
    category = category_of(claim.subject) or ""
    certain = len(evidence.boxes(category)) + 2 * evidence.has_crowd(category)
    return (claim.kind == "exists" and claim.number > 1 and certain > 1) or (
        claim.kind == "count" and claim.number > 1
    )


def _doubt_directions(said: str, claims: list[Claim]) -> Iterator[str]:
    """Each direction has to be that of a claim; where several things have their own, each the one nearest to it."""
    bare = _without_places(said, claims)
    if any(claim.kind == "relation" for claim in claims):
        bare = re.sub(r"\bfrom (?:left to right|right to left)\b", " ", bare)
    told = directions_in(bare)
    wanted = [sides for claim in claims for sides in sides_of(claim)]
    for _, sides in told:
        if sides not in wanted:
            yield f"direction: {sorted(sides)} is in no claim"
    if any(claim.kind == "order" and claim.value == "left to right" for claim in claims):
        order = [next(iter(sides)) for _, sides in told]
        if order[:2] != ["left", "right"] and order:
            yield "direction: not told from left to right"
    placed = [claim for claim in claims if claim.kind == "region" and positions_of(said, claim.subject)]
    if len({tuple(sides_of(claim)) for claim in placed}) < 2:
        return
    parts = re.split(r"; |, (?=(?:while|whereas|and|with|but|the)\b)|(?<=[.]) ", said)
    for part in parts if all(directions_in(part) for part in parts if _named(part, placed)) else [said]:
        yield from _doubt_placed(part, _named(part, placed))


def _named(part: str, placed: list[Claim]) -> list[Claim]:
    return [claim for claim in placed if positions_of(part, claim.subject)]


def _doubt_placed(part: str, placed: list[Claim]) -> Iterator[str]:
    told = directions_in(part)
    starts = [positions_of(part, claim.subject)[0] for claim in placed]
    leads = min(starts, default=0) > min((at for at, _ in told), default=0)
    for claim, start in zip(placed, starts, strict=True):
        before = [sides for at, sides in told if at < start]
        behind = [sides for at, sides in told if at > start]
        wanted = sides_of(claim)
        if (before[-len(wanted) :] if leads else behind[: len(wanted)]) != wanted:
            yield f"direction: '{claim.subject}' is not told to be {claim.value}"


def _without_places(said: str, claims: list[Claim]) -> str:
    """Blank what a doing says of its place: "in the middle of a road" is no region of the frame."""
    texts = [
        text
        for claim in claims
        for text in (strings_of(claim) if claim.kind in ("doing", "told") else (claim.subject,))
    ]
    for text in sorted(texts, key=len, reverse=True):
        if text:
            said = re.sub(loosely(text.lower()), lambda match: " " * len(match.group()), said)
    return said
