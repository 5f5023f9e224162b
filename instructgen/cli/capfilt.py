"""`instructgen capfilt`: captions that a model writes and a model chooses, in place of a picture's own."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.students import DEVICE, DTYPE, check_packages, open_student
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.jobs.capfilt import CapFiltTally, PictureScorer
    from instructgen.models.blip2.scoring import ScoredBy

_STOPPED = "stopped; the same command goes on from here"
_INCOMPLETE = 4


def add_to(app: typer.Typer) -> None:
    app.command("capfilt")(capfilt)


def capfilt(
    data: str = typer.Argument(help="Pairs: STORE, STORE@TAG, a version's folder, a .parquet or .jsonl file."),
    out: Path = typer.Option(help="Folder of captions.jsonl and images/; the same command goes on in it."),
    scorer: Path | None = typer.Option(None, help="Run of BLIP-2's first stage that scores captions."),
    scores: Path | None = typer.Option(None, help="Table of scores instead: key, caption, score (.jsonl, .parquet)."),
    by: Literal["contrast", "matching"] = typer.Option("matching", help="What of the first stage scores."),
    captioner: Path | None = typer.Option(None, help="Trained model that writes captions."),
    captions: list[Path] = typer.Option([], help="JSON lines with captions of others, as `describe` writes them."),
    num: int = typer.Option(10, min=1, help="Captions that the captioner writes for each picture."),
    keep: int = typer.Option(2, min=1, help="Captions that are kept of each picture."),
    prompt: str | None = typer.Option(
        None, help="What the captioner is asked.  [default: a question of prompts/brief]"
    ),
    max_tokens: int = typer.Option(40, min=1, help="Longest caption that is written."),
    temperature: float = typer.Option(1.0, min=0, max=2, help="Of the captioner."),
    top_p: float = typer.Option(0.9, min=0, max=1, help="Draw from the likeliest tokens of this share."),
    seed: int = typer.Option(0, help="Of the draws."),
    split: str = typer.Option("train", help="The split to read."),
    images: Path | None = typer.Option(None, help="Folder of the pictures, where the rows name them by path."),
    limit: int | None = typer.Option(None, min=1, help="Only the first so many pictures."),
    batch: int = typer.Option(8, min=1, help="Pictures that are captioned together."),
    device: str = DEVICE,
    dtype: str = DTYPE,
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Keep the best of a picture's own and written captions: BLIP-2's CapFilt.

    \b
    Examples:
      instructgen capfilt out/pairs --captioner runs/stage2 --scorer runs/blip2-stage1 --out out/capfilt
      instructgen capfilt out/pairs --captions captions.jsonl --scores clip.parquet --keep 1 --out out/capfilt
      instructgen pretrain --data out/capfilt/captions.jsonl --recipe blip2-stage1 --out runs/again

    \b
    Killed or stopped, the same command goes on. What fails is listed in captions.jsonl.failed with its reason, and
    makes the exit code 4.
    """
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        if (scorer is None) == (scores is None):
            raise InstructgenError("give --scorer RUN or --scores TABLE, one of the two")
        if captioner is None and not captions:
            raise InstructgenError(
                "give --captioner MODEL, --captions FILE, or both: there is nothing to choose from"
            )
        check_packages()
        from instructgen.jobs.capfilt import CapFilt, Captioning, filter_captions, open_pairs
        from instructgen.prompting.prompts import load_questions
        from instructgen.student.ask import Sampling

        question = load_questions(None, "brief")[0]
        captioning = Captioning(prompt or question, num, Sampling(max_tokens, temperature, top_p, seed=seed))
        choosing = CapFilt(
            scorer=_open_scorer(scorer, scores, by, device),
            question=question,
            num_kept=keep,
            student=None if captioner is None else open_student(captioner, device, dtype, max_rows=batch),
            captioning=None if captioner is None else captioning,
            written=_read_written(captions),
            batch=batch,
            identity=_identify(captioner, scorer, scores, by),
        )
        source = open_pairs(data, split)
        tally = filter_captions(source, choosing, out, image_folder=images, limit=limit)
    _report(out, tally, as_json=as_json)
    if tally.failed:
        raise typer.Exit(_INCOMPLETE)


def _open_scorer(scorer: Path | None, scores: Path | None, by: "ScoredBy", device: str) -> "PictureScorer":
    from instructgen.jobs.capfilt import score_by_table
    from instructgen.sources.capfilt import ScoreTable

    if scores is not None:
        return score_by_table(ScoreTable(scores))
    from instructgen.train.representation_use import load_comparer

    assert scorer is not None, "one of the two was given"
    comparer = load_comparer(scorer, device)
    return lambda _key, picture, captions: comparer.score(picture, captions, by)


def _read_written(paths: list[Path]) -> dict[str, tuple[str, ...]]:
    from instructgen.jobs.capfilt import read_written

    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        for key, captions in read_written(path).items():
            found[key] = (*found.get(key, ()), *captions)
    return found


def _identify(captioner: Path | None, scorer: Path | None, scores: Path | None, by: str) -> str:
    """Return what stands for the models and the table: a digest of their content."""
    from instructgen.jobs.evaluate import hash_model

    parts = [by]
    parts += [hash_model(folder) if folder is not None else "" for folder in (captioner, scorer)]
    parts.append(hashlib.sha256(scores.read_bytes()).hexdigest() if scores is not None else "")
    return " ".join(parts)


def _report(out: Path, tally: "CapFiltTally", *, as_json: bool) -> None:
    from instructgen.jobs.capfilt import FAILED_NAME, ROWS_NAME

    if as_json:
        told = {
            "out": str(out / ROWS_NAME),
            "images": tally.images,
            "done": tally.done,
            "new": tally.new,
            "captions": tally.captions,
            "originals": tally.originals,
            "failed": dict(tally.failed),
        }
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{tally.done:,} of {tally.images:,} pictures, {tally.new:,} of them now")
    typer.echo(f"{tally.captions:,} captions kept, {tally.originals:,} of them the pictures' own")
    for reason, count in tally.failed.most_common():
        typer.echo(f"  failed: {count} x {reason} ({out / FAILED_NAME})")
    typer.echo(f"rows: {out / ROWS_NAME}")
