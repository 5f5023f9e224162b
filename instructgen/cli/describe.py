"""`instructgen describe`: a trained model writes captions for a folder of pictures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.students import DEVICE, DTYPE, MODEL, open_student
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.student.ask import Sampling
    from instructgen.student.describing import Describing, Place, Tally

_STOPPED = "stopped; the same command goes on from here"


def add_to(app: typer.Typer) -> None:
    app.command("describe")(describe)


def describe(
    model: Path = MODEL,
    folder: Path = typer.Argument(help="The pictures; subfolders are read too."),
    out: Path | None = typer.Option(None, help="Captions, as JSON lines.  [default: FOLDER/captions.jsonl]"),
    filter_cap: Path | None = typer.Option(None, help="Also write MiniGPT-4's filter_cap.json and image/ there."),
    prompts: Path | None = typer.Option(None, help="Folder with describe/ and continue/ instead of the shipped."),
    continue_below: int = typer.Option(80, min=0, help="Ask to go on after so many tokens or fewer; 0 never."),
    max_tokens: int = typer.Option(300, min=1, help="Longest answer; one that goes on may be as long again."),
    temperature: float = typer.Option(1.0, min=0, max=2, help="0 takes the likeliest token each time."),
    top_p: float = typer.Option(0.9, min=0, max=1, help="Draw from the likeliest tokens of this share."),
    repetition_penalty: float = typer.Option(1.05, min=0.1, max=10, help="Above 1 words come again less often."),
    seed: int = typer.Option(0, help="Of the draws; the same seed gives the same captions."),
    limit: int | None = typer.Option(None, min=1, help="Only the first so many pictures."),
    batch: int = typer.Option(8, min=1, help="Pictures that are described together."),
    device: str = DEVICE,
    dtype: str = DTYPE,
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Describe every picture of a folder, as MiniGPT-4's first stage did to make the captions of its second.

    \b
    Examples:
      instructgen describe runs/stage2 photos
      instructgen describe runs/stage2 photos --temperature 0 --limit 20 --json
      instructgen describe runs/stage1 photos --filter-cap cc_sbu_align
      instructgen build --source pairs --root photos/captions.jsonl --types brief --images embed --out out/captions

    \b
    Killed or stopped, the same command goes on and asks nothing twice. What cannot be described is listed in
    CAPTIONS.failed with its reason, and makes the exit code 4.
    """
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        from instructgen.student.ask import Sampling

        if filter_cap is not None and filter_cap.exists():
            raise InstructgenError(f"--filter-cap: {filter_cap} is there already; name a new folder")
        sampling = Sampling(max_tokens, temperature, top_p, repetition_penalty, seed)
        describing = _make_describing(prompts, sampling, continue_below, batch)
        captions = out or folder / "captions.jsonl"
        place = _make_place(model, folder, captions, limit)
        tally = _describe(model, place, describing, device, dtype, is_quiet=as_json)
        num_listed = None if filter_cap is None else _write_filter_cap(folder, captions, filter_cap)
    _report(captions, tally, filter_cap, num_listed, as_json=as_json)
    if tally.failed:
        raise typer.Exit(4)


def _make_describing(prompts: Path | None, sampling: "Sampling", continue_below: int, batch: int) -> "Describing":
    from instructgen.cli.students import check_packages
    from instructgen.prompting.prompts import load_text

    check_packages()
    from instructgen.student.describing import Describing

    prompt, _ = load_text(prompts, "describe", "user.txt")
    go_on, _ = load_text(prompts, "continue", "user.txt")
    return Describing(prompt, go_on, sampling, continue_below or None, batch)


def _describe(
    model: Path, place: "Place", describing: "Describing", device: str, dtype: str, *, is_quiet: bool
) -> "Tally":
    from instructgen.cli.bars import Bar
    from instructgen.student.describing import describe_folder, list_pictures

    num_pictures = len(list_pictures(place.folder)[: place.limit])
    student = open_student(model, device, dtype, max_rows=describing.batch)
    with Bar("described", num_pictures, is_shown=not is_quiet) as bar:
        return describe_folder(student, place, describing, bar.reach)


def _make_place(model: Path, folder: Path, out: Path, limit: int | None) -> "Place":
    from instructgen.student.describing import Place
    from instructgen.student.load import identify_model

    return Place(folder, out, identify_model(model), limit)


def _write_filter_cap(folder: Path, captions: Path, out: Path) -> int:
    from instructgen.student.describing import read_captions
    from instructgen.student.filter_cap import write_described

    return write_described(folder, read_captions(captions), out)


def _report(
    captions: Path, tally: "Tally", filter_cap: Path | None, num_listed: int | None, *, as_json: bool
) -> None:
    if as_json:
        told: dict[str, object] = {
            "out": str(captions),
            "images": tally.images,
            "described": tally.described,
            "new": tally.new,
            "continued": tally.continued,
            "failed": dict(tally.failed),
        }
        if filter_cap is not None:
            told |= {"filter_cap": str(filter_cap), "listed": num_listed}
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{tally.described} of {tally.images} pictures described in {captions}, {tally.continued} of them gone on"
    )
    for reason, count in tally.failed.items():
        typer.echo(f"failed: {count} x {reason}; {captions}.failed lists them", err=True)
    if filter_cap is not None:
        typer.echo(f"{num_listed} captions and pictures in {filter_cap}")
