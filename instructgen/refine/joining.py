"""Puts an answer and what came of "Continue" together (MiniGPT-4, arXiv 2304.10592, section 3.2)."""

import re

# A line that begins a new part of an answer: a question, an answer, what parts them, a list's next point.
_NEW_LINE = re.compile(r"(?:\W{0,4}(?:question|answer)\b|={3,}|[-*•] |\d{1,2}\. )", re.IGNORECASE)


def join_texts(first: str, more: str) -> str:
    """Return both as one text; what goes on in the middle of a line goes on there."""
    first, more = first.rstrip(), more.strip()
    if not more:
        return first
    return f"{first}\n{more}" if _NEW_LINE.match(more) else f"{first} {more}"
