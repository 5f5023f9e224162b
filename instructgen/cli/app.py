"""The command line. Each command imports what it needs when it runs, so that --help stays quick."""

import os
import re
import sys
import traceback

import typer

import instructgen
from instructgen.cli import (
    audit,
    build,
    capfilt,
    chat,
    dataset,
    demo,
    describe,
    doctor,
    evaluate,
    export,
    export_model,
    fetch,
    ledger,
    merge,
    model,
    models,
    pipelines,
    plan,
    prompts,
    report,
    review,
    serve,
    show,
    train,
    view,
)
from instructgen.cli.leaving import leaving_safely
from instructgen.errors import InstructgenError
from instructgen.secrets import RedactedStream, register_url

_BUG_EXIT_CODE = 1
_BUG = (
    "This is a bug in instructgen, not in your input. Please report it with the lines above, the command and what "
    "`instructgen doctor` prints; keys that instructgen has read are replaced by [key]. What was answered until "
    "now is kept: the same command goes on from there."
)

app = typer.Typer(
    name="instructgen",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=(
        "Visual instruction data from image captions and boxes: right about the image, traceable, resumable.\n\n"
        "Exit codes: 0 done; 2 wrong use or bad input; 3 stopped early, run the same command again to go on; "
        "4 done, but some units failed, nothing was accepted, or some pictures are not there; 5 the budget is spent; "
        "6 the teacher's answers collapsed; 7 a gate failed; 8 a version is damaged; 1 a bug in instructgen."
    ),
)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        typer.echo(f"instructgen {instructgen.__version__}")
        raise typer.Exit


build.add_to(app)
merge.add_to(app)
plan.add_to(app)
show.add_to(app)
view.add_to(app)
report.add_to(app)
review.add_to(app)
audit.add_to(app)
export.add_to(app)
fetch.add_to(app)
capfilt.add_to(app)
dataset.add_to(app)
demo.add_to(app)
models.add_to(app)
train.add_to(app)
model.add_to(app)
export_model.add_to(model.model_app)
evaluate.add_to(app)
chat.add_to(app)
describe.add_to(app)
serve.add_to(app)
prompts.add_to(app)
pipelines.add_to(app)
ledger.add_to(app)
doctor.add_to(app)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and its exit code, a bug a traceback."""
    with leaving_safely():
        _run()


def _run() -> None:
    _guard_secrets()
    try:
        app()
    except InstructgenError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001  printed whole, and the exit code says that it is a bug
        traceback.print_exc()
        typer.echo(_BUG, err=True)
        sys.exit(_BUG_EXIT_CODE)


def _guard_secrets() -> None:
    """Keep secrets out of whatever this process prints, also from threads, warnings and the event loop."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, RedactedStream):
            setattr(sys, name, RedactedStream(stream))
    # Addresses may hold a password, and an error may quote them before anything else has read them.
    proxies = [value for name, value in os.environ.items() if name.lower().endswith("_proxy")]
    for address in re.findall(r"\w+://\S+", " ".join([*sys.argv[1:], *proxies])):
        register_url(address)
