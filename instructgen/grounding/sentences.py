"""A sentence as words with their places, and the clauses in it that only suppose."""

import re
from collections.abc import Callable

from msgspec import Struct

from instructgen.grounding.words import DETERMINERS, DOUBTS, HABITS, MODALS, NUMBERS, PRONOUNS, as_words

_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
_KEEPS_S = as_words("it that there he she what who here let where how")
_CLAUSE_WORDS = as_words("while but because although though whereas since when where which so as")
# After a comma these begin a clause of their own.
_AFTER_COMMA = as_words("and there with one another he she they it who making adding you we i")
# "to" after one of these is a preposition.
_NO_INFINITIVE = as_words("""
    next close attached due addition prior near left right connected adjacent nearest opposite similar tied according
    parallel closest up on beside front
    """)
# Behind a modal, these say what is seen all the same: "you can see".
_SEEING = as_words("find see notice spot say count point make recognize observe")
# Before "to", these say that it is being done, with the things at hand.
_UNDER_WAY = as_words("""
    preparing prepares trying tries about ready attempting attempts going starting jumping reaching reaches reach
    getting used using
    """)
# Behind "to", no verb, or one that says that it is so already.
_NO_VERBS = as_words("be have begin start sum") | DETERMINERS | PRONOUNS | NUMBERS.keys()


class Sentence(Struct, frozen=True):
    """`words` are in lower case without a possessive; `starts` and `ends` are offsets in the whole text.

    `gaps` holds what stands before each word that is neither space nor letter; `possessive` marks owners ("dog's");
    `clauses` is the number of the clause of each word; `doubtful` is true for a word behind one that only supposes,
    in its clause; `intended` for one behind "to" and a verb; `habitual` for "often" and its kin; `quoted` within
    quotation marks.
    """

    start: int
    end: int
    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    gaps: tuple[str, ...]
    possessive: tuple[bool, ...]
    clauses: tuple[int, ...]
    doubtful: tuple[bool, ...]
    habitual: tuple[bool, ...]
    intended: tuple[bool, ...]
    quoted: tuple[bool, ...]
    is_question: bool

    def is_joined(self, first: int, end: int) -> bool:
        """Return whether nothing but spaces and hyphens stands between the words."""
        return not any(self.gaps[index].strip("-") for index in range(first + 1, end))


def read_sentence(text: str, start: int, end: int) -> Sentence:
    """Read the part of a text that is one sentence."""
    part = text[start:end].lower().replace("’", "'")
    words, starts, ends, gaps, possessive = [], [], [], [], []
    last = 0
    for match in _TOKEN.finditer(part):
        word = match.group()
        base, _, tail = word.partition("'")
        owns = tail == "s" and base not in _KEEPS_S
        words.append(base if owns else word)
        possessive.append(owns or part[match.end() : match.end() + 1] == "'")
        starts.append(start + match.start())
        ends.append(start + match.end())
        gaps.append("".join(part[last : match.start()].split()))
        last = match.end()
    clauses = _number_clauses(words, gaps)
    return Sentence(
        start=start,
        end=end,
        words=tuple(words),
        starts=tuple(starts),
        ends=tuple(ends),
        gaps=tuple(gaps),
        possessive=tuple(possessive),
        clauses=tuple(clauses),
        doubtful=tuple(_spread(words, clauses, _CUES_OF_DOUBT, _doubts)),
        habitual=tuple(word in HABITS for word in words),
        intended=tuple(_spread(words, clauses, _TO, _is_infinitive)),
        quoted=tuple(_find_quoted(gaps)),
        is_question=part.rstrip(" \"'”’)").endswith("?"),
    )


def _number_clauses(words: list[str], gaps: list[str]) -> list[int]:
    number, found = 0, []
    for index, word in enumerate(words):
        gap = gaps[index]
        hard = bool(gap) and any(mark in gap for mark in ";:()—–")
        soft = "," in gap and word in _AFTER_COMMA
        if index and (hard or soft or (word in _CLAUSE_WORDS and words[index - 1] not in ("such", "same", "well"))):
            number += 1
        found.append(number)
    return found


_TOLD_AS = as_words("possible probable conceivable plausible guess suspect assume")  # "it is possible that"
_CUES_OF_DOUBT = MODALS | DOUBTS | _TOLD_AS
_TO = frozenset({"to"})


def _doubts(words: list[str], index: int) -> bool:
    if words[index] in _TOLD_AS:
        return words[index + 1 : index + 2] == ["that"]
    if words[index] == "if" and words[index + 1 : index + 3] in (["you", "look"], ["we", "look"]):
        return False
    if words[index] in MODALS and words[index + 1 : index + 2] and words[index + 1] in _SEEING:
        return False
    if words[index] == "would" and words[index - 1 : index] in (["that"], ["this"], ["it"]):
        return False  # "that would be a dog" is a manner of speech
    return words[index] != "would" or not {"not", "without"} <= set(words[index : index + 8])


def _is_infinitive(words: list[str], index: int) -> bool:
    """Return whether the word is the "to" of something that is meant to be done."""
    if index + 1 == len(words):
        return False
    before, following = words[index - 1] if index else "", words[index + 1]
    if before == "out" and index > 1 and words[index - 2] in _UNDER_WAY:
        return False
    is_verb = not following.isdigit() and following not in _NO_VERBS
    return is_verb and before not in _NO_INFINITIVE and before not in _UNDER_WAY


def _spread(
    words: list[str], clauses: list[int], cues: frozenset[str], is_cue: Callable[[list[str], int], bool]
) -> list[bool]:
    """Return for each word whether one of the cues, that is one where it stands, is before it in its clause."""
    if cues.isdisjoint(words):
        return [False] * len(words)
    found, seen, clause = [], False, -1
    for index in range(len(words)):
        if clauses[index] != clause:
            clause, seen = clauses[index], False
        if words[index] == "there" and words[index + 1 : index + 2] in (["is"], ["are"]):
            seen = False  # "I would say there is": said all the same
        found.append(seen)
        seen = seen or (words[index] in cues and is_cue(words, index))
    return found


def _find_quoted(gaps: list[str]) -> list[bool]:
    if not any(mark in gap for gap in gaps if gap for mark in '"“”'):
        return [False] * len(gaps)
    found, inside = [], False
    for gap in gaps:
        for mark in gap:
            if mark == '"':
                inside = not inside
            elif mark in "“”":
                inside = mark == "“"
        found.append(inside)
    return found
