"""Finds the claims of a sample and holds each against the evidence."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from instructgen.grounding.actions import find_actions
from instructgen.grounding.attributes import find_attributes
from instructgen.grounding.claims import Claim, Findings
from instructgen.grounding.colours import judge_attribute
from instructgen.grounding.counts import judge_bare_number, judge_count
from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.judged import Judged
from instructgen.grounding.objects import judge_object
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.places import judge_placement
from instructgen.grounding.questions import Question, read_question
from instructgen.grounding.scope import settle_scope
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.grounding.short_answers import judge_short_answer
from instructgen.grounding.sides import find_placements
from instructgen.grounding.subjects import is_led_in
from instructgen.records import Message

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]?\S)|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|approx|e\.g|i\.e)|\b[A-Z]|^\s*\d{1,2})\.$")
_FEW_WORDS = 5  # an answer with fewer is nothing but what was asked for


class _Answer(Struct, frozen=True):
    """One answer; `context` is what its "it" stands for at first."""

    text: str
    turn: int
    question: Question | None
    context: Phrase | None
    reasons: bool


def check_turns(turns: Sequence[Message], evidence: Evidence, sample_type: str = "conv") -> Findings:
    """Return what the answers claim; questions are read for what "yes", "no" and "three" refer to.

    The type sets how a thing must be named to count as seen: an answer that reasons may speak of things in general.
    """
    claims: list[Claim] = []
    question: Question | None = None
    topic: Phrase | None = None
    for number, turn in enumerate(turns):
        if turn.role == "assistant":
            context = (question.subject if question else None) or topic
            reasons = is_reasoning(sample_type) or (question is not None and question.wants_reasons)
            answer = _Answer(turn.content, number, question, context, reasons)
            found, topic = _check_answer(answer, evidence)
            claims.extend(found)
        elif turn.role == "user":
            question = read_question(turn.content)
    return Findings(tuple(claims))


def is_reasoning(sample_type: str) -> bool:
    """Return whether a type is LLaVA's complex reasoning, by any of the names that it goes under."""
    return "reason" in sample_type or "complex" in sample_type


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each sentence; a line break always ends one."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        is_abbreviation = "\n" not in match.group() and _ABBREVIATION.search(text, start, match.start())
        if is_abbreviation:
            continue
        if text[start : match.start()].strip():
            found.append((start, match.start()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return found


def _check_answer(answer: _Answer, evidence: Evidence) -> tuple[list[Claim], Phrase | None]:
    """Return the claims of one answer, and what it is about in the end."""
    claims: list[Claim] = []
    context = answer.context
    for place, (start, end) in enumerate(find_sentences(answer.text)):
        sentence = read_sentence(answer.text, start, end)
        if sentence.is_question or not sentence.words:
            continue
        question = answer.question if place == 0 else None
        if question is not None and question.subject is None and context is not None and question.sentence.words:
            # What "it" stands for was named in another sentence, whose places are none of this one.
            question = replace(question, subject=replace(context, start=0, first=0, end=1))
        phrases = settle_scope(sentence, read_phrases(sentence), evidence, reasons=answer.reasons)
        if question is not None and question.asks_what_is_not and len(sentence.words) < _FEW_WORDS:
            phrases = [phrase if phrase.is_definite else replace(phrase, is_negated=True) for phrase in phrases]
        judged = _judge_sentence(sentence, phrases, evidence, context, question)
        claims.extend(_make_claim(one, sentence, answer) for one in _drop_repeats(judged))
        context = _find_topic(sentence, phrases) or context
    return claims, context


def _make_claim(one: Judged, sentence: Sentence, answer: _Answer) -> Claim:
    first = sentence.starts[min(one.first, len(sentence.words) - 1)]
    end = sentence.ends[max(0, min(one.end, len(sentence.words)) - 1)]
    return Claim(
        kind=one.kind,
        truth=one.truth,
        text=answer.text[first:end],
        evidence=one.evidence,
        subject=one.subject,
        turn=answer.turn,
        start=sentence.start,
        end=sentence.end,
    )


def _judge_sentence(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    evidence: Evidence,
    context: Phrase | None,
    question: Question | None,
) -> Iterator[Judged | None]:
    asks = question.asks if question else "other"
    asked = question.subject.category if question and question.subject and asks == "number" else None
    for phrase in phrases:
        if phrase.is_known:
            yield from _judge_phrase(sentence, phrases, phrase, evidence, asked)
    if asked is None:
        yield judge_bare_number(sentence, phrases, context, evidence)
    for attribute in find_attributes(sentence, phrases, context):
        yield judge_attribute(attribute, evidence)
    reference = question.reference if question else None
    is_place_asked = asks == "place"
    for placement in find_placements(sentence, phrases, context, is_place_asked=is_place_asked, reference=reference):
        yield judge_placement(placement, evidence)
    yield from find_actions(sentence, phrases, evidence)
    if question is not None:
        yield from judge_short_answer(sentence, phrases, question, evidence)


def _judge_phrase(
    sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence, asked: str | None
) -> Iterator[Judged | None]:
    """Yield that a thing is there, and how many; `asked` is the category whose number the question wants."""
    found = judge_object(sentence, phrases, phrase, evidence)
    yield found
    if found is None or found.truth != "contradicted":
        is_asked = asked is not None and phrase.category == asked
        yield judge_count(sentence, phrases, phrase, evidence, is_asked=is_asked)


def _drop_repeats(judged: Iterable[Judged | None]) -> list[Judged]:
    """Return the claims without those that a sentence makes twice, in the order of the text."""
    unique = {(one.kind, one.first, one.end, one.evidence): one for one in judged if one is not None}
    return sorted(unique.values(), key=lambda one: (one.first, one.end))


def _find_topic(sentence: Sentence, phrases: Sequence[Phrase]) -> Phrase | None:
    """Return what "it" in the next sentence stands for: the first boxed kind of thing, else the first thing."""
    leading = [phrase for phrase in phrases if not is_led_in(sentence, phrase) and not phrase.is_negated]
    boxed = [phrase for phrase in (*leading, *phrases) if phrase.category and not phrase.is_negated]
    return boxed[0] if boxed else leading[0] if leading else None
