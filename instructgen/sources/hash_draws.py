"""Seeded draws over millions of rows: a number for each row, from the seed and the row's place alone.

numpy's own generators may draw other numbers in another version of it; these never do.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

UInt64s = NDArray[np.uint64]
Int64s = NDArray[np.int64]

_CHUNK = 1 << 20
_TOP_BITS = 16


def make_key(seed: int, stage: str) -> int:
    """Return 64 bits that part the draws of one stage from those of another."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{stage}".encode()).digest()[:8], "big")


def mix_bits(values: UInt64s, key: int) -> UInt64s:
    """Return the finalizer of SplitMix64 of each value: different values never give the same number."""
    mixed = (values ^ np.uint64(key)) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: UInt64s = mixed ^ (mixed >> np.uint64(31))
    return result


def draw_rows(rows: NDArray[np.bool_], num_rows: int, key: int) -> NDArray[np.bool_]:
    """Return which of the marked rows are among `num_rows` drawn ones; all of them where there are no more.

    Needs two bytes a row beside the marks: the numbers are made anew for each of three passes.
    """
    if num_rows >= int(np.count_nonzero(rows)):
        return rows.copy()
    threshold = _find_threshold(rows, num_rows, key)
    drawn = np.zeros(len(rows), np.bool_)
    for start, places, numbers in _numbers_of(rows, key):
        drawn[start + places[numbers < threshold]] = True
    return drawn


def _find_threshold(rows: NDArray[np.bool_], num_rows: int, key: int) -> np.uint64:
    """Return the number that exactly `num_rows` of the rows' numbers lie below."""
    shift = np.uint64(64 - _TOP_BITS)
    counts = np.zeros(1 << _TOP_BITS, np.int64)
    for _, _, numbers in _numbers_of(rows, key):
        counts += np.bincount((numbers >> shift).astype(np.int64), minlength=len(counts))
    ends = np.cumsum(counts)
    top = int(np.searchsorted(ends, num_rows, side="right"))
    below = int(ends[top]) - int(counts[top])
    found = [numbers[(numbers >> shift) == np.uint64(top)] for _, _, numbers in _numbers_of(rows, key)]
    return np.uint64(np.sort(np.concatenate(found))[num_rows - below])


def _numbers_of(rows: NDArray[np.bool_], key: int) -> Iterator[tuple[int, Int64s, UInt64s]]:
    for start in range(0, len(rows), _CHUNK):
        places = np.flatnonzero(rows[start : start + _CHUNK])
        yield start, places, mix_bits(places.astype(np.uint64) + np.uint64(start), key)
