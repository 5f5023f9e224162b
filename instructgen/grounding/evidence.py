"""What boxes and captions say of an image, read once for all of its claims."""

from collections.abc import Iterable

from msgspec import Struct

from instructgen.grounding.attributes import Attribute, find_attributes
from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.nouns import UNSURE, singular_of
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.grounding.words import ALL_COLOURS, NUMBERS
from instructgen.records import Box, ImageRecord


class Evidence(Struct, frozen=True):
    """Everything is looked up by category; things without one by their lemma.

    `boxes` leave out crowds; `words` are the captions' words and their singulars, `stems` what is left of them
    without an ending; `mentions` counts the captions that name a thing; `plurals` are things that one names in the
    plural; `counts` holds a number for each caption that gives one; `colours` are all that captions name.
    """

    record: ImageRecord
    boxes: dict[str, tuple[Box, ...]]
    crowds: frozenset[str]
    words: frozenset[str]
    stems: frozenset[str]
    mentions: dict[str, int]
    plurals: frozenset[str]
    counts: dict[str, tuple[int, ...]]
    attributes: dict[str, tuple[Attribute, ...]]
    colours: frozenset[str]

    def is_boxed(self, category: str) -> bool:
        return category in self.boxes or category in self.crowds

    def num_boxes(self, category: str) -> int:
        return len(self.boxes.get(category, ()))


def read_evidence(record: ImageRecord) -> Evidence:
    """Read captions and boxes; a caption may hold several sentences."""
    boxes: dict[str, list[Box]] = {}
    for box in record.boxes:
        if not box.is_crowd:
            boxes.setdefault(box.category, []).append(box)
    read = [_read_caption(caption) for caption in record.captions]
    words = frozenset(form for sentence, _ in read for word in sentence.words for form in (word, singular_of(word)))
    return Evidence(
        record=record,
        boxes={name: tuple(found) for name, found in boxes.items()},
        crowds=frozenset(box.category for box in record.boxes if box.is_crowd),
        words=words,
        stems=frozenset(stem_of(word) for word in words),
        mentions=_count_mentions(phrases for _, phrases in read),
        plurals=_find_plurals(phrases for _, phrases in read),
        counts=_find_counts(phrases for _, phrases in read),
        attributes=_find_attributes(read),
        colours=frozenset(ALL_COLOURS[word] for word in words if word in ALL_COLOURS),
    )


def keys_of(phrase: Phrase) -> tuple[str, ...]:
    """Return under which names a phrase is looked up: what it is called, and its category."""
    if phrase.category is None or phrase.lemma in UNSURE:
        return (phrase.lemma,)
    return (phrase.lemma, phrase.category)


def stem_of(word: str) -> str:
    """Return a word without the ending that number and tense give it: "sitting", "sits" and "sit" are one."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def _read_caption(caption: str) -> tuple[Sentence, list[Phrase]]:
    sentence = read_sentence(caption, 0, len(caption))
    return sentence, read_phrases(sentence)


def _is_said(phrase: Phrase) -> bool:
    """Return whether a caption shows the thing; what it only supposes is seen by someone all the same."""
    return not phrase.is_negated and not phrase.is_unreal


def _count_mentions(captions: Iterable[list[Phrase]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for phrases in captions:
        for key in {key for phrase in phrases if _is_said(phrase) for key in keys_of(phrase)}:
            counts[key] = counts.get(key, 0) + 1
    return counts


def _find_plurals(captions: Iterable[list[Phrase]]) -> frozenset[str]:
    return frozenset(key for phrases in captions for phrase in phrases if phrase.is_plural for key in keys_of(phrase))


def _find_counts(captions: Iterable[list[Phrase]]) -> dict[str, tuple[int, ...]]:
    """Return what captions count; different people of one caption ("a man and a woman") are added up."""
    found: dict[str, list[int]] = {}
    for phrases in captions:
        said = [phrase for phrase in phrases if _is_said(phrase)]
        for phrase in said:
            if phrase.number is None or phrase.is_part:
                continue
            same = [other for other in said if other.category == phrase.category and other is not phrase]
            for key in keys_of(phrase):
                if key == phrase.category and phrase.category and same:
                    continue
                found.setdefault(key, []).append(phrase.number)
        people = _count_people([phrase for phrase in said if phrase.category == "person"])
        if people is not None:
            found.setdefault("person", []).append(people)
    return {key: tuple(numbers) for key, numbers in found.items()}


def _count_people(people: list[Phrase]) -> int | None:
    """Return how many people of different kinds there are together; None where one kind is not counted."""
    if len(people) < 2 or len({phrase.lemma for phrase in people}) < len(people):
        return None
    if any(phrase.is_plural and phrase.number is None for phrase in people):
        return None
    return sum(phrase.number or 1 for phrase in people)


def _find_attributes(read: list[tuple[Sentence, list[Phrase]]]) -> dict[str, tuple[Attribute, ...]]:
    found: dict[str, list[Attribute]] = {}
    for sentence, phrases in read:
        for attribute in find_attributes(sentence, phrases):
            for key in keys_of(attribute.phrase):
                found.setdefault(key, []).append(attribute)
    return {key: tuple(attributes) for key, attributes in found.items()}


def say_number(number: int) -> str:
    """Return the number's word, or its digits past fifty."""
    return next((word for word, value in NUMBERS.items() if value == number), str(number))
