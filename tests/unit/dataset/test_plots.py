"""The plots' bars are as long as the numbers that they stand for."""

import re
from collections import Counter

from instructgen.dataset.cards.plots import plot_lengths, plot_reasons, plot_types
from instructgen.dataset.cards.statistics import summarize
from instructgen.dataset.manifest import Counts


def bars(svg: str) -> list[tuple[str, float, float, str]]:
    """Return style, width, height and hint of each bar."""
    found = re.findall(r'<rect class="([abc])" .*?width="([\d.]+)" height="([\d.]+)"><title>(.*?)</title>', svg)
    return [(style, float(width), float(height), hint) for style, width, height, hint in found]


def test_bars_of_a_type_are_in_proportion() -> None:
    counts = Counts({"conv": 100, "detail": 50}, {"conv": 80, "detail": 50}, {"conv": 20, "detail": 0}, {}, {})
    drawn = [(style, round(width), hint) for style, width, height, hint in bars(plot_types(counts)) if height == 18]
    assert drawn == [("a", 342, "conv: 80"), ("b", 86, "conv: 20"), ("a", 214, "detail: 50")]


def test_reasons_are_summed_over_types_and_the_rest_is_told() -> None:
    reasons = {"conv": {"too_long": 3, "refusal": 1}, "detail": {"too_long": 2}}
    hints = [hint for *_, hint in bars(plot_reasons(Counts({}, {}, {}, {}, reasons)))]
    assert hints == ["too_long: 5", "refusal: 1"]
    many = {"conv": {f"reason_{number:02d}": 1 for number in range(20)}}
    assert "the 15 most frequent, 5 more are not shown" in plot_reasons(Counts({}, {}, {}, {}, many))


def test_last_bin_of_a_histogram_takes_what_is_longer() -> None:
    lengths = summarize(Counter({10: 500, 29: 490, 1_500: 5}))
    assert [hint for *_, hint in bars(plot_lengths({"conv": lengths}))] == [
        "10 to 10 words: 500",
        "29 to 29 words: 495",
    ]


def test_plot_of_nothing_is_left_out() -> None:
    assert plot_types(Counts({}, {}, {}, {}, {})) == ""
    assert plot_reasons(Counts({}, {}, {}, {}, {"conv": {}})) == ""
    assert plot_lengths({"conv": summarize(Counter())}) == ""


def test_plot_has_inks_for_dark_readers_and_its_own_ground() -> None:
    svg = plot_types(Counts({"conv": 1}, {"conv": 1}, {}, {}, {}))
    assert "prefers-color-scheme:dark" in svg
    assert svg.index('class="ground"') < svg.index('class="text title"')
