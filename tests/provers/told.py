"""What a caption is said to tell as a whole: each word has to stand in the cited part, in this order, and undisputed.

A word may be another form or name of the caption's ("racquet" for "tennis racket", "riding" for "rides"); nothing may
be denied, meant of a likeness, or told otherwise by another caption.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from instructgen.scenegraph.claims import Claim
from tests.provers.captions import LIKENESS, NEGATION, told_values
from tests.provers.evidence import (
    Cited,
    Evidence,
    category_of,
    find_things,
    is_many,
    is_modifier,
    name_pattern,
    singular_of,
)
from tests.provers.words import COLORS, NUMBERS, PREPOSITIONS, SIZES, VALUE_FORMS, forms_of, words_of

_SMALL = words_of("a an the is are of and")
_OTHER_WORDS = {
    "on": "on upon atop onto in", "at": "at on", "in": "in on inside within atop",
    "lying": "lying laying lays lay lies lie",
    "wearing": "wearing wears dressed in", "group": "group bunch number", "several": "several bunch number",
    "young": "young little small youth",
    "pair": "pair couple", "wheelchair": "wheelchair wheel", "railroad": "railroad rail",
    "alongside": "alongside along",
    "shirt": "shirt tshirt", "top": "top atop",
    "his": "his their its the", "their": "their his her", "with": "with has have having", "indoors": "indoors doors",
}  # fmt: skip
_GENDERS = (frozenset(("man", "boy", "groom")), frozenset(("woman", "girl", "bride")))
_POSTURES = (
    "sit|sits|sitting|seated", "stand|stands|standing", "lie|lies|lying|lay|lays|laying|sleeping|sleeps|asleep",
    "walk|walks|walking|strolling|wandering", "run|runs|running",
)  # fmt: skip
_COLOR = "|".join(COLORS)
_COLORED = re.compile(rf"\b((?:{_COLOR})(?:(?: and|,) (?:{_COLOR}))*) (?:[a-z-]+ )?$")
_VEHICLES = ("car", "bus", "train", "truck", "boat", "airplane", "motorcycle", "bicycle")
_MOTIONS = (
    "parked|parks|stopped|stops|docked|abandoned",
    "driving|drives|traveling|travels|travelling|moving|racing",
)
_APART = re.compile(r"\b(?:of|with|on|in|at|and|by|near|behind|[a-z]+ing)\b")  # between a number and another thing
_MODIFIED = re.compile(
    r" (?:doll|pole|screen|seat|lid|feeder|booth|stand|shop|store|stop|case|cover|top|cell|phone|tire|dish|wheel"
    r"|box)s?\b"
)
_MANY = 3  # captions that are believed where no box is


def prove_told(evidence: Evidence, claim: Claim) -> Iterator[str]:
    """One caption is cited, and its cited part has all that is told of it."""
    cited = evidence.cited(claim)
    if len(cited) != 1:
        yield f"cites {len(cited)} captions, not one"
        return
    text = f"{claim.subject} {claim.value}".strip().lower().replace("t shirt", "shirt").replace("wii game", "wii")
    text = text.replace("on top of", "on")
    yield from _doubt_order(evidence, cited[0], text)
    yield from _doubt_numbers(evidence, text)
    yield from _doubt_people(evidence, text)
    is_vehicle = any(thing.category in _VEHICLES for thing in find_things(claim.subject.lower()))
    yield from _doubt_posture(evidence, claim.value.lower(), _MOTIONS if is_vehicle else _POSTURES)
    yield from _doubt_colors(evidence, text)


def _doubt_order(evidence: Evidence, one: Cited, text: str) -> Iterator[str]:
    at = 0
    said = one.text.replace("one another", "each other").replace("beside each other", "next to each other")
    for word in _units(text):
        match = re.compile(rf"\b(?:{_pattern(evidence, word)})\b").search(said, at)
        if match is None:
            yield f"caption {one.number} does not say '{word}' there in: {one.text}"
            return
        before = one.caption[: one.start] + said[: match.start()]
        if NEGATION.search(before) or (at == 0 and category_of(word) and LIKENESS.search(before)):
            yield f"caption {one.number} denies '{word}', or means a likeness"
        at = at if word in SIZES else match.end()  # "green small" is told as "small green"
    # Of what stands between, nothing may turn it round.
    if re.search(r"\b(?:not|no|without|nobody|isn't|aren't|pretending|pretends|fake)\b", one.text):
        yield f"caption {one.number} denies something of: {one.text}"


def _units(text: str) -> list[str]:
    """Return names of several words as one, and all other words but the smallest."""
    units: list[str] = []
    at = 0
    for thing in find_things(text):
        if thing.start >= at:
            units += text[at : thing.start].split()
            units.append(thing.word)
            at = thing.end
    units += text[at:].split()
    return [word.strip(",.") for word in units if word.strip(",.") and word not in _SMALL]


def _pattern(evidence: Evidence, word: str) -> str:
    """Return a pattern for what a caption may say where this word is told."""
    if word in NUMBERS:
        return f"{word}|{NUMBERS[word]}" + ("|couple|pair" if NUMBERS[word] == 2 else "")
    if word in COLORS:
        return "|".join(name for name, color in COLORS.items() if color == COLORS[word])
    category = category_of(word)
    if category == "person":
        return _person_pattern(evidence, word)
    if category is not None:
        return f"{name_pattern(category)}|{name_pattern(word)}"
    values = VALUE_FORMS.get("wood" if word == "wooden" else word, word)
    words = {word, *values.split(), *_OTHER_WORDS.get(word, "").split(), *PREPOSITIONS.get(word, "").split()}
    words |= {part for one in words for part in one.split("-")} if "-" not in word else set()
    if "-" in word:
        return r"[ ]+".join(re.escape(part) for part in word.split("-"))
    nouns = name_pattern(word)
    return "|".join([*sorted(map(re.escape, words)), forms_of(word), nouns])


@lru_cache(maxsize=1)
def _any_person() -> str:
    return rf"{name_pattern('person')}|[a-z]+ers?|group|team|crowd|jockeys?|competitors?"


def _person_pattern(evidence: Evidence, word: str) -> str:
    """ "A person" may be anybody; the only person of an image has one word, whatever a caption says."""
    if singular_of(word) == "person" or evidence.is_one("person"):
        return f"{_any_person()}|{name_pattern(word)}"
    return name_pattern(word)


def _doubt_numbers(evidence: Evidence, text: str) -> Iterator[str]:
    """What has a number, or is a plural, has to have as many boxes."""
    for thing in find_things(text):
        is_color = thing.word == "orange" and bool(re.match(r",? [a-z]", text[thing.end :]))
        if not thing.category or thing.category in ("skis", "scissors", "broccoli") or is_color:
            continue
        if (
            text[: thing.start].endswith("computer ")
            or is_modifier(text[thing.end :])
            or _MODIFIED.match(text[thing.end :])
        ):
            continue
        if re.match(r" of ", text[thing.end :]) and thing.word in ("family", "crowd", "team"):
            continue
        boxes = len(evidence.boxes(thing.category)) + 2 * evidence.has_crowd(thing.category)
        number = re.search(rf"\b({'|'.join(NUMBERS)}) (?:[a-z-]+,? ){{0,3}}$", text[: thing.start])
        named = len(evidence.captions_with(name_pattern(thing.category)))
        if boxes == 0 and named >= _MANY:
            continue
        if boxes == 0:
            yield f"no box of '{thing.word}'"
        elif is_many(thing.word) and boxes < 2 and thing.category not in ("sheep",):
            yield f"only one box for '{thing.word}'"
        elif number is not None and is_many(thing.word):
            between = text[number.start() : thing.start]
            is_doubted = NUMBERS[number[1]] != len(evidence.boxes(thing.category)) and not _APART.search(between)
            if is_doubted and not _is_most_told(evidence, NUMBERS[number[1]], thing.category):
                yield f"'{number[1]} {thing.word}' are {len(evidence.boxes(thing.category))} boxes"


def _is_most_told(evidence: Evidence, number: int, category: str) -> bool:
    """True where most captions give the number, whatever is boxed, and no caption another."""
    rest = rf" (?:[a-z-]+,? ){{0,3}}(?:{name_pattern(category)})"
    own = [word for word, value in NUMBERS.items() if value == number]
    others = [word for word, value in NUMBERS.items() if value not in (1, number)]
    told = evidence.captions_with(rf"(?:{'|'.join(own)}|{number}){rest}")
    return len(told) >= _MANY and not set(evidence.captions_with(rf"(?:{'|'.join(others)}){rest}")) - set(told)


def _doubt_people(evidence: Evidence, text: str) -> Iterator[str]:
    """Where one person is boxed, no caption may have one of the other sex only."""
    told = {singular_of(thing.word) for thing in find_things(text) if thing.category == "person"}
    if not evidence.is_one("person"):
        return
    for own, other in (_GENDERS, _GENDERS[::-1]):
        if not told & own:
            continue
        for number, caption in enumerate(evidence.captions):
            named = {singular_of(thing.word) for thing in find_things(caption) if thing.category == "person"}
            if named & other and not named & own:
                yield f"caption {number} says {sorted(named & other)}, not {sorted(told & own)}"


def _doubt_posture(evidence: Evidence, value: str, rivals: tuple[str, ...]) -> Iterator[str]:
    """Of a posture as of standing still or moving: as many captions may not tell another."""
    verb = value.split(maxsplit=1)[0] if value else ""
    own = next((group for group in rivals if re.fullmatch(group, verb)), None)
    if own is None:
        return
    others = evidence.captions_with("|".join(group for group in rivals if group != own))
    if others and len(evidence.captions_with(own)) <= max(1, len(others)):
        yield f"captions say another posture than '{verb}': {others[0]}"


def _doubt_colors(evidence: Evidence, text: str) -> Iterator[str]:
    """A color of a thing of which there is one: no caption may tell another."""
    for thing in find_things(text):
        if not thing.category or not evidence.is_one(thing.category) or _MODIFIED.match(text[thing.end :]):
            continue
        before = re.search(
            rf"\b((?:{'|'.join(COLORS)})(?:(?: and|,) (?:{'|'.join(COLORS)}))*) (?:[a-z-]+ )?$", text[: thing.start]
        )
        if before is None:
            continue
        told = frozenset(COLORS[word] for word in re.findall(r"[a-z]+", before[1]) if word in COLORS)
        colors = [told_values(caption, name_pattern(thing.word), "color", "") for caption in evidence.captions]
        exact = sum(told in found for found in colors)
        is_main = exact >= 2 and all(told <= said for found in colors for said in found)
        for number, found in enumerate(colors):
            for said in found:
                if not said <= told and not (is_main and 2 * exact > sum(map(bool, colors))):
                    yield f"caption {number} says that '{thing.word}' is {sorted(said)}, not {sorted(told)}"
