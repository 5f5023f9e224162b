"""The difference of two versions, sample by sample (docs/dataset-diff.md)."""

from pathlib import Path

import msgspec
from msgspec import Struct

from instructgen.dataset.compare.facts import (
    CostChange,
    Move,
    OutcomeChange,
    SettingChange,
    compare_costs,
    compare_outcomes,
    compare_settings,
    find_moves,
)
from instructgen.dataset.compare.measures import MeasureChange, compare_measures
from instructgen.dataset.compare.rows import RowComparison, RowCounts, compare_rows
from instructgen.dataset.compare.texts import Example, read_examples
from instructgen.dataset.stored import StoredVersion

NUM_EXAMPLES = 3


class Named(Struct, frozen=True):
    version: str
    place: str
    created_at: str


class DatasetDiff(Struct, frozen=True):
    """What is different in `new`; everything is a plain value, and `msgspec.json.encode` is what --json prints."""

    old: Named
    new: Named
    rows: RowCounts
    types: dict[str, RowCounts]
    fields: dict[str, int]
    """Field -> changed samples in which it differs, most first; `scores` by filter, "split" where it moved."""
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    """What only one side has; such a column makes no sample a changed one."""
    outcomes: tuple[OutcomeChange, ...]
    moves: tuple[Move, ...]
    measures: tuple[MeasureChange, ...]
    cost: CostChange
    settings: tuple[SettingChange, ...]
    examples: tuple[Example, ...]

    @property
    def is_empty(self) -> bool:
        """Return whether no sample is different."""
        return self.rows.old == self.rows.new == self.rows.unchanged


def diff_versions(old: StoredVersion, new: StoredVersion, *, num_examples: int = NUM_EXAMPLES) -> DatasetDiff:
    """Compare two versions. Raises InstructgenError for a file that cannot be read."""
    return make_diff(old, new, compare_rows(old, new), num_examples=num_examples)


def make_diff(
    old: StoredVersion, new: StoredVersion, compared: RowComparison, *, num_examples: int = NUM_EXAMPLES
) -> DatasetDiff:
    before, after = old.manifest, new.manifest
    types = compared.count()
    return DatasetDiff(
        old=Named(before.version, old.place, before.created_at),
        new=Named(after.version, new.place, after.created_at),
        rows=add_counts(types),
        types=types,
        fields=compared.count_fields(),
        columns_added=compared.columns_added,
        columns_removed=compared.columns_removed,
        outcomes=compare_outcomes(before.counts, after.counts),
        moves=find_moves(old, new, compared),
        measures=compare_measures(before.metrics, after.metrics),
        cost=compare_costs(before, after),
        settings=compare_settings(before, after),
        examples=read_examples(compared, num_examples),
    )


def add_counts(types: dict[str, RowCounts]) -> RowCounts:
    names = RowCounts.__struct_fields__
    return RowCounts(*(sum(getattr(counts, name) for counts in types.values()) for name in names))


def write_changes(compared: RowComparison, path: Path) -> int:
    """Write one JSON line for each sample that is different, and return how many there are."""
    num = 0
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for change in compared.changes():
            file.write(encoder.encode(change) + b"\n")
            num += 1
    return num
