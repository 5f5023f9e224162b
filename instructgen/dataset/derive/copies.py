"""Ids of copies that no other row has, and sorted arrays of digests, which hold millions of ids in little memory."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Digests = npt.NDArray[np.bytes_]
    Mask = npt.NDArray[np.bool_]

_DIGEST_BYTES = 12
DIGEST_TYPE = f"S{_DIGEST_BYTES}"
_NUMBER = re.compile(r"#[0-9]+\Z")


def digest_id(record_id: str) -> bytes:
    return blake2b(record_id.encode(), digest_size=_DIGEST_BYTES).digest()


def merge_digests(parts: "Sequence[Digests]") -> "Digests":
    """Return all digests of the parts, sorted."""
    import numpy as np

    return np.sort(np.concatenate([np.empty(0, DIGEST_TYPE), *parts]))


def find_in(known: "Digests", digests: "Digests") -> "Mask":
    """Return of each digest whether it is one of the known, which are sorted."""
    import numpy as np

    if not len(known):
        return np.zeros(len(digests), bool)
    places = np.minimum(np.searchsorted(known, digests), len(known) - 1)
    found: Mask = known[places] == digests
    return found


@dataclass(frozen=True, slots=True)
class CopyNames:
    """Gives copies the ids "<id>#2", "<id>#3" ..., in the order in which it is asked, and none that a row has.

    A row that is itself a copy, of a mixture before, goes on in the row that it is a copy of.
    """

    taken: "Digests"
    """Of the sample_ids of all rows, sorted."""
    counted: "Digests"
    """Of the ids that some of these rows are copies of, sorted."""
    last_numbers: "npt.NDArray[np.uint32]"
    """The last that was given, of each of `counted`."""

    def name_copy(self, sample_id: str, copy: int) -> str:
        """Return the id of the row's copy number `copy`, from 2 on."""
        import numpy as np

        original = _NUMBER.sub("", sample_id)
        digest = np.frombuffer(digest_id(original), DIGEST_TYPE)
        if not find_in(self.counted, digest)[0]:
            return f"{sample_id}#{copy}"
        place = int(np.searchsorted(self.counted, digest)[0])
        number = int(self.last_numbers[place]) + 1
        while find_in(self.taken, np.frombuffer(digest_id(f"{original}#{number}"), DIGEST_TYPE))[0]:
            number += 1
        self.last_numbers[place] = number
        return f"{original}#{number}"


def make_copy_names(sample_ids: Iterable[str], taken: "Digests") -> CopyNames:
    """Return names for copies of the rows of these ids; `taken` are the ids' digests, sorted."""
    import numpy as np

    originals = bytearray()
    for sample_id in sample_ids:
        if found := _NUMBER.search(sample_id):
            originals += digest_id(sample_id[: found.start()])
    counted = np.unique(np.frombuffer(originals, DIGEST_TYPE))
    return CopyNames(taken, counted, np.ones(len(counted), np.uint32))
