"""Sentences, words and repetition, shared by filters and metrics."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
# A full stop ends a sentence where white space and an upper-case letter, digit or quote follow.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|approx|e\.g|i\.e)|\b[A-Z])\.$")


def split_words(text: str) -> list[str]:
    """Return the words in lower case; hyphens and apostrophes inside a word stay."""
    return _WORD.findall(text.lower())


def split_sentences(text: str) -> list[str]:
    """Return the sentences of all paragraphs, stripped; a line break always ends one."""
    sentences: list[str] = []
    for line in text.splitlines():
        pending = ""
        for part in _SENTENCE_END.split(line.strip()):
            pending = f"{pending} {part}" if pending else part
            if not _ABBREVIATION.search(pending):
                sentences.append(pending)
                pending = ""
        if pending:
            sentences.append(pending)
    return [sentence for sentence in sentences if sentence]


def repeated_fraction(words: Sequence[str], n: int) -> float:
    """Return the share of n-grams, 0 to 1, that are copies of an earlier one; 0 for a short text."""
    num_grams = len(words) - n + 1
    if num_grams < 2:
        return 0.0
    return 1 - len(set(zip(*(words[i:] for i in range(n)), strict=False))) / num_grams
