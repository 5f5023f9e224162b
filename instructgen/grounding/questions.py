"""What a question asks, for the answers that leave it to the question: "Yes.", "Three.", "Red.", "On the left."."""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from instructgen.grounding.attributes import find_attributes, read_colours
from instructgen.grounding.colours import judge_attribute, weigh_colours
from instructgen.grounding.counts import find_number, judge_count, weigh
from instructgen.grounding.denial import is_denied
from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.judged import Judged
from instructgen.grounding.objects import judge_object
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.places import judge_placement
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.grounding.sides import find_placements
from instructgen.grounding.words import ALL_COLOURS, PICTURE_NOUNS, as_words

Asks = Literal["existence", "whether", "number", "colour", "place", "other"]

_YES = frozenset({"yes", "yeah", "yep", "yup", "affirmative"})
_NO = frozenset({"no", "nope", "nah", "none", "negative"})
_SEEING = as_words(
    """
    see spot find notice contain include show feature have depict any there visible present anywhere appear
    appears caught captured seen shown displayed
    """
)  # fmt: skip
_OPENERS = as_words(
    """
    is are was were do does did can could has have any isn't aren't would will
    """
)


_NOT = frozenset({"not", "can't", "isn't", "doesn't", "cannot", "absent", "missing", "aren't", "lacks", "lack"})


class Question(Struct, frozen=True):
    """`subject` is the first thing that it names, without which a bare "yes" or "red" says nothing."""

    sentence: Sentence
    phrases: tuple[Phrase, ...]
    subject: Phrase | None
    asks: Asks

    @property
    def asks_what_is_not(self) -> bool:
        """True for "what can't be seen here?": what the answer names is then denied."""
        words = set(self.sentence.words)
        return bool(_NOT & words and {"what", "which", "name", "something"} & words)


def read_question(text: str) -> Question:
    """Read the last question of a turn; text before it sets the scene."""
    last = max(text.rstrip(" ?!.\n").rfind(mark) for mark in ".!?\n")
    sentence = read_sentence(text, last + 1, len(text))
    named = [replace(phrase, is_supposed=False, is_unreal=False) for phrase in read_phrases(sentence)]
    phrases = tuple(replace(phrase, is_negated=is_denied(sentence, named, phrase)) for phrase in named)
    subject = _find_subject(sentence, phrases)
    return Question(sentence, phrases, subject, _find_kind(sentence, subject))


def judge_short_answer(
    sentence: Sentence, phrases: Sequence[Phrase], question: Question, evidence: Evidence
) -> Iterator[Judged]:
    """Yield what the first sentence of an answer claims by way of its question."""
    subject = question.subject
    opener = _find_opener(sentence, phrases)
    if opener in _YES | _NO and subject is not None and subject.is_negated:
        one = judge_object(question.sentence, question.phrases, replace(subject, is_negated=opener in _YES), evidence)
        if one is not None:
            yield replace(one, first=0, end=1)
    elif opener in _YES and question.asks in ("existence", "whether"):
        for one in _affirm(question, evidence):
            yield replace(one, first=0, end=1)
    elif opener in _NO and question.asks in ("existence", "place") and subject is not None:
        if not any(phrase.is_negated and phrase.category == subject.category for phrase in phrases):
            denied = _deny(question, subject, evidence)
            if denied is not None:
                yield replace(denied, first=0, end=1)
    elif opener in _NO and question.asks == "whether":
        for attribute in find_attributes(question.sentence, question.phrases):
            judged = judge_attribute(attribute, evidence)
            if judged is not None and judged.truth == "supported" and not _is_restated(sentence, attribute.colours):
                yield replace(judged, truth="contradicted", first=0, end=1)
    elif subject is not None and question.asks == "number":
        yield from _judge_number(sentence, phrases, subject, evidence)
    elif subject is not None and question.asks == "colour":
        yield from _judge_colour(sentence, phrases, subject, evidence)


def _find_opener(sentence: Sentence, phrases: Sequence[Phrase]) -> str:
    """Return the answer's first word, or the "yes" or "no" that "there is" and "it does not" stand for."""
    words = sentence.words
    if phrases or len(words) > 5 or words[0] in _YES | _NO:
        return words[0]
    if any(word in ("not", "none") or word.endswith("n't") for word in words):
        return "no"
    return "yes" if words[-1] in ("is", "are", "does", "do", "can", "there", "would", "one") else words[0]


