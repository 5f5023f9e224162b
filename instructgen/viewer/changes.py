"""Which rows of two versions differ, by their positions; and how a text became another, word by word."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.compare.rows import RowComparison, compare_rows
from instructgen.dataset.compare.sides import Side
from instructgen.refine.diff import Diff, diff_words
from instructgen.viewer.rows import VersionRows

_TEXT_COLUMNS = ("messages", "images")


class TurnDiff(Struct, frozen=True):
    """A turn of both versions; "" where one has no such turn. `pieces` are () for the same text."""

    role: str
    old: str
    new: str
    pieces: Diff


class FieldDiff(Struct, frozen=True):
    name: str
    old: str
    new: str


def find_changes(old: VersionRows, new: VersionRows) -> dict[str, list[Any]]:
    """Return (side, pos, what, fields, old_pos) of every sample that is not the same in both; 0 is the older side."""
    compared = compare_rows(old.version, new.version)
    first_old, first_new = old.first_rows(), new.first_rows()
    found: dict[str, list[Any]] = {name: [] for name in ("side", "pos", "what", "fields", "old_pos")}

    def add(side: int, pos: int, what: str, fields: str, old_pos: int | None) -> None:
        for name, value in zip(found, (side, pos, what, fields, old_pos), strict=True):
            found[name].append(value)

    for pair in compared.changed.tolist():
        left, right = (int(place) for place in compared.pairs[:, pair])
        fields = ", ".join(compared.fields_of(pair))
        old_pos = _find_place(compared.old, first_old, left)
        add(1, _find_place(compared.new, first_new, right), "changed", fields, old_pos)
    _add_alone(compared, (first_old, first_new), add)
    return found


def _add_alone(compared: RowComparison, firsts: tuple[dict[str, int], dict[str, int]], add: Any) -> None:
    for row in compared.added.tolist():
        add(1, _find_place(compared.new, firsts[1], row), "added", "", None)
    for row in compared.removed.tolist():
        add(0, _find_place(compared.old, firsts[0], row), "removed", "", None)


def _find_place(side: Side, first_rows: dict[str, int], row: int) -> int:
    shard, place = side.find(row)
    return first_rows[shard.path] + place


def diff_turns(old: Row, new: Row) -> tuple[TurnDiff, ...]:
    """Return the turns of both, paired by their place."""
    pairs = zip_longest(old["messages"], new["messages"])
    return tuple(_diff_turn(left or {}, right or {}) for left, right in pairs)


def _diff_turn(left: dict[str, str], right: dict[str, str]) -> TurnDiff:
    before, after = left.get("content", ""), right.get("content", "")
    roles = dict.fromkeys(role for role in (left.get("role"), right.get("role")) if role)
    return TurnDiff(" -> ".join(roles), before, after, diff_words(before, after))


def diff_fields(old: Row, new: Row, write: Any) -> tuple[FieldDiff, ...]:
    """Return the columns that differ, but for turns; a struct's by their parts."""
    left, right = _flatten(old), _flatten(new)
    names: Sequence[str] = [*right, *(name for name in left if name not in right)]
    return tuple(
        FieldDiff(name, write(left.get(name)), write(right.get(name)))
        for name in names
        if left.get(name) != right.get(name)
    )


def _flatten(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name in _TEXT_COLUMNS:
            continue
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": of_part for part, of_part in value.items()}
        else:
            flat[name] = value
    return flat
