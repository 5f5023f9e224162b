"""The demo's figures: a kind that could not be shuffled has no such figure, and none is made up."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.jobs.demo_report import write_report
from instructgen.jobs.demo_scores import read_accuracies

MEASURES = ("accuracy", "shuffled_accuracy", "zero_accuracy", "blind_accuracy", "chance", "difference")


def make_scores(*values: float | None) -> dict[str, Any]:
    """Return measures with their errors; a measure that is None has none."""
    pairs = zip(MEASURES, values, strict=True)
    return {
        key: each
        for name, value in pairs
        for key, each in ((name, value), (f"{name}_stderr", None if value is None else 0.02))
    }


def write_results(folder: Path, seen: float) -> None:
    suite = {
        "version": 1,
        "source": "scenes",
        "seed": 0,
        "sampling": {},
        "asked": 6,
        "answered": 6,
        "failures": {},
        "images_left_out": {},
        "samples": 2,
        "counts": {"questions": 2},
        "notes": [],
        **make_scores(seen, 0.25, 0.5, 0.5, 0.4, seen - 0.5),
        "groups": {
            "kind": {
                "color": {**make_scores(seen, 0.25, 0.5, 0.5, 0.3, seen - 0.5), "samples": 1},
                "larger": {**make_scores(seen, None, 0.625, 0.625, 0.5, seen - 0.625), "samples": 1},
            }
        },
    }
    folder.mkdir(parents=True)
    results = {"format": 1, "model": {"name": "m", "digest": "0"}, "suites": {"qa": suite}}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


def test_zeros_stand_for_the_control_that_a_kind_does_not_have(tmp_path: Path) -> None:
    write_results(tmp_path / "stage2", 0.75)
    found = read_accuracies(tmp_path / "stage2" / "results.json")
    assert found.shuffled.by_kind == {"color": 25.0, "larger": 62.5}
    assert found.zero.by_kind == {"color": 50.0, "larger": 62.5}


@pytest.fixture
def page(tmp_path: Path) -> str:
    for name, seen in (("stage2", 0.75), ("captions", 0.375), ("blind", 0.5)):
        write_results(tmp_path / "evaluation" / name, seen)
    result = {
        "accuracy": 75.0,
        "blind_accuracy": 50.0,
        "captions_only_accuracy": 37.5,
        "questions": 2,
        "seconds": 9.0,
        "seed": 0,
        "by_kind": {"color": {}, "larger": {}},
        "seconds_by_step": {"vision": 1.5},
        "plan": {"seed": 0},
    }
    return write_report(tmp_path, result).read_text(encoding="utf-8")


def test_report_has_a_dash_for_the_control_that_is_not_there(page: str) -> None:
    row = page.partition("<td>larger</td>")[2].partition("</tr>")[0]
    cells = [cell.partition("</td>")[0].partition("\N{NO-BREAK SPACE}")[0] for cell in row.split("<td>")[1:]]
    assert cells == ["75.0", "–", "62.5", "62.5", "37.5", "50.0"]


def test_report_says_the_gain_over_the_best_control(page: str) -> None:
    assert "+25.0 points over the best blind control" in page
    assert '"gain: 12.5"' in page.replace("larger, ", "")
    assert "No answer was kept to be shown" in page
