"""What a question asks for, and which words of an answer carry something (English)."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from instructgen.lexicon.words import COLOURS
from instructgen.records import Message

# "choice": yes or no as little as one of the things it names; "request": no question at all, as "Describe it."
Kind = Literal["yes_no", "choice", "color", "count", "place", "open", "request"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_WH = r"(?:what|which|who|whom|whose|where|when|why|how)"
_AUX = (
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|shall|may|might|must|isn['’]t"
    r"|aren['’]t|wasn['’]t|weren['’]t|don['’]t|doesn['’]t|didn['’]t|can['’]t|couldn['’]t|won['’]t|wouldn['’]t)"
)
# What stands before the question proper: "And", "Can you tell me", "In this picture,".
_LEAD = re.compile(r"(?:(?:and|so|now|but|also|then|well|ok|okay|hi|hello|please|just|hmm)\b[ ,]*)+")
_POLITE = re.compile(
    r"(?:(?:can|could|would|will) (?:you|somebody|anyone) (?:please |kindly |also )?"
    r"(?:tell|say|explain|describe|name|identify|specify|guess|count|list|elaborate|give|provide|help|share|show"
    r"|analy[sz]e|write|summari[sz]e|discuss|walk|talk|comment|point|suggest|estimate|recognize|determine)"
    r"|do you (?:know|happen to know|think you know)|please tell|tell|i (?:wonder|would like to know|want to know))"
    r"(?: me| us)?\b[ ,]*"
)
_TO_WH = re.compile(rf"(?:can|could|do) you (?:see|spot|find|make out) (?={_WH}\b)")
_CLAUSE = re.compile(rf",\s+(?=(?:{_WH}|{_AUX})\b)")
_STARTS_WH = re.compile(rf"(?:(?:in|on|at|from|of|for|to|with|by|about|through) )?{_WH}\b")
_STARTS_AUX = re.compile(rf"{_AUX}\b")
_SECOND = re.compile(rf"\b(?:and|or)\b,? (?:also )?(?:{_WH}|{_AUX})\b")
_NAMED_COLORS = re.compile(rf"\b(?:{'|'.join(COLOURS)}) or (?:{'|'.join(COLOURS)})\b")  # "yellow or pink?"
_CHOICE = re.compile(
    r"\b(?:n?either|or|compar\w+|between|of (?:the|these|those|them|which)"
    r"|which (?:one|of|is|has|looks|takes|covers))\b"
)
_COLOR = re.compile(
    r"(?:in |of )?(?:what|which) colou?rs?\b(?! (?:scheme|palette|pattern|theme|contrast|combination|temperature))"
    r"|(?:what|which) (?:is|are) the (?:main |primary |dominant |exact )?colou?rs? of\b"
    r"|how (?:is|are) .{1,60} colou?red\b"
)
_COUNT = re.compile(r"how many\b|what (?:is|are) the (?:total |exact )?(?:number|count) of\b")

# Words that say nothing by themselves, and those that name the picture. Prepositions of place are not among them:
# "It is behind it" does answer "Where is it?".
_EMPTY = (
    "a an the this that these those it its it's he she they them him her his their theirs i you we me us my your our"
    " mine yours ours one's who whom whose what which where when why how is are was were be been being am 's do does"
    " did doing done has have had having can could will would shall should may might must get gets got of and or to"
    " so as because then also too very please there here there's that's what's where's who's image images picture"
    " pictures photo photos photograph scene shown depicted seen see look looks looking visible kind kinds type types"
    " sort sorts thing things something anything color colors colour colours many much number for with by if"
)
_EMPTY_WORDS = frozenset(_EMPTY.split())
_NO_STEM = frozenset({"dress", "glass", "grass", "bus", "less", "this", "thing", "king", "ring", "wing", "string"})


class Question(Struct, frozen=True):
    """A question in lower case. `stems` are those of its words that carry something."""

    text: str
    kind: Kind
    stems: frozenset[str]


def pair_turns(turns: tuple[Message, ...]) -> Iterator[tuple[str, str]]:
    """Yield each question with the answer that follows it at once."""
    question: str | None = None
    for turn in turns:
        if turn.role == "assistant" and question is not None:
            yield question, turn.content
        question = turn.content if turn.role == "user" else None


@lru_cache(maxsize=4096)  # a handful of questions returns again and again
def read_question(text: str) -> Question:
    """Return what is asked for; of several sentences the last question decides."""
    lowered = " ".join(text.lower().split())
    sentences = _SENTENCE.findall(lowered)
    asked = [sentence for sentence in sentences if sentence.endswith("?")] or sentences[-1:]
    kind = _find_kind(asked[-1].strip(), lowered) if asked else "request"
    return Question(lowered, kind, frozenset(content_stems(lowered)))


def content_stems(text: str) -> Iterator[str]:
    """Yield the stems of the words that carry something, in order."""
    for word in _WORD.findall(text.lower()):
        if word not in _EMPTY_WORDS:
            yield stem(word)


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """Return a word without its ending, so that "riding", "rides" and "ride" are one."""
    word = word.replace("’", "'").removesuffix("'s")
    if word in _NO_STEM or len(word) < 4:
        return word
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith(("ss", "us", "is")) and len(word) - len(ending) > 1:
            word = word[: -len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def begins_as_question(lowered: str) -> bool:
    """Return whether a text in lower case starts with a question word or with the verb, as questions do."""
    return bool(_STARTS_WH.match(lowered) or _STARTS_AUX.match(lowered))


def _find_kind(asked: str, whole: str) -> Kind:
    clause = _CLAUSE.split(asked)[-1]
    clause = clause[match.end() :] if (match := _LEAD.match(clause)) else clause
    match = _TO_WH.match(clause) or _POLITE.match(clause)
    was_polite = match is not None
    clause = clause[match.end() :] if match else clause
    if _STARTS_WH.match(clause):
        return _find_wh_kind(clause, whole)
    if was_polite and not clause.startswith(("if ", "whether ")):
        return "request"
    if was_polite or _STARTS_AUX.match(clause):
        return "choice" if re.search(r"\bor\b", clause) else "yes_no"
    return "request"


def _find_wh_kind(clause: str, whole: str) -> Kind:
    if _SECOND.search(clause):
        return "open" if not _CHOICE.search(whole) else "choice"
    if _COLOR.match(clause):
        return "choice" if _NAMED_COLORS.search(whole) else "color"
    if _COUNT.match(clause):
        return "count"
    if clause.startswith("where"):
        return "place"
    return "choice" if _CHOICE.search(whole) else "open"
