"""A run's curves in its report: no peak is lost, however many steps there are."""

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.report.training_curves import MOST_POINTS, find_speeds, make_charts, make_curve, smooth_points
from instructgen.train.watch import StepReport


def make_step(step: int, loss: float = 1.0, tokens: int = 0, seconds: float = 0.0) -> StepReport:
    return StepReport(step, loss, 0.5, {"connector": 1e-3, "language": 1e-5}, 10, tokens, step * 4, seconds)


def test_few_steps_are_drawn_each() -> None:
    points = [(step, float(step)) for step in range(1, 6)]
    curve = make_curve(points, smooth_points(points))
    assert (list(curve.raw), curve.each) == (points, 1)
    assert list(curve.smoothed) == points


def test_single_peak_of_100_000_steps_is_still_drawn() -> None:
    points = [(step, 1.0) for step in range(1, 100_001)]
    points[54_321] = (54_322, 9.0)
    points[76_000] = (76_001, -3.0)
    curve = make_curve(points, smooth_points(points))
    assert len(curve.raw) <= MOST_POINTS
    assert {(54_322, 9.0), (76_001, -3.0)} <= set(curve.raw)
    assert [step for step, _ in curve.raw] == sorted(step for step, _ in curve.raw)
    assert curve.smoothed[-1][0] == 100_000


def test_speed_is_of_each_step_by_itself() -> None:
    steps = [make_step(1, tokens=100, seconds=2.0), make_step(2, tokens=400, seconds=3.0), make_step(3, 1, 500, 3.0)]
    assert find_speeds(steps) == [(1, 50.0), (2, 300.0)]


def test_steps_after_which_a_run_went_on_are_marked() -> None:
    charts = make_charts([make_step(step, tokens=step, seconds=step) for step in range(1, 5)], [2], 1.0)
    assert [chart.title for chart in charts] == ["Loss", "Learning rate", "Norm of the gradient", "Throughput"]
    marks = charts[0].option["series"][-1]["markLine"]["data"]  # type: ignore[index]
    assert [mark["xAxis"] for mark in marks] == [2]
    bounds = charts[2].option["series"][-1]["markLine"]["data"]  # type: ignore[index]
    assert bounds[-1]["yAxis"] == 1.0


def test_table_of_a_curve_has_its_first_and_its_last_step() -> None:
    charts = make_charts([make_step(step) for step in range(1, 1001)], [], 0.0)
    steps = [row[0] for row in charts[0].rows]
    assert (steps[0], steps[-1], len(steps)) == (1, 1000, 40)


def test_run_without_a_step_has_no_chart() -> None:
    assert make_charts([], [], 1.0) == []


def test_few_steps_have_no_second_line() -> None:
    few, many = (make_charts([make_step(n, loss=1 / n) for n in range(1, end)], [], 0.0)[0] for end in (6, 40))
    assert [line["name"] for line in few.option["series"]] == ["each step"]  # type: ignore[attr-defined]
    assert [line["name"] for line in many.option["series"]] == ["each step", "smoothed"]  # type: ignore[attr-defined]
