"""Words and repetition, shared by filters and metrics."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


def split_words(text: str) -> list[str]:
    """Return the words in lower case; hyphens and apostrophes inside a word stay."""
    return _WORD.findall(text.lower())


def repeated_fraction(words: Sequence[str], n: int) -> float:
    """Return the share of n-grams, 0 to 1, that are copies of an earlier one; 0 for a short text."""
    num_grams = len(words) - n + 1
    if num_grams < 2:
        return 0.0
    return 1 - len(set(zip(*(words[i:] for i in range(n)), strict=False))) / num_grams
