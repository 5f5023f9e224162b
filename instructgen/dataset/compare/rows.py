"""Which rows two versions share, which one of them lacks, and which differ, and in what.

Shards with the same digest and split are not opened.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.dataset.compare.sides import Side, count_types, read_side
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


class Change(Struct, frozen=True):
    """What became of one sample; `fields` of a changed one, with "scores.grounding" for a part of a column."""

    sample_id: str
    sample_type: str
    what: str
    """ "added", "removed" or "changed"."""
    fields: tuple[str, ...] = ()


class RowCounts(Struct, frozen=True):
    """old = unchanged + changed + removed, and new = unchanged + changed + added."""

    old: int
    new: int
    unchanged: int
    changed: int
    added: int
    removed: int


@dataclass(frozen=True)
class RowComparison:
    """The rows of both sides: `pairs` [2, n] of the same sample, and those without a partner."""

    old: Side
    new: Side
    pairs: "Places"
    removed: "Places"
    added: "Places"
    num_in_equal_shards: dict[str, int]
    differs: "dict[str, NDArray[np.bool_]]" = field(repr=False)
    """Field -> for each pair whether it differs there; fields that only one side has are in none."""

    @cached_property
    def changed(self) -> "Places":
        """Which pairs differ."""
        import numpy as np

        found = np.zeros(self.pairs.shape[1], dtype=np.bool_)
        for differs in self.differs.values():
            found |= differs
        return np.flatnonzero(found)

    @property
    def columns_added(self) -> tuple[str, ...]:
        return tuple(sorted(self.new.columns.keys() - self.old.columns.keys()))

    @property
    def columns_removed(self) -> tuple[str, ...]:
        return tuple(sorted(self.old.columns.keys() - self.new.columns.keys()))

    def count(self) -> dict[str, RowCounts]:
        """Return the counts by sample type; a changed sample is counted under the type that it has now."""
        unchanged = Counter(self.num_in_equal_shards)
        changed, added, removed = (Counter[str]() for _ in range(3))
        of_pairs = self.new.types_of(self.pairs[1])
        changed_types = [of_pairs[pair] for pair in self.changed.tolist()]
        changed.update(changed_types)
        unchanged.update(of_pairs)
        unchanged.subtract(changed)
        added.update(self.new.types_of(self.added))
        removed.update(self.old.types_of(self.removed))
        names = sorted({*unchanged, *changed, *added, *removed})
        return {
            name: RowCounts(
                unchanged[name] + changed[name] + removed[name],
                unchanged[name] + changed[name] + added[name],
                *(unchanged[name], changed[name], added[name], removed[name]),
            )
            for name in names
        }

    def count_fields(self) -> dict[str, int]:
        """Return in how many samples each field differs, most first."""
        counts = Counter({name: int(differs.sum()) for name, differs in self.differs.items()})
        return {name: count for name, count in counts.most_common() if count}

    def fields_of(self, pair: int) -> tuple[str, ...]:
        return tuple(name for name, differs in self.differs.items() if differs[pair])

    def changes(self) -> Iterator[Change]:
        """Yield what became of each sample that did not stay: removed, changed, added, each in the shards' order."""
        for what, side, rows in (("removed", self.old, self.removed), ("added", self.new, self.added)):
            if what == "added":
                changed_rows = self.pairs[1][self.changed]
                types = self.new.types_of(changed_rows)
                for pair, row, name in zip(self.changed.tolist(), changed_rows.tolist(), types, strict=True):
                    yield Change(self.new.id_of(row), name, "changed", self.fields_of(pair))
            for row, name in zip(rows.tolist(), side.types_of(rows), strict=True):
                yield Change(side.id_of(row), name, what)


def compare_rows(old: StoredVersion, new: StoredVersion) -> RowComparison:
    """Compare two versions by sample_id.

    Where an id comes more than once, equal rows belong together, and of the rest as many as both sides have are
    changes. Raises InstructgenError for a shard that cannot be read or has no sample_id.
    """
    import numpy as np

    equal, old_shards, new_shards = _leave_out_equal(old.manifest.shards, new.manifest.shards)
    before, after = read_side(old, old_shards), read_side(new, new_shards)
    common = sorted(before.columns.keys() & after.columns.keys(), key=list(after.columns).index)
    pairs, removed, added = _match(before, after, common)
    differs = {}
    for name in common:
        left, right = before.columns[name], after.columns[name]
        if left[1].dtype != right[1].dtype:  # a number became a text
            differs[name] = np.ones(pairs.shape[1], dtype=np.bool_)
            continue
        differs[name] = (left[0][pairs[0]] != right[0][pairs[1]]) | (left[1][pairs[0]] != right[1][pairs[1]])
    return RowComparison(before, after, pairs, removed, added, count_types(new, equal), differs)


