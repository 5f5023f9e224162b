"""How a text states a claim, and what it says besides: nouns, numbers, colors, directions, doings."""

# ruff: noqa: E501 - a pattern is a line

import re
from functools import lru_cache

from instructgen.scenegraph.claims import Claim
from tests.provers.evidence import Thing, category_of, find_things, name_pattern, singular_of
from tests.provers.words import CIRCUMSTANCES, COLORS, DOINGS, LOOKS, MATERIALS, NUMBERS, SIZES, forms_of, lemma_of

PRONOUN = re.compile(r"\b(?:it|its|itself|they|their|them|he|his|she|her|one)\b")
SHORT = 9  # words of an answer that may leave to its question what it is about
_NAMES = {2: "pair|couple", 1: "single|only|lone|no second"}
_WORN = r"dressed|wears?|wearing|clothes|clothing|outfit|in|on|has on"
_HELD = r"held|holds?|holding|hands?|grip|has|have|carry|carrying"
# What a text has to have to make a claim of these kinds.
_SIGNS = {
    "larger": re.compile(r"\b(?:larger|smaller|bigger|more|less|ahead|wins?)\b"),
    "relation": re.compile(
        r"\b(?:(?:left|right) of|above|below|from|than|compared|start|before|further|higher|lower|position|choice|moves?|moving|to the)\b"
    ),
    "sides": re.compile(r"\bopposite sides\b"),
    "overlap": re.compile(r"\b(?:overlap\w*|shares?)\b"),
    "extent": re.compile(r"\b(?:width|height|wide|tall|small|large|stretches|spans|side to side|fills)\b"),
    "main": re.compile(r"\b(?:mainly|mention|anybody|attention|subject|about|above all|focus|main|centers|view|name|first|most|all)\b"),
    "more": re.compile(r"\b(?:more|outnumber|ahead|beat|win)\b"),
    "absent": re.compile(r"\b(?:no|not|neither|nor|without|missing|lacks?|absent|vain|nowhere|nobody|odd|none|only|zero)\b|n't\b"),
}  # fmt: skip
_LOOKS = "|".join(sorted({*COLORS, *MATERIALS, *LOOKS, *SIZES}))
_OTHERS = re.compile(r"\b(?:others|only|among the things|none|nothing else)\b|\bneither(?:[.,]|$)")
# Direction words, each with the side of the frame that it stands for.
_SIDES = {
    "left": "left", "right": "right", "top": "top", "upper": "top", "above": "top", "higher": "top", "bottom": "bottom",
    "lower": "bottom", "below": "bottom", "middle": "middle", "center": "middle",
}  # fmt: skip
_DIRECTION = re.compile(
    r"\b(?:(?:upper|lower|top|bottom) (?:left|right)|left|right|top|upper|above|higher|bottom|lower|below|middle|center"
    r"|(?<=further )(?:up|down)|(?<=move )(?:up|down)|(?<=moving )(?:up|down)|(?<=eyes )(?:up|down))\b"
)
# What frames the talk in words that would otherwise claim something, taken out before anything is looked for.
FRAMES = (
    (r"above all\b", "mainly"),
    (r"front and center\b", "mainly"),
    (r"right at the center\b", "at the center"),
    (r"(?:slightly|a little to the) (?=(?:left|right) of the center\b)", "to the "),
    (r"right away\b|all right\b|that's right\b", ""),
    (r"(?:what|which|that) is left(?= over\b)", ""),
    (r"that leaves\b", ""),
    (r"from top to bottom(?=, the)", "height"),
    (r"one (?:can|sees|finds|notices|comes|would|could|might|may|has|looks|who)\b", "you"),
    (r"(?:can|does|did|would|could) one\b", "you"),
    (r"odd one out\b", "missing"),
    (r"(?:another|each|every|this|that|which|the only) one\b", ""),
    (r"(?:one|each|any|none|either|neither) of (?=(?:the|them|these|those)\b)", ""),
    (r"one (?:quick |good |close )?(?:look|glance)\b", "a look"),
    (r"the one (?=you|that|which)", ""),
    (r"trace a path\b", "trace"),
    (r"search (this [a-z]+ )all day\b", r"search \1"),
    (r"all day\b", ""),
    (r"all but one\b|only need one finger\b|a single time each\b", ""),
    (r"of those three\b|of the three\b(?=,)|of the two\b(?=,)|both of them\b", ""),
    (r"on the phone\b", ""),
    (r"no (?:second|other) (?=[a-z]+(?: [a-z]+)? (?:can|is|has|to)\b)", "only one "),
    (r"a second ([a-z ]+?) is nowhere to be seen\b", r"only one \1 is to be seen"),
    (r"(?<=largest )one\b|(?<=larger )one\b", ""),
    (r"(?:more|most|the most|as much) room\b", "more"),
    (r"the room (?=(?:that )?they)", "more "),
    (r"fresh eyes\b", "eyes"),
    (r"the camera (?:was|is|has|had)\b", "it "),
    (r"for a friend\b", ""),
    (r"(?:is|are) (?:all )?taking place\b", "takes place"),
    (r"(?:for|us|me|you|too) long\b", ""),
    (r"(?:isn't|not|without) one\b(?= here|,|\.| in )", "not it"),
    (r"however long\b", "however"),
    (
        r"(?:when|if|what would|how would|what do) (?:most )?people (?=describe|say|name|look|mention|see|notice)",
        "when you ",
    ),
    (
        r"(?:(?:and|but) )?not just (?:a single|a lone|one)\b|isn't a lone\b|more than (?:just )?(?:a single|one)\b",
        "several",
    ),
    (r"first of all\b|at first\b|for a second\b|a second look\b", ""),
)
_FRAMES = tuple((re.compile(rf"\b(?:{pattern})"), put) for pattern, put in FRAMES)  # fmt: skip


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return the text in lower case without the frames of the talk."""
    lowered = text.lower().replace("\u2019", "'").replace("t-shirt", "t shirt").replace("close-up", "close up")
    for pattern, put in _FRAMES:
        lowered = pattern.sub(put, lowered)
    return lowered


def strings_of(claim: Claim) -> list[str]:
    """Return all words of a claim that name something."""
    return [*claim.subject.lower().split("|"), claim.value.lower(), claim.other.lower()]


def things_of(claims: list[Claim]) -> list[tuple[Claim, Thing]]:
    return [(claim, thing) for claim in claims for text in strings_of(claim) for thing in find_things(text)]


def is_same(one: Thing, other: Thing) -> bool:
    if one.category or other.category:
        return one.category == other.category
    return singular_of(one.word) == singular_of(other.word)


@lru_cache(maxsize=65536)
def positions_of(text: str, noun: str) -> tuple[int, ...]:
    """Return where a text names the noun of a claim, in the singular or plural."""
    category = category_of(noun)
    if category == "person" and noun not in ("person", "people"):
        return tuple(match.start() for match in re.finditer(rf"\b(?:{name_pattern(noun)})\b", text))
    if category is not None:
        return tuple(thing.start for thing in find_things(text) if thing.category == category)
    return tuple(match.start() for match in re.finditer(rf"\b(?:{name_pattern(noun)})\b", text))


def directions_in(text: str) -> list[tuple[int, frozenset[str]]]:
    """Return the directions that a text names, each as the sides of the frame it stands for."""
    found: list[tuple[int, frozenset[str]]] = []
    for match in _DIRECTION.finditer(text):
        words = {"up": "top", "down": "bottom"}
        sides = frozenset(words.get(word) or _SIDES[word] for word in match.group().split())
        if found and sides == found[-1][1] and len(text[found[-1][0] : match.start()].split()) == 1:
            continue  # "higher up", "lower down"
        found.append((match.start(), sides))
    return found


def sides_of(claim: Claim) -> list[frozenset[str]]:
    """Return the directions that a text has to name, or may name, for a claim."""
    if claim.kind == "half":
        both = [frozenset(("left",)), frozenset(("right",))]
        return both if claim.value == "both" else [frozenset((_SIDES.get(claim.value, claim.value),))]
    if claim.kind == "order":
        return [frozenset(("left",)), frozenset(("right",))] if claim.value == "left to right" else []
    if claim.kind == "region" and claim.value.startswith("near "):
        return [frozenset((claim.value.removeprefix("near "),)), frozenset(("middle",))]
    if claim.kind in ("region", "largest", "relation", "edge") and claim.value:
        return [frozenset(_SIDES.get(word, word) for word in claim.value.split())]
    return []


def numbers_in(text: str) -> list[tuple[int, int]]:
    """Return position and value of each number word; "one" as a pronoun is among the frames."""
    bare = re.sub(r"\[[\d., ]+\]", lambda match: " " * len(match.group()), text)
    return [
        (match.start(), NUMBERS.get(match.group()) or int(match.group()))
        for match in re.finditer(r"\b(?:" + "|".join(NUMBERS) + r"|\d+)\b", bare)
    ]


def says_value(text: str, claim: Claim) -> bool:
    """True if all words of an attribute's value are in the text."""
    words = re.split(r",? and |, ", claim.value.lower())
    return all(re.search(rf"\b{re.escape(word)}{'(?:en)?' if word == 'wood' else ''}\b", text) for word in words)


