"""What our own work takes for each unit and each request: figures of bench/scale_units.py, and lines through them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder

SHIPPED_NAME = "unit_costs.json"  # below data/
_PROGRAM, _SERVER = "program", "server"
_Count = Annotated[int, Meta(ge=1)]
_Amount = Annotated[float, Meta(ge=0)]


class Figure(Struct, frozen=True):
    """What one step of a build of so many units took. What is 0 was not weighed."""

    teacher: str
    engine: str
    step: str
    units: _Count
    cpu_s: _Amount
    peak_mb: _Amount = 0.0
    rows: int = 0
    dataset_bytes: int = 0
    ledger_bytes: int = 0


class FiguresFile(Struct, frozen=True):
    """A file of figures; `how` is the command that measured them."""

    as_of: str
    how: str
    figures: tuple[Figure, ...]


class Line(Struct, frozen=True):
    """What grows with the units."""

    begin: float
    unit: float

    def at(self, num_units: float) -> float:
        return self.begin + self.unit * num_units


class UnitCosts(Struct, frozen=True):
    """Of our own work, in CPU seconds, megabytes and bytes. `origin` says which figures they are.

    A unit is read, asked for, judged and written: `server_s` where a server answers, `program_s` where the scene
    program does, `free_s` where the answer is there already. `ask_s` is of one more request to a server.
    """

    origin: str
    start_s: float
    server_s: float
    program_s: float
    free_s: float
    ask_s: float
    merge: Line
    process_mb: float
    merge_mb: float
    """The most that was measured; neither grows with the units (docs/scale.md)."""
    row_bytes: float
    """Of what the scene program writes."""
    ledger_bytes: float
    server_ledger_bytes: float
    """For each request, with answers of some 300 tokens."""


def fit(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line through the points, by least squares; through the origin where there is one alone.

    Neither its begin nor its slope is below 0.
    """
    if len(points) == 1:
        return Line(0.0, points[0][1] / points[0][0])
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return Line(max(0.0, mean_y - slope * mean_x), max(0.0, slope))


def read_unit_costs(path: Path | None) -> UnitCosts:
    """Return the costs of a file of figures, or the shipped ones; InstructgenError for one that has too few."""
    shipped = shared_folder("data") / SHIPPED_NAME
    where = path or shipped
    try:
        found = msgspec.json.decode(where.read_bytes(), type=FiguresFile)
    except OSError as error:
        raise InstructgenError(f"--unit-costs: {where} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InstructgenError(f"--unit-costs: {where}: {error}; bench/scale_units.py --json writes one") from None
    name = "the shipped figures" if path is None else str(path)
    return _make_costs(found, f"{name} of {found.as_of} ({found.how})", where)


def _make_costs(found: FiguresFile, origin: str, where: Path) -> UnitCosts:
    def select(teacher: str, engine: str, step: str) -> list[Figure]:
        chosen = [one for one in found.figures if (one.teacher, one.engine, one.step) == (teacher, engine, step)]
        if not chosen:
            raise InstructgenError(
                f"--unit-costs: {where} has no figure of teacher {teacher}, engine {engine}, step {step}; "
                "measure with bench/scale_units.py --teachers program,server"
            )
        return chosen

    def cpu(teacher: str, engine: str, step: str) -> Line:
        return fit([(one.units, one.cpu_s) for one in select(teacher, engine, step)])

    program = cpu(_PROGRAM, "whole", "build")
    asked, unasked = cpu(_SERVER, "whole", "build"), cpu(_SERVER, "replay", "build")
    weighed, asked_for = select(_PROGRAM, "whole", "build"), select(_SERVER, "whole", "build")
    return UnitCosts(
        origin=origin,
        start_s=max(asked.begin, program.begin),
        server_s=asked.unit,
        program_s=program.unit,
        free_s=cpu(_PROGRAM, "replay", "build").unit,
        ask_s=max(asked.unit - unasked.unit, 0.0),
        merge=cpu(_PROGRAM, "parts", "merge"),
        process_mb=max(one.peak_mb for one in found.figures if one.step != "merge"),
        merge_mb=max(one.peak_mb for one in select(_PROGRAM, "parts", "merge")),
        row_bytes=sum(one.dataset_bytes for one in weighed) / max(sum(one.rows for one in weighed), 1),
        ledger_bytes=fit([(one.units, one.ledger_bytes) for one in weighed]).unit,
        server_ledger_bytes=fit([(one.units, one.ledger_bytes) for one in asked_for]).unit,
    )