def _deny(question: Question, subject: Phrase, evidence: Evidence) -> Judged | None:
    return judge_object(
        question.sentence, question.phrases, replace(subject, is_negated=True, determiner="no"), evidence
    )


def _affirm(question: Question, evidence: Evidence) -> Iterator[Judged]:
    """Yield the claims of the question, said as a statement."""
    for phrase in question.phrases:
        found = judge_object(question.sentence, question.phrases, phrase, evidence) if phrase.is_known else None
        if found is not None:
            yield found
        counted = judge_count(question.sentence, question.phrases, phrase, evidence, is_asked=True)
        if counted is not None:
            yield counted
    for attribute in find_attributes(question.sentence, question.phrases):
        coloured = judge_attribute(attribute, evidence)
        if coloured is not None:
            yield coloured
    for placement in find_placements(question.sentence, question.phrases, None):
        placed = judge_placement(placement, evidence)
        if placed is not None:
            yield placed


def _judge_number(
    sentence: Sentence, phrases: Sequence[Phrase], subject: Phrase, evidence: Evidence
) -> Iterator[Judged]:
    if any(phrase.category == subject.category and phrase.number is not None for phrase in phrases):
        return
    found = find_number(sentence)
    if found is not None:
        number, index = found
        bare = replace(subject, colours=(), adjectives=())
        truth, said = weigh(bare, number, evidence, is_total=not _is_narrow(subject))
        yield Judged("count", truth, subject.category or subject.lemma, index, index + 1, said)  # type: ignore[arg-type]


def _is_narrow(subject: Phrase) -> bool:
    return bool(subject.colours or subject.adjectives)


def _judge_colour(
    sentence: Sentence, phrases: Sequence[Phrase], subject: Phrase, evidence: Evidence
) -> Iterator[Judged]:
    """Judge colours that no thing of the answer has: "Red and white.", "It is red."."""
    taken = {index for phrase in phrases for index in range(phrase.first, phrase.end)}
    told = {
        index for attribute in find_attributes(sentence, phrases) for index in range(attribute.start, attribute.end)
    }
    for index, word in enumerate(sentence.words):
        if word in ALL_COLOURS and index not in taken | told:
            colours, end = read_colours(sentence, index)
            if colours:
                truth, said = weigh_colours(subject, colours, evidence)
                yield Judged("colour", truth, subject.category or subject.lemma, index, end, said)  # type: ignore[arg-type]
            return


def _is_restated(sentence: Sentence, colours: tuple[str, ...]) -> bool:
    """Return whether the answer goes on to give the same color after its "no": "No, it is not only red"."""
    return any(ALL_COLOURS.get(word) in colours for word in sentence.words)


def _find_subject(sentence: Sentence, phrases: Sequence[Phrase]) -> Phrase | None:
    for index, word in enumerate(sentence.words):
        if word == "many" and index and sentence.words[index - 1] == "how":
            after = [phrase for phrase in phrases if phrase.start > index]
            if after:
                return after[0]
    return next((phrase for phrase in phrases if phrase.category), phrases[0] if phrases else None)


def _find_kind(sentence: Sentence, subject: Phrase | None) -> Asks:
    words = sentence.words
    if not words:
        return "other"
    pairs = set(zip(words, words[1:], strict=False))
    if ("how", "many") in pairs or ("number", "of") in pairs or ("how" in words and "count" in words):
        return "number"
    num_colours = sum(1 for word in words if word in ALL_COLOURS)
    if ({"color", "colour", "colors", "colours"} & set(words) and not num_colours) or (
        num_colours > 1 and "or" in words
    ):
        return "colour"
    if words[0] == "there" or "whether" in words or (words[:2] != ("what", "if") and "if" in words):
        return "existence" if subject is not None and not subject.is_definite else "other"
    if "where" in words or {"which", "side"} <= set(words):
        return "place"
    start = next((index for index, word in enumerate(words[:8]) if word in _OPENERS), None)
    if start is None or {"what", "who", "where", "why", "how", "which", "when"} & set(words[: start + 1]):
        return "other"
    if subject is not None and (subject.number is not None or "only" in words):
        return "other"
    is_seeing = bool((_SEEING | PICTURE_NOUNS) & set(words[start:]))
    return "existence" if is_seeing and subject is not None and not subject.is_definite else "whether"
