"""Which rows of the parts are taken, and how often: decided from ids alone, before any row is read whole."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from instructgen.dataset.derive.copies import (
    DIGEST_TYPE,
    CopyNames,
    digest_id,
    find_in,
    make_copy_names,
    merge_digests,
)
from instructgen.dataset.derive.recipe import OpenedPart, Part, Recipe
from instructgen.dataset.stored import read_rows
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from instructgen.dataset.derive.copies import Digests, Mask

NOT_TAKEN = "not_in_selection"
"""Of another type or split than the recipe asks for."""
NOT_SAMPLED, OVER_CAP, DUPLICATE = "not_sampled", "over_cap", "duplicate_sample"
_DEFAULT_SPLIT = "train"
_MOST_COPIES = 200
_ID_COLUMNS = ["sample_id", "image_id", "sample_type"]


@dataclass(slots=True)
class PartSelection:
    """`copies[i]` is how often row i of the part is taken, 0 for never; `dropped` says why not."""

    copies: bytearray
    is_duplicate: bytearray
    """1 for a row whose sample_id another has: one that is taken of a part before, or one before it in this part."""
    offered: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    """Type -> reason -> rows."""
    taken: Counter[str] = field(default_factory=Counter)
    """Type -> rows, copies counted."""

    def drop(self, sample_type: str, reason: str, num: int = 1) -> None:
        if num:
            self.dropped.setdefault(sample_type, Counter())[reason] += num


@dataclass(frozen=True, slots=True)
class Selection:
    """What is taken of each part, and how the copies are called."""

    parts: list[PartSelection]
    names: CopyNames


@dataclass(slots=True)
class _Candidates:
    """The rows of the types and splits that are asked for: arrays, for there may be millions."""

    rows: "array[int]" = field(default_factory=lambda: array("I"))
    ranks: "array[float]" = field(default_factory=lambda: array("d"))
    types: "array[int]" = field(default_factory=lambda: array("H"))
    """Index in `type_names`."""
    digests: bytearray = field(default_factory=bytearray)
    type_names: dict[str, int] = field(default_factory=dict)

    def add(self, row: int, sample_id: str, sample_type: str, seed: int) -> None:
        self.rows.append(row)
        self.ranks.append(draw_fraction(seed, "sample", sample_id))
        self.types.append(self.type_names.setdefault(sample_type, len(self.type_names)))
        self.digests += digest_id(sample_id)


def select_rows(opened: list[OpenedPart], recipe: Recipe) -> Selection:
    """Return what is taken of each part, which follows from ids, settings and seed alone.

    Rows are ranked by a draw for their sample_id, so that a larger cap takes the same rows and more, and rows that a
    part gains leave the others as they were. A row that an earlier part offered but did not take, by its weight or
    its caps, is free for a later one. Raises InstructgenError where the recipe forbids a sample_id that two parts
    have, or where its rows would put an image into two splits.
    """
    import numpy as np

    seen = merge_digests([])
    images = _Images(seen, np.empty(0, np.uint16))
    selections = []
    for part in opened:
        selection, taken = _select_part(part, recipe, seen)
        seen = merge_digests([seen, taken])
        if recipe.splits is None:
            images.add(part, selection)
        selections.append(selection)
    has_copies = any(max(selection.copies, default=0) > 1 for selection in selections)
    names = make_copy_names(_read_taken_ids(opened, selections) if has_copies else (), seen)
    return Selection(selections, names)


def choose_split(splits: Mapping[str, float], seed: int, image_id: str) -> str:
    """Return the split that is drawn for an image by shares; "train" has what they leave."""
    draw = draw_fraction(seed, "split", image_id)
    for name, share in sorted(splits.items()):
        if draw < share:
            return name
        draw -= share
    return _DEFAULT_SPLIT


def _select_part(part: OpenedPart, recipe: Recipe, seen: "Digests") -> "tuple[PartSelection, Digests]":
    """Return what is taken, and the digests of its sample_ids; caps come last, and count what is no duplicate."""
    import numpy as np

    selection, found = _read_candidates(part, recipe.seed)
    rows, types = np.frombuffer(found.rows, np.uint32), np.frombuffer(found.types, np.uint16)
    ranks = np.frombuffer(found.ranks, np.float64)
    digests = np.frombuffer(found.digests, DIGEST_TYPE)
    names = list(found.type_names)
    is_duplicate = find_in(seen, digests) | _find_repeats(digests)
    if recipe.duplicates == "error" and is_duplicate.any():
        _, sample_id, _, _ = next(islice(_read_ids(part), int(rows[is_duplicate.argmax()]), None))
        raise InstructgenError(
            f"{part.settings.version}: {sample_id} is in a part before it, or twice in this one; "
            'duplicates = "first" keeps the first'
        )
    copies = _weigh(part.settings, ranks)
    is_unsampled = copies == 0
    copies[is_duplicate] = 0
    for name, cap in part.settings.cap_by_type.items():
        if name in names:
            _cap(copies, ranks, types == names.index(name), cap)
    if part.settings.cap is not None:
        _cap(copies, ranks, copies > 0, part.settings.cap)
    for number, name in enumerate(names):
        is_left_out = (types == number) & (copies == 0)
        selection.drop(name, DUPLICATE, int((is_left_out & is_duplicate).sum()))
        selection.drop(name, NOT_SAMPLED, int((is_left_out & ~is_duplicate & is_unsampled).sum()))
        selection.drop(name, OVER_CAP, int((is_left_out & ~is_duplicate & ~is_unsampled).sum()))
        selection.taken[name] = int(copies[types == number].sum())
    np.frombuffer(selection.copies, np.uint8)[rows] = copies
    np.frombuffer(selection.is_duplicate, np.uint8)[rows] = is_duplicate
    return selection, digests[copies > 0]


def _read_candidates(part: OpenedPart, seed: int) -> tuple[PartSelection, _Candidates]:
    """Return the rows that the part's types and splits let through, and a selection that counts the others."""
    selection, found = PartSelection(bytearray(), bytearray()), _Candidates()
    for number, (split, sample_id, _, sample_type) in enumerate(_read_ids(part)):
        selection.offered[sample_type] += 1
        if _is_wanted(part.settings, split, sample_type):
            found.add(number, sample_id, sample_type, seed)
        else:
            selection.drop(sample_type, NOT_TAKEN)
    num_rows = selection.offered.total()
    selection.copies, selection.is_duplicate = bytearray(num_rows), bytearray(num_rows)
    return selection, found


