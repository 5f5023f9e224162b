"""Near duplicates of more samples than memory holds: the same decisions as NearDuplicatePass, from files.

Sketches, shingles and ids lie in a temporary folder, and each step sorts a part of the keys or of the pairs. What
stays in memory grows with the samples that are dropped, not with those that are looked at.
"""

import shutil
import tempfile
from array import array
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from instructgen.filters.near_duplicate import (
    NearDuplicate,
    agree,
    are_alike,
    choose_text,
    list_bands,
    make_keys,
    pair_band,
    sketch_texts,
)
from instructgen.records import Fault, ImageRecord, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from instructgen.filters.near_duplicate import Sketches

    Ints = NDArray[np.int64]

_BATCH_CHARS = 1 << 18
_NUM_HASHES = 120
_AT_ONCE = 1 << 22  # samples whose keys, or pairs, are sorted together: some 200 MB


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The filter with its work on disk, for who puts filters together."""

    options: NearDuplicate
    at_once: int = _AT_ONCE

    def start(self) -> "OnDiskPass":
        return OnDiskPass(self.options, self.at_once)


class OnDiskPass:
    """Takes 480 bytes of disk for each sample, 4 for each of its words, and its id; no more once it has decided."""

    def __init__(self, options: NearDuplicate, at_once: int = _AT_ONCE) -> None:
        self._options = options
        self._at_once = at_once
        self._folder = Path(tempfile.mkdtemp(prefix="instructgen-near-"))
        self._files = {name: (self._folder / name).open("wb") for name in ("ids", "sketches", "shingles", "facts")}
        self._types: dict[str, int] = {}
        self._waiting: list[str] = []
        self._facts: array[int] = array("q")  # of those that wait: the type's number, and the length of the id
        self._num_chars = 0
        self._num = 0

    def observe(self, sample: Sample, record: ImageRecord) -> None:  # noqa: ARG002
        text = choose_text(sample, self._options)
        encoded = sample.sample_id.encode()
        self._files["ids"].write(encoded)
        self._facts.extend((self._types.setdefault(sample.sample_type, len(self._types)), len(encoded)))
        self._waiting.append(text)
        self._num_chars += len(text)
        self._num += 1
        if self._num_chars >= _BATCH_CHARS:
            self._store()

    def decide(self, dropped: Set[str] = frozenset()) -> dict[str, Fault]:
        try:
            self._store()
            for file in self._files.values():
                file.close()
            return self._decide(dropped) if self._num else {}
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _store(self) -> None:
        import numpy as np

        if not self._waiting:
            return
        sketches, shingles = sketch_texts(self._waiting, self._options)
        self._files["sketches"].write(sketches.tobytes())
        for own in shingles:
            self._files["shingles"].write(own.tobytes())
        facts = np.frombuffer(self._facts, np.int64).reshape(-1, 2)
        lengths = np.array([len(own) for own in shingles], np.int64)
        self._files["facts"].write(np.column_stack((facts, lengths)).tobytes())
        del facts
        self._waiting.clear()
        self._facts = array("q")
        self._num_chars = 0

    def _decide(self, dropped: Set[str]) -> dict[str, Fault]:
        table = _Table(self._folder, self._num)
        kept_as: dict[int, int] = {}
        threshold = self._options.threshold
        for earlier, later in self._pairs(table, dropped):
            kept = kept_as.get(earlier, earlier)  # the earlier one may be dropped itself
            if later not in kept_as and are_alike(table.shingles_of(kept), table.shingles_of(later), threshold):
                kept_as[later] = kept
        return {table.id_of(j): Fault("near_duplicate", table.id_of(i)) for j, i in sorted(kept_as.items())}

    def _pairs(self, table: "_Table", dropped: Set[str]) -> Iterator[tuple[int, int]]:
        """Yield pairs (earlier, later) that may be alike, in the order of the later, then the earlier one."""
        import numpy as np

        num_buckets = 1 + self._num // self._at_once
        with _Buckets(self._folder, "pairs", num_buckets) as pairs:
            for band in list_bands(self._options.threshold):
                for left, right in self._pair_band(table, band, dropped):
                    agrees = agree(table.sketches, left, right, self._options.threshold)
                    of_band = right[agrees] * self._num + left[agrees]
                    pairs.add(of_band, right[agrees] * num_buckets // self._num)
            for bucket in range(num_buckets):
                for later, earlier in zip(*np.divmod(np.unique(pairs.read(bucket)), self._num), strict=True):
                    yield int(earlier), int(later)

    def _pair_band(self, table: "_Table", band: range, dropped: Set[str]) -> Iterator[tuple["Ints", "Ints"]]:
        """Yield the samples that share a key of the band, for a part of all keys at a time."""
        import numpy as np

        num_buckets = 1 + self._num // self._at_once
        with _Buckets(self._folder, "keys", num_buckets) as buckets:
            for start, is_looked_at in table.looked_at(self._at_once, dropped):
                members = np.flatnonzero(is_looked_at) + start
                keys = make_keys(table.sketches[members], table.facts[members, 0], band)
                number = (keys % np.uint64(num_buckets)).astype(np.int64)
                buckets.add(np.column_stack((keys.view(np.int64), members)), number)
            for bucket in range(num_buckets):
                found = buckets.read(bucket).reshape(-1, 2)
                if len(found):
                    yield pair_band(np.ascontiguousarray(found[:, 0]).view(np.uint64), found[:, 1])


class _Table:
    """What is stored of each sample, read where it lies."""

    def __init__(self, folder: Path, num: int) -> None:
        import numpy as np

        self.sketches: Sketches = np.memmap(folder / "sketches", np.uint32, "r", shape=(num, _NUM_HASHES))
        self.facts: Ints = np.memmap(folder / "facts", np.int64, "r", shape=(num, 3))
        has_shingles = (folder / "shingles").stat().st_size > 0
        self._shingles = np.memmap(folder / "shingles", np.uint32, "r") if has_shingles else np.zeros(0, np.uint32)
        self._ids = np.memmap(folder / "ids", np.uint8, "r")
        self._starts: Ints = np.memmap(folder / "starts", np.int64, "w+", shape=(num + 1, 2))
        last = np.zeros(2, np.int64)
        for start in range(0, num, _AT_ONCE):
            rows = self.facts[start : start + _AT_ONCE, 1:]
            self._starts[start + 1 : start + 1 + len(rows)] = last + np.cumsum(rows, axis=0)
            last = np.array(self._starts[start + len(rows)])

    def id_of(self, place: int) -> str:
        start, end = self._starts[place, 0], self._starts[place + 1, 0]
        return self._ids[start:end].tobytes().decode()

    def shingles_of(self, place: int) -> "NDArray[np.uint32]":
        return self._shingles[self._starts[place, 1] : self._starts[place + 1, 1]]

    def looked_at(self, at_once: int, dropped: Set[str]) -> Iterator[tuple[int, "NDArray[np.bool_]"]]:
        """Yield which samples are compared, so many at a time, with the place of the first."""
        import numpy as np

        for start in range(0, len(self.facts), at_once):
            found = self.facts[start : start + at_once, 2] > 0
            if dropped:
                places = range(start, start + len(found))
                found = found & np.array([self.id_of(place) not in dropped for place in places])
            yield start, found


class _Buckets:
    """Files of numbers, by bucket. Use it as a context manager."""

    def __init__(self, folder: Path, name: str, num: int) -> None:
        self._paths = [folder / f"{name}-{number}" for number in range(num)]
        self._open: list[BinaryIO] = []

    def __enter__(self) -> "_Buckets":
        self._open = [path.open("wb") for path in self._paths]
        return self

    def __exit__(self, *_: object) -> None:
        for file, path in zip(self._open, self._paths, strict=True):
            file.close()
            path.unlink()

    def add(self, rows: "Ints", numbers: "Ints") -> None:
        for number in range(len(self._open)):
            self._open[number].write(rows[numbers == number].tobytes())

    def read(self, number: int) -> "Ints":
        import numpy as np

        self._open[number].close()
        return np.fromfile(self._paths[number], np.int64)
