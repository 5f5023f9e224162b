"""`instructgen export`: a version in the form that another project reads."""

import json
from pathlib import Path

import typer

from instructgen.errors import InstructgenError

export_app = typer.Typer(
    name="export", no_args_is_help=True, rich_markup_mode=None, help="Write a dataset in another project's form."
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(export_app)


@export_app.command("filter-cap")
def export_filter_cap(
    dataset: Path = typer.Argument(help="A build's --out, or one folder below its versions/."),
    out: Path = typer.Option(help="Folder to write; must not exist yet."),
    images: Path | None = typer.Option(None, help="Folder of the pictures, where the rows do not hold them."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Write MiniGPT-4's second-stage data: filter_cap.json, and each picture as image/<image_id>.jpg.

    \b
    Examples:
      instructgen export filter-cap out/captions --out cc_sbu_align
      instructgen export filter-cap out/coco-val2017 --out align --images coco/val2017

    \b
    It holds the descriptions: the samples of type caption, or of type detail where there are none.
    """
    from instructgen.dataset.exports.filter_cap import write_filter_cap
    from instructgen.dataset.publish import find_version
    from instructgen.dataset.stored import LocalVersion

    if out.exists():
        raise InstructgenError(f"{out} is there already; name a new folder")
    if images is not None and not images.is_dir():
        raise InstructgenError(f"--images: no folder {images}")
    exported = write_filter_cap(LocalVersion(find_version(dataset)), out, lambda _, name: _read_picture(images, name))
    if as_json:
        typer.echo(json.dumps({"out": str(out), "samples": exported.num_rows, "left_out": exported.left_out}))
        return
    for reason, count in exported.left_out.items():
        typer.echo(f"left out: {count} x {reason}", err=True)
    typer.echo(f"{exported.num_rows} descriptions and their pictures in {out}")


def _read_picture(folder: Path | None, file_name: str) -> bytes | None:
    """Return the picture's bytes, or None where it is not in the folder; a name may not lead out of it."""
    if folder is None:
        return None
    path = (folder / file_name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return None
    return path.read_bytes()
