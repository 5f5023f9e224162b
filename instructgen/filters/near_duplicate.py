"""Samples whose text all but repeats an earlier one's (docs/filters.md): MinHash with banding (Broder 1997; Indyk and
Motwani 1998) in numpy, and the true Jaccard similarity for what it proposes.
"""

from collections.abc import Set
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from instructgen.draws import make_generator
from instructgen.filters.quotes import join_answers, join_turns
from instructgen.filters.shingles import hash_shingles, hash_words, mix
from instructgen.records import Fault, ImageRecord, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from instructgen.filters.shingles import Hashes

    Sketches = NDArray[np.uint32]

_NUM_HASHES = 120  # divisible into many bands; the error of the estimate is below 0.046
_RECALL = 0.995
_MARGIN = 0.2  # four such errors below the threshold, no pair is looked at
_BATCH_CHARS = 1 << 18
_SLICE = 24_000  # shingles at once: they and their sketches stay in the processor's cache
_NEIGHBOURS = 4


class NearDuplicate(Struct, frozen=True, forbid_unknown_fields=True):
    """Drop what is as similar as `threshold`, 0 to 1, to an earlier sample of its type that is kept.

    Similar is the Jaccard similarity of the sets of runs of `n` words. Texts of fewer than `min_words` words are
    not looked at: of two pictures the same short thing may be said.
    """

    reasons: ClassVar[tuple[str, ...]] = ("near_duplicate",)
    is_default: ClassVar[bool] = False  # what is said of two pictures may be the same, and right

    threshold: Annotated[float, Meta(ge=0.5, le=1)] = 0.8
    n: Annotated[int, Meta(ge=1, le=10)] = 3
    min_words: Annotated[int, Meta(ge=1)] = 30
    text: Literal["answers", "turns"] = "answers"

    def start(self) -> "NearDuplicatePass":
        return NearDuplicatePass(self)


class NearDuplicatePass:
    """Keeps of each sample its id, its shingles (4 bytes for each word) and 480 bytes of sketch."""

    def __init__(self, options: NearDuplicate) -> None:
        self._options = options
        self._ids: list[str] = []
        self._types: dict[str, int] = {}
        self._type_of: list[int] = []
        self._waiting: list[str] = []
        self._num_chars = 0
        self._shingles: list[NDArray[np.uint32]] = []  # sorted and without doubles, by sample
        self._sketches: list[Sketches] = []

    def observe(self, sample: Sample, record: ImageRecord) -> None:  # noqa: ARG002
        text = choose_text(sample, self._options)
        self._ids.append(sample.sample_id)
        self._type_of.append(self._types.setdefault(sample.sample_type, len(self._types)))
        self._waiting.append(text)
        self._num_chars += len(text)
        if self._num_chars >= _BATCH_CHARS:
            self._sketch()

    def decide(self, dropped: Set[str] = frozenset()) -> dict[str, Fault]:
        import numpy as np

        self._sketch()
        if not self._ids:
            return {}
        sketches = np.concatenate(self._sketches)
        looked_at = np.array([len(shingles) > 0 for shingles in self._shingles])
        if dropped:
            looked_at &= np.array([sample_id not in dropped for sample_id in self._ids])
        kept_as: dict[int, int] = {}
        for earlier, later in _find_pairs(sketches, np.array(self._type_of), looked_at, self._options.threshold):
            kept = kept_as.get(earlier, earlier)  # the earlier one may be dropped itself
            if later not in kept_as and self._are_alike(kept, later):
                kept_as[later] = kept
        return {self._ids[j]: Fault("near_duplicate", self._ids[i]) for j, i in sorted(kept_as.items())}

    def _are_alike(self, one: int, other: int) -> bool:
        return are_alike(self._shingles[one], self._shingles[other], self._options.threshold)

    def _sketch(self) -> None:
        """Turn the waiting texts into shingles and sketches."""
        if not self._waiting:
            return
        sketches, shingles = sketch_texts(self._waiting, self._options)
        self._sketches.append(sketches)
        self._shingles += shingles
        self._waiting.clear()
        self._num_chars = 0


def choose_text(sample: Sample, options: NearDuplicate) -> str:
    """Return what of a sample is compared."""
    return (join_answers if options.text == "answers" else join_turns)(sample.turns)[:_BATCH_CHARS]


def sketch_texts(texts: list[str], options: NearDuplicate) -> tuple["Sketches", "list[NDArray[np.uint32]]"]:
    """Return the sketches of the texts, and the shingles of each, sorted: none of a text that is too short."""
    import numpy as np

    words, word_places = hash_words(texts)
    hashes, places = hash_shingles(words, word_places, options.n)
    values = (hashes >> np.uint64(32)).astype(np.uint32)
    is_long = np.diff(word_places) >= options.min_words
    shingles = []
    for at, start in enumerate(places[:-1]):
        own = values[start : places[at + 1]] if is_long[at] else values[:0]
        shingles.append(_distinct(own))
    return make_sketches(values, places), shingles


