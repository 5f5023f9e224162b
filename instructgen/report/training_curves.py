"""A run's curves: every step where they are few, the lowest and highest of neighbours where they are many."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct

from instructgen.pages.charts import SERIES_COLOURS, Chart, make_frame
from instructgen.train.curves import smooth
from instructgen.train.watch import StepReport

MOST_POINTS = 1200  # as many as a wide screen has columns for
_SMOOTH_SHARE = 0.02  # of all steps, on both sides: as loss.svg has it
_LEAST_SMOOTH = 2
_FEW = 10  # steps that need no smoothing
_MOST_LABELS = 4
_DENSE_OPACITY = 0.45
_MOST_ROWS = 40  # of the table beside a curve
Point = tuple[int, float]
_Value = TypeVar("_Value")


class Curve(Struct, frozen=True):
    """One number over the steps. `each` is 1, or how many steps in a row two points of `raw` stand for."""

    raw: tuple[Point, ...]
    smoothed: tuple[Point, ...]
    each: int


def make_curve(points: Sequence[Point], means: Sequence[Point]) -> Curve:
    """Thin out to MOST_POINTS: of so many steps in a row the lowest and the highest, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return Curve(tuple(points), tuple(means), 1)
    each = -(-2 * len(points) // MOST_POINTS)
    raw: list[Point] = []
    for start in range(0, len(points), each):
        some = points[start : start + each]
        raw += sorted({min(some, key=lambda point: point[1]), max(some, key=lambda point: point[1])})
    if raw[-1] != points[-1]:
        raw.append(points[-1])
    return Curve(tuple(raw), (*means[:-1:each], means[-1]), each)


def smooth_points(points: Sequence[Point]) -> list[Point]:
    """Return means over neighbours; fewer than _FEW are left as they are."""
    if len(points) < _FEW:
        return list(points)
    means = smooth([value for _, value in points], max(_LEAST_SMOOTH, int(len(points) * _SMOOTH_SHARE)))
    return [(step, mean) for (step, _), mean in zip(points, means, strict=True)]


def find_speeds(steps: Sequence[StepReport]) -> list[Point]:
    """Return positions a second of each step; one whose time was too short to measure is left out."""
    found: list[Point] = []
    tokens, seconds = 0, 0.0
    for step in steps:
        if step.seconds > seconds:
            found.append((step.step, (step.tokens - tokens) / (step.seconds - seconds)))
        tokens, seconds = step.tokens, step.seconds
    return found


def make_charts(steps: Sequence[StepReport], went_on: Sequence[int], max_grad_norm: float) -> list[Chart]:
    """Return the charts of a run; `went_on` are the steps after which it was taken up again."""
    if not steps:
        return []
    marks = [_mark_step(step, is_named=len(went_on) <= _MOST_LABELS) for step in went_on]
    clipping = f"Before clipping; clipped above {max_grad_norm:g}." if max_grad_norm else "It is not clipped."
    bound = [_mark_bound(max_grad_norm)] if max_grad_norm else []
    charts = [
        draw_curve("Loss", "Nats a learned token, mean of a step.", _read(steps, lambda one: one.loss), marks),
        *(
            draw_curve(f"Loss: {name}", "Before it is weighed.", _read(steps, partial(_find_part, name)), marks)
            for name in steps[-1].parts
        ),
        _draw_rates(steps),
        draw_curve("Norm of the gradient", clipping, _read(steps, lambda one: one.grad_norm), [*marks, *bound]),
    ]
    speeds = find_speeds(steps)
    if speeds:
        charts.append(draw_curve("Throughput", "Positions a second, those of pictures counted.", speeds, marks))
    return charts


def _find_part(name: str, step: StepReport) -> float:
    return step.parts.get(name, 0.0)


def _read(steps: Sequence[StepReport], value: Callable[[StepReport], float]) -> list[Point]:
    return [(one.step, value(one)) for one in steps]


def draw_curve(title: str, about: str, points: Sequence[Point], marks: Sequence[Mapping[str, object]] = ()) -> Chart:
    """Return the chart of one number over the steps, as it was and smoothed; `marks` are lines of ECharts."""
    means = smooth_points(points)
    curve = make_curve(points, means)
    told = f" Drawn are the lowest and the highest of each {curve.each} steps." if curve.each > 1 else ""
    name = "each step" if curve.each == 1 else "lowest and highest"
    raw = _line(name, curve.raw, 1, "var(--series-8)", opacity=1.0 if curve.each == 1 else _DENSE_OPACITY)
    is_smoothed = list(points) != means
    smoothed = _line("smoothed" if is_smoothed else name, curve.smoothed, 2.5, "var(--series-1)")
    smoothed["markLine"] = {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": "var(--soft)", "type": "dashed"},
        "label": {"color": "var(--soft)"},
        "data": list(marks),
    }
    rows = [
        (step, _round(value), _round(mean))
        for (step, value), (_, mean) in zip(_spread(points), _spread(means), strict=True)
    ]
    option = _make_option([raw, smoothed] if is_smoothed else [smoothed])
    return Chart(title, about + told, option, ("step", title.lower(), "smoothed"), rows)


def _draw_rates(steps: Sequence[StepReport]) -> Chart:
    parts = list(steps[-1].rates)
    series = []
    for number, part in enumerate(parts):
        points = [(one.step, one.rates.get(part, 0.0)) for one in steps]
        colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
        # Dashes let two parts that learn at one rate be seen both.
        series.append(_line(part, make_curve(points, points).raw, 2, colour, is_dashed=number > 0))
    rows = [(one.step, *(one.rates.get(part) for part in parts)) for one in _spread(steps)]
    return Chart("Learning rate", "By part of the model.", _make_option(series), ("step", *parts), rows)


def _mark_step(step: int, *, is_named: bool) -> dict[str, object]:
    return {"xAxis": step, "label": {"formatter": "went on", "color": "var(--soft)", "show": is_named}}


def _mark_bound(value: float) -> dict[str, object]:
    return {"yAxis": value, "label": {"formatter": "clipped above", "position": "insideStartTop"}}


def _line(
    name: str, points: Sequence[Point], width: float, colour: str, *, opacity: float = 1.0, is_dashed: bool = False
) -> dict[str, object]:
    return {
        "type": "line",
        "name": name,
        "data": [[step, _round(value)] for step, value in points],
        "showSymbol": len(points) == 1,
        "itemStyle": {"color": colour},
        "lineStyle": {
            "width": width,
            "color": colour,
            "opacity": opacity,
            "type": "dashed" if is_dashed else "solid",
        },
    }


def _make_option(series: Sequence[Mapping[str, object]]) -> dict[str, object]:
    steps = {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 24, "minInterval": 1}
    return {
        "grid": make_frame(bottom=26),
        "legend": {"top": 0, "left": 0, "type": "scroll"},
        "tooltip": {"trigger": "axis"},
        "xAxis": {**steps, "min": "dataMin", "max": "dataMax"},
        "yAxis": {"type": "value", "scale": True},
        "series": list(series),
    }


def _spread(values: Sequence[_Value]) -> list[_Value]:
    """Return at most _MOST_ROWS of them, evenly, the first and the last among them."""
    if len(values) <= _MOST_ROWS:
        return list(values)
    last = len(values) - 1
    return [values[round(number * last / (_MOST_ROWS - 1))] for number in range(_MOST_ROWS)]


def _round(value: float) -> float:
    """Return five figures: nobody sees more, and the page stays small."""
    return float(f"{value:.5g}")
