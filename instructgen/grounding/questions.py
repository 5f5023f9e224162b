"""What a question asks, and of what: "yes", "three" and "on the left" say nothing without it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from instructgen.grounding.denial import is_denied
from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.grounding.words import ALL_COLOURS, PICTURE_NOUNS, as_words

Asks = Literal["existence", "whether", "number", "colour", "place", "other"]

_SEEING = as_words("""
    see spot find notice contain include show feature have depict any there visible present anywhere appear appears
    caught captured seen shown displayed
    """)
_OPENERS = as_words("is are was were do does did can could has have any isn't aren't would will")
_REASONS = as_words("""
    why reason reasons infer inferred imply implies purpose challenges considerations benefits advice explain
    """)
_SUPPOSING = {("how", "might"), ("how", "could"), ("what", "might")}
_NOT = as_words("not can't isn't doesn't cannot absent missing aren't lacks lack")
_ASKING = as_words("what who where why how which when")
_RELATIVE = as_words("relative relation compared")
_PLACE_LEADS = as_words("on at to in toward towards near along")
_ONLY_SEEN = _SEEING | as_words("is are can be do you we located positioned situated found placed")
_NOUN_AFTER_WHICH = 3  # "what kind of animal is", "which animal is"
_MORE = as_words("more another other others else besides")
_COLOUR_NOUNS = as_words("color colour colors colours")


class Question(Struct, frozen=True):
    """`subject` is the first thing that it names, without which a bare "yes" or "red" says nothing."""

    sentence: Sentence
    phrases: tuple[Phrase, ...]
    subject: Phrase | None
    asks: Asks

    @property
    def wants_reasons(self) -> bool:
        """True for "why" and the like: the answer goes beyond the picture."""
        words = self.sentence.words
        return bool(_REASONS & set(words)) or bool(_SUPPOSING & set(pairwise(words)))

    @property
    def reference(self) -> Phrase | None:
        """What the place is to be told by: the dog of "where is the cat relative to the dog?"."""
        by = next((index for index, word in enumerate(self.sentence.words) if word in _RELATIVE), None)
        if by is None or self.asks != "place":
            return None
        return next((phrase for phrase in self.phrases if phrase.start > by), None)

    @property
    def asks_what_is_there(self) -> bool:
        """True for "what is on the left?": the answer's thing is then said to be there."""
        words = self.sentence.words
        if words[:1] not in (("what",), ("which",), ("who",)):
            return False
        first = next((index for index, word in enumerate(words) if word in _OPENERS | _SEEING), 0)
        place = next((index for index, word in enumerate(words) if word in _PLACE_LEADS), 0)
        return 0 < first <= _NOUN_AFTER_WHICH and all(word in _ONLY_SEEN for word in words[first:place])

    @property
    def asks_what_is_not(self) -> bool:
        """True for "what can't be seen here?": what the answer names is then denied."""
        words = set(self.sentence.words)
        return bool(_NOT & words and {"what", "which", "name", "something"} & words)


def read_question(text: str) -> Question:
    """Read the last question of a turn; text before it sets the scene, text after it says how to answer."""
    end = text.rfind("?") + 1 or len(text)
    last = max(text[:end].rstrip(" ?!.\n").rfind(mark) for mark in ".!?\n")
    sentence = read_sentence(text, last + 1, end)
    named = [replace(phrase, is_supposed=False, is_unreal=False) for phrase in read_phrases(sentence)]
    phrases = tuple(replace(phrase, is_negated=is_denied(sentence, named, phrase)) for phrase in named)
    subject = _find_subject(sentence, phrases)
    return Question(sentence, phrases, subject, _find_kind(sentence, subject))


def _find_subject(sentence: Sentence, phrases: Sequence[Phrase]) -> Phrase | None:
    """Return what "how many" counts, else the first thing that COCO boxes, else the first thing."""
    for index, pair in enumerate(pairwise(sentence.words)):
        counted = [phrase for phrase in phrases if phrase.start > index + 1] if pair == ("how", "many") else []
        if counted:
            return counted[0]
    named = [phrase for phrase in phrases if phrase.lemma not in PICTURE_NOUNS]
    if named and _asks_colour(sentence.words):  # "what color are the flowers in the vase", "the man's shirt"
        return next((phrase for phrase in named if not sentence.possessive[phrase.end - 1]), named[0])
    return next((phrase for phrase in phrases if phrase.category), phrases[0] if phrases else None)


def _find_kind(sentence: Sentence, subject: Phrase | None) -> Asks:
    words, known = sentence.words, set(sentence.words)
    if not words:
        return "other"
    if {("how", "many"), ("number", "of")} & set(pairwise(words)) or {"how", "count"} <= known:
        return "number"
    if _asks_colour(words):
        return "colour"
    is_indefinite = subject is not None and not subject.is_definite
    is_if = "if" in known and words[:2] != ("what", "if")
    if _MORE & known:
        return "number" if "many" in known else "other"  # a "no" to "is there another?" denies none
    if words[0] == "there" or "whether" in known or is_if:
        return "existence" if is_indefinite else "other"
    if "where" in known or {"which", "side"} <= known:
        return "place"
    start = next((index for index, word in enumerate(words[:8]) if word in _OPENERS), None)
    if start is None or _ASKING & set(words[: start + 1]):
        return "other"
    if subject is not None and subject.number is not None:
        return "other" if {"only", "or"} & known else "whether"
    is_seeing = bool((_SEEING | PICTURE_NOUNS) & set(words[start:]))
    return "existence" if is_seeing and is_indefinite else "whether"


def _asks_colour(words: Sequence[str]) -> bool:
    """Return whether a colour is asked for: "what color is it", "is it red or blue"."""
    num_colours = sum(1 for word in words if word in ALL_COLOURS)
    if num_colours > 1 and "or" in words:
        return True
    return not num_colours and bool(_COLOUR_NOUNS & set(words))
