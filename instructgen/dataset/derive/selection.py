"""Which rows of the parts are taken, and how often: decided from ids alone, before any row is read whole."""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from instructgen.dataset.derive.recipe import OpenedPart, Part, Recipe
from instructgen.dataset.stored import read_rows
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError

NOT_TAKEN = "not_in_selection"
"""Of another type or split than the recipe asks for."""
NOT_SAMPLED, OVER_CAP, DUPLICATE = "not_sampled", "over_cap", "duplicate_sample"
_DEFAULT_SPLIT = "train"
_MOST_COPIES = 200
_ID_COLUMNS = ["sample_id", "image_id", "sample_type"]


@dataclass(slots=True)
class PartSelection:
    """`copies[i]` is how often row i of the part is taken, 0 for never; `reasons` says why not, by type."""

    copies: bytearray
    offered: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    """Type -> reason -> rows."""
    taken: Counter[str] = field(default_factory=Counter)
    """Type -> rows, copies counted."""
    duplicates: set[int] = field(default_factory=set)
    """Rows whose sample_id another has that is taken before."""

    def drop(self, sample_type: str, reason: str, num: int = 1) -> None:
        self.dropped.setdefault(sample_type, Counter())[reason] += num


@dataclass(frozen=True, slots=True)
class _Candidate:
    row: int
    sample_type: str
    copies: int
    rank: float


def select_rows(opened: list[OpenedPart], recipe: Recipe) -> list[PartSelection]:
    """Return what is taken of each part, which follows from ids, settings and seed alone.

    Rows are ranked by a draw for their sample_id, so that a larger cap takes the same rows and more, and rows that a
    part gains leave the others as they were. Raises InstructgenError where the recipe forbids a sample_id that two
    parts have, or where its rows would put an image into two splits.
    """
    seen: set[bytes] = set()
    splits: dict[bytes, str] = {}
    selections = []
    for part in opened:
        selection = _select_part(part, recipe, seen)
        if recipe.splits is None:
            _check_splits(part, selection, splits)
        selections.append(selection)
    return selections


def choose_split(recipe: Recipe, image_id: str) -> str:
    """Return the split that is drawn for an image."""
    assert recipe.splits is not None
    draw = draw_fraction(recipe.seed, "split", image_id)
    for name, share in sorted(recipe.splits.items()):
        if draw < share:
            return name
        draw -= share
    return _DEFAULT_SPLIT


def _select_part(part: OpenedPart, recipe: Recipe, seen: set[bytes]) -> PartSelection:
    selection = PartSelection(bytearray())
    by_type: dict[str, list[_Candidate]] = {}
    for number, (split, sample_id, _, sample_type) in enumerate(_read_ids(part)):
        selection.offered[sample_type] += 1
        selection.copies.append(0)
        if not _is_wanted(part.settings, split, sample_type):
            selection.drop(sample_type, NOT_TAKEN)
            continue
        digest = blake2b(sample_id.encode(), digest_size=12).digest()
        if digest in seen:
            if recipe.duplicates == "error":
                raise InstructgenError(
                    f"{part.settings.version}: {sample_id} is in a part before it, or twice in this one; "
                    'duplicates = "first" keeps the first'
                )
            selection.drop(sample_type, DUPLICATE)
            selection.duplicates.add(number)
            continue
        seen.add(digest)
        candidate = _weigh(part.settings, recipe.seed, number, sample_id, sample_type)
        if candidate.copies == 0:
            selection.drop(sample_type, NOT_SAMPLED)
        else:
            by_type.setdefault(sample_type, []).append(candidate)
    _cap(part.settings, by_type, selection)
    return selection


def _is_wanted(part: Part, split: str, sample_type: str) -> bool:
    return (not part.splits or split in part.splits) and (not part.types or sample_type in part.types)


def _weigh(part: Part, seed: int, number: int, sample_id: str, sample_type: str) -> _Candidate:
    rank = draw_fraction(seed, "sample", sample_id)
    whole = int(part.weight)
    copies = min(_MOST_COPIES, whole + (rank < part.weight - whole))
    return _Candidate(number, sample_type, copies, rank)


def _cap(part: Part, by_type: dict[str, list[_Candidate]], selection: PartSelection) -> None:
    """Take the candidates of the lowest ranks within the caps."""
    kept: list[_Candidate] = []
    for name, candidates in by_type.items():
        kept += _take(candidates, part.cap_by_type.get(name), selection)
    for candidate in _take(kept, part.cap, selection):
        selection.copies[candidate.row] = candidate.copies
        selection.taken[candidate.sample_type] += candidate.copies


def _take(candidates: list[_Candidate], cap: int | None, selection: PartSelection) -> list[_Candidate]:
    """Return the candidates up to a number of rows; one with several copies may have some of them cut."""
    if cap is None or sum(one.copies for one in candidates) <= cap:
        return candidates
    left, taken = cap, []
    for one in heapq.nsmallest(len(candidates), candidates, key=lambda one: (one.rank, one.row)):
        copies = min(one.copies, left)
        left -= copies
        if copies:
            taken.append(_Candidate(one.row, one.sample_type, copies, one.rank))
        else:
            selection.drop(one.sample_type, OVER_CAP)
    return taken


def _check_splits(part: OpenedPart, selection: PartSelection, splits: dict[bytes, str]) -> None:
    """Note the split of every image of the taken rows."""
    for number, (split, _, image_id, _) in enumerate(_read_ids(part)):
        if selection.copies[number]:
            digest = blake2b(image_id.encode(), digest_size=12).digest()
            if splits.setdefault(digest, split) != split:
                raise InstructgenError(
                    f"{part.settings.version}: the image {image_id} is in '{split}' here and in '{splits[digest]}' "
                    "in a part before; give shares (--split val=0.05, or [splits] in a file) to split anew by image"
                )


def _read_ids(part: OpenedPart) -> Iterator[tuple[str, str, str, str]]:
    """Yield split, sample_id, image_id and sample_type of every row, in the order of the rows."""
    rows = read_rows(part.stored, _ID_COLUMNS)
    for shard in part.stored.manifest.shards:
        for _ in range(shard.num_rows):
            row = next(rows)
            yield shard.split, row["sample_id"], row["image_id"], row["sample_type"]
