"""What filters that look for words share: the text of a sample, and the hit in its surroundings."""

import re
from collections.abc import Iterable

from instructgen.records import Fault, Message

_MAX_DETAIL_CHARS = 80


def join_turns(turns: Iterable[Message]) -> str:
    """Return what is said in all turns; each turn starts a line, so that patterns can ask for a line's start."""
    return "\n".join([turn.content for turn in turns])


def join_answers(turns: Iterable[Message]) -> str:
    """Return what the assistant says; each answer starts a line."""
    return "\n".join([turn.content for turn in turns if turn.role == "assistant"])


def fault_at(reason: str, hit: re.Match[str], text: str) -> Fault:
    """Return a fault whose detail is the hit and its surroundings on one line, at most 80 characters.

    `text` is what the hit was found in, in its own case: the pattern may have seen it in lower case.
    """
    room = max(0, _MAX_DETAIL_CHARS - (hit.end() - hit.start()))
    start = max(0, hit.start() - room // 2)
    return Fault(reason, " ".join(text[start : start + _MAX_DETAIL_CHARS].split()))


def shorten(text: str) -> str:
    """Return the start of a text on one line, at most 80 characters."""
    return " ".join(text[:_MAX_DETAIL_CHARS].split())
