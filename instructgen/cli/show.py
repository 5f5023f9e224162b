"""`instructgen show`: read samples of a dataset in the terminal."""

import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from instructgen.dataset.read import ShownRow


def add_to(app: typer.Typer) -> None:
    app.command("show")(show)


def show(
    dataset: str = typer.Argument(help="A build's --out, STORE@TAG, STORE@VERSION or a version's folder."),
    n: int = typer.Option(3, "--n", "-n", min=1, help="How many samples."),
    sample_type: str | None = typer.Option(None, "--type", help="Only samples of this type."),
    image: str | None = typer.Option(None, help="Only samples of this image id, such as coco/000000000139."),
    rejected: bool = typer.Option(False, "--rejected", help="What was not published, with the reasons."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Print samples of a dataset, or what was rejected and why.

    \b
    Examples:
      instructgen show out/coco-sample
      instructgen show out/coco-sample --type detail -n 1
      instructgen show out/coco-sample --rejected --json
      instructgen show s3://bucket/coco@v1
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
    for row in rows:
        typer.echo(json.dumps(row) if as_json else _layout(row))
    if not rows and not as_json:
        typer.echo("no such sample; --rejected shows what was not published")


def _layout(row: "ShownRow") -> str:
    speaker = {"user": "Q", "assistant": "A"}
    lines = [f"--- {row['sample_id']}  ({row['image_path']}; {row['teacher']}, {row['model']})"]
    for message in row["messages"]:
        first, *rest = message["content"].splitlines() or [""]
        lines.append(f"{speaker.get(message['role'], message['role'])}: {first}")
        lines.extend(f"   {line}" for line in rest)
    return "\n".join([*lines, ""])


def _print_rejected(lines: list[dict[str, Any]], *, as_json: bool) -> None:
    for line in lines:
        if as_json:
            typer.echo(json.dumps(line))
        else:
            typer.echo(
                f"--- {line['unit_id']}  {line['outcome']} at {line['stage']}: {line['reason']} {line['detail']}"
            )
            typer.echo("\n".join(f"   {text}" for text in line.get("text", "").splitlines()))
    if not lines and not as_json:
        typer.echo("nothing was rejected")
