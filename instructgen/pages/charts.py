"""A chart: what ECharts draws, and the same numbers as a table for those who do not see it."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

# A colour in an option is a name of house.css ("var(--accent)"); charts.js looks it up for the theme in use.
SERIES_COLOURS = tuple(f"var(--series-{number})" for number in range(1, 9))
Cell = str | int | float | None


class Chart(Struct, frozen=True):
    """`option` is ECharts' own, of JSON values alone, never code; `about` says in a sentence what one sees in it.

    `rows` are the numbers behind it, under `columns`; `height_px` is the height of the drawing.
    """

    title: str
    about: str
    option: Mapping[str, object]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    height_px: int = 280
    is_square: bool = False
    """Never higher than it is wide, as on a phone."""


def make_frame(top: int = 34, bottom: int = 8) -> dict[str, object]:
    """Return where axes and bars lie in a chart, in pixels from its edges, with room for the names on the axes."""
    edges = {"left": 8, "right": 20, "top": top, "bottom": bottom}
    return {**edges, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"}


def make_bars(values: Mapping[str, float], name: str, *, across: bool = False) -> dict[str, object]:
    """Return the option of one bar for each value; `across` lays them down, for long names."""
    names, numbers = list(values), list(values.values())
    if across:
        names, numbers = names[::-1], numbers[::-1]
    kinds: dict[str, object] = {"type": "category", "data": names}
    sizes: dict[str, object] = {"type": "value"}
    return {
        "grid": make_frame(top=12),
        "tooltip": {"trigger": "axis"},
        "xAxis": sizes if across else kinds,
        "yAxis": kinds if across else sizes,
        "series": [{"type": "bar", "name": name, "data": numbers, "barMaxWidth": 28}],
    }


def make_lines(series: Mapping[str, Sequence[tuple[float, float]]], x_name: str, y_name: str) -> dict[str, object]:
    """Return the option of one line for each series of (x, y)."""
    return {
        "grid": make_frame(top=36, bottom=28),
        "legend": {"top": 0, "type": "scroll"},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "name": x_name, "nameLocation": "middle", "nameGap": 24, "min": "dataMin"},
        "yAxis": {"type": "value", "name": y_name, "scale": True},
        "series": [
            {"type": "line", "name": name, "data": [list(point) for point in points], "showSymbol": len(points) < 30}
            for name, points in series.items()
        ],
    }


def make_sunburst(tree: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the option of rings; the tree is of {"name", "value"} or {"name", "children"}."""
    return {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sunburst",
                "data": list(tree),
                "radius": ["14%", "96%"],
                "nodeClick": False,
                "sort": "desc",
                "label": {"minAngle": 9, "overflow": "truncate", "width": 72},
                "itemStyle": {"borderWidth": 1},
            }
        ],
    }


def make_heat_map(cells: Sequence[Sequence[float]], name: str) -> dict[str, object]:
    """Return the option of a grid of numbers, the first row on top."""
    width = len(cells[0]) if cells else 0
    points = [[x, y, value] for y, row in enumerate(cells) for x, value in enumerate(row)]
    axis: dict[str, object] = {"type": "category", "show": False, "splitArea": {"show": False}}
    top = max((point[2] for point in points), default=0)
    return {
        "grid": {"left": 4, "right": 4, "top": 4, "bottom": 44},
        "tooltip": {"trigger": "item"},
        "xAxis": {**axis, "data": [str(x) for x in range(width)]},
        "yAxis": {**axis, "data": [str(y) for y in range(len(cells))], "inverse": True},
        "visualMap": {
            "min": 0,
            "max": top or 1,
            "text": [f"{top:,}", "0"],
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemHeight": 140,
            "inRange": {"color": ["var(--heat-0)", "var(--heat-1)", "var(--heat-2)"]},
        },
        "series": [{"type": "heatmap", "name": name, "data": points}],
    }
