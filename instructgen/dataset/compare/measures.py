"""Which way each measure of a dataset is worse (docs/audit.md says what they are)."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

Direction = Literal["up", "down", "away", "none"]
Trend = Literal["better", "worse", "unchanged", "other"]

WORSE: dict[str, Direction] = {
    "samples": "down",
    "type_share": "none",
    "contradicted_samples": "up",
    "unverifiable_samples": "up",
    "claims": "none",
    "contradicted_claims": "up",
    "unverifiable_claims": "up",
    "chair_i": "up",
    "chair_s": "up",
    "count_accuracy": "down",
    "yes_no_questions": "none",
    "yes_share": "away",  # from one half, which POPE's own questions have
    "answers": "none",
    "answer_words_mean": "none",
    "answer_words_median": "none",
    "duplicate_share": "up",
    "near_duplicate_share": "up",
    "leakage_share": "up",
    "distinct_1": "down",
    "distinct_2": "down",
    "distinct_3": "down",
    "object_coverage": "down",
    "kept_share": "down",
}
_BALANCE = 0.5
_DIGITS = 9  # beyond those of a measure: what floating-point arithmetic adds to a difference


class MeasureChange(Struct, frozen=True):
    """One measure on both sides; `sample_type` is empty for all types together, None is no value."""

    sample_type: str
    measure: str
    old: float | None
    new: float | None
    trend: Trend


def find_worsening(measure: str, old: float, new: float) -> float | None:
    """Return by how much a measure became worse, below zero where better; None for one that has no worse."""
    direction = WORSE.get(measure, "none")
    if direction == "none":
        return None
    if direction == "away":
        return round(abs(new - _BALANCE) - abs(old - _BALANCE), _DIGITS)
    return round(new - old if direction == "up" else old - new, _DIGITS)


def compare_measures(old: dict[str, Any] | None, new: dict[str, Any] | None) -> tuple[MeasureChange, ...]:
    """Return the measures of two manifests beside each other; those of all types first."""
    left, right = _tables(old), _tables(new)
    return tuple(
        change
        for name in sorted(left.keys() | right.keys())
        for change in _compare(name, left.get(name), right.get(name))
    )


def _tables(metrics: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the measures by type; those of all under ""."""
    if metrics is None:
        return {}
    return {"": metrics.get("total", {}), **metrics.get("types", {})}


def _compare(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[MeasureChange]:
    old, new = old or {}, new or {}
    for measure in [*new, *(left for left in old if left not in new)]:
        before, after = old.get(measure), new.get(measure)
        if not isinstance(before, dict) and not isinstance(after, dict) and not (before is None and after is None):
            yield MeasureChange(name, measure, before, after, _find_trend(measure, before, after))


def _find_trend(measure: str, old: float | None, new: float | None) -> Trend:
    if old == new:
        return "unchanged"
    worsening = None if old is None or new is None else find_worsening(measure, old, new)
    if worsening is None:
        return "other"
    if not worsening:  # a yes share as far from one half as before, on the other side
        return "unchanged"
    return "worse" if worsening > 0 else "better"
