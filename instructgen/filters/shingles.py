"""Words and runs of words as numbers, for many texts at once; nothing here looks at one word by itself."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]

# Odd, so that powers have an inverse modulo 2**64.
_BASE = 0x9E3779B97F4A7C15
_MODULUS = 1 << 64


def hash_words(texts: Sequence[str]) -> "tuple[Hashes, Places]":
    """Return the hash of every word of all texts, and where each text begins among them, with the end at last.

    A word is a run of letters and digits in lower case; what is not ASCII counts as a letter. Texts may have
    1 MiB together, or one text more.
    """
    import numpy as np

    # A line end parts the texts: a space would do, were it not for a text's own.
    encoded = [text.lower().encode("utf-8", "replace") for text in texts]
    joined = np.frombuffer(b"\n".join([*encoded, b""]), dtype=np.uint8)
    is_letter = _letter_table()[joined]
    edges = np.flatnonzero(np.diff(is_letter, prepend=np.uint8(0)))
    starts, ends = edges[::2], edges[1::2]
    powers, inverses = _powers(1 << max(16, len(joined).bit_length()))
    sums = np.zeros(len(joined) + 1, dtype=np.uint64)
    np.cumsum((joined.astype(np.uint64) + np.uint64(1)) * powers[: len(joined)], out=sums[1:])
    hashes = mix((sums[ends] - sums[starts]) * inverses[starts])
    lengths = np.array([0, *(len(text) + 1 for text in encoded)], dtype=np.int64)
    return hashes, np.searchsorted(starts, np.cumsum(lengths)).astype(np.int64)


def hash_shingles(words: "Hashes", offsets: "Places", n: int) -> "tuple[Hashes, Places]":
    """Return the hashes of all runs of n words, and where each text's begin; no run crosses from text to text.

    A text of fewer words has one run: all it has, or none at all.
    """
    import numpy as np

    lengths = np.diff(offsets)
    counts = np.where(lengths >= n, lengths - n + 1, np.minimum(lengths, 1))
    places = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    first = np.arange(places[-1]) - np.repeat(places[:-1], counts) + np.repeat(offsets[:-1], counts)
    last = np.repeat(offsets[1:], counts)
    hashes = np.zeros(len(first), dtype=np.uint64)
    for step in range(n):
        at = first + step
        inside = at < last
        word = words[np.minimum(at, max(0, len(words) - 1))] if len(words) else hashes
        hashes = np.where(inside, mix(hashes * np.uint64(_BASE) + word), hashes)
    return hashes, places


def mix(values: "Hashes") -> "Hashes":
    """Return the values with every bit spread over all (the finaliser of MurmurHash3)."""
    import numpy as np

    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


@lru_cache(maxsize=1)
def _letter_table() -> "NDArray[np.uint8]":
    import numpy as np

    table = np.zeros(256, dtype=np.uint8)
    table[[*range(48, 58), *range(97, 123), *range(128, 256)]] = 1
    return table


@lru_cache(maxsize=4)
def _powers(num: int) -> "tuple[Hashes, Hashes]":
    """Return the powers of the base and of its inverse, modulo 2**64."""
    import numpy as np

    inverse = pow(_BASE, -1, _MODULUS)
    exponents = []
    for base in (_BASE, inverse):
        factors = np.full(num, base, dtype=np.uint64)
        factors[0] = 1
        exponents.append(np.cumprod(factors, dtype=np.uint64))
    return exponents[0], exponents[1]
