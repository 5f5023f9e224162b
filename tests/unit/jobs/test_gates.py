"""Bounds on the measures of a dataset."""

from typing import Any

import pytest

from instructgen.config import Gate, GatesConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.gates import check_gates, find_gate_faults

METRICS: dict[str, Any] = {
    "total": {"chair_i": 0.04, "yes_share": 0.7, "kept_share": 0.9, "count_accuracy": None},
    "types": {"conv": {"chair_i": 0.02, "yes_share": 0.7}},
}


def describe(gates: GatesConfig) -> list[str]:
    return [fault.describe() for fault in find_gate_faults(gates, METRICS)]


def test_measure_above_its_bound_is_a_fault() -> None:
    assert describe(GatesConfig(total={"chair_i": Gate(max=0.03)})) == ["chair_i is 0.04, above 0.03"]


def test_measure_below_its_bound_is_a_fault() -> None:
    assert describe(GatesConfig(total={"kept_share": Gate(min=0.95)})) == ["kept_share is 0.9, below 0.95"]


def test_bounds_of_a_type_are_for_it_alone() -> None:
    gates = GatesConfig(types={"conv": {"chair_i": Gate(max=0.03), "yes_share": Gate(min=0.4, max=0.6)}})
    assert describe(gates) == ["conv: yes_share is 0.7, above 0.6"]


@pytest.mark.parametrize("gate", [Gate(max=0.04), Gate(min=0.04), Gate(min=0.0, max=1.0)])
def test_value_on_a_bound_passes(gate: Gate) -> None:
    assert describe(GatesConfig(total={"chair_i": gate})) == []


def test_what_could_not_be_measured_is_no_fault() -> None:
    assert describe(GatesConfig(total={"count_accuracy": Gate(min=0.9)})) == []
    assert describe(GatesConfig(types={"detail": {"chair_i": Gate(max=0.0)}})) == []


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (GatesConfig(total={"chair": Gate(max=0.1)}), "no measure called 'chair'; there are: answer_words_mean"),
        (GatesConfig(total={"chair_i": Gate()}), "give a min, a max or both"),
        (GatesConfig(types={"poem": {"chair_i": Gate(max=0.1)}}), "the build makes conv, detail, not poem"),
        (GatesConfig(types={"conv": {"claims_by_kind": Gate(max=1)}}), "no measure called 'claims_by_kind'"),
    ],
)
def test_gate_that_cannot_be_kept_is_an_error(gates: GatesConfig, said: str) -> None:
    with pytest.raises(InstructgenError, match="gates") as caught:
        check_gates(gates, ("conv", "detail"))
    assert said in str(caught.value)


def test_known_measures_pass() -> None:
    check_gates(GatesConfig(total={"kept_share": Gate(min=0.5), "chair_s": Gate(max=0.1)}), ("conv",))
