"""Pieces of text for lists: short, with what was searched for marked."""

import re
from collections.abc import Sequence

from msgspec import Struct

from instructgen.viewer.search import Term
from instructgen.viewer.words import split_words

_WORD = re.compile(r"[^\W_]+")  # as a search parts words
_MAX_WORD_CHARS = 20  # a longer one is cut


class Piece(Struct, frozen=True):
    text: str
    is_hit: bool = False


def mark_terms(text: str, terms: Sequence[Term], max_chars: int) -> tuple[Piece, ...]:
    """Return the part of a text around the first term found in it, its terms marked; the beginning without one."""
    hits = _find_hits(text, terms)
    start = 0
    if hits and hits[0][1] > max_chars:
        start = max(0, hits[0][0] - max_chars // 3)
        start = text.find(" ", start) + 1 or start
    end = min(len(text), start + max_chars)
    if end < len(text):
        end = max(text.rfind(" ", start, end), end - _MAX_WORD_CHARS)
    pieces: list[Piece] = [Piece("… ")] if start else []
    done = start
    for first, last in hits:
        if first < done or last > end:
            continue
        if first > done:
            pieces.append(Piece(text[done:first]))
        pieces.append(Piece(text[first:last], is_hit=True))
        done = last
    if done < end:
        pieces.append(Piece(text[done:end]))
    if end < len(text):
        pieces.append(Piece(" …"))
    return tuple(pieces)


def has_terms(text: str, terms: Sequence[Term]) -> bool:
    return bool(_find_hits(text, terms))


def _find_hits(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where words stand that were searched for, with accents or without."""
    wanted = [(word, term.is_exact) for term in terms if not term.is_left_out for word in term.words]
    if not wanted:
        return []
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        word = word.lower() if word.isascii() else "".join(split_words(word))
        if any(word == name if is_exact else word.startswith(name) for name, is_exact in wanted):
            found.append(match.span())
    return found
