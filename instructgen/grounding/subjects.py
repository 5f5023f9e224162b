"""Whom a verb is about: the first thing of its clause that no preposition leads in."""

from collections.abc import Sequence
from itertools import pairwise

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import PREPOSITIONS, as_words

_VERBS = as_words("is are was were has have appears looks seems")
_RELATIVES = as_words("that which who")
_COLOUR_NOUNS = as_words("color colors colour colours")
_HOLDING = as_words("holding holds carrying carries wearing wears riding rides")
_ONE_OF_SEVERAL = as_words("""
    other second third smaller larger bigger remaining next first last one each background distance behind further
    farther
    """)


def find_subject(sentence: Sentence, phrases: Sequence[Phrase], verb: int) -> Phrase | None:
    """Return the subject of the verb at this word, None where it has none of its own (a pronoun, a picture)."""
    words = sentence.words
    before = [phrase for phrase in phrases if phrase.end <= verb]
    is_relative = verb > 0 and words[verb - 1] in _RELATIVES
    if is_relative and sentence.clauses[max(0, verb - 2)] >= sentence.clauses[verb] - 1:
        return before[-1] if before and before[-1].end == verb - 1 else None
    # "The car is black and the cat is gray": the second verb has a subject of its own.
    last_verb = max((index for index in range(verb) if words[index] in _VERBS), default=-1)
    clause = [phrase for phrase in before if sentence.clauses[phrase.start] == sentence.clauses[verb]]
    if any(phrase.first > last_verb and not is_led_in(sentence, phrase) for phrase in clause):
        clause = [phrase for phrase in clause if phrase.first > last_verb]
    for phrase in clause:
        if not is_led_in(sentence, phrase) or _is_coloured_by(sentence, phrase):
            return phrase
    return None


def is_led_in(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether a preposition stands right before the phrase."""
    return phrase.first > 0 and sentence.words[phrase.first - 1] in PREPOSITIONS and not sentence.gaps[phrase.first]


def _is_coloured_by(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the phrase stands in "the color of the bus"."""
    before = sentence.words[max(0, phrase.first - 2) : phrase.first]
    return len(before) == 2 and before[1] == "of" and before[0] in _COLOUR_NOUNS


def is_main(sentence: Sentence, phrases: Sequence[Phrase], subjects: Sequence[Phrase], place: int) -> bool:
    """Return whether a place is told of the one that was spoken of: "she is on the left", not "another woman"."""
    if len(subjects) != 1:
        return False
    subject = subjects[0]
    clause = {word for index, word in enumerate(sentence.words) if sentence.clauses[index] == sentence.clauses[place]}
    is_one = not subject.is_plural and subject.number is None and subject.determiner != "another"
    is_known = subject not in phrases or subject.is_definite or "foreground" in clause
    return is_one and is_known and not (_ONE_OF_SEVERAL & {*clause, *subject.adjectives})


def find_held(sentence: Sentence, phrases: Sequence[Phrase], subjects: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """Return the single things that the subjects have in their hands: "the man on the right is holding a phone"."""
    found = []
    for earlier, phrase in pairwise(phrases):
        is_next = earlier in subjects and sentence.words[phrase.first - 1] in _HOLDING
        is_one = phrase.category and phrase.is_asserted and not phrase.is_plural and phrase.number in (None, 1)
        if is_next and is_one and sentence.clauses[earlier.start] == sentence.clauses[phrase.start]:
            found.append(phrase)
    return tuple(found)
