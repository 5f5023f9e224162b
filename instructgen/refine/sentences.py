"""Takes sentences out of a text and leaves everything else as it stands."""

import re
from collections.abc import Callable

# A sentence ends with its mark and the quotes and brackets behind it; the next begins with a capital or a digit.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|approx|e\.g|i\.e)|(?<!\S)[A-Z])\.$")
# A list's number ("1.") is no sentence of its own.
_NUMBER = re.compile(r"\s*\(?\d{1,3}\.")
_CLOSED = re.compile(r"[.!?…:;][\"'”’)\]*]*$|[\"”’)\]]$")
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
    return _CLOSED.search(sentence) is not None


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
