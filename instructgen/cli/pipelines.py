"""`instructgen pipelines`: the pipeline files that ship with instructgen."""

from pathlib import Path

import typer

from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder


def add_to(app: typer.Typer) -> None:
    app.command("pipelines")(list_pipelines)


def list_pipelines(
    name: str | None = typer.Argument(None, help="Print this pipeline's file."),
) -> None:
    """List the shipped pipelines, or print one to start your own from.

    \b
    Examples:
      instructgen pipelines
      instructgen pipelines llava > my.toml
    """
    if name is not None:
        typer.echo(find_pipeline(name).read_text(encoding="utf-8"), nl=False)
        return
    for path in sorted(shared_folder("pipelines").glob("*.toml")):
        first_line = path.read_text(encoding="utf-8").partition("\n")[0]
        typer.echo(f"{path.stem:21} {first_line.lstrip('# ')}")


def find_pipeline(name: str) -> Path:
    """Return the file of a shipped pipeline ("llava") or of a path to the user's own."""
    folder = shared_folder("pipelines")
    for path in (folder / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    if name.endswith(".toml"):
        raise InstructgenError(f"no pipeline file {name}; `instructgen pipelines` lists the shipped ones")
    names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
    raise InstructgenError(f"no pipeline called '{name}'; there are: {names}; or give the path of a .toml file")
