"""Which images of a source are like one another, by the kinds of things in them: for samples of several images.

What is found depends on the images of the source and the seed alone: neither their order nor the share of them that a
build reads counts. Records lie on disk meanwhile, in a file without a name.
"""

import math
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue

_MIN_AREA = 0.001  # share of the image; what is smaller makes no two images alike
_RARE_KINDS = 4  # an image is looked for by this many of its kinds, the rarest
_NUM_NEIGHBOURS = 16  # of each of them
_ANYTHING = ""  # the kind that every image has

_Found = ImageRecord | Rejected | SourceIssue


class Likeness:
    """The usable images of a source by split, each with those that are like it."""

    def __init__(self, records: Iterable[_Found], seed: int, split_of: Callable[[str], str]) -> None:
        """Read every record once. Raises InstructgenError where the folder for temporary files takes nothing."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the object
        self._places: dict[str, tuple[int, int]] = {}
        self._kinds: dict[str, frozenset[str]] = {}
        self._draws: dict[str, float] = {}
        self._splits: dict[str, str] = {}
        self._members: dict[tuple[str, str], list[tuple[float, str]]] = {}
        self._decoder = msgspec.msgpack.Decoder(ImageRecord)
        for record in records:
            if isinstance(record, ImageRecord):
                self._add(record, seed, split_of(record.image_id))
        for members in self._members.values():
            members.sort()

    def find(self, image_id: str, num: int) -> list[ImageRecord]:
        """Return up to so many other images of the split, the likest first."""
        if image_id not in self._places:
            return []
        return self.read(self._find_ids(image_id, num))

    def read(self, image_ids: Iterable[str]) -> list[ImageRecord]:
        """Return the records of images that are known."""
        return [self._read(one) for one in image_ids]

    def _add(self, record: ImageRecord, seed: int, split: str) -> None:
        encoded = msgspec.msgpack.encode(record)
        try:
            start = self._file.seek(0, 2)
            self._file.write(encoded)
        except OSError as error:
            raise InstructgenError(
                f"the folder for temporary files, {tempfile.gettempdir()}, does not take the records ({error}); free "
                "space there, or name another one in TMPDIR"
            ) from None
        image_id = record.image_id
        kinds = frozenset(box.category for box in record.boxes if box.is_crowd or box.area >= _MIN_AREA)
        self._places[image_id] = start, len(encoded)
        self._kinds[image_id] = kinds
        self._splits[image_id] = split
        self._draws[image_id] = draw_fraction(seed, "likeness", image_id)
        for kind in (*kinds, _ANYTHING):
            self._members.setdefault((split, kind), []).append((self._draws[image_id], image_id))

    def _read(self, image_id: str) -> ImageRecord:
        start, num_bytes = self._places[image_id]
        self._file.seek(start)
        return self._decoder.decode(self._file.read(num_bytes))

    def _find_ids(self, image_id: str, num: int) -> list[str]:
        split, kinds = self._splits[image_id], self._kinds[image_id]
        rarest = sorted(kinds, key=lambda kind: (len(self._members[split, kind]), kind))[:_RARE_KINDS]
        found: dict[str, None] = {}
        for kind in rarest:
            found.update(dict.fromkeys(islice(self._go_round(split, kind, image_id), _NUM_NEIGHBOURS)))
        for other in self._go_round(split, _ANYTHING, image_id):
            if len(found) >= num:
                break
            found.setdefault(other)
        weights = {kind: self._weigh(split, kind) for other in (image_id, *found) for kind in self._kinds[other]}
        return sorted(found, key=lambda other: (-_compare(kinds, self._kinds[other], weights), self._draws[other]))[
            :num
        ]

    def _go_round(self, split: str, kind: str, image_id: str) -> Iterator[str]:
        """Yield the others of a kind in the drawn order, from the image's own place on, and round to it again."""
        members = self._members[split, kind]
        own = bisect_left(members, (self._draws[image_id], image_id))
        for step in range(1, len(members)):
            yield members[(own + step) % len(members)][1]

    def _weigh(self, split: str, kind: str) -> float:
        """Return how much it tells that an image has a kind: people are everywhere."""
        return math.log(1 + len(self._members[split, _ANYTHING]) / len(self._members[split, kind]))


def _compare(kinds: frozenset[str], others: frozenset[str], weights: dict[str, float]) -> float:
    """Return the weight of the kinds that both have, as a share of all."""
    shared, either = kinds & others, kinds | others
    # Sums in one order: floats that differ by a hair would make two builds differ.
    return sum(weights[kind] for kind in sorted(shared)) / (sum(weights[kind] for kind in sorted(either)) or 1.0)