def _leave_out_equal(old: Sequence[Shard], new: Sequence[Shard]) -> tuple[list[Shard], list[Shard], list[Shard]]:
    """Return the new side's shards that the old one has too, and of each side those that the other lacks."""
    both = Counter(map(_content, old)) & Counter(map(_content, new))
    _, old_rest = _part(old, both)
    equal, new_rest = _part(new, both)
    return equal, old_rest, new_rest


def _content(shard: Shard) -> tuple[str, str, str, int]:
    return shard.content_sha256, shard.split, shard.sample_type, shard.num_rows


def _part(shards: Sequence[Shard], both: "Counter[tuple[str, str, str, int]]") -> tuple[list[Shard], list[Shard]]:
    left = both.copy()
    equal: list[Shard] = []
    rest: list[Shard] = []
    for shard in shards:
        (equal if left[_content(shard)] > 0 else rest).append(shard)
        left[_content(shard)] -= 1
    return equal, rest


def _match(old: Side, new: Side, common: Sequence[str]) -> "tuple[Places, Places, Places]":
    """Return the pairs [2, n], and the rows of the old and the new side that have no partner."""
    import numpy as np
    import pyarrow as pa

    encoded = pa.concat_arrays([old.ids, new.ids]).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    old_codes, new_codes = codes[: old.num_rows], codes[old.num_rows :]
    num_codes = len(encoded.dictionary)
    once = (np.bincount(old_codes, minlength=num_codes) <= 1) & (np.bincount(new_codes, minlength=num_codes) <= 1)
    old_rows = np.full(num_codes, -1, dtype=np.int64)
    old_rows[old_codes] = np.arange(old.num_rows)
    partners = np.where(once[new_codes], old_rows[new_codes], -1)
    in_new = np.flatnonzero(partners >= 0)
    pairs = [np.stack((partners[in_new], in_new))]
    if not once.all():
        pairs.append(_match_doubles(old, new, (old_codes, new_codes), once, common))
    both = np.concatenate(pairs, axis=1)
    is_alone_old, is_alone_new = np.ones(old.num_rows, np.bool_), np.ones(new.num_rows, np.bool_)
    is_alone_old[both[0]] = False
    is_alone_new[both[1]] = False
    return both[:, np.argsort(both[1])], np.flatnonzero(is_alone_old), np.flatnonzero(is_alone_new)


def _match_doubles(
    old: Side, new: Side, codes: "tuple[Places, Places]", once: "NDArray[np.bool_]", common: Sequence[str]
) -> "Places":
    """Return the pairs among rows whose id comes more than once."""
    import numpy as np

    groups: dict[int, tuple[list[tuple[bytes, int]], list[tuple[bytes, int]]]] = {}
    for at, (side, of_side) in enumerate(zip((old, new), codes, strict=True)):
        rows = np.flatnonzero(~once[of_side])
        parts = [part[rows] for name in common for part in side.columns[name]]
        for number, row in enumerate(rows.tolist()):
            key = b"".join(part[number].tobytes() for part in parts)
            groups.setdefault(int(of_side[row]), ([], []))[at].append((key, row))
    pairs: list[tuple[int, int]] = []
    for left, right in groups.values():
        pairs += _match_group(sorted(left), sorted(right))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


def _match_group(left: list[tuple[bytes, int]], right: list[tuple[bytes, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of one id: equal rows first, then the rest in the order of their content."""
    waiting: dict[bytes, list[int]] = {}
    for key, row in left:
        waiting.setdefault(key, []).append(row)
    rest = []
    for key, row in right:
        if waiting.get(key):
            yield waiting[key].pop(), row
        else:
            rest.append(row)
    yield from zip((row for rows in waiting.values() for row in rows), rest, strict=False)
