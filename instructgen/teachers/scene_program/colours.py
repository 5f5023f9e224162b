"""Colours that captions tie to one thing and no caption contradicts."""

from msgspec import Struct

from instructgen.lexicon.words import join_words
from instructgen.teachers.scene_program.phrases import NounPhrase

_KINDS = frozenset({"wear", "surface", "thing"})
# "Red" says something else of these: wine, the state of a lamp behind it, the name of a species.
_NOT_ASKED = frozenset(
    {
        "wine glass",
        "glass",
        "bear",
        "orange",
        "person",
        "tree",
        "screen",
        "tv",
        "egg",
        "pepper",
        "onion",
        "bean",
        "cup",
        "bike",
    }
)
_MONOCHROME = frozenset(
    {"sepia", "monochrome", "grayscale", "greyscale", "photograph", "photo", "picture", "image", "pic"}
)


class Colour(Struct, frozen=True):
    """`word` is the noun as it is said; `category` is empty for a thing that has no box."""

    word: str
    category: str
    kind: str
    text: str
    num_captions: int


def find_colours(
    tokens_by_caption: list[tuple[str, ...]], phrases_by_caption: list[list[NounPhrase]], single: dict[str, str]
) -> list[Colour]:
    """Return a colour for each noun that stands for one thing; best supported first.

    `single` maps the categories of which there is just one to the word they are said with.
    """
    if any(_is_monochrome(tokens) for tokens in tokens_by_caption):
        return []
    by_noun: dict[tuple[str, str], list[NounPhrase]] = {}
    for phrases in phrases_by_caption:
        for phrase in phrases:
            key = (phrase.noun.category or "", phrase.noun.category or phrase.noun.lemma)
            by_noun.setdefault(key, []).append(phrase)
    found = []
    for (category, name), phrases in by_noun.items():
        colour = _agreed_colour(phrases)
        asked = category in single if category else _is_askable(phrases, single)
        if colour and asked and name not in _NOT_ASKED:
            support = sum(1 for phrase in phrases if phrase.colours)
            found.append(
                Colour(single.get(category, phrases[0].noun.lemma), category, phrases[0].noun.kind, colour, support)
            )
    return sorted(found, key=lambda colour: (-colour.num_captions, not colour.category, colour.word))


def _is_askable(phrases: list[NounPhrase], single: dict[str, str]) -> bool:
    noun = phrases[0].noun
    if len(phrases) < 2:
        return False
    return noun.kind in _KINDS and noun.article == "a" and (noun.kind != "wear" or "person" in single)


def _agreed_colour(phrases: list[NounPhrase]) -> str:
    """Return the one colour all phrases with a colour share, "" where any is plural or unclear."""
    if any(phrase.is_plural or phrase.is_likeness or phrase.colours is None for phrase in phrases):
        return ""
    told = {frozenset(phrase.colours) for phrase in phrases if phrase.colours}
    if len(told) != 1 or len(next(iter(told))) > 2:
        return ""
    return join_words(list(next(phrase.colours for phrase in phrases if phrase.colours)))


def _is_monochrome(tokens: tuple[str, ...]) -> bool:
    text = " ".join(tokens)
    return bool(_MONOCHROME.intersection(tokens)) and ("black and white" in text or "sepia" in text)