def _is_wanted(part: Part, split: str, sample_type: str) -> bool:
    return (not part.splits or split in part.splits) and (not part.types or sample_type in part.types)


def _find_repeats(digests: "Digests") -> "Mask":
    """Return of each digest whether it was there before."""
    import numpy as np

    order = np.argsort(digests, kind="stable")
    is_repeat = np.zeros(len(digests), bool)
    is_repeat[order[~_find_starts(digests[order])]] = True
    return is_repeat


def _find_starts(ordered: "Digests") -> "Mask":
    """Return of each digest whether it is another than the one before it."""
    import numpy as np

    is_start = np.ones(len(ordered), bool)
    is_start[1:] = ordered[1:] != ordered[:-1]
    return is_start


def _weigh(part: Part, ranks: "npt.NDArray[np.float64]") -> "npt.NDArray[np.uint8]":
    """Return the copies that the part's weight gives each row."""
    import numpy as np

    whole = int(part.weight)
    copies: npt.NDArray[np.uint8] = np.minimum(_MOST_COPIES, whole + (ranks < part.weight - whole)).astype(np.uint8)
    return copies


def _cap(copies: "npt.NDArray[np.uint8]", ranks: "npt.NDArray[np.float64]", is_wanted: "Mask", cap: int) -> None:
    """Leave of the wanted rows those of the lowest ranks, up to `cap` with their copies; one may lose only some."""
    import numpy as np

    rows = np.flatnonzero(is_wanted).astype(np.uint32)
    rows = rows[np.argsort(ranks[rows], kind="stable")]
    num_taken = np.cumsum(copies[rows], dtype=np.int64)
    last = int(np.searchsorted(num_taken, cap))
    if last < len(rows):
        copies[rows[last]] -= num_taken[last] - cap
        copies[rows[last + 1 :]] = 0


@dataclass(slots=True)
class _Images:
    """The split of every image of the rows that are taken so far."""

    digests: "Digests"
    splits: "npt.NDArray[np.uint16]"
    """Index in `names`, of the images in the order of `digests`."""
    names: dict[str, int] = field(default_factory=dict)

    def add(self, part: OpenedPart, selection: PartSelection) -> None:
        """Note the images of a part; InstructgenError for one that is in two splits."""
        import numpy as np

        digests, splits = bytearray(), array("H")
        for number, (split, _, image_id, _) in enumerate(_read_ids(part)):
            if selection.copies[number]:
                digests += digest_id(image_id)
                splits.append(self.names.setdefault(split, len(self.names)))
        num_known = len(self.digests)
        self.digests = np.concatenate([self.digests, np.frombuffer(digests, DIGEST_TYPE)])
        self.splits = np.concatenate([self.splits, np.array(splits, np.uint16)])
        del digests, splits  # each array is some tens of MB
        order = np.argsort(self.digests, kind="stable")
        is_first = _find_starts(self.digests[order])
        firsts = order[is_first]
        split_before = self.splits[firsts][np.cumsum(is_first) - 1]
        differing = np.flatnonzero(self.splits[order] != split_before)
        if len(differing):
            place = differing[order[differing].argmin()]
            row = np.flatnonzero(np.frombuffer(selection.copies, np.uint8))[order[place] - num_known]
            self._refuse(part, int(row), list(self.names)[split_before[place]])
        self.digests, self.splits = self.digests[firsts], self.splits[firsts]

    def _refuse(self, part: OpenedPart, row: int, before: str) -> NoReturn:
        split, _, image_id, _ = next(islice(_read_ids(part), row, None))
        raise InstructgenError(
            f"{part.settings.version}: the image {image_id} is in '{split}' here and in '{before}' in a row before; "
            "give shares (--split val=0.05, or [splits] in a file) to split anew by image"
        )


def _read_taken_ids(opened: list[OpenedPart], selections: list[PartSelection]) -> Iterator[str]:
    for part, selection in zip(opened, selections, strict=True):
        for copies, (_, sample_id, _, _) in zip(selection.copies, _read_ids(part), strict=True):
            if copies:
                yield sample_id


def _read_ids(part: OpenedPart) -> Iterator[tuple[str, str, str, str]]:
    """Yield split, sample_id, image_id and sample_type of every row, in the order of the rows."""
    rows = read_rows(part.stored, _ID_COLUMNS)
    for shard in part.stored.manifest.shards:
        for _ in range(shard.num_rows):
            row = next(rows)
            yield shard.split, row["sample_id"], row["image_id"], row["sample_type"]