def are_alike(left: "NDArray[np.uint32]", right: "NDArray[np.uint32]", threshold: float) -> bool:
    """Return whether the true similarity of two sets of shingles is high enough."""
    import numpy as np

    both = np.concatenate((left, right))
    both.sort()
    num_common = int(np.count_nonzero(both[1:] == both[:-1]))
    return num_common >= threshold * (len(both) - num_common)


def _distinct(values: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
    import numpy as np

    ordered = np.sort(values)
    is_new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def make_sketches(values: "NDArray[np.uint32]", places: "NDArray[np.int64]") -> "Sketches":
    """Return [texts, hashes]: for each text the least of its values under each of the hashes; 0 for an empty text."""
    import numpy as np

    draw = make_generator(0, "near_duplicate", "hashes")
    factors = np.array([draw.getrandbits(32) | 1 for _ in range(_NUM_HASHES)], dtype=np.uint32)
    terms = np.array([draw.getrandbits(32) for _ in range(_NUM_HASHES)], dtype=np.uint32)
    sketches = np.zeros((len(places) - 1, _NUM_HASHES), dtype=np.uint32)
    filled = np.flatnonzero(np.diff(places))
    starts = places[filled]
    first = 0
    while first < len(starts):
        stop = max(first + 1, int(np.searchsorted(starts, starts[first] + _SLICE)))
        end = int(starts[stop]) if stop < len(starts) else int(places[-1])
        own, own_starts = values[starts[first] : end], starts[first:stop] - starts[first]
        rows = np.empty((_NUM_HASHES, stop - first), dtype=np.uint32)
        room = np.empty_like(own)
        for number in range(_NUM_HASHES):
            np.multiply(own, factors[number], out=room)
            np.add(room, terms[number], out=room)
            np.minimum.reduceat(room, own_starts, out=rows[number])
        sketches[filled[first:stop]] = rows.T
        first = stop
    return sketches


def choose_rows(threshold: float) -> int:
    """Return how many hashes a band has: the most that still propose 99.5% of pairs at the threshold."""
    rows = 1
    while rows < _NUM_HASHES // 2 and 1 - (1 - threshold ** (rows + 1)) ** (_NUM_HASHES // (rows + 1)) >= _RECALL:
        rows += 1
    return rows


def _find_pairs(
    sketches: "Sketches", types: "NDArray[np.int64]", looked_at: "NDArray[np.bool_]", threshold: float
) -> list[tuple[int, int]]:
    """Return pairs (earlier, later) that may be as similar as the threshold, in the order of the later one.

    In a crowd of many that share a band, each meets its neighbours and the first of them: what all are copies of.
    """
    import numpy as np

    pairs = [np.zeros(0, dtype=np.int64)]
    num = len(sketches)
    members = np.flatnonzero(looked_at)
    for band in list_bands(threshold):
        left, right = pair_band(make_keys(sketches[members], types[members], band), members)
        pairs.append(left * num + right)
    return _order(np.unique(np.concatenate(pairs)), sketches, threshold)


def list_bands(threshold: float) -> list[range]:
    """Return the hashes of each band."""
    rows = choose_rows(threshold)
    return [range(band, band + rows) for band in range(0, _NUM_HASHES - rows + 1, rows)]


def make_keys(sketches: "Sketches", types: "NDArray[np.int64]", band: range) -> "Hashes":
    """Return one number for what each sample has in a band; samples of two types have none in common."""
    import numpy as np

    keys: Hashes = mix(types.astype(np.uint64) + np.uint64(1))
    for column in band:
        keys = mix(keys * np.uint64(31) + sketches[:, column])
    return keys


def pair_band(keys: "Hashes", members: "NDArray[np.int64]") -> tuple["NDArray[np.int64]", "NDArray[np.int64]"]:
    """Return the samples that share a key: the earlier ones and the later ones; `members` rise."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    keys, at = keys[order], members[order]
    is_first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    heads = at[np.maximum.accumulate(np.where(is_first, np.arange(len(keys)), 0))]
    left, right = [heads[~is_first]], [at[~is_first]]
    for step in range(1, _NEIGHBOURS + 1):
        same = keys[step:] == keys[:-step]
        left.append(at[:-step][same])
        right.append(at[step:][same])
    return np.concatenate(left), np.concatenate(right)


def _order(pairs: "NDArray[np.int64]", sketches: "Sketches", threshold: float) -> list[tuple[int, int]]:
    """Return the pairs whose sketches agree well enough, in the order of the later, then the earlier one."""
    import numpy as np

    left, right = np.divmod(pairs, len(sketches))
    agrees = agree(sketches, left, right, threshold)
    left, right = left[agrees], right[agrees]
    order = np.lexsort((left, right))
    return list(zip(left[order].tolist(), right[order].tolist(), strict=True))


def agree(
    sketches: "Sketches", left: "NDArray[np.int64]", right: "NDArray[np.int64]", threshold: float
) -> "NDArray[np.bool_]":
    """Return which pairs have sketches that may be those of samples as similar as the threshold."""
    import numpy as np

    agrees = np.zeros(len(left), dtype=bool)
    for start in range(0, len(left), _SLICE):
        part = slice(start, start + _SLICE)
        share = np.mean(sketches[left[part]] == sketches[right[part]], axis=1)
        agrees[part] = share >= threshold - _MARGIN
    return agrees
