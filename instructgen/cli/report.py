"""`instructgen report`: one page of what a version, a training run or an evaluation is and how it came to be."""

import json
import time
from pathlib import Path

import typer

from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError


def add_to(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    dataset: str = typer.Argument(
        help="A build's --out, STORE@TAG, STORE@VERSION, a version's folder, or a training run's or an evaluation's."
    ),
    out: Path | None = typer.Option(None, help="The page.  [default: report.html in the dataset's folder]"),
    root: Path | None = typer.Option(None, help="COCO folder: draws boxes and marks what answers claim."),
    split: str | None = typer.Option(None, help="Split of the root.  [default: the one it was built from]"),
    images: Path | None = typer.Option(None, help="Folder of pictures, where the dataset does not hold them."),
    as_json: bool = typer.Option(False, "--json", help="Print what was written as one JSON object."),
) -> None:
    """Write a page of a version: what was made, from what, at what cost, what was lost, and how samples look.

    \b
    Examples:
      instructgen report out/coco-sample
      instructgen report out/coco --root coco --images coco/val2017
      instructgen report out/coco@v1.2 --out v1.2.html --json
      instructgen report runs/stage2

    \b
    The page holds all it shows, asks for nothing from the network and opens from disk. A build writes it by
    itself. The bundled sample and rendered scenes bring their annotations; docs/report.md says what is in it.
    """
    started = time.monotonic()
    with told_as_json(as_json=as_json):
        if pages := _write_of_runs(Path(dataset), has_more=bool(out or root or split or images)):
            paths = [str(page) for page in pages]
            typer.echo(json.dumps({"reports": paths}) if as_json else "\n".join(paths))
            return
        from instructgen.dataset.stored import LocalVersion
        from instructgen.dataset.versions import open_version
        from instructgen.report.write import ReportOptions, write_report

        if split is not None and root is None:
            raise InstructgenError("--split needs --root, a COCO folder")
        version = open_version(dataset)
        if not isinstance(version, LocalVersion):
            raise InstructgenError(
                f"{dataset} is not on this machine; `instructgen dataset copy {dataset} FOLDER` brings it"
            )
        options = ReportOptions(out=out, root=root, split=split, images=images)
        written = write_report(version.folder, options, lambda text: typer.echo(text, err=True))
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        typer.echo(json.dumps({**written.as_object(), "seconds": seconds}))
        return
    typer.echo(
        f"{written.path}: version {written.version}, {written.num_rows:,} rows, {written.num_shown} of them shown, "
        f"claims of {written.num_checked:,} checked; {written.num_bytes / 1e6:.1f} MB, {seconds} s"
    )
    if written.num_rows and not written.num_checked:
        typer.echo("no annotations at hand: --root COCO draws boxes and marks claims", err=True)


def _write_of_runs(folder: Path, *, has_more: bool) -> list[Path]:
    """Write the pages of a training run, of an evaluation, or of both where one folder holds both."""
    from instructgen.evaluate.results import RESULTS_NAME
    from instructgen.report.names import RUN_NAME

    is_run, is_evaluation = (folder / RUN_NAME).is_file(), (folder / RESULTS_NAME).is_file()
    if has_more and (is_run or is_evaluation):
        raise InstructgenError(f"{folder} is no dataset: the page of a run or an evaluation takes no other flag")
    pages = []
    if is_run:
        from instructgen.report.training import write_training_report

        pages.append(write_training_report(folder))
    if is_evaluation:
        from instructgen.report.evaluation import write_evaluation_report

        pages.append(write_evaluation_report(folder))
    return pages