@lru_cache(maxsize=65536)
def loosely(phrase: str) -> str:
    """Return a pattern for the phrase with any looks put before its nouns; the looks have claims of their own."""
    words = ["(?:an?|the)" if word in ("a", "an") else re.escape(word) for word in phrase.split()]
    return r"\b" + (rf"(?:,? (?:{_LOOKS}|and)\b)*,? ").join(words) + r"\b"


def says_doing(text: str, about: str, claim: Claim) -> bool:
    """True if the text has verb and object, and the place; clothes, hands and postures may be put otherwise."""
    value, where = claim.value.lower(), claim.other.lower()
    if where and not re.search(loosely(where), text):
        return False
    if not value or re.search(loosely(value), text):
        return True
    verb, _, rest = value.partition(" ")
    base = lemma_of(verb)
    if not rest:
        return (bool(where) and base in ("sit", "stand", "lie", "rest")) or bool(
            re.search(rf"\b(?:{forms_of(verb)})\b", about)
        )
    other = re.search(rf"\b([a-z]+ing) {loosely(rest)[2:]}", text)
    if (
        other is not None
        and other.group(1) in DOINGS
        and not re.search(rf"\b(?:{forms_of(verb)}) {loosely(rest)[2:]}", text)
    ):
        return False
    put = {"wear": _WORN, "hold": _HELD}.get(base, forms_of(verb))
    return bool(re.search(loosely(rest), text)) and bool(re.search(rf"\b(?:{put})\b", about))


