"""Answers that do not answer their question (docs/filters.md). English only.

Nothing here asks whether an answer is true: only whether it is of the sort that was asked for. It is made to let
through whatever a person or a good model would say.
"""

# ruff: noqa: E501 - a pattern is a line

import re
from typing import ClassVar

from msgspec import Struct

from instructgen.filters.pairs import OnFault, cut_pairs
from instructgen.filters.questions import Question, begins_as_question, content_stems, pair_turns, read_question, stem
from instructgen.filters.quotes import shorten
from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import find_mentions
from instructgen.lexicon.words import COLOURS, NUMBER_WORDS
from instructgen.records import Fault, ImageRecord, Message, Sample, Verdict

# What people say for a colour besides the names in the lexicon.
_MORE_COLORS = (
    "amber apricot aqua auburn azure bay blond blonde brass brindle bronze brunette burgundy calico camel camouflage"
    " caramel champagne charcoal chestnut chocolate chrome cobalt copper coral cream crimson cyan denim ebony emerald"
    " fawn fuchsia ginger hazel honey indigo ivory jade khaki lavender lemon lilac lime magenta mahogany mauve mint"
    " mustard navy nude ochre olive palomino peach pearl piebald pinto plum roan rose ruby rust rusty salmon sand"
    " sandy sapphire scarlet sepia sienna sorrel steel straw tabby taupe terracotta tortoiseshell ultramarine umber"
    " vermilion violet wheat wine"
    " bright colorful colourful colorless colourless dark faded light multicolor multicolored multicoloured neutral"
    " pale pastel rainbow tinted two-tone transparent translucent opaque clear checkered checked dotted floral"
    " metallic natural patterned plaid shiny spotted striped wooden wood grayscale greyscale monochrome"
    " same different various"
)
_COLOR = re.compile(
    rf"\b(?:{'|'.join([*COLOURS, *_MORE_COLORS.split()])})s?\b|\w(?:ish|colou?red|-tone[ds]?)\b|\bcolou?rs\b"
)
_AMOUNT = re.compile(
    r"\d|\b(?:" + "|".join(NUMBER_WORDS) + r"|\w+teen|\w*(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
    r"|hundreds?|thousands?|millions?|zero|no|none|nobody|nothing|not|any|single|only|just|alone|many|few"
    r"|fewer|couple|pair|pairs|trio|quartet|some|both|all|each|half|dozens?|numerous|multiple|lots?"
    r"|plenty|countless|group|groups|crowd|row|rows|herd|flock|bunch|handful|variety|once|twice|another)\b"
)
_AFTER_A = re.compile(r"\ban? ((?:[\w'-]+ ?){1,4})")
_PLACE = re.compile(
    r"\b(?:in|on|at|near|nearby|under|underneath|beneath|behind|beside|besides|above|below|inside|outside|next|between"
    r"|among|amid|by|over|around|along|alongside|across|against|through|throughout|within|upon|onto|into"
    r"|atop|off|from|to|towards?|up|down|beyond|opposite|left|right|top|bottom|cent(?:er|re)|middle|corner|front|back"
    r"|background|foreground|upper|lower|edge|side|end|here|there|everywhere|nowhere|somewhere|away|close|far|ahead"
    r"|indoors?|outdoors?|upstairs|downstairs|home|abroad|of|north|south|east|west|after|before|past|floating|hanging)\b"
)
_OPEN_END = re.compile(
    r"\b(?:unclear|unknown|uncertain|unspecified|invisible|hidden|cannot|impossible|difficult|hard to|unsure"
    r"|depends?|not (?:clear|certain|visible|possible|sure|known|shown|seen|discernible)|can(?:no|['’])t)\b"
)
_STANCE = re.compile(
    r"\b(?:yes|yeah|yep|yup|no|nope|not|none|nobody|nothing|never|neither|nor|both|some|correct|right|true|false|sure"
    r"|indeed|definitely|certainly|absolutely|exactly|of course|possibly|probably|likely|unlikely|perhaps|maybe"
    r"|seems?|appears?|partly|partially|mostly|slightly|somewhat|barely|hardly|only|almost|instead|rather)\b"
    r"|n['’]t\b"
)
_NOT = re.compile(r"\b(?:no|not|none|neither|nowhere|without)\b|n['’]t\b")
_SUBJECT = re.compile(r"(?:it|he|she|they|this|that|these|those|i|you|we|one|all|each|any\w*|some\w*|every\w*)\b")
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|does|do|did|can|could|will|would|may|might|shows?)\b|['’]s\b")
_YES_OR_NO = frozenset({"yes", "no", "yeah", "yep", "nope", "not"})
# A place that is asked for as a whole may be named without a preposition: "It is a kitchen."
_SETTING = re.compile(
    r"where (?:is|was|are|were|does|do|did|might|could|would) (?:this|it|that|the (?:image|photo"
    r"|picture|photograph|scene)|these|they|he|she|you|we)\b|\btaken\b|\bset\b|\btak(?:e|ing) place\b"
)
_FEW_WORDS = 3
_ENOUGH_CHARS = 480
_GROUPS = {stem(category.group): category.group for category in CATEGORIES.values()}
_PEOPLE = frozenset({"anybody", "anyon", "somebody", "someon", "nobody", "peopl", "human", "person"})


class AnswerRelevance(Struct, frozen=True, forbid_unknown_fields=True):
    """Judge each answer by its question; the score is the share, 0 to 1, of answers that are to the point.

    `on_fault` "cut" drops the pairs that are not, and rejects a sample of which nothing is left.
    """

    reasons: ClassVar[tuple[str, ...]] = ("no_answer_to_question", "echoes_question", "circular_answer")

    on_fault: OnFault = "reject"

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        kept, fault, num_faulty = cut_pairs(sample.turns, lambda _, asked, answer: _find_fault(asked, answer))
        num_pairs = sum(1 for _ in pair_turns(sample.turns))
        score = 1 - num_faulty / max(1, num_pairs)
        if fault is not None and self.on_fault == "cut" and kept:
            return Verdict(score, None, kept)
        return Verdict(score, fault)


def _find_fault(asked: Message, answer: Message) -> Fault | None:
    reason = find_reason(read_question(asked.content), answer.content)
    return (
        None if reason is None else Fault(reason, shorten(f"{asked.content.strip()[:40]} - {answer.content.strip()}"))
    )


def find_reason(question: Question, answer: str) -> str | None:
    """Return why an answer does not answer its question, or None; an empty one is left to `length`."""
    lowered = answer.lower().strip()
    if not lowered:
        return None
    if _NO_ANSWER.search(lowered):
        return "no_answer_to_question"
    if _BOX.search(lowered):
        return None
    if _is_circular(lowered):
        return "circular_answer"
    if _WHO.match(question.text) and not _names_somebody(lowered):
        return "no_answer_to_question"
    if lowered.endswith("?") and _is_only_asked(lowered):
        is_echo = _bare(lowered) == _bare(question.text)
        return "echoes_question" if is_echo else "no_answer_to_question"
    if question.kind == "yes_no":
        return None if _settles(question, lowered) else "no_answer_to_question"
    if question.kind in ("request", "choice"):
        return "echoes_question" if _bare(lowered) == _bare(question.text) else None
    return _judge_wh(question, lowered)


_NO_ANSWER = re.compile(
    r"\b(?:there is no answer|(?:the )?answer is (?:not|unknown)|(?:not|no) (?:answer )?provided)\b"
)
_BOX = re.compile(r"\[ ?[01]\.\d+ ?, ?[01]\.\d+ ?, ?[01]\.\d+ ?, ?[01]\.\d+ ?\]")  # where something is, as numbers
_WHO = re.compile(r"(?:and |so )?who (?:is|are|was|were|\w+s|\w+ed)\b")
_SOMEBODY = re.compile(
    r"\b(?:he|she|they|him|her|them|his|their|someone|somebody|no ?body|no one|none|nobody|everyone|who|group|team|couple|family"
    r"|crowd|mother|father|parents?|owner|pair|both|friends?|one|others?|dad|mom|members?|staff|police|individuals?|unclear|unknown"
    r"|\w+(?:er|or|ist|ian|man|men|ant)s?)\b"
)


def _names_somebody(answer: str) -> bool:
    """Return whether an answer to "who" names a person or an animal."""
    if _SOMEBODY.search(answer):
        return True
    return any(CATEGORIES[mention.category].group in ("person", "animal") for mention in find_mentions(answer))


# "The meal is the meal that they are eating": the same noun on both sides of "is" says nothing.
_CIRCULAR = re.compile(
    r"(?:the|this|that|a|an|most|his|her|their) (?:[\w'-]+ ){0,3}?(?!the\b|and\b|for\b|one\b|two\b|that\b|this\b|with\b)"
    r"([\w'-]{3,})\b[^.!?,;]*?"
    r" (?:is|are|was|were) (?:the|a|an|another) (?:[\w'-]+ ){0,3}?\1\b"
)


def _is_circular(answer: str) -> bool:
    return bool(_CIRCULAR.match(answer))


def _judge_wh(question: Question, answer: str) -> str | None:
    if question.kind == "color":
        has_color = _COLOR.search(answer) or _OPEN_END.search(answer) or _denies(question, answer)
        return None if has_color else "no_answer_to_question"
    if question.kind == "count":
        has_amount = _AMOUNT.search(answer) or _OPEN_END.search(answer) or _has_one(question, answer)
        return None if has_amount else "no_answer_to_question"
    stems = _first_stems(answer)
    if question.kind == "place" and not _names_place(question, answer):
        return "no_answer_to_question"
    if answer[0] in '"“':  # a sign may say anything
        return None
    if not stems or stems <= _YES_OR_NO:
        return "no_answer_to_question"
    if stems <= question.stems and 3 * len(stems) >= 2 * len(question.stems):
        return "echoes_question"
    return None


def _denies(question: Question, answer: str) -> bool:
    """Return whether an answer says that there is no such thing as was asked about: "I see no car in the picture." """
    return bool(_NOT.search(answer)) and not question.stems.isdisjoint(content_stems(answer))


def _has_one(question: Question, answer: str) -> bool:
    """Return whether "a" or "an" stands before what was to be counted: "There is a brown dog." """
    for words in _AFTER_A.findall(answer):
        if not question.stems.isdisjoint(content_stems(words)) or not _kinds_of(question.text).isdisjoint(
            _kinds_of(words)
        ):
            return True
    return False


def _first_stems(answer: str) -> set[str]:
    """Return the stems of an answer; of a long one, which says more than any question, those at its start."""
    return set(content_stems(answer[:_ENOUGH_CHARS]))


def _is_only_asked(answer: str) -> bool:
    """Return whether nothing but questions is said; a quoted one is somebody else's."""
    return (
        begins_as_question(answer)
        and not any(mark in answer for mark in '"“”.!:')
        and "'" not in answer.rstrip("?")[-1:]
    )


def _bare(text: str) -> str:
    return " ".join(text.split()).strip(" ?!.\"'")


def _names_place(question: Question, answer: str) -> bool:
    if _PLACE.search(answer) or _OPEN_END.search(answer) or _SETTING.search(question.text):
        return True
    return len(answer.split()) <= _FEW_WORDS + 1 and not _VERB.search(answer)


def _settles(question: Question, answer: str) -> bool:
    """Return whether an answer to yes or no says so, or speaks of what was asked about."""
    if len(answer.split()) <= _FEW_WORDS or _STANCE.search(answer) or _SUBJECT.match(answer):
        return True
    if any(word in question.stems for word in content_stems(answer)):
        return True
    return bool(_OPEN_END.search(answer)) or not _kinds_of(question.text).isdisjoint(_kinds_of(answer))


def _kinds_of(text: str) -> set[str]:
    """Return the groups of the things that a text names: a cat and "an animal" are of one kind."""
    kinds = {CATEGORIES[mention.category].group for mention in find_mentions(text)}
    for word in content_stems(text):
        if word in _PEOPLE:
            kinds.add("person")
        elif word in _GROUPS:
            kinds.add(_GROUPS[word])
    return kinds
