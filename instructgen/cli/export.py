"""`instructgen export`: a version in the form that another project reads."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.exports.base import Export


def add_to(app: typer.Typer) -> None:
    app.command("export", no_args_is_help=True)(export)


def export(
    form: str | None = typer.Argument(None, help="One of those that --list prints, such as llava or trl."),
    dataset: str | None = typer.Argument(None, help="STORE, STORE@TAG, STORE@VERSION or a version's folder."),
    out: Path | None = typer.Option(None, help="Folder to write; must not exist yet."),
    images: Path | None = typer.Option(None, help="Folder of the pictures, where the rows do not hold them."),
    paths_only: bool = typer.Option(False, "--paths-only", help="Write no picture; name them by the rows' paths."),
    seed: int = typer.Option(0, help="Of the draw on which side of the question <image> stands."),
    list_forms: bool = typer.Option(False, "--list", help="Print the forms with one line each."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Write a dataset in the form that another project's trainer opens.

    \b
    Examples:
      instructgen export --list
      instructgen export llava out/coco-val2017 --out llava --images coco/val2017
      instructgen export trl out/coco-sample --out trl
      instructgen export llamafactory out/coco-val2017 --out llamafactory --images coco/val2017
      instructgen export filter-cap out/captions --out cc_sbu_align

    \b
    Rows that a form has no room for are left out and counted by reason. docs/exports.md says for each form what is
    written, how its project opens it and what is left out.
    """
    from instructgen.dataset.exports import EXPORTS

    if list_forms:
        width = max(map(len, EXPORTS))
        for name, known in EXPORTS.items():
            typer.echo(f"{name.ljust(width)}  {known.title}")
        return
    with told_as_json(as_json=as_json):
        if form is None or dataset is None or out is None:
            raise InstructgenError("name a form, a dataset and --out; `instructgen export --list` prints the forms")
        if out.exists():
            raise InstructgenError(f"{out} is there already; name a new folder")
        if images is not None and not images.is_dir():
            raise InstructgenError(f"--images: no folder {images}")
        if images is not None and paths_only:
            raise InstructgenError("--images and --paths-only contradict each other; give one of them")
        known = _find_form(form)
        _write(known, dataset, out, images, with_pictures=not paths_only, seed=seed, as_json=as_json)


def _find_form(form: str) -> "Export":
    from instructgen.dataset.exports import EXPORTS

    name = form.replace("-", "_")
    if name not in EXPORTS:
        raise InstructgenError(f"no export called '{form}'; there are: {', '.join(EXPORTS)}")
    return EXPORTS[name]


def _write(
    known: "Export", dataset: str, out: Path, images: Path | None, *, with_pictures: bool, seed: int, as_json: bool
) -> None:
    from instructgen.dataset.exports.base import ExportSettings
    from instructgen.dataset.stores.errors import told_store
    from instructgen.dataset.versions import open_version

    version = open_version(dataset)
    settings = ExportSettings(with_pictures=with_pictures, seed=seed)
    with told_store(dataset, str(out)):
        exported = known(version, out, lambda _, name: _read_picture(images, name), settings)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "samples": exported.num_rows, "left_out": exported.left_out}))
        return
    for reason, count in exported.left_out.items():
        typer.echo(f"left out: {count} x {reason}", err=True)
    typer.echo(f"{exported.num_rows} rows in {out}")


def _read_picture(folder: Path | None, file_name: str) -> bytes | None:
    """Return the picture's bytes, or None where it is not in the folder; a name may not lead out of it."""
    if folder is None:
        return None
    try:
        path = (folder / file_name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            return None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle: there is no such file
        return None
    return path.read_bytes()
