"""Bounds on the measures of a dataset: a version beyond one is kept, and the build does not make it the latest."""

from typing import Any

from msgspec import Struct

from instructgen.config import Gate, GatesConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.quality import Tally


class GateFault(Struct, frozen=True):
    """`sample_type` is empty for all types together."""

    sample_type: str
    measure: str
    value: float
    bound: float
    is_above: bool

    def describe(self) -> str:
        where = f"{self.sample_type}: " if self.sample_type else ""
        relation = "above" if self.is_above else "below"
        return f"{where}{self.measure} is {self.value:g}, {relation} {self.bound:g}"


KEPT_SHARE = "kept_share"


def check_gates(gates: GatesConfig, types: tuple[str, ...]) -> None:
    """Raise InstructgenError for a measure or a type that does not exist."""
    known = sorted(
        {KEPT_SHARE, *(name for name, value in Tally().close(0, 0).items() if not isinstance(value, dict))}
    )
    for where, table in (("total", gates.total), *((f"types.{name}", table) for name, table in gates.types.items())):
        for measure, gate in table.items():
            if measure not in known:
                raise InstructgenError(
                    f"[gates.{where}]: no measure called '{measure}'; there are: {', '.join(known)}"
                )
            if gate.min is None and gate.max is None:
                raise InstructgenError(f"[gates.{where}] {measure}: give a min, a max or both")
    for name in gates.types:
        if name not in types:
            raise InstructgenError(f"[gates.types.{name}]: the build makes {', '.join(types)}, not {name}")


def find_gate_faults(gates: GatesConfig, metrics: dict[str, Any]) -> list[GateFault]:
    """Return the bounds that a dataset passes; a measure that has no value passes none."""
    faults = _find_faults("", gates.total, metrics["total"])
    for name, table in gates.types.items():
        faults += _find_faults(name, table, metrics["types"].get(name, {}))
    return faults


def _find_faults(sample_type: str, gates: dict[str, Gate], measures: dict[str, Any]) -> list[GateFault]:
    faults = []
    for measure, gate in gates.items():
        value = measures.get(measure)
        if value is None:
            continue
        if gate.max is not None and value > gate.max:
            faults.append(GateFault(sample_type, measure, value, gate.max, is_above=True))
        if gate.min is not None and value < gate.min:
            faults.append(GateFault(sample_type, measure, value, gate.min, is_above=False))
    return faults
