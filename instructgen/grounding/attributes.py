"""Colours and materials that a sentence ties to a thing: before the noun, behind "is", or as "the color of"."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.subjects import find_subject, is_led_in
from instructgen.grounding.words import ALL_COLOURS, PICTURE_NOUNS, SHADES, STOPS, as_words

_COPULAS = as_words("is are was were appears appear looks look seems seem be painted it's they're")
_FILLERS = SHADES | as_words("""
    painted colored coloured a an the both in color colour mainly very and also shades of to be
    """)
_MATERIALS = {
    "wooden": "wood", "wood": "wood", "metal": "metal", "metallic": "metal", "steel": "metal", "iron": "metal",
    "plastic": "plastic", "brick": "brick", "stone": "stone", "concrete": "stone", "leather": "leather",
    "marble": "stone", "wicker": "wicker", "cardboard": "paper", "paper": "paper",
}  # fmt: skip
# What the picture is, and words whose colour says nothing of a thing: "a wine red dress", "a girl with black hair".
_NOT_OF_THINGS = PICTURE_NOUNS | as_words("wine hair color colour background")
_OWNING = as_words("has have comes come shows")
_COLOUR_NOUNS = as_words("color colour hue shade tone coloring")
_AFTER_COLOURS = as_words("colored coloured striped tones")
_PRONOUNS = as_words("it they these this which")


class Attribute(Struct, frozen=True):
    """`colours` or `material` of a thing; `start` and `end` are the words that say so."""

    phrase: Phrase
    colours: tuple[str, ...]
    material: str
    start: int
    end: int


def find_attributes(sentence: Sentence, phrases: Sequence[Phrase], context: Phrase | None = None) -> list[Attribute]:
    """Return what is said of things that the sentence says are there; supposed things keep theirs.

    `context` is what "it" stands for.
    """
    found = []
    for phrase in phrases:
        if not _has_attributes(phrase):
            continue
        if phrase.colours:
            found.append(Attribute(phrase, tuple(dict.fromkeys(phrase.colours)), "", phrase.first, phrase.end))
        material = next((_MATERIALS[word] for word in phrase.adjectives if word in _MATERIALS), "")
        if material:
            found.append(Attribute(phrase, (), material, phrase.first, phrase.end))
    found.extend(attribute for phrase in phrases for attribute in _read_behind(sentence, phrase))
    for index, word in enumerate(sentence.words):
        if word in _COPULAS or (word in _OWNING and _is_coloured(sentence, index)):
            found.extend(_read_predicate(sentence, phrases, index, context))
        elif word in ALL_COLOURS:
            found.extend(_read_noun(sentence, phrases, index))
    return found


def _has_attributes(phrase: Phrase) -> bool:
    return not phrase.is_unreal and not phrase.is_negated and phrase.lemma not in _NOT_OF_THINGS


def _read_behind(sentence: Sentence, phrase: Phrase) -> Iterator[Attribute]:
    """Yield what "a plate in red and white" says of the plate, and "the girl dressed in pink" of the girl."""
    after = sentence.words[phrase.end : phrase.end + 2]
    start = phrase.end + (1 if after[:1] == ("in",) else 2 if after == ("dressed", "in") else 0)
    if start == phrase.end or phrase.colours or not _has_attributes(phrase):
        return
    if start < len(sentence.words) and sentence.words[start] in ALL_COLOURS:
        colours, end = read_colours(sentence, start)
        if colours:
            yield Attribute(phrase, colours, "", phrase.first, end)


def _is_coloured(sentence: Sentence, verb: int) -> bool:
    """Return whether "has" or "comes" leads to a color and to nothing else: "has a green color", "comes in red"."""
    words = sentence.words
    if words[verb] in ("comes", "come"):
        return words[verb + 1 : verb + 2] == ("in",)
    return bool(_COLOUR_NOUNS & set(words[verb + 1 : verb + 6]))


def _read_predicate(
    sentence: Sentence, phrases: Sequence[Phrase], copula: int, context: Phrase | None
) -> Iterator[Attribute]:
    """Yield what "the bus in the picture is mostly red and white" says of the bus."""
    if sentence.words[copula + 1 : copula + 2] in (("not",), ("no",)) or sentence.doubtful[copula]:
        return
    colours, end = read_colours(sentence, copula + 1)
    if not colours or any(phrase.start == end - 1 for phrase in phrases):  # "it is the orange"
        return
    words = sentence.words
    is_pronoun = words[copula] in ("it's", "they're") or (copula > 0 and words[copula - 1] in _PRONOUNS)
    if is_pronoun:
        earlier = [phrase for phrase in phrases if phrase.end < copula and not is_led_in(sentence, phrase)]
        subject = earlier[-1] if earlier else context
    else:
        subject = find_subject(sentence, phrases, copula)
    if subject is not None and _has_attributes(subject):
        first = subject.first if subject is not context else max(0, copula - 1)
        yield Attribute(subject, colours, "", first, end)


def _read_noun(sentence: Sentence, phrases: Sequence[Phrase], index: int) -> Iterator[Attribute]:
    """Yield what "the red [color] of the bus" and "with its red color, the bus" say of the bus."""
    words = sentence.words
    end = index + 1
    while end < len(words) and words[end] in _COLOUR_NOUNS:
        end += 1
    if words[end : end + 1] == ("of",):
        subject = next((phrase for phrase in phrases if phrase.first == end + 1), None)
    elif end > index + 1 and index > 0 and words[index - 1] in ("its", "their"):
        subject = next((phrase for phrase in phrases if phrase.start >= end), None)
    else:
        return
    if subject is not None and _has_attributes(subject):
        yield Attribute(subject, (ALL_COLOURS[words[index]],), "", index, subject.end)


def read_colours(sentence: Sentence, index: int) -> tuple[tuple[str, ...], int]:
    """Read a list of colours that starts at the word, and that no noun follows; (), where there is none."""
    words = sentence.words
    while index < len(words) and words[index] in _FILLERS and words[index] not in ALL_COLOURS:
        index += 1
    colours: list[str] = []
    end = index
    while end < len(words) and (words[end] in ALL_COLOURS or (colours and words[end] in ("and", "with", *SHADES))):
        if words[end] in ALL_COLOURS:
            colours.append(ALL_COLOURS[words[end]])
            index = end + 1
        elif sentence.gaps[end].strip(","):
            break
        end += 1
    following = words[index] if index < len(words) else ""
    is_bound = following in STOPS or following in _COLOUR_NOUNS or following in _AFTER_COLOURS
    if following and not is_bound and not sentence.gaps[index]:
        return (), index
    return tuple(dict.fromkeys(colours)), index
