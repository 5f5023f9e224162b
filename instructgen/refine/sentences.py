"""Takes sentences out of a text and leaves everything else as it stands."""

import re
import unicodedata
from collections.abc import Callable

# Of Latin, Chinese and Japanese, Greek and Arabic, Indic, Ethiopic and Armenian, Khmer and Burmese.
_MARKS = (
    ".!?…\u203c\u203d\u2047-\u2049"
    "\u3002\uff0e\uff61\uff01\uff1f"
    "\u037e\u061f\u06d4"
    "\u0964\u0965"
    "\u1362\u1367\u0589"
    "\u17d4\u17d5\u104b"
)
_CLOSERS = '"”’)\\]»›」』】》〉\uff09\uff3d'
# A sentence ends with its mark and the quotes and brackets behind it; the next begins with a capital or a digit.
_END = re.compile(rf"[{_MARKS}]+['{_CLOSERS}]*(?=\s+[\"'“‘(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|approx|e\.g|i\.e)|(?<!\S)[A-Z])\.$")
# A list's number ("1.") is no sentence of its own.
_NUMBER = re.compile(r"\s*\(?\d{1,3}\.")
_CLOSED = re.compile(rf"[{_MARKS}:;\uff1a\uff1b]['{_CLOSERS}*]*$|[{_CLOSERS}]$")
# Emoji, what they are joined and colored by, accents and invisible marks may stand behind the end.
_BEHIND_END = frozenset({"So", "Sk", "Mn", "Me", "Cf"})
_BLANK_LINES = re.compile(r"\n{3,}")


def split_line(line: str) -> list[str]:
    """Return the sentences of one line, stripped, each with the quotes that close it; joined they are the line."""
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(line):
        sentence = line[start : end.end()].strip()
        if _ABBREVIATION.search(sentence) or _NUMBER.fullmatch(sentence):
            continue
        sentences.append(sentence)
        start = end.end()
    rest = line[start:].strip()
    return [*sentences, rest] if rest else sentences


def is_closed(sentence: str) -> bool:
    """Return whether a sentence ends as sentences do."""
    end = len(sentence)
    while end and (sentence[end - 1].isspace() or unicodedata.category(sentence[end - 1]) in _BEHIND_END):
        end -= 1
    return _CLOSED.search(sentence[:end]) is not None


def drop_sentences(text: str, is_bad: Callable[[str], bool]) -> str:
    """Return the text without the sentences that are bad; a line without one stays as it is."""
    lines: list[str] = []
    has_dropped = False
    for line in text.split("\n"):
        sentences = split_line(line)
        kept = [sentence for sentence in sentences if not is_bad(sentence)]
        if len(kept) == len(sentences):
            lines.append(line)
            continue
        has_dropped = True
        if kept:
            lines.append(" ".join(kept))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip() if has_dropped else text
