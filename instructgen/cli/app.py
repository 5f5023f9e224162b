"""The command line. Each command imports what it needs when it runs, so that --help stays quick."""

import sys

import typer

import instructgen
from instructgen.cli import build, doctor, pipelines, prompts, show
from instructgen.errors import InstructgenError

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
        "4 done, but some units failed or nothing was accepted; 1 a bug in instructgen."
    ),
)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        typer.echo(f"instructgen {instructgen.__version__}")
        raise typer.Exit


build.add_to(app)
show.add_to(app)
prompts.add_to(app)
pipelines.add_to(app)
doctor.add_to(app)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and its exit code."""
    try:
        app()
    except InstructgenError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
