"""report.html of a demo: figures by kind, curves, and some pictures with what was asked and answered."""

import base64
import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from instructgen.disk import replace_text
from instructgen.evaluate.predictions import PREDICTIONS_NAME
from instructgen.evaluate.qa_questions import QaQuestion
from instructgen.evaluate.questions import Prediction

REPORT_NAME = "report.html"
_NUM_SHOWN = 18
_CURVE_PX = (360, 140)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ccc; }
th:first-child, td:first-child { text-align: left; } .shown { display: flex; flex-wrap: wrap; gap: 1rem; }
.shown figure { width: 17rem; margin: 0; } .shown img { width: 100%; } .wrong { color: #b00; } .right { color: #070; }
svg { background: #f7f7f7; } figure { display: inline-block; margin: 0 1rem 1rem 0; }
"""
_COLUMNS = (
    ("accuracy", "with the picture"),
    ("images_shuffled", "another picture"),
    ("image_zero", "no picture"),
    ("question_only", "student of questions alone"),
    ("captions_only_accuracy", "student of captions alone"),
    ("chance", "chance"),
)


def write_report(out: Path, result: dict[str, Any]) -> Path:
    """Write OUT/report.html and return its path; it holds all that it shows."""
    gain = result["accuracy"] - result["blind_accuracy"]
    summary = (
        f"<p>{result['questions']} questions about scenes that it never saw: {result['accuracy']:.1f}% right, "
        f"{gain:+.1f} points over the best blind control; trained on captions alone it has "
        f"{result['captions_only_accuracy']:.1f}%. Seed {result['seed']}, {result['seconds']:.0f} s.</p>"
    )
    parts = [
        "<!doctype html><meta charset=utf-8><title>instructgen demo</title>",
        f"<style>{_STYLE}</style><h1>A student that sees</h1>",
        summary,
        _write_table(result),
        "<h2>Training</h2>",
        *(_write_curve(name, points) for name, points in _read_curves(out)),
        "<h2>Asked and answered</h2>",
        _write_shown(out, result),
    ]
    path = out / REPORT_NAME
    replace_text(path, "\n".join(parts) + "\n")
    return path


def _write_table(result: dict[str, Any]) -> str:
    head = "".join(f"<th>{title}</th>" for _, title in _COLUMNS)
    rows = [
        f"<tr><td>{html.escape(kind)}</td>"
        + "".join(f"<td>{of_kind[name]:.1f}</td>" for name, _ in _COLUMNS)
        + "</tr>"
        for kind, of_kind in result["by_kind"].items()
    ]
    total = {**result, **result["controls"]}
    cells = "".join(f"<td>{total[name]:.1f}</td>" if name in total else "<td></td>" for name, _ in _COLUMNS)
    return f"<table><tr><th>% right</th>{head}</tr>{''.join(rows)}<tr><td>all</td>{cells}</tr></table>"


def _read_curves(out: Path) -> Iterable[tuple[str, Sequence[tuple[float, float]]]]:
    for part in ("vision", "language"):
        path = out / "stage0" / f"{part}.curve.json"
        if path.is_file():
            yield f"stage 0, {part}", json.loads(path.read_text(encoding="utf-8"))
    for name in ("stage1", "stage2", "captions", "blind"):
        path = out / "runs" / name / "metrics.jsonl"
        if path.is_file():
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
            yield name, [(one["step"], one["loss"]) for one in lines if "loss" in one]


def _write_curve(name: str, points: Sequence[tuple[float, float]]) -> str:
    if len(points) < 2:
        return ""
    width, height = _CURVE_PX
    last, top = points[-1][0], max(loss for _, loss in points)
    path = " ".join(f"{width * step / last:.1f},{height * (1 - loss / top):.1f}" for step, loss in points)
    return (
        f'<figure><svg width="{width}" height="{height}"><polyline points="{path}" fill="none" stroke="#06c"/></svg>'
        f"<figcaption>{html.escape(name)}: loss {points[0][1]:.2f} to {points[-1][1]:.2f}, {last:.0f} steps"
        "</figcaption></figure>"
    )


def _write_shown(out: Path, result: dict[str, Any]) -> str:
    asked = _read_asked(out, result)
    return f'<div class="shown">{"".join(_write_one(*one) for one in asked)}</div>'


def _write_one(question: QaQuestion, answer: str, jpeg: bytes) -> str:
    is_right = answer == question.answers[question.labels.index(question.truth)]
    picture = base64.b64encode(jpeg).decode()
    return (
        f'<figure><img alt="" src="data:image/jpeg;base64,{picture}"><figcaption>{html.escape(question.text)}<br>'
        f'<span class="{"right" if is_right else "wrong"}">{html.escape(answer)}</span>'
        + ("" if is_right else f"<br>truth: {html.escape(question.truth)}")
        + "</figcaption></figure>"
    )


def _read_asked(out: Path, result: dict[str, Any]) -> list[tuple[QaQuestion, str, bytes]]:
    """Return questions of every kind in turn, with the student's answer and the picture."""
    from instructgen.jobs.demo_plan import DemoPlan
    from instructgen.jobs.evaluate import EvaluateOptions, Evaluation  # noqa: F401
    from instructgen.sources.scenes import encode_jpeg, make_scene

    plan = msgspec.convert(result["plan"], DemoPlan)
    path = out / "evaluation" / "stage2" / PREDICTIONS_NAME
    questions = _make_questions(plan)
    found: dict[str, list[tuple[QaQuestion, str, bytes]]] = {}
    for line in path.read_bytes().splitlines():
        prediction = msgspec.json.decode(line, type=Prediction)
        number, _, arm = prediction.key.partition("/")
        if arm != "seen" or not number.isdecimal() or int(number) >= len(questions):
            continue
        question = questions[int(number)]
        of_kind = found.setdefault(question.kind, [])
        if len(of_kind) < _NUM_SHOWN // 6 and len(prediction.scores) == len(question.answers):
            scene = int(question.image_id.rpartition("/")[2])
            jpeg = encode_jpeg(make_scene(plan.held_out_seed, scene, (320, 240)).drawing)
            of_kind.append((question, question.answers[prediction.best], jpeg))
    return [one for of_kind in found.values() for one in of_kind]


def _make_questions(plan: Any) -> Sequence[QaQuestion]:
    """Return the suite's questions, which are a function of the held-out scenes."""
    from instructgen.config import SourceConfig
    from instructgen.evaluate.pictures import Gallery
    from instructgen.evaluate.qa_questions import make_qa
    from instructgen.evaluate.suites.qa import PER_KIND
    from instructgen.sources import open_source

    gallery = Gallery(open_source(SourceConfig(name="scenes", limit=plan.num_held_out), plan.held_out_seed))
    records = gallery.draw("qa", 0, plan.num_held_out, lambda one: bool(one.boxes))
    return make_qa(records, 0, PER_KIND)
