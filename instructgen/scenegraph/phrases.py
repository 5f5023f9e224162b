"""Noun phrases of a caption: an article, known adjectives and colours, a known noun, and a clear end."""

import re

from msgspec import Struct, structs

from instructgen.lexicon.categories import find_category
from instructgen.lexicon.words import COLOURS, NUMBER_WORDS
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS
from instructgen.scenegraph.vocabulary import (
    ADJECTIVES,
    BOUNDARIES,
    DETERMINERS,
    LIKENESS,
    NOUN_LENGTHS,
    NOUNS,
    PREPOSITIONS,
    UNREAL,
    Noun,
)

_MARKS = frozenset(("logo", "graffiti", "sign", "cartoon", "mural"))  # on a vehicle
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[^\sa-z0-9'-]")
_LIVING = frozenset({"animal", "person", "vehicle", "food"})
_JOINS = frozenset({"and", ",", "/", "&"})
_ADJECTIVE_ENDINGS = ("y", "ed", "ful", "ous", "ive", "al", "ic", "able", "less", "ish", "ern", "est")
_NO_ADJECTIVES = frozenset(("way", "story", "day", "body", "city", "party", "lady", "family", "level"))
# "A two way sign", "a three story house": the number is not of the noun.
_COUNTED_OTHERWISE = frozenset((
    "way", "story", "storied", "level", "lane", "piece", "sided", "door", "seat", "seater", "person", "man", "tier",
    "tiered", "car", "layer", "layered", "wheeled", "headed", "handed", "tonged", "pronged", "toned",
    "tone", "color", "colored",
))  # fmt: skip
_BEHIND_PARTICIPLES = BOUNDARIES | {"like"}
_GERUNDS = frozenset({"moving", "running", "sitting", "standing", "speeding", "sleeping", "flying", "smiling"})
_SERVED = frozenset((
    "plate", "plates", "fork", "spoon", "bowl", "table", "cake", "cream", "chocolate", "fruit", "food", "dish",
    "topped", "whipped", "sweet", "delicious", "eat", "eating", "slice", "piece", "served", "glass", "ice",
    "items", "item",
))  # fmt: skip
# By these alone one does not know what is meant: a toilet lid is no mere lid.
_VAGUE_HEADS = frozenset(("lid", "lids", "seat", "handle", "top", "door", "doors", "board", "cover", "case"))
_PLURAL_PEOPLE = frozenset(("women", "men"))
_SHADES = frozenset({"dark", "light", "bright", "pale"})


class NounPhrase(Struct, frozen=True):
    """A noun in a caption. `start` and `end` are token indexes; `number` is None where none is given.

    `colours` is None where the words around a colour are not clear enough to tie it to the noun. `adjectives` are the
    other known ones before it, in their order.
    """

    noun: Noun
    start: int
    end: int
    number: int | None
    colours: tuple[str, ...] | None
    is_likeness: bool
    is_negated: bool
    adjectives: tuple[str, ...] = ()

    @property
    def is_plural(self) -> bool:
        return self.noun.is_plural or (self.number or 1) > 1


def tokenise(caption: str) -> tuple[str, ...]:
    """Return lower-case words and punctuation; a hyphen parts words."""
    return tuple(_TOKEN.findall(caption.lower()))


def find_offsets(caption: str) -> tuple[tuple[int, int], ...]:
    """Return where each token of `tokenise` starts and ends, in characters."""
    return tuple(match.span() for match in _TOKEN.finditer(caption.lower()))


def find_noun_phrases(tokens: tuple[str, ...]) -> list[NounPhrase]:
    """Return the phrases that are fully understood, from left to right, none overlapping."""
    found: list[NounPhrase] = []
    index = 0
    while index < len(tokens):
        length, noun = _noun_at(tokens, index)
        if noun is not None and not _is_cut(tokens, index) and _ends_at(tokens, index, index + length, noun):
            phrase = read_phrase(tokens, index, index + length, noun)
            if phrase:
                found.append(phrase)
        index += length
    return found


def _is_cut(tokens: tuple[str, ...], index: int) -> bool:
    """True for the lid of "a toilet lid"."""
    before = tokens[index - 1] if index else ""
    return tokens[index] in _VAGUE_HEADS and before in NOUNS and before not in ADJECTIVES and before not in COLOURS


def _noun_at(tokens: tuple[str, ...], index: int) -> tuple[int, Noun | None]:
    if tokens[index] in ("desert", "deserts") and not _SERVED.isdisjoint(tokens):
        return 1, None  # a dessert, misspelled
    for length in NOUN_LENGTHS.get(tokens[index], ()):
        phrase = " ".join(tokens[index : index + length])
        if phrase in NOUNS and index + length <= len(tokens):
            return length, NOUNS[phrase]
    return 1, None


def _ends_at(tokens: tuple[str, ...], start: int, end: int, noun: Noun) -> bool:
    """True where the noun is the last word of its phrase: "two sheep lay", but not "two sheep dogs"."""
    if end >= len(tokens) or tokens[end] in BOUNDARIES:
        return True
    if tokens[end] in VERB_FORMS:
        # "A snow covered hill": the participle makes the noun a part of the next one's phrase.
        joins = tokens[end].endswith("ed") and end + 1 < len(tokens) and tokens[end + 1] not in BOUNDARIES
        return not joins
    is_verb = tokens[end].endswith("ing") or tokens[end] in TOLD_VERBS
    if noun.kind in ("person", "animal") and is_verb and tokens[end] not in NOUNS:
        return True  # "a player pitching": no table has the verb
    if (
        tokens[end].endswith("ed")
        and tokens[end] not in NOUNS
        and (end + 1 == len(tokens) or tokens[end + 1] in _BEHIND_PARTICIPLES)
    ):
        return True  # "a cake shaped like a boat"
    is_joined = start > 0 and tokens[start - 1] == "and" and noun.category == "person"  # "a bride and groom cut"
    many = noun.is_plural or noun.lemma == "sheep" or is_joined
    return many and tokens[end] in BASE_FORMS and tokens[end] not in NOUNS


def read_phrase(tokens: tuple[str, ...], start: int, end: int, noun: Noun) -> NounPhrase | None:
    """Return the phrase of a noun at `start` up to `end`, read backward to its article; None for what is not real."""
    colours: list[str] = []
    adjectives: list[str] = []
    clear = True
    first = start
    while first > 0:
        word = tokens[first - 1]
        if word in COLOURS:
            clear = clear and (not colours or tokens[first] in _JOINS)
            colours.insert(0, COLOURS[word])
        elif word in UNREAL and noun.kind in _LIVING:
            return None
        elif word in _GERUNDS and (first < 2 or tokens[first - 2] not in DETERMINERS | NUMBER_WORDS.keys()):
            break  # "working on moving luggage"
        elif word in _COUNTED_OTHERWISE and first > 1 and tokens[first - 2] in NUMBER_WORDS:
            return None  # "a two pronged fork"
        elif (
            word not in ADJECTIVES
            and word not in _SHADES
            and not _is_adjective(tokens, first - 1)
            and not (word in _JOINS and colours and _is_joined(tokens, first - 1))
        ):
            break
        else:
            adjectives.insert(0, word)
        first -= 1
    if first > 0 and tokens[first - 1] in _COUNTED_OTHERWISE:
        return None
    number, first = _read_number(tokens, first)
    if first > 0 and tokens[first - 1] in DETERMINERS:
        first -= 1
    if tokens[first] in ("a", "an") and tokens[end - 1] in _PLURAL_PEOPLE and (number or 1) == 1:
        noun = structs.replace(noun, is_plural=False)  # "a women"
    before = tokens[max(0, first - 5) : first]
    tied = tuple(dict.fromkeys(colours)) if clear else None
    negated = bool(before) and before[-1] in ("no", "without", "not", "nor")
    likeness = bool(before) and before[-1] in ("of", "as", "on") and bool(LIKENESS.intersection(before))
    likeness = (likeness and not _is_marked(noun, before)) or before[-1:] == ("like",)
    return NounPhrase(noun, first, end, number, tied, likeness, negated, tuple(adjectives))


def _is_adjective(tokens: tuple[str, ...], index: int) -> bool:
    """True for an unknown word behind an article that ends as adjectives do, and is neither noun nor verb."""
    word = tokens[index]
    known = (
        word in _NO_ADJECTIVES or word in NOUNS or word in VERB_FORMS or word in BOUNDARIES or word in PREPOSITIONS
    )
    opens = index > 0 and (tokens[index - 1] in DETERMINERS or tokens[index - 1] in NUMBER_WORDS)
    return opens and not known and word.endswith(_ADJECTIVE_ENDINGS)


def _is_joined(tokens: tuple[str, ...], index: int) -> bool:
    """True if a color stands before the "and", the comma, or both."""
    while index > 0 and tokens[index] in _JOINS:
        index -= 1
    return tokens[index] in COLOURS


def _is_marked(noun: Noun, before: tuple[str, ...]) -> bool:
    """True for the bus of "a logo on a bus": the bus is there, and a mark on it."""
    is_vehicle = noun.category is not None and find_category(noun.category).group == "vehicle"
    return is_vehicle and before[-1] == "on" and not _MARKS.isdisjoint(before)


def _read_number(tokens: tuple[str, ...], first: int) -> tuple[int | None, int]:
    """Read "two", "3", "a pair of", "a couple of", or "a" as one, that end before `first`."""
    if first == 0:
        return None, first
    word = tokens[first - 1]
    if word in NUMBER_WORDS and word != "one":
        return NUMBER_WORDS[word], first - 1
    if word.isdigit() and int(word) <= len(NUMBER_WORDS):
        return int(word), first - 1
    if word == "of" and first > 1 and tokens[first - 2] in ("couple", "pair"):
        return 2, first - 2
    if word in ("a", "an", "one"):
        return 1, first
    return None, first
