"""`instructgen demo`: from nothing to a student that sees, in minutes, with nothing fetched."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError

_STOPPED = "stopped; the same command goes on from here"
_PACKAGES = ("torch", "transformers", "safetensors", "tokenizers", "matplotlib")
_WORKER = (sys.executable, "-m", "instructgen.cli.demo_worker")


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    out: Path = typer.Option(Path("out/demo"), help="The demo's folder; the same command goes on in it."),
    seed: int = typer.Option(0, min=0, help="Of scenes, of the models' beginnings and of every draw."),
    quick: bool = typer.Option(
        False, "--quick", help="A few steps of everything, to see it run; nothing is learned."
    ),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Build a dataset of rendered scenes, train a tiny student in two stages, and ask it what it sees.

    \b
    Examples:
      instructgen demo
      instructgen demo --out out/demo-1 --seed 1 --json
      instructgen demo --quick --out out/quick

    \b
    Nothing is fetched. Two processes run at a time; every step is a command that is shown, to be run by hand too.
    The end is report.html: accuracy by kind of question, beside three blind controls (another picture, no picture,
    a student that never saw one) and beside the same student trained on captions alone (docs/demo.md).
    """
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        check_packages()
        from msgspec.structs import replace

        from instructgen.jobs.demo import Demo
        from instructgen.jobs.demo_plan import QUICK, DemoPlan
        from instructgen.jobs.demo_report import write_report

        plan = replace(QUICK if quick else DemoPlan(), seed=seed)
        result = Demo(out, plan, lambda text: typer.echo(text, err=True), _WORKER).run()
        report = write_report(out, result)
    if as_json:
        typer.echo(json.dumps({**result, "report": str(report)}))
    else:
        _tell(result, report)


def check_packages() -> None:
    """Raise InstructgenError where a package of the extra is missing."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise InstructgenError(f"the demo trains, and needs {', '.join(missing)}: pip install 'instructgen[train]'")


def _tell(result: dict[str, Any], report: Path) -> None:
    columns = ("accuracy", "blind_accuracy", "captions_only_accuracy", "chance")
    typer.echo(f"{'% right':12} {'seeing':>8} {'blind':>8} {'captions':>9} {'chance':>8}")
    for kind, of_kind in result["by_kind"].items():
        typer.echo(f"{kind:12} " + " ".join(f"{of_kind[name]:8.1f}" for name in columns))
    total = (result["accuracy"], result["blind_accuracy"], result["captions_only_accuracy"])
    typer.echo(f"{'all':12} " + " ".join(f"{value:8.1f}" for value in total))
    typer.echo(f"{result['questions']} questions, {result['seconds']:.0f} s; report: {report}")
