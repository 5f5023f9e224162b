"""What an answer claims by way of its question: "Yes.", "None.", "Three.", "Red and white."."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from instructgen.grounding.attributes import Attribute, find_attributes, read_colours
from instructgen.grounding.colours import judge_attribute, weigh_colours
from instructgen.grounding.counts import judge_count, weigh
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.judged import Judged
from instructgen.grounding.objects import judge_object
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.places import judge_placement
from instructgen.grounding.questions import Question
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.sides import find_placements
from instructgen.grounding.subjects import is_led_in
from instructgen.grounding.totals import find_number
from instructgen.grounding.words import ALL_COLOURS, as_words

_YES = as_words("yes yeah yep yup affirmative")
_NO = as_words("no nope nah none negative")
_YES_AT_END = as_words("is are does do can there would one")  # "I believe there is."
_NONE_AT_START = (
    ("nowhere",), ("not", "that", "i"), ("i'm", "afraid", "not"), ("i", "am", "afraid", "not"),
    ("there", "isn't", "one"), ("there", "is", "none"), ("there", "aren't", "any"), ("there", "are", "none"),
)  # fmt: skip
_FEW_WORDS = 5


def judge_short_answer(
    sentence: Sentence, phrases: Sequence[Phrase], question: Question, evidence: Evidence
) -> Iterator[Judged]:
    """Yield what the first sentence of an answer claims by way of its question."""
    subject = question.subject
    opener = _find_opener(sentence, phrases)
    is_yes, is_no = opener in _YES, opener in _NO
    if (is_yes or is_no) and subject is not None and subject.is_negated:
        yield from _at_opener(_judge_subject(question, replace(subject, is_negated=is_yes), evidence))
    elif is_yes and question.asks in ("existence", "whether"):
        yield from _at_opener(*_affirm(question, evidence))
    elif is_no and question.asks in ("existence", "place") and subject is not None:
        if not any(phrase.is_negated and phrase.category == subject.category for phrase in phrases):
            denied = replace(subject, is_negated=True, determiner="no")
            yield from _at_opener(_judge_subject(question, denied, evidence))
    elif is_no and question.asks == "whether":
        yield from _at_opener(*_deny_attributes(sentence, question, evidence))
    elif question.asks == "number" and subject is not None:
        yield from _judge_number(sentence, phrases, subject, evidence)
    elif question.asks == "colour" and subject is not None:
        yield from _judge_colour(sentence, phrases, subject, evidence)
    elif question.asks_what_is_there:
        yield from _judge_what_is_there(sentence, phrases, question, evidence)


def _judge_what_is_there(
    sentence: Sentence, phrases: Sequence[Phrase], question: Question, evidence: Evidence
) -> Iterator[Judged]:
    """Yield that the answer's first thing is where the question looks: "What is on the left?" "A dog."."""
    thing = next((phrase for phrase in phrases if not is_led_in(sentence, phrase)), None)
    if thing is None or thing.is_negated or find_placements(sentence, phrases, None):
        return
    for placement in find_placements(question.sentence, question.phrases, thing, is_place_asked=True):
        judged = judge_placement(replace(placement, subjects=(thing,)), evidence)
        if judged is not None:
            yield replace(judged, first=thing.first, end=thing.end)


def _find_opener(sentence: Sentence, phrases: Sequence[Phrase]) -> str:
    """Return the answer's first word, or the "yes" or "no" that "there is" and "it does not" stand for."""
    words = sentence.words
    if any(words[: len(opening)] == opening for opening in _NONE_AT_START):
        return "no"
    if phrases or len(words) > _FEW_WORDS or words[0] in _YES | _NO:
        return words[0]
    if any(word in ("not", "none") or word.endswith("n't") for word in words):
        return "no"
    return "yes" if words[-1] in _YES_AT_END else words[0]


def _at_opener(*judged: Judged | None) -> Iterator[Judged]:
    """Yield the claims with the answer's first word for their text."""
    for one in judged:
        if one is not None:
            yield replace(one, first=0, end=1)


def _judge_subject(question: Question, subject: Phrase, evidence: Evidence) -> Judged | None:
    return judge_object(question.sentence, question.phrases, subject, evidence)


def _affirm(question: Question, evidence: Evidence) -> Iterator[Judged | None]:
    """Yield the claims of the question, said as a statement."""
    for phrase in question.phrases:
        if phrase.is_known:
            yield _judge_subject(question, phrase, evidence)
        yield judge_count(question.sentence, question.phrases, phrase, evidence, is_asked=True)
    for attribute in _find_asked(question):
        yield judge_attribute(attribute, evidence)
    for placement in find_placements(question.sentence, question.phrases, None):
        yield judge_placement(placement, evidence)


def _deny_attributes(sentence: Sentence, question: Question, evidence: Evidence) -> Iterator[Judged]:
    """Yield the faults of a "no" to what captions say: "Is the bus red?"."""
    for attribute in _find_asked(question):
        judged = judge_attribute(attribute, evidence)
        if judged is not None and judged.truth == "supported" and not _is_restated(sentence, attribute.colours):
            yield replace(judged, truth="contradicted")


def _find_asked(question: Question) -> list[Attribute]:
    """Return the colors that a question is about: "the red bus", and those behind its subject, "is the bus red?"."""
    found = find_attributes(question.sentence, question.phrases)
    for phrase in question.phrases:
        is_asked = question.sentence.words[max(0, phrase.first - 1) : phrase.first] in (("is",), ("are",))
        colours, end = read_colours(question.sentence, phrase.end) if is_asked and not phrase.colours else ((), 0)
        if colours:
            found.append(Attribute(phrase, colours, "", phrase.first, end))
    return found


def _is_restated(sentence: Sentence, colours: tuple[str, ...]) -> bool:
    """Return whether the answer goes on to give the same color after its "no": "No, it is not only red"."""
    return any(ALL_COLOURS.get(word) in colours for word in sentence.words)


def _judge_number(
    sentence: Sentence, phrases: Sequence[Phrase], subject: Phrase, evidence: Evidence
) -> Iterator[Judged]:
    """Judge a number that goes with no thing of the answer: "Three.", "I can count 3."."""
    if any(phrase.category == subject.category and phrase.number is not None for phrase in phrases):
        return
    found = (0, 0) if sentence.words[0] == "none" else find_number(sentence)
    if found is not None:
        number, index = found
        is_total = not subject.colours and not subject.adjectives
        truth, said = weigh(replace(subject, colours=(), adjectives=()), number, evidence, is_total=is_total)
        yield Judged("count", truth, subject.category or subject.lemma, index, index + 1, said)


def _judge_colour(
    sentence: Sentence, phrases: Sequence[Phrase], subject: Phrase, evidence: Evidence
) -> Iterator[Judged]:
    """Judge colours that no thing of the answer has: "Red and white.", "It is red."."""
    told = [(one.start, one.end) for one in find_attributes(sentence, phrases)]
    told.extend((phrase.first, phrase.end) for phrase in phrases)
    taken = {index for first, end in told for index in range(first, end)}
    for index, word in enumerate(sentence.words):
        if word in ALL_COLOURS and index not in taken:
            colours, end = read_colours(sentence, index)
            if colours:
                truth, said = weigh_colours(subject, colours, evidence)
                yield Judged("colour", truth, subject.category or subject.lemma, index, end, said)
            return
