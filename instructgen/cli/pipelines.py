"""`instructgen pipelines`: the pipeline files that ship with instructgen, builds and stages of training."""

import tomllib
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
      instructgen pipelines llava15-stage2 > stage2.toml
    """
    if name is not None:
        path = _find_file(name)
        try:
            typer.echo(path.read_text(encoding="utf-8"), nl=False)
        except (OSError, UnicodeDecodeError) as error:
            raise InstructgenError(f"{path} cannot be read as a text file: {error}") from None
        return
    builds, recipes = _list_shipped()
    for title, paths in (("Builds, for `instructgen build`:", builds), ("Stages of training:", recipes)):
        typer.echo(title)
        for path in paths:
            typer.echo(f"  {path.stem:21} {_about(path)}")


def find_pipeline(name: str) -> Path:
    """Return the file of a shipped build ("llava") or of a path to the user's own."""
    from instructgen.train.recipe import is_recipe

    path = _find_file(name)
    if is_recipe(path):
        raise InstructgenError(
            f"{name} is a stage of training, and no build; `instructgen pretrain` and `finetune` take it"
        )
    return path


def find_recipe(name: str) -> Path:
    """Return the file of a shipped stage of training ("llava-stage1") or of a path to the user's own."""
    from instructgen.train.recipe import read_table

    path = _find_file(name, recipes=True)
    if "model" not in read_table(path):
        raise InstructgenError(
            f"{name} is no stage of training: it has no [model] table; `instructgen build` takes it"
        )
    return path


def _find_file(name: str, *, recipes: bool = False) -> Path:
    for path in (shared_folder("pipelines") / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    if name.endswith(".toml"):
        raise InstructgenError(f"no pipeline file {name}; `instructgen pipelines` lists the shipped ones")
    what = "stage of training" if recipes else "pipeline"
    names = ", ".join(path.stem for path in _list_shipped()[recipes])
    raise InstructgenError(f"no {what} called '{name}'; there are: {names}; or give the path of a .toml file")


def _list_shipped() -> tuple[list[Path], list[Path]]:
    """Return the shipped builds and the shipped stages of training."""
    from instructgen.train.recipe import is_recipe

    files = sorted(shared_folder("pipelines").glob("*.toml"), key=lambda path: path.stem)
    return [path for path in files if not is_recipe(path)], [path for path in files if is_recipe(path)]


def _about(path: Path) -> str:
    """Return the line that says what a pipeline is: a recipe's `about`, a build's first comment."""
    text = path.read_text(encoding="utf-8")
    about = tomllib.loads(text).get("about")
    return about if isinstance(about, str) else text.partition("\n")[0].lstrip("# ")
