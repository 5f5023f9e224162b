"""report.html of a demo: figures by kind beside the blind controls, curves, and what was asked and answered."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from instructgen.disk import replace_text
from instructgen.errors import InstructgenError
from instructgen.pages.charts import Chart
from instructgen.pages.numbers import say_duration
from instructgen.pages.render import render_static
from instructgen.report.error_bars import BarSeries, Measured, draw_error_bars
from instructgen.report.evaluation import MOST_PICTURE_BYTES, choose_pictures
from instructgen.report.evaluation_facts import ALL, SuiteFigures, collect_evaluation
from instructgen.report.evaluation_suites import group_answers
from instructgen.report.names import REPORT_NAME
from instructgen.report.tables import Row, Table
from instructgen.report.training_curves import draw_curve
from instructgen.train.watch import METRICS_NAME, read_metrics

_SUITE = "qa"
_PERCENT = 100
_STUDENTS = ("stage2", "captions", "blind")
# Whose figure, which measure, and what it is called.
_BARS = (
    ("stage2", "accuracy", "with the picture"),
    ("stage2", "shuffled_accuracy", "another picture"),
    ("stage2", "zero_accuracy", "no picture"),
    ("blind", "zero_accuracy", "student of questions alone"),
    ("captions", "accuracy", "student of captions alone"),
    ("stage2", "chance", "chance"),
)
_CONTROLS = ("another picture", "no picture", "student of questions alone")
_RUNS = ("stage1", "stage2", "stage1-captions", "captions", "blind")
_PARTS = ("vision", "language")


def write_report(out: Path, result: dict[str, Any]) -> Path:
    """Write OUT/report.html and return its path; it holds all that it shows."""
    suites = {name: _read_suite(out / "evaluation" / name) for name in _STUDENTS}
    series = [_make_series(title, suites[student], measure) for student, measure, title in _BARS]
    groups = [ALL, *result["by_kind"]]
    answers = suites["stage2"].answers
    sizes, _ = choose_pictures(answers, MOST_PICTURE_BYTES)
    page = render_static(
        "report/demo.html",
        has_charts=True,
        standing=_tell_standing(result),
        tiles=_make_tiles(result),
        bars=draw_error_bars(
            "Right answers, %", "A line is one standard error to each side.", groups, series, most=_PERCENT, digits=1
        ),
        gains=_draw_gains(groups, series),
        scores=_list_scores(groups, series),
        notes=suites["stage2"].notes,
        curves=list(_draw_curves(out)),
        groups=tuple(group_answers(answers, sizes)),
        num_shown=len(answers),
        steps=Table(("step", "seconds"), list(result["seconds_by_step"].items()), "Time of each step"),
        plan=[(key.replace("_", " "), json.dumps(value)) for key, value in result["plan"].items()],
        reports=list(_find_reports(out)),
    )
    path = out / REPORT_NAME
    replace_text(path, page)
    return path


def _read_suite(folder: Path) -> SuiteFigures:
    found = next((one for one in collect_evaluation(folder).suites if one.name == _SUITE), None)
    if found is None:
        raise InstructgenError(f"{folder} has no figures of the suite {_SUITE}; remove it and run the demo again")
    return found


def _make_series(title: str, suite: SuiteFigures, measure: str) -> BarSeries:
    return BarSeries(title, {part.name: _to_percent(part.scores[measure]) for part in suite.parts})


def _to_percent(share: Measured) -> Measured:
    scaled = (None if value is None else _PERCENT * value for value in (share.value, share.stderr))
    return Measured(*scaled)


def _tell_standing(result: Mapping[str, Any]) -> str:
    gain = result["accuracy"] - result["blind_accuracy"]
    return (
        f"{result['questions']:,} questions about scenes that it never saw: {result['accuracy']:.1f}% right, "
        f"{gain:+.1f} points over the best blind control; trained on captions alone it has "
        f"{result['captions_only_accuracy']:.1f}%."
    )


def _make_tiles(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    gain = result["accuracy"] - result["blind_accuracy"]
    return [
        ("Right", f"{result['accuracy']:.1f}%", f"of {result['questions']:,} questions"),
        ("Best blind control", f"{result['blind_accuracy']:.1f}%", "none of the three sees the picture"),
        ("Gain", f"{gain:+.1f}", "points over the best blind control"),
        ("Captions alone", f"{result['captions_only_accuracy']:.1f}%", "as many steps, no chats"),
        ("Time", say_duration(result["seconds"]), "all steps, two processes"),
        ("Seed", str(result["seed"]), "of everything that is drawn"),
    ]


def _draw_gains(groups: Sequence[str], series: Sequence[BarSeries]) -> Chart:
    """Return the gain by kind; without errors, for the controls are of two students."""
    seen = series[0].values
    controls = [one.values for one in series if one.name in _CONTROLS]
    gains: dict[str, Measured] = {}
    for group in groups:
        mine = seen[group].value if group in seen else None
        others = [value for one in controls if group in one and (value := one[group].value) is not None]
        if mine is not None and others:
            gains[group] = Measured(mine - max(others))
    about = "Points over the best of the three blind controls, by kind of question."
    return draw_error_bars("Gain", about, groups, [BarSeries("gain", gains)], digits=1)


def _list_scores(groups: Sequence[str], series: Sequence[BarSeries]) -> Table:
    rows: list[Row] = [
        (group, *(one.values.get(group, Measured(None)).say(digits=1) for one in series)) for group in groups
    ]
    return Table(
        ("% right", *(one.name for one in series)), rows, "Right answers in per cent with one standard error"
    )


def _draw_curves(out: Path) -> Iterator[Chart]:
    for part in _PARTS:
        path = out / "stage0" / f"{part}.curve.json"
        if path.is_file():
            points = [(int(step), float(loss)) for step, loss in json.loads(path.read_text(encoding="utf-8"))]
            yield from _draw_curve(f"Stage 0, {part}", points)
    for name in _RUNS:
        yield from _draw_curve(
            name, [(one.step, one.loss) for one in read_metrics(out / "runs" / name / METRICS_NAME)]
        )


def _draw_curve(name: str, points: Sequence[tuple[int, float]]) -> Iterator[Chart]:
    if len(points) > 1:
        (_, first), (last, end) = points[0], points[-1]
        yield draw_curve(name, f"Loss {first:.2f} to {end:.2f}, {last:,} steps.", points)


def _find_reports(out: Path) -> Iterator[tuple[str, str]]:
    """Yield what has a report of its own in the demo's folder, and where."""
    for kind, names in (("runs", _RUNS), ("evaluation", _STUDENTS)):
        for name in names:
            path = out / kind / name / REPORT_NAME
            if path.is_file():
                yield f"{'training' if kind == 'runs' else kind} of {name}", path.relative_to(out).as_posix()
