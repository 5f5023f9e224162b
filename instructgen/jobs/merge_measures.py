"""The measures that no sum over samples gives: different n-grams, and texts that are there twice."""

import tempfile
from array import array
from collections.abc import Mapping
from typing import Any

from instructgen.dataset.stored import read_rows
from instructgen.evaluate.distinct import WordHashes, hash_ngrams
from instructgen.evaluate.quality import Metrics, Tally
from instructgen.jobs.merge_open import OpenedPart
from instructgen.jobs.merge_part import read_ngrams
from instructgen.records import Fault
from instructgen.text import split_words

_WAITING = 1 << 16
_AT_ONCE = 1 << 24  # digests that are sorted in memory together: 128 MiB
_DIGEST_BYTES = 8


def add_ngrams(metrics: Metrics, part: OpenedPart, dropped: Mapping[str, Fault], types_with_loss: set[str]) -> None:
    """Count a part's n-grams. Those of types that lose a sample are counted anew, from what is left of them."""
    for name, by_n in read_ngrams(part.stored).items():
        if name in types_with_loss:
            continue
        tally = metrics.by_type.setdefault(name, Tally())
        for n, counter in by_n.items():
            tally.distinct[n].merge(counter)
    if not types_with_loss:
        return
    hashes = WordHashes()
    for row in read_rows(part.stored, columns=["sample_id", "sample_type", "messages"]):
        if row["sample_type"] in types_with_loss and row["sample_id"] not in dropped:
            tally = metrics.by_type.setdefault(row["sample_type"], Tally())
            words = [split_words(turn["content"]) for turn in row["messages"] if turn["role"] == "assistant"]
            hashed = hashes.hash_words([word for of_answer in words for word in of_answer])
            for n, counter in tally.distinct.items():
                counter.add(hash_ngrams(hashed, [len(of_answer) for of_answer in words], n))


class Distinct:
    """Counts how many digests of texts are different, by type and in all; they wait in a temporary file."""

    def __init__(self) -> None:
        self._files = {"": tempfile.TemporaryFile()}  # noqa: SIM115  closed by `close`
        self._waiting: dict[str, array[int]] = {}

    def add(self, sample_type: str, digest: int) -> None:
        for name in ("", sample_type):
            waiting = self._waiting.setdefault(name, array("Q"))
            waiting.append(digest)
            if len(waiting) >= _WAITING:
                self._store(name)

    def add_to(self, measured: dict[str, Any]) -> dict[str, Any]:
        """Return the measures with the share of the samples whose text another one has."""
        for name in [*self._waiting]:
            self._store(name)
        for name, measures in (("", measured["total"]), *measured["types"].items()):
            num = measures["samples"]
            if num:
                measures["duplicate_share"] = round((num - self._count(name)) / num, 6)
        return measured

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _store(self, name: str) -> None:
        waiting = self._waiting.pop(name)
        if name not in self._files:
            self._files[name] = tempfile.TemporaryFile()  # noqa: SIM115
        self._files[name].write(waiting.tobytes())

    def _count(self, name: str) -> int:
        """Return how many are different, those of a range of values at a time."""
        import numpy as np

        file = self._files[name]
        num_ranges = 1 + file.tell() // (_DIGEST_BYTES * _AT_ONCE)
        num = 0
        for number in range(num_ranges):
            low, high = (number << 64) // num_ranges, ((number + 1) << 64) // num_ranges - 1
            found = [np.zeros(0, np.uint64)]
            file.seek(0)
            while block := file.read(_DIGEST_BYTES * _WAITING):
                values = np.frombuffer(block, np.uint64)
                found.append(values[(values >= np.uint64(low)) & (values <= np.uint64(high))])
            num += len(np.unique(np.concatenate(found)))
        return num
