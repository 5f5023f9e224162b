"""Looks of a thing in a statement: the adjectives and colors of its phrase that nobody disputes, as they are said."""

from collections import Counter
from collections.abc import Container

from instructgen.lexicon.words import COLOURS, join_words
from instructgen.scenegraph.agreement import Sources, key_of
from instructgen.scenegraph.attributes import BEFORE_NOUN, DRAPED, VALUES
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.vocabulary import ADJECTIVES, NOUNS

# Adjectives that tell an opinion, or nothing, or read oddly before a noun.
_OPINIONS = frozenset((
    "adorable", "beautiful", "cute", "delicious", "fancy", "gourmet", "happy", "lovely", "neat", "nice", "pretty",
    "tasty", "typical", "regular", "various", "different", "other", "sleek", "elegant", "plain", "professional",
    "ornate", "quiet", "calm", "fresh", "homemade", "american", "asian", "fashioned", "domestic",
    "mother", "moving", "running", "sitting", "standing", "speeding", "sleeping", "opened", "parked", "dressed",
    "clear", "flying", "deep", "heavy", "light", "high", "low", "warm", "cold", "outside", "inside", "male", "female",
    "adult", "sized", "lone",
))  # fmt: skip
_NO_MODIFIERS = frozenset(("toilet", "sink", "tub", "bathtub", "stove", "oven", "refrigerator", "microwave", "air"))
_SIZES = frozenset(("large", "small", "tall", "long", "big", "little", "huge", "tiny", "giant"))
# Behind another word: "a snow-covered hill".
_JOINED = frozenset(("covered", "lined", "haired", "aged", "colored", "sized"))


def read_looks(before: tuple[str, ...], phrase: NounPhrase, sources: Sources) -> tuple[list[str], frozenset[str]]:
    """Return the looks that nobody disputes as they are said, and their keys."""
    about = key_of(phrase)
    looks: list[str] = []
    colors = list(dict.fromkeys(COLOURS[token] for token in before if token in COLOURS))
    is_sure = phrase.colours is not None and (about, "color") not in sources.disputed
    if not is_sure or not sources.colors.get(about, frozenset()) <= set(colors):
        colors = []
    is_sure = is_single(phrase, sources) and about not in DRAPED
    if colors and not is_sure and not _is_told_twice(before, COLOURS, about, sources):
        colors = []
    keys = {f"color {about}"} if colors else set()
    for at, token in enumerate(before):
        if token in COLOURS and colors:
            looks.append(join_words(colors))
            colors = []
        elif token in _JOINED:
            looks = _join_look(before, at, looks)
        elif token in VALUES and token not in _OPINIONS and _is_look_agreed(token, phrase, sources):
            kind, value = VALUES[token]
            if about == "person":
                value = {"small": "young", "large": ""}.get(value, token if kind == "age" else value)
            looks += [BEFORE_NOUN.get(value, value)] if value and not (value == "colorful" and colors) else []
            keys.add(f"{kind} {about}")
        elif (
            token in ADJECTIVES and token not in VALUES and token not in _OPINIONS and sources.voices.is_word(token)
        ) or (about != "person" and _is_modifier(token)):  # "bike riders" may be told as "people"
            looks.append(token)
    looks = [one for at, one in enumerate(looks) if at == 0 or one != looks[at - 1]]
    sizes = [one for one in looks if one in _SIZES]
    return [*sizes, *(one for one in looks if one not in _SIZES)], frozenset(keys)  # "small green", not "green small"


def _is_look_agreed(token: str, phrase: NounPhrase, sources: Sources) -> bool:
    """True for a look that nobody disputes: of one boxed thing, or told by two captions."""
    if (key_of(phrase), VALUES[token][0]) in sources.disputed:
        return False
    is_size = VALUES[token][0] == "size"  # what one finds small another may find large
    return (is_single(phrase, sources) and not is_size) or _is_told_twice((token,), VALUES, key_of(phrase), sources)


def _is_told_twice(before: tuple[str, ...], table: Container[str], about: str, sources: Sources) -> bool:
    """True where two captions, or one of few, have the words of the table before a noun for the thing."""
    votes = sources.looks.get(about, Counter())
    enough = sources.voices.enough
    return enough == 1 or all(votes[token] >= enough for token in before if token in table)


def is_single(phrase: NounPhrase, sources: Sources) -> bool:
    entity = sources.entities.get(phrase.noun.category or "")
    return entity is not None and entity.is_single


def _is_modifier(token: str) -> bool:
    """True for a noun that may stand before another: "a kitchen table"."""
    noun = NOUNS.get(token) if token not in _NO_MODIFIERS and token not in VALUES else None
    return noun is not None and not noun.is_plural and noun.category != "person" and token not in COLOURS


def _join_look(before: tuple[str, ...], at: int, looks: list[str]) -> list[str]:
    """Join "snow covered" and "light colored" to one word; drop "covered" where what goes before it was dropped."""
    first = before[at - 1] if at else ""
    if looks and looks[-1] == COLOURS.get(first, first):
        return [*looks[:-1], f"{looks[-1]}-{before[at]}"]
    return [*looks, f"{first}-{before[at]}"] if first in ("light", "dark", "bright", "multi") else looks
