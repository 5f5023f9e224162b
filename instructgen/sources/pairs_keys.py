"""Finds rows whose key an earlier row has, in eight bytes a key."""

import hashlib
from array import array

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 65_536


class KeyIndex:
    """Marks the rows of `fates` whose key is there already; the last row of it is the one that a key is added for.

    Two keys are taken for one, once in four million tables of three million keys.
    """

    def __init__(self, fates: bytearray, mark: int) -> None:
        self._fates = fates
        self._mark = mark
        self._ids = array("Q")
        self._places = array("Q")
        self._known: list[NDArray[np.uint64]] = []  # sorted, each at least twice as long as the next

    def add(self, key: str) -> None:
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
        self._ids.append(int.from_bytes(digest, "little"))
        self._places.append(len(self._fates) - 1)
        if len(self._ids) == _AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Mark what has been added since."""
        if not self._ids:
            return
        ids, places = np.frombuffer(self._ids, np.uint64), np.frombuffer(self._places, np.uint64)
        is_first = np.zeros(len(ids), np.bool_)
        is_first[np.unique(ids, return_index=True)[1]] = True
        for known in self._known:
            at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
            is_first &= known[at] != ids
        for place in places[~is_first].tolist():
            self._fates[place] = self._mark
        self._known.append(np.sort(ids[is_first]))
        self._known = [one for one in self._known if len(one)]
        while len(self._known) > 1 and len(self._known[-2]) < 2 * len(self._known[-1]):
            last = self._known.pop()
            self._known[-1] = np.sort(np.concatenate([self._known[-1], last]))
        self._ids, self._places = array("Q"), array("Q")
