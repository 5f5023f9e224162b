"""How many different n-grams there are, in bounded memory and mergeable: the smallest hashes stand for all.

Exact up to 65,536 different n-grams. Beyond, the number follows from how densely the smallest 65,536 hashes lie
(Bar-Yossef et al. 2002), with a standard error of 0.4%. What is kept depends on the n-grams, not on their order.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_NUM_KEPT = 1 << 16
_MAX_CACHED_WORDS = 1 << 18
_ODD = 0x9E3779B97F4A7C15  # splitmix64's
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


class WordHashes:
    """Hashes of words, the same in every process; those of frequent words are made once."""

    def __init__(self) -> None:
        self._cached: dict[str, int] = {}

    def hash_words(self, words: Sequence[str]) -> "Hashes":
        import numpy as np

        if len(self._cached) > _MAX_CACHED_WORDS:
            self._cached.clear()
        cached = self._cached
        for word in words:
            if word not in cached:
                cached[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        return np.fromiter([cached[word] for word in words], np.uint64, len(words))


def hash_ngrams(words: "Hashes", lengths: Sequence[int], n: int) -> "Hashes":
    """Return the hashes of the n-grams of texts whose words follow each other; none runs from one into the next."""
    import numpy as np

    num_grams = len(words) - n + 1
    if num_grams < 1:
        return words[:0]
    mixed = np.zeros(num_grams, np.uint64)
    for place in range(n):
        mixed = mixed * np.uint64(_ODD) + words[place : place + num_grams]
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    if n == 1 or len(lengths) == 1:
        return mixed
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    within: Hashes = mixed[text_of[n - 1 :] == text_of[:num_grams]]
    return within


class DistinctCounter:
    """Counts n-grams and how many of them are different."""

    def __init__(self) -> None:
        self.num_all = 0
        self.kept: list[Hashes] = []
        self._num_waiting = 0
        self._limit = (1 << 64) - 1  # above it no hash can be among the smallest any more

    def add(self, hashes: "Hashes") -> None:
        self.num_all += len(hashes)
        self._keep(hashes)

    def merge(self, other: "DistinctCounter") -> None:
        self.num_all += other.num_all
        for hashes in other.kept:
            self._keep(hashes)

    def count(self) -> int:
        """Return how many different n-grams there were."""
        self._compact()
        num_kept = sum(map(len, self.kept))
        if num_kept < _NUM_KEPT:
            return num_kept
        return round((num_kept - 1) / (self._limit / (1 << 64)))

    def _keep(self, hashes: "Hashes") -> None:
        import numpy as np

        if self._limit < (1 << 64) - 1:
            hashes = hashes[hashes <= np.uint64(self._limit)]
        if len(hashes):
            self.kept.append(hashes)
            self._num_waiting += len(hashes)
            if self._num_waiting > _NUM_KEPT:
                self._compact()

    def _compact(self) -> None:
        import numpy as np

        if self.kept:
            kept = np.unique(np.concatenate(self.kept))[:_NUM_KEPT]
            self.kept, self._num_waiting = [kept], 0
            if len(kept) == _NUM_KEPT:
                self._limit = int(kept[-1])
