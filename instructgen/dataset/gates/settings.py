"""What a gates file may say (docs/dataset-diff.md). Every part is optional; one that is left out is not looked at."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from instructgen.config import Fraction, Gate
from instructgen.dataset.compare.measures import WORSE
from instructgen.errors import InstructgenError
from instructgen.filters.contamination import Contamination
from instructgen.filters.near_duplicate import NearDuplicate

# Of these parts every key may be left out, but not all of them.
_ROW_BOUNDS = ("min", "max", "max_drop")
_BOUNDS = {
    "rows": _ROW_BOUNDS,
    "rejected": ("max", "max_rise"),
    "duplicates": ("max_exact", "max_near"),
    "changes": ("max_changed", "max_removed"),
}

Count = Annotated[int, Meta(ge=0)]
_NotNegative = Annotated[float, Meta(ge=0)]


class RowsGate(Struct, frozen=True, forbid_unknown_fields=True):
    min: Count | None = None
    max: Count | None = None
    max_drop: Fraction | None = None  # share of OLD's rows that may be missing in number


class AllRowsGate(RowsGate, frozen=True, forbid_unknown_fields=True):
    types: dict[str, RowsGate] = {}


class RejectedGate(Struct, frozen=True, forbid_unknown_fields=True):
    """Rejected and failed units, as a share of the planned ones."""

    max: Fraction | None = None
    max_rise: Fraction | None = None  # above OLD's share


class MeasureGate(Gate, frozen=True, forbid_unknown_fields=True):
    max_worsening: _NotNegative | None = None  # by how much it may be worse than OLD's


class MeasuresGate(Struct, frozen=True, forbid_unknown_fields=True):
    total: dict[str, MeasureGate] = {}
    types: dict[str, dict[str, MeasureGate]] = {}


class DuplicatesGate(Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of NEW's samples."""

    max_exact: Fraction | None = None  # whose turns are an earlier one's but for case and spacing
    max_near: Fraction | None = None  # that the filter near_duplicate would drop
    near: NearDuplicate = NearDuplicate()


class ContaminationGate(Struct, frozen=True, forbid_unknown_fields=True):
    against: Annotated[tuple[str, ...], Meta(min_length=1)]  # files, relative to the gates file
    max_samples: Count = 0
    n: Annotated[int, Meta(ge=3, le=30)] = Contamination().n
    max_share: Fraction = Contamination().max_share


class SplitsGate(Struct, frozen=True, forbid_unknown_fields=True):
    max_shared_images: Count = 0  # images that are in two splits


class SchemaGate(Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of a build, with their types; and what the messages must be."""

    columns: tuple[str, ...] = ()  # further ones that must be there
    extra_columns: bool = True  # whether others may be there
    messages: bool = True  # they alternate, user first and assistant last; none is empty
    placeholders: bool = False  # whether "<image>", "{{name}}" and the like may stand in a text


class LicencesGate(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the pictures, by the column `image_licences`."""

    allowed: tuple[str, ...]
    unknown: bool = False  # whether a picture may have no licence in its row
    required: bool = True  # fail where the version has no such column


class ChangesGate(Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of OLD's samples."""

    max_changed: Fraction | None = None
    max_removed: Fraction | None = None


class LineageGate(Struct, frozen=True, forbid_unknown_fields=True):
    from_old: bool = True  # OLD is among what NEW was made of


class CheckGates(Struct, frozen=True, forbid_unknown_fields=True):
    rows: AllRowsGate | None = None
    rejected: RejectedGate | None = None
    metrics: MeasuresGate | None = None
    duplicates: DuplicatesGate | None = None
    contamination: ContaminationGate | None = None
    splits: SplitsGate | None = None
    schema: SchemaGate | None = None
    licences: LicencesGate | None = None
    changes: ChangesGate | None = None
    lineage: LineageGate | None = None


def load_gates(path: Path) -> CheckGates:
    """Read a gates file.

    Raises InstructgenError naming the file and the key for anything that is not a gate.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InstructgenError(
            f"no gates file {path}; `instructgen dataset check --example-gates` prints one to begin with"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InstructgenError(f"{path} is not valid TOML: {error}") from None
    try:
        gates = msgspec.convert(table, CheckGates)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{path}: {error}; docs/dataset-diff.md lists every key") from None
    if not table:
        raise InstructgenError(f"{path} holds no gate; `instructgen dataset check --example-gates` prints some")
    _check_bounds(path, gates)
    _check_measures(path, gates.metrics or MeasuresGate())
    if gates.contamination is None:
        return gates
    against = tuple(str(path.parent / name) for name in gates.contamination.against)
    return msgspec.structs.replace(gates, contamination=msgspec.structs.replace(gates.contamination, against=against))


def _check_bounds(path: Path, gates: CheckGates) -> None:
    """Raise InstructgenError for a part that nothing could fail: it would look like a gate and hold nothing."""
    rows, metrics = gates.rows, gates.metrics
    parts: dict[str, Struct | None] = {name: getattr(gates, name) for name in _BOUNDS}
    if rows is not None:
        parts |= {"rows": None if rows.types and _has_none(rows, _ROW_BOUNDS) else rows}
        parts |= {f"rows.types.{name}": of_type for name, of_type in rows.types.items()}
    for name, part in parts.items():
        bounds = _BOUNDS.get(name, _ROW_BOUNDS)
        if part is not None and _has_none(part, bounds):
            raise InstructgenError(f"{path}: [{name}] has no bound; give {' or '.join(bounds)}, or leave it out")
    if metrics is not None and (not (metrics.total or metrics.types) or not all(metrics.types.values())):
        raise InstructgenError(f"{path}: [metrics] has a table without a measure; give one, or leave the table out")
    if gates.lineage is not None and not gates.lineage.from_old:
        raise InstructgenError(f"{path}: [lineage] from_old = false holds nothing; leave the part out")


def _has_none(part: Struct, bounds: tuple[str, ...]) -> bool:
    return all(getattr(part, bound) is None for bound in bounds)


def _check_measures(path: Path, measures: MeasuresGate) -> None:
    tables = {"total": measures.total, **{f"types.{name}": table for name, table in measures.types.items()}}
    for where, table in tables.items():
        for measure, gate in table.items():
            place = f"{path}: [metrics.{where}]"
            if measure not in WORSE:
                raise InstructgenError(f"{place}: no measure called '{measure}'; there are: {', '.join(WORSE)}")
            if gate.min is None and gate.max is None and gate.max_worsening is None:
                raise InstructgenError(f"{place} {measure}: give a min, a max or a max_worsening")
            if gate.max_worsening is not None and WORSE[measure] == "none":
                raise InstructgenError(f"{place} {measure}: more is neither better nor worse; give a min or a max")