def says_told(text: str, claim: Claim) -> bool:
    """True if the text has it word for word, looks apart; who was named before may be "the man" or "he"."""
    if claim.value and not re.search(loosely(claim.value.lower()), text):
        return False
    subject = claim.subject.lower()
    heads = {*(one.word for one in find_things(subject)), subject.split()[-1]}
    known = bool(claim.value) and (bool(PRONOUN.search(text)) or any(positions_of(text, one) for one in heads))
    return known or bool(re.search(loosely(subject), text))


def says_direction(text: str, claim: Claim) -> bool:
    told = [sides for _, sides in directions_in(text)]
    return all(sides in told for sides in sides_of(claim))


def says_count(text: str, claim: Claim) -> bool:
    names = "|".join(word for word, n in NUMBERS.items() if n == claim.number)
    return bool(
        re.search(rf"\b(?:{names or claim.number}|{_NAMES.get(claim.number, names or claim.number)})\b", text)
    )


def names_subject(text: str, claim: Claim) -> bool:
    """True if the text names what the claim is about, each part of it."""
    nouns = [noun for noun in claim.subject.lower().split("|") if noun]
    if claim.kind in ("relation", "larger", "overlap", "more"):
        nouns.append(claim.other.lower())
    missing = [noun for noun in nouns if not positions_of(text, noun)]
    if claim.kind in ("exists", "main", "absent", "inferred", "order", "located"):
        return not missing
    return len(missing) <= bool(PRONOUN.search(text))


def _leans(text: str) -> bool:
    """True for an answer that names its subject by a pronoun, or names nothing at all."""
    return bool(PRONOUN.search(text)) or not any(thing.category for thing in find_things(text))


def states(text: str, claim: Claim, question: str = "", *, is_short: bool = False) -> bool:
    """True if the text says what the claim does; a short answer may leave its subject to the question."""
    about = f"{question} {text}"
    if claim.kind == "place":
        return bool(positions_of(text, claim.value.lower()))
    if claim.kind == "told":
        return says_told(text, claim)
    if claim.kind in ("time", "weather"):
        return bool(re.search(rf"\b(?:{CIRCUMSTANCES.get(claim.value, claim.value)})\b", text))
    if claim.kind == "absent" and question and _OTHERS.search(text):
        return bool(positions_of(question, claim.subject.lower()))
    leans = is_short and not find_things(question)  # "And its color?"
    if not leans and not names_subject(about if is_short or (question and _leans(text)) else text, claim):
        return False
    if claim.kind == "attribute":
        return says_value(text, claim)
    if claim.kind == "doing":
        return says_doing(about if is_short else text, about, claim)
    if claim.kind == "count" or (claim.kind == "exists" and claim.number > 2):
        return says_count(text, claim)
    if claim.kind == "inferred":
        return bool(positions_of(text, claim.value))
    if claim.kind in ("region", "largest", "edge", "half", "relation", "order"):
        is_told = says_direction(text, claim) and (claim.kind != "relation" or bool(_SIGNS["relation"].search(text)))
        return is_short or is_told
    if claim.kind == "absent":
        return bool(_SIGNS["absent"].search(about))
    return is_short or claim.kind not in _SIGNS or bool(_SIGNS[claim.kind].search(text))


def colors_in(text: str) -> list[tuple[int, str]]:
    return [(match.start(), match.group()) for match in re.finditer(r"\b(?:" + "|".join(COLORS) + r")\b", text)]
