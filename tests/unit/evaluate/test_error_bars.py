"""Bars with whiskers, as JSON says them."""

from typing import Any

from instructgen.report.error_bars import BarSeries, Measured, draw_error_bars


def draw(*series: BarSeries, most: float | None = None) -> dict[str, Any]:
    return dict(draw_error_bars("t", "a", ["all", "colour"], series, most=most).option)


def test_whisker_is_one_error_to_each_side_on_its_own_bar() -> None:
    option = draw(
        BarSeries("seen", {"all": Measured(0.5, 0.125), "colour": Measured(0.25, None)}),
        BarSeries("blind", {"all": Measured(0.25, 0.0), "colour": Measured(None)}),
    )
    seen, blind = option["series"]
    assert [bar["value"] for bar in seen["data"]] == [[0.5, 0], [0.25, 3]]
    assert seen["markLine"]["data"] == [[{"coord": [0.375, 0]}, {"coord": [0.625, 0]}]]
    assert [bar["value"] for bar in blind["data"]] == [[0.25, 1]]
    assert blind["markLine"]["data"] == []
    assert option["yAxis"]["data"] == ["all", "", "", "colour", ""]


def test_measure_that_is_not_there_is_a_dash_and_no_zero() -> None:
    chart = draw_error_bars("t", "a", ["all"], [BarSeries("x", {"all": Measured(None)}), BarSeries("y", {})])
    assert chart.rows == [("all", "–", "–")]


def test_axis_holds_every_whisker_and_zero() -> None:
    axis = draw(BarSeries("gain", {"all": Measured(-0.02, 0.05), "colour": Measured(0.31, 0.04)}))["xAxis"]
    assert axis["min"] <= -0.07
    assert axis["max"] >= 0.35
    assert draw(BarSeries("gain", {"all": Measured(0.3, 0.01)}))["xAxis"]["min"] == 0
    assert draw(BarSeries("share", {"all": Measured(0.3, 0.01)}), most=1.0)["xAxis"]["max"] == 1.0
