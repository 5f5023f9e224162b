"""What became of a text, word by word."""

from difflib import SequenceMatcher

# Comparing takes time with the square of the number of words; no answer that is worth reading is so long.
_MAX_WORDS = 4000

Diff = tuple[tuple[str, str], ...]
"""Pieces in the order of the text: ("=", kept), ("-", taken away), ("+", put in); () for a text that is the same."""


def diff_words(before: str, after: str) -> Diff:
    """Return how `before` became `after`; white space does not count."""
    old, new = before.split(), after.split()
    if old == new:
        return ()
    if max(len(old), len(new)) > _MAX_WORDS:
        pieces = [("-", before), ("+", after)]
    else:
        pieces = []
        for kind, i0, i1, j0, j1 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                pieces.append(("=", " ".join(old[i0:i1])))
            else:
                pieces += [("-", " ".join(old[i0:i1])), ("+", " ".join(new[j0:j1]))]
    return tuple((sign, text) for sign, text in pieces if text)
