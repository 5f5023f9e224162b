"""Bars with their standard errors, lying, the bars of one group beneath each other."""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from instructgen.pages.charts import SERIES_COLOURS, Chart, make_frame

# ECharts measures a sample of many names, and cuts those that it did not measure: the room for them is set here.
_LABEL_PX = 120
_SPREAD = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
_ROW_PX, _GAP_ROWS, _FRAME_PX = 15, 1, 84


class Measured(Struct, frozen=True):
    """`value` is None where nothing was measured, `stderr` where there is too little to tell."""

    value: float | None
    stderr: float | None = None

    def say(self, digits: int = 3) -> str:
        if self.value is None:
            return "–"
        told = f"{self.value:.{digits}f}"
        return told if self.stderr is None else f"{told}{_SPREAD}{self.stderr:.{digits}f}"


class BarSeries(Struct, frozen=True):
    """One bar in each group; a group that has none is not in `values`."""

    name: str
    values: Mapping[str, Measured]


class Place(Struct, frozen=True):
    """Where a series has its bars: which of the rows of each group, and the digits of what they tell."""

    number: int
    rows_per_group: int
    digits: int


def draw_error_bars(
    title: str,
    about: str,
    groups: Sequence[str],
    series: Sequence[BarSeries],
    *,
    most: float | None = None,
    digits: int = 3,
) -> Chart:
    """Return the chart; `most` is the end of the axis, None for what the values need.

    Every bar has a line of its own, so that its error can be drawn as a mark from one point to another: an option is
    JSON, which cannot say how to draw a whisker.
    """
    rows_per_group = len(series) + _GAP_ROWS
    names = [""] * (len(groups) * rows_per_group - _GAP_ROWS)
    for number, group in enumerate(groups):
        names[number * rows_per_group + (len(series) - 1) // 2] = group
    drawn = [_draw_series(one, groups, Place(place, rows_per_group, digits)) for place, one in enumerate(series)]
    least, largest = _find_ends(series)
    axis: dict[str, object] = {"type": "value", "min": least, "max": largest if most is None else most}
    option: dict[str, object] = {
        "grid": make_frame(top=34 if len(series) > 1 else 10, bottom=26),
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "xAxis": axis,
        "yAxis": {
            "type": "category",
            "data": names,
            "inverse": True,
            "axisTick": {"show": False},
            "axisLabel": {"interval": 0, "width": _LABEL_PX, "overflow": "truncate"},
        },
        "series": drawn,
    }
    if len(series) > 1:
        option["legend"] = {"top": 0, "left": 0, "type": "scroll"}
    table = [(group, *(one.values.get(group, Measured(None)).say(digits) for one in series)) for group in groups]
    height_px = _FRAME_PX + _ROW_PX * len(names)
    return Chart(title, about, option, ("", *(one.name for one in series)), table, height_px=height_px)


def _find_ends(series: Sequence[BarSeries]) -> tuple[float, float]:
    """Return where the axis begins and ends: at zero, or a round number beyond the last whisker."""
    values = [found for one in series for found in one.values.values() if found.value is not None]
    ends = [(found.value or 0.0) + side * (found.stderr or 0.0) for found in values for side in (-1, 1)]
    span = max((abs(end) for end in ends), default=0.0) or 1.0
    step = 10 ** math.floor(math.log10(span)) / 2
    return (
        round(step * math.floor(min([0.0, *ends]) / step), 9),
        round(step * math.ceil(max([0.0, *ends]) / step), 9),
    )


def _draw_series(one: BarSeries, groups: Sequence[str], at: Place) -> dict[str, object]:
    bars: list[object] = []
    whiskers: list[object] = []
    for number, group in enumerate(groups):
        found = one.values.get(group)
        if found is None or found.value is None:
            continue
        row = number * at.rows_per_group + at.number
        bars.append({"name": f"{group}, {one.name}: {found.say(at.digits)}", "value": [found.value, row]})
        if found.stderr:
            ends = (found.value - found.stderr, found.value + found.stderr)
            whiskers.append([{"coord": [ends[0], row]}, {"coord": [ends[1], row]}])
    return {
        "type": "bar",
        "name": one.name,
        "data": bars,
        "barGap": "-100%",
        "barWidth": _ROW_PX - 4,
        "itemStyle": {"color": SERIES_COLOURS[at.number % len(SERIES_COLOURS)]},
        "markLine": {
            "data": whiskers,
            "silent": True,
            "symbol": "rect",
            "symbolSize": [7, 1.5],
            "label": {"show": False},
            "lineStyle": {"color": "var(--ink)", "type": "solid", "width": 1.5},
        },
    }
