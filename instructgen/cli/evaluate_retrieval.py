"""`instructgen evaluate --suite retrieval`: of a first stage of BLIP-2, which answers nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.evaluate.results import Model
    from instructgen.jobs.retrieval import RetrievalOptions

RETRIEVAL = "retrieval"


def wants_retrieval(suites: str) -> bool:
    """Return whether the option asks for retrieval; raises for a mixture with suites of questions."""
    names = {one.strip() for one in suites.split(",")} - {""}
    if RETRIEVAL in names and len(names) > 1:
        raise InstructgenError(
            "--suite retrieval is of BLIP-2's first stage, the others are of models that answer: run it by itself"
        )
    return RETRIEVAL in names


def evaluate_retrieval(
    place: str, model: "Model", options: "RetrievalOptions", device: str, say: Callable[[str], None], *, as_json: bool
) -> None:
    """Measure, and print what was measured."""
    from instructgen.jobs import retrieval
    from instructgen.train.representation_use import load_comparer

    result = retrieval.evaluate_retrieval(options, model, load_comparer(Path(place), device), say)
    if as_json:
        typer.echo(json.dumps({"out": str(options.out), **result.results}))
        return
    typer.echo(f"{model.name} ({model.digest[:12]}), seed {options.seed}; ± is one standard error\n")
    typer.echo("\n".join((RETRIEVAL, *(f"  {line}" for line in result.table))))
    typer.echo(f"\nresults: {options.out}")
    if result.report is not None:
        typer.echo(f"report: {result.report}")
