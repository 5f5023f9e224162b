"""`instructgen show`: read samples of a dataset in the terminal."""

import json
from pathlib import Path
from typing import Any, Literal

import typer

_REJECTED = ("unit_id", "outcome", "stage", "reason", "detail", "text")


def add_to(app: typer.Typer) -> None:
    app.command("show")(show)


def show(
    dataset: str = typer.Argument(help="A build's --out, STORE@TAG, STORE@VERSION or a version's folder."),
    n: int = typer.Option(3, "--n", "-n", min=1, help="How many samples."),
    sample_type: str | None = typer.Option(None, "--type", help="Only samples of this type."),
    image: str | None = typer.Option(None, help="Only samples of this image id, such as coco/000000000139."),
    rejected: bool = typer.Option(False, "--rejected", help="What was not published, with the reasons."),
    root: Path | None = typer.Option(None, help="COCO folder of the images, for their boxes, captions and pictures."),
    images: Path | None = typer.Option(None, help="Folder of pictures, where the dataset does not hold them."),
    pictures: Literal["auto", "kitty", "sixel", "iterm", "blocks", "layout", "none"] = typer.Option(
        "auto", help="How pictures are drawn; `layout` draws their boxes with characters."
    ),
    plain: bool = typer.Option(False, "--plain", help="Text alone: no picture, no colour, no wrapping."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Print samples of a dataset with their pictures, or what was rejected and why.

    \b
    Examples:
      instructgen show out/coco-sample
      instructgen show out/coco-sample --type detail -n 1
      instructgen show out/coco --root coco --pictures blocks
      instructgen show out/coco-sample --rejected --json
      instructgen show s3://bucket/coco@v1

    \b
    Where the terminal shows no pictures, the boxes are drawn in their places: those of --root, of the bundled sample
    and of rendered scenes. Escape codes go to a terminal alone, unless --pictures asks for them.
    """
    from instructgen.dataset.read import read_rejected, read_rows
    from instructgen.dataset.stores.errors import told_store
    from instructgen.dataset.versions import open_version
    from instructgen.jobs.outcomes import check_types
    from instructgen.sample_types import SAMPLE_TYPES

    version = open_version(dataset)
    if sample_type is not None:
        check_types((sample_type,), SAMPLE_TYPES)
    if rejected:
        with told_store(dataset):
            lines = read_rejected(version, sample_type, image, n)
        _print_rejected(lines, as_json=as_json)
        return
    with told_store(dataset):
        rows = read_rows(version, sample_type, image, n)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    from instructgen.cli.show_samples import find_sights, make_look, print_sample

    look = make_look(pictures, plain=plain)
    with told_store(dataset):
        sights = find_sights(version, rows, look, root, images)
    for row in rows:
        print_sample(row, sights, look)
    if not rows:
        typer.echo("no such sample; --rejected shows what was not published")


def _print_rejected(lines: list[dict[str, Any]], *, as_json: bool) -> None:
    from instructgen.cli.terminal_text import clean_text

    for line in lines:
        if as_json:
            typer.echo(json.dumps(line))
        else:
            shown = {name: str(line.get(name) or "") for name in _REJECTED}
            why = f"{shown['outcome']} at {shown['stage']}: {shown['reason']} {shown['detail']}"
            typer.echo(clean_text(f"--- {shown['unit_id']}  {why}"))
            typer.echo("\n".join(f"   {clean_text(text)}" for text in shown["text"].splitlines()))
    if not lines and not as_json:
        typer.echo("nothing was rejected")
