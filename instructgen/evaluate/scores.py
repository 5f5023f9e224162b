"""A measured figure with its standard error.

What is counted of one picture belongs together: six questions about one picture are no six independent ones. So
every error comes from leaving out one group of samples (one picture) after the other: the jackknife (Efron 1982),
which serves for shares, for ratios of sums and for corpus measures such as BLEU alike.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

Row = tuple[float, ...]
"""What is counted of one group of samples; rows add up."""
Statistic = Callable[[Row], float | None]
_DIGITS = 6


class Score(Struct, frozen=True):
    """`value` is None where nothing was measured, `stderr` where there are too few groups to tell."""

    value: float | None
    stderr: float | None
    num_samples: int

    def rounded(self) -> "Score":
        return Score(_rounded(self.value), _rounded(self.stderr), self.num_samples)


def add_rows(rows: Iterable[Row], width: int) -> Row:
    totals = [0.0] * width
    for row in rows:
        for place, value in enumerate(row):
            totals[place] += value
    return tuple(totals)


def measure(rows: Sequence[Row], statistic: Statistic, num_samples: int) -> Score:
    """Return the statistic of all rows together; each row is one group."""
    if not rows:
        return Score(None, None, 0)
    totals = add_rows(rows, len(rows[0]))
    return Score(statistic(totals), _jackknife(rows, totals, statistic), num_samples).rounded()


def _jackknife(rows: Sequence[Row], totals: Row, statistic: Statistic) -> float | None:
    values = []
    for row in rows:
        value = statistic(tuple(total - part for total, part in zip(totals, row, strict=True)))
        if value is None:
            return None
        values.append(value)
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt((len(values) - 1) / len(values) * math.fsum((value - mean) ** 2 for value in values))


def ratio(part: int, whole: int) -> Statistic:
    """Return the statistic that divides one column's sum by another's; None where there is nothing to divide by."""
    return lambda totals: totals[part] / totals[whole] if totals[whole] else None


def group_rows(keyed: Iterable[tuple[str, Row]]) -> list[Row]:
    """Add up the rows of each key, as of all questions about one picture."""
    found: dict[str, list[Row]] = {}
    for key, row in keyed:
        found.setdefault(key, []).append(row)
    return [add_rows(rows, len(rows[0])) for rows in found.values()]


def flatten(scores: Mapping[str, Score]) -> dict[str, float | int | None]:
    """Return the JSON form: each value by its name, its error as `<name>_stderr`."""
    flat: dict[str, float | int | None] = {}
    for name, score in scores.items():
        flat[name] = score.value
        flat[f"{name}_stderr"] = score.stderr
    return flat


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
