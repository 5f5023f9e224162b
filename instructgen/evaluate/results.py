"""results.json: what every suite measured of a model, merged run by run; and the same as a table for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.evaluate.answering import count_failures
from instructgen.evaluate.questions import Prediction, Report, Suite
from instructgen.evaluate.scores import Score, flatten
from instructgen.student.ask import Sampling

RESULTS_NAME = "results.json"
FORMAT = 1
_PLAIN = frozenset(("words", "score", "reference_mark", "student_mark"))  # told with one digit, not as shares


class Model(Struct, frozen=True):
    """Who was evaluated. `digest` stands for the weights; for a server it is of the address and the name alone."""

    name: str
    digest: str


class SuiteFacts(Struct, frozen=True):
    """What a suite's figures depend on beside the model."""

    source: str
    seed: int
    sampling: Sampling
    left_out: dict[str, int] = {}
    """Images that were not asked about, by reason."""


def describe_suite(
    suite: Suite, facts: SuiteFacts, predictions: Mapping[str, Prediction], report: Report
) -> dict[str, Any]:
    """Return the suite's part of results.json; measures stand in it by their names, errors as `<name>_stderr`."""
    failed = count_failures(predictions)
    return {
        "version": suite.version,
        "source": facts.source,
        "seed": facts.seed,
        "sampling": msgspec.to_builtins(facts.sampling),
        "asked": len(predictions),
        "answered": len(predictions) - sum(failed.values()),
        "failed": sum(failed.values()),
        "failures": failed,
        "images_left_out": facts.left_out,
        "samples": max((score.num_samples for score in report.scores.values()), default=0),
        **flatten(report.scores),
        "groups": {
            table: {part: {**flatten(scores), "samples": _count(scores)} for part, scores in parts.items()}
            for table, parts in report.groups.items()
        },
        "counts": report.counts,
        "notes": list(report.notes),
    }


def merge_results(folder: Path, model: Model, suites: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Put the suites into the folder's results.json, in place of earlier figures of theirs, and return it all.

    Figures of another model are not mixed with these: they are dropped. The file changes at once or not at all.
    """
    path = folder / RESULTS_NAME
    earlier = _read(path)
    kept = earlier.get("suites", {}) if earlier.get("model") == msgspec.to_builtins(model) else {}
    encoded = msgspec.json.encode({"format": FORMAT, "model": model, "suites": {**kept, **suites}})
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
    new.replace(path)
    return _read(path)


def read_results(folder: Path) -> dict[str, Any]:
    """Return the folder's results.json; {} where there is none. Raises InstructgenError for what is no such file."""
    return _read(folder / RESULTS_NAME)


def table_of(suite: Suite, report: Report) -> list[str]:
    """Return lines: the suite's first measures as columns, all samples first, then each part of each table."""
    columns = [name for name in suite.shown if name in report.scores]
    rows = [] if report.is_of_part else [("all", report.scores)]
    for table, parts in report.groups.items():
        rows += [(f"{table} {part}", scores) for part, scores in parts.items()]
    width = max(len(name) for name, _ in rows)
    lines = [" ".join([" " * width, f"{'n':>6}", *(f"{name:>17}" for name in columns)])]
    for name, scores in rows:
        cells = [f"{_cell(column, scores.get(column)):>17}" for column in columns]
        lines.append(" ".join([f"{name:{width}}", f"{_count(scores):6}", *cells]))
    return lines


def tell_counts(report: Report, failed: Mapping[str, int], left_out: Mapping[str, int]) -> list[str]:
    told = [f"{word.replace('_', ' ')} {number}" for word, number in report.counts.items() if number]
    lines = ["; ".join(told)] if told else []
    if failed:
        lines.append("not answered: " + ", ".join(f"{number} x {reason}" for reason, number in failed.items()))
    if left_out:
        lines.append("images left out: " + ", ".join(f"{number} x {reason}" for reason, number in left_out.items()))
    return [*lines, *report.notes]


def _cell(name: str, score: Score | None) -> str:
    if score is None or score.value is None:
        return "-"
    digits = 1 if name in _PLAIN else 3
    spread = "" if score.stderr is None else f" ±{score.stderr:.{digits}f}"
    return f"{score.value:.{digits}f}{spread}"


def _count(scores: Mapping[str, Score]) -> int:
    return max((score.num_samples for score in scores.values()), default=0)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise InstructgenError(f"{path} cannot be read ({error}); move it away") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InstructgenError(f"{path} is no results.json of format {FORMAT}; move it away")
    return found
