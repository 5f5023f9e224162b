"""What an evaluation has written down, gathered from its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.evaluate.questions import ShownAnswer, ShownFailure
from instructgen.evaluate.results import RESULTS_NAME, Model, read_results
from instructgen.evaluate.shown import read_shown
from instructgen.report.error_bars import Measured

ALL = "all"
_ERROR = "_stderr"


class SuitePart(Struct, frozen=True):
    """Measures of all questions or of a part of them; `table` is "" for all."""

    table: str
    name: str
    num_samples: int
    scores: dict[str, Measured]


class SuiteFigures(Struct, frozen=True):
    """A suite in results.json; `parts` begins with all questions."""

    name: str
    version: int
    source: str
    seed: int
    sampling: dict[str, Any]
    num_asked: int
    num_answered: int
    failures: dict[str, int]
    left_out: dict[str, int]
    counts: dict[str, int]
    notes: tuple[str, ...]
    parts: tuple[SuitePart, ...]
    answers: tuple[ShownAnswer, ...] = ()
    failed: tuple[ShownFailure, ...] = ()


class EvaluationFacts(Struct, frozen=True):
    model: Model
    suites: tuple[SuiteFigures, ...]


def collect_evaluation(folder: Path) -> EvaluationFacts:
    """Read an evaluation's folder. Raises InstructgenError where it holds none."""
    results = read_results(folder)
    if not results:
        raise InstructgenError(f"{folder} is no evaluation: it has no {RESULTS_NAME}")
    try:
        suites = tuple(_read_suite(folder, name, table) for name, table in results["suites"].items())
        return EvaluationFacts(msgspec.convert(results["model"], Model), suites)
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise InstructgenError(f"{folder / RESULTS_NAME} lacks what a report shows: {error!r}") from None


def read_scores(table: Mapping[str, Any]) -> dict[str, Measured]:
    """Return the measures of a table, which are the keys that have an error beside them."""
    return {
        key: Measured(table[key], table[key + _ERROR])
        for key in table
        if isinstance(key, str) and key + _ERROR in table
    }


def _read_suite(folder: Path, name: str, table: Mapping[str, Any]) -> SuiteFigures:
    parts = [SuitePart("", ALL, table["samples"], read_scores(table))]
    for group, of_group in table["groups"].items():
        parts += [SuitePart(group, part, one["samples"], read_scores(one)) for part, one in of_group.items()]
    answers, failed = read_shown(folder, name)
    return SuiteFigures(
        name=name,
        version=table["version"],
        source=table["source"],
        seed=table["seed"],
        sampling=table["sampling"],
        num_asked=table["asked"],
        num_answered=table["answered"],
        failures=table["failures"],
        left_out=table["images_left_out"],
        counts=table["counts"],
        notes=tuple(table["notes"]),
        parts=tuple(parts),
        answers=tuple(answers),
        failed=tuple(failed),
    )
