"""A part of the samples that differ from one another most (docs/filters.md)."""

from collections.abc import Set
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.config import PositiveInt
from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.filters.quotes import join_turns
from instructgen.filters.shingles import hash_shingles, hash_words
from instructgen.records import Fault, ImageRecord, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]  # [samples, _WIDTH], each of length 1 or 0

_WIDTH = 128
_BUCKET = 512  # samples that are compared with one another
_BATCH_CHARS = 1 << 18


class DiversitySelection(Struct, frozen=True, forbid_unknown_fields=True):
    """Keep of each type at most `max_samples` and `max_fraction`, 0 to 1, of its samples.

    Samples are points: counts of their words and pairs of words, hashed to 128 numbers. Points that lie together
    share a bucket; within it each next one kept is the farthest from those before (Gonzalez 1985).
    """

    reasons: ClassVar[tuple[str, ...]] = ("not_selected",)
    is_default: ClassVar[bool] = False

    max_samples: PositiveInt | None = None
    max_fraction: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: int = 0

    def start(self) -> "DiversityPass":
        if self.max_samples is None and self.max_fraction is None:
            raise InstructgenError("[filters.options.diversity] wants max_samples or max_fraction")
        return DiversityPass(self)


class DiversityPass:
    """Keeps of each sample its id and 512 bytes."""

    def __init__(self, options: DiversitySelection) -> None:
        self._options = options
        self._ids: list[str] = []
        self._types: list[str] = []
        self._waiting: list[str] = []
        self._num_chars = 0
        self._features: list[Features] = []

    def observe(self, sample: Sample, record: ImageRecord) -> None:  # noqa: ARG002
        text = join_turns(sample.turns)[:_BATCH_CHARS]
        self._ids.append(sample.sample_id)
        self._types.append(sample.sample_type)
        self._waiting.append(text)
        self._num_chars += len(text)
        if self._num_chars >= _BATCH_CHARS:
            self._flush()

    def decide(self, dropped: Set[str] = frozenset()) -> dict[str, Fault]:
        import numpy as np

        self._flush()
        faults: dict[str, Fault] = {}
        for sample_type in dict.fromkeys(self._types):
            members = [
                place
                for place, (sample_id, name) in enumerate(zip(self._ids, self._types, strict=True))
                if name == sample_type and sample_id not in dropped
            ]
            num_wanted = self._num_wanted(len(members))
            if num_wanted < len(members):
                features = np.concatenate(self._features)[members]
                chosen = select(features, num_wanted, self._options.seed)
                detail = f"{num_wanted} of {len(members)} kept of type {sample_type}"
                for place in sorted(set(range(len(members))) - set(chosen)):
                    faults[self._ids[members[place]]] = Fault("not_selected", detail)
        return faults

    def _num_wanted(self, num: int) -> int:
        options = self._options
        wanted = num if options.max_samples is None else min(num, options.max_samples)
        return wanted if options.max_fraction is None else min(wanted, max(1, int(options.max_fraction * num)))

    def _flush(self) -> None:
        if self._waiting:
            self._features.append(make_features(self._waiting))
        self._waiting.clear()
        self._num_chars = 0


def make_features(texts: list[str]) -> "Features":
    """Return the signed counts of words and pairs of words, damped by their root, scaled to length 1."""
    import numpy as np

    words, offsets = hash_words(texts)
    features = np.zeros((len(texts), _WIDTH), dtype=np.float32)
    for n in (1, 2):
        hashes, places = hash_shingles(words, offsets, n)
        rows = np.repeat(np.arange(len(texts)), np.diff(places))
        columns = (hashes % np.uint64(_WIDTH)).astype(np.int64)
        signs = np.where(hashes >> np.uint64(63), np.float32(1), np.float32(-1))
        np.add.at(features, (rows, columns), signs)
    features = np.sign(features) * np.sqrt(np.abs(features))
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.float32(1e-9))
    return features


def select(features: "Features", num_wanted: int, seed: int) -> list[int]:
    """Return the places of the samples to keep; the same for the same input, and any number of samples will do."""
    buckets = make_buckets(features, seed)
    chosen: list[int] = []
    for bucket, num in zip(buckets, _share_out(features, buckets, num_wanted), strict=True):
        chosen += [int(bucket[place]) for place in pick_farthest(features[bucket], num)]
    return chosen


def make_buckets(features: "Features", seed: int) -> "list[NDArray[np.int64]]":
    """Return the samples in groups of at most 512 that lie together: halved at the median of a random direction."""
    import numpy as np

    draw = make_generator(seed, "diversity", "directions")
    buckets: list[NDArray[np.int64]] = []
    waiting = [np.arange(len(features))]
    while waiting:
        members = waiting.pop()
        if len(members) <= _BUCKET:
            buckets.append(members)
            continue
        direction = np.array([draw.gauss(0, 1) for _ in range(_WIDTH)], dtype=np.float32)
        order = members[np.argsort(features[members] @ direction, kind="stable")]
        half = len(order) // 2
        waiting += [np.sort(order[half:]), np.sort(order[:half])]
    return buckets


def _share_out(features: "Features", buckets: "list[NDArray[np.int64]]", num_wanted: int) -> list[int]:
    """Return how many to take of each bucket: by its size times how far its samples lie apart, at most all of it."""
    import numpy as np

    sizes = np.array([len(bucket) for bucket in buckets], dtype=np.float64)
    spreads = [1.0 - float(np.linalg.norm(features[bucket].mean(axis=0))) for bucket in buckets]
    weights = sizes * (np.array(spreads) + 0.01)  # even a bucket of copies has something to say
    shares = np.zeros(len(buckets))
    while (left := num_wanted - shares.sum()) > 1e-6:
        is_open = shares < sizes
        shares = np.minimum(sizes, shares + left * weights * is_open / (weights * is_open).sum())
    counts = np.floor(shares + 1e-9)
    rest = int(num_wanted - counts.sum())
    order = np.argsort(counts - shares, kind="stable")
    for bucket in [place for place in order if counts[place] < sizes[place]][:rest]:
        counts[bucket] += 1
    return [int(count) for count in counts]


def pick_farthest(features: "Features", num: int) -> list[int]:
    """Return places: first the sample nearest to the middle, then each time the one farthest from all before it."""
    import numpy as np

    if num == 0:
        return []
    nearness = np.full(len(features), -np.inf, dtype=np.float32)
    at = int(np.argmax(features @ features.mean(axis=0)))
    chosen: list[int] = []
    while True:
        chosen.append(at)
        if len(chosen) == num:
            return chosen
        np.maximum(nearness, features @ features[at], out=nearness)
        nearness[at] = np.inf
        at = int(np.argmin(nearness))
