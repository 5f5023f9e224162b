"""Noun phrases of free text: which thing is named, how many, in which colours."""

from msgspec import Struct
from msgspec.structs import replace

from instructgen.grounding.nouns import Head, Span, find_spans, singular_of
from instructgen.grounding.quantities import read_quantity
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import (
    ALL_COLOURS,
    DEFINITE,
    DETERMINERS,
    PICTURE_NOUNS,
    SHADES,
    STOPS,
    as_words,
    is_number,
)

# Vague words, but clear where a number or an article goes with them.
_CLEAR_IN_PHRASES = as_words("""
    person people child kid baby toddler surfer skier snowboarder skater football basketball volleyball
    """)
_MAX_ADJECTIVES = 5
_MAX_UNKNOWN = 4  # words of a noun of no table, behind its colours


class Phrase(Struct, frozen=True):
    """A thing as it is named. Indexes are of the sentence's words: `first` is the article's, `start` the noun's.

    `lemma` is the noun that stands for its kind, `category` COCO's, if there is one. `number` is exact; `at_least` is
    what "several" says; `is_only` and `is_part` are as for Quantity. `is_weak` marks words that are too vague to be
    wrong; `is_known` is false for nouns of no table. `is_unreal` is true for what is only likened, pictured or meant;
    `is_supposed` where the clause doubts; `is_negated` where it is said not to be there.
    """

    lemma: str
    category: str | None
    first: int
    start: int
    end: int
    determiner: str
    number: int | None
    at_least: int | None
    is_only: bool
    is_plural: bool
    colours: tuple[str, ...]
    adjectives: tuple[str, ...]
    is_part: bool
    is_weak: bool
    is_known: bool = True
    is_unreal: bool = False
    is_negated: bool = False
    is_supposed: bool = False

    @property
    def is_definite(self) -> bool:
        return self.determiner in DEFINITE

    @property
    def is_asserted(self) -> bool:
        return not (self.is_unreal or self.is_negated or self.is_supposed)


def find_phrases(sentence: Sentence) -> list[Phrase]:
    """Return the phrases from left to right, none overlapping; nouns of no table only where a colour stands before.

    What is denied or supposed is settled later (instructgen.grounding.scope).
    """
    spans = find_spans(sentence)
    taken = {index for span in spans if span.head is not None for index in range(span.start, span.end)}
    found = [_read(sentence, span, span.head, taken) for span in spans if span.head is not None]
    covered = {index for phrase in found for index in range(phrase.first, phrase.end)}
    found.extend(_find_coloured(sentence, covered))
    found.sort(key=lambda phrase: phrase.start)
    return found


def _read(sentence: Sentence, span: Span, head: Head, taken: set[int]) -> Phrase:
    """Read back from a noun over its adjectives and colours to its number and article."""
    words = sentence.words
    colours: list[str] = []
    adjectives: list[str] = []
    first = span.start
    while first > 0 and span.start - first < _MAX_ADJECTIVES + len(colours):
        word = words[first - 1]
        gap = sentence.gaps[first]
        is_list = gap == "," and bool(word in ALL_COLOURS or words[first] in ALL_COLOURS or adjectives)
        if first - 1 in taken or (gap.strip("-") and not is_list):
            break
        if word in ALL_COLOURS:
            colours.insert(0, ALL_COLOURS[word])
        elif word in SHADES or _is_adjective(words, first - 1):
            adjectives.insert(0, word)
        elif not _joins_colours(words, first - 1):
            break
        first -= 1
    return _finish(sentence, Span(first, span.end, head), span.start, tuple(colours), tuple(adjectives))


def _is_adjective(words: tuple[str, ...], index: int) -> bool:
    word = words[index]
    if word in STOPS or word in DETERMINERS or is_number(word):
        return False
    before = words[index - 1] if index else ""
    # "A sleeping dog", but "riding dogs".
    return not word.endswith("ing") or before in DETERMINERS or before in ALL_COLOURS or is_number(before)


def _joins_colours(words: tuple[str, ...], index: int) -> bool:
    return words[index] in ("and", "or") and words[index + 1] in ALL_COLOURS and words[index - 1] in ALL_COLOURS


def _finish(
    sentence: Sentence, span: Span, start: int, colours: tuple[str, ...], adjectives: tuple[str, ...]
) -> Phrase:
    """Return the phrase of the noun at `start`, whose adjectives begin with the span."""
    assert span.head is not None
    head, words = span.head, sentence.words
    quantity = read_quantity(sentence, span.start, head)
    first = quantity.first
    determiner = ""
    if words[start] in ("nobody", "no"):
        determiner = "no"
    elif first > 0 and words[first - 1] in DETERMINERS and not sentence.gaps[first].strip("-"):
        first -= 1
        determiner = words[first]
    if head.category and start + 1 < span.end and words[start] in ALL_COLOURS:
        colours = (*colours, ALL_COLOURS[words[start]])  # "black bear" and "green apple" are names, too
    lemma = singular_of(head.lemma) if head.category else head.lemma
    is_one = quantity.number is not None or determiner in ("a", "an", "the", "another")
    return Phrase(
        lemma=lemma,
        category=head.category,
        first=first,
        start=start,
        end=span.end,
        determiner=determiner,
        number=quantity.number,
        at_least=quantity.at_least,
        is_only=quantity.is_only,
        is_part=quantity.is_part,
        is_plural=head.is_plural or (quantity.number or 1) > 1 or (quantity.at_least or 1) > 1,
        colours=colours,
        adjectives=adjectives,
        is_weak=head.is_weak and not (is_one and lemma in _CLEAR_IN_PHRASES),
    )


def _find_coloured(sentence: Sentence, covered: set[int]) -> list[Phrase]:
    """Return nouns of no table that a colour stands before: "a red velvet seat" gives "seat"."""
    words = sentence.words
    found = []
    index = 0
    while index < len(words):
        if index in covered or words[index] not in ALL_COLOURS:
            index += 1
            continue
        first = index
        while index < len(words) and (words[index] in ALL_COLOURS or _leads_to_colour(words, index)):
            index += 1
        end = index
        while end < min(len(words), index + _MAX_UNKNOWN) and _goes_on(sentence, index, end) and end not in covered:
            end += 1
        if end > index and words[end - 1] not in PICTURE_NOUNS:
            colours = tuple(ALL_COLOURS[word] for word in words[first:index] if word in ALL_COLOURS)
            head = Head(singular_of(words[end - 1]), None, is_plural=words[end - 1].endswith("s"))
            phrase = _finish(sentence, Span(first, end, head), end - 1, colours, words[index : end - 1])
            found.append(replace(phrase, is_known=False))
        index = max(end, index)
    return found


def _leads_to_colour(words: tuple[str, ...], index: int) -> bool:
    return words[index] in ("and", "or") and index + 1 < len(words) and words[index + 1] in ALL_COLOURS


def _goes_on(sentence: Sentence, start: int, index: int) -> bool:
    """Return whether a word belongs to the noun whose colours end at `start`."""
    word = sentence.words[index]
    if sentence.gaps[index].strip("-") or word in STOPS or word in DETERMINERS or is_number(word):
        return False
    return index == start or not word.endswith(("ing", "ed"))
