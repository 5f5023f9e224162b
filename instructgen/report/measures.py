"""The measures of a version beside its gates and beside the version before."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from instructgen.pages.numbers import say_number, say_share

# Measure, its name for people, how it is written, and which way is better: 1 up, -1 down, 0 neither.
MEASURES: tuple[tuple[str, str, Literal["share", "number"], int], ...] = (
    ("kept_share", "kept of what was planned", "share", 1),
    ("samples", "samples", "number", 0),
    ("contradicted_samples", "samples with a contradicted claim", "share", -1),
    ("unverifiable_samples", "samples that nothing bears out", "share", -1),
    ("claims", "claims", "number", 0),
    ("contradicted_claims", "contradicted claims", "share", -1),
    ("unverifiable_claims", "unverifiable claims", "share", -1),
    ("chair_i", "CHAIR_i: objects spoken of that are not there", "share", -1),
    ("chair_s", "CHAIR_s: samples with such an object", "share", -1),
    ("count_accuracy", "counts that are right", "share", 1),
    ("object_coverage", "annotated objects spoken of", "share", 1),
    ("yes_no_questions", "questions whether something is there", "number", 0),
    ("yes_share", "of them answered yes", "share", 0),
    ("answers", "answers", "number", 0),
    ("answer_words_mean", "words of an answer, mean", "number", 0),
    ("answer_words_median", "words of an answer, median", "number", 0),
    ("duplicate_share", "duplicates", "share", -1),
    ("near_duplicate_share", "near duplicates", "share", -1),
    ("leakage_share", "samples that speak of captions and boxes", "share", -1),
    ("distinct_1", "distinct words", "share", 0),
    ("distinct_2", "distinct pairs of words", "share", 0),
    ("distinct_3", "distinct triples of words", "share", 0),
)
_SAME = 5e-4  # of a share: what one decimal of per cent does not show


class MeasureCell(Struct, frozen=True):
    """A value in words; `gate` is its bounds in words with `state` "passed" or "failed", or both are ""."""

    value: str
    gate: str = ""
    state: str = ""


class MeasureRow(Struct, frozen=True):
    """A measure of all types together, what it was in the parent, and of each type."""

    name: str
    total: MeasureCell
    parent: str
    change: str
    direction: str
    """"better", "worse" or ""."""
    types: tuple[MeasureCell, ...]

    @property
    def has_gate(self) -> bool:
        return any(cell.gate for cell in (self.total, *self.types))


def list_measures(
    metrics: Mapping[str, Any], gates: Mapping[str, Any], parent: Mapping[str, Any] | None
) -> list[MeasureRow]:
    """Return the measures that have a value or a gate; the types are in the order of `metrics`."""
    total, before = metrics["total"], (parent or {}).get("total", {})
    bounds = [gates.get("total", {}), *(gates.get("types", {}).get(name, {}) for name in metrics["types"])]
    values = [total, *metrics["types"].values()]
    rows = []
    for key, name, form, better in MEASURES:
        if all(one.get(key) is None for one in (*values, *bounds)):
            continue
        cells = [_make_cell(of.get(key), bound.get(key), form) for of, bound in zip(values, bounds, strict=True)]
        change, direction = _compare(total.get(key), before.get(key), form, better)
        rows.append(MeasureRow(name, cells[0], _say(before.get(key), form), change, direction, tuple(cells[1:])))
    return rows


def _make_cell(value: float | None, bound: Mapping[str, float | None] | None, form: str) -> MeasureCell:
    gate, state = _hold(value, bound, form)
    return MeasureCell(_say(value, form), gate, state)


def _say(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return say_share(value) if form == "share" else say_number(round(value, 1))


def _hold(value: float | None, bound: Mapping[str, float | None] | None, form: str) -> tuple[str, str]:
    if not bound:
        return "", ""
    low, high = bound.get("min"), bound.get("max")
    words = [f"at least {_say(low, form)}"] if low is not None else []
    words += [f"at most {_say(high, form)}"] if high is not None else []
    if value is None:
        return " and ".join(words), ""
    is_outside = (low is not None and value < low) or (high is not None and value > high)
    return " and ".join(words), "failed" if is_outside else "passed"


def _compare(value: float | None, before: float | None, form: str, better: int) -> tuple[str, str]:
    if value is None or before is None:
        return "", ""
    change = value - before
    if abs(change) < (_SAME if form == "share" else 0.05):
        return "same", ""
    text = f"{100 * change:+.1f} points" if form == "share" else f"{change:+,.1f}".removesuffix(".0")
    return text, "" if not better else "better" if change * better > 0 else "worse"
