"""`instructgen pretrain` and `instructgen finetune`: a dataset and a recipe in, a model out."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.jobs.training import TrainingResult
    from instructgen.jobs.training_parts import Stage, TrainingOptions
    from instructgen.train.recipe import Recipe

_STOPPED = "stopped; the same command goes on from the last checkpoint"
_DATA = typer.Option(help="Dataset: STORE, STORE@TAG, a version's folder, or a .parquet or .jsonl file.")
_OUT = typer.Option(help="The run's folder; the same command goes on in it.")
_SET = typer.Option([], "--set", help="A key of the recipe, as optim.learning_rate=1e-4; may be given again.")
_STEPS = typer.Option(None, min=1, help="So many steps, instead of what the recipe says.")
_SPLIT = typer.Option("train", help="The split to train on.")
_IMAGES = typer.Option(None, help="Folder of the pictures, where the rows name them by path.")
_DEVICE = typer.Option("auto", help="cpu, cuda or cuda:N.  [default: a GPU where there is one]")
_CACHE = typer.Option(None, "--cache-features", help="Folder for what a frozen vision tower makes of each picture.")
_DRY_RUN = typer.Option(False, "--dry-run", help="Say what would be trained on what, and train nothing.")
_PLAIN = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal.")
_JSON = typer.Option(False, "--json", help="End with one JSON object on standard output.")


def add_to(app: typer.Typer) -> None:
    app.command("pretrain")(pretrain)
    app.command("finetune")(finetune)


def pretrain(
    data: str = _DATA,
    out: Path = _OUT,
    recipe: str = typer.Option("small-stage1", help="Shipped recipe or a .toml (`instructgen pipelines`)."),
    assignments: list[str] = _SET,
    steps: int | None = _STEPS,
    split: str = _SPLIT,
    images: Path | None = _IMAGES,
    device: str = _DEVICE,
    cache_features: Path | None = _CACHE,
    dry_run: bool = _DRY_RUN,
    plain: bool = _PLAIN,
    as_json: bool = _JSON,
) -> None:
    """Stage 1: align the connector of a vision tower and a language model, both frozen.

    \b
    Examples:
      instructgen pretrain --data out/pairs --out runs/stage1
      instructgen pretrain --data out/pairs --recipe llava15-stage1 --out runs/stage1 --dry-run
      instructgen pretrain --data out/pairs --out runs/stage1 --set optim.learning_rate=2e-3 --steps 500
      torchrun --nproc-per-node 8 -m instructgen pretrain --data out/pairs --recipe llava-stage1 --out runs/stage1

    \b
    Ctrl-C ends the run after the step, with a checkpoint; a second one at once. The same command goes on from the
    last checkpoint, to the same weights. The model is RUN/model, what became of the run RUN/report.html.
    Exit codes: 0 done, 2 wrong use or bad input, 3 stopped (run the same command again).
    """
    with told_as_json(as_json=as_json and _speaks(), stopped=_STOPPED):
        _check_packages()
        options = _make_options("pretrain", data, out, *_read_recipe(recipe, assignments, steps))
        options = _change(options, split, images, device, cache_features)
        _act(options, dry_run=dry_run, plain=plain, as_json=as_json)


def finetune(
    data: str = _DATA,
    out: Path = _OUT,
    recipe: str = typer.Option("small-stage2", help="Shipped recipe or a .toml (`instructgen pipelines`)."),
    model: Path | None = typer.Option(
        None, help="Run or model to begin with, as of stage 1; it takes the place of the recipe's [model]."
    ),
    assignments: list[str] = _SET,
    steps: int | None = _STEPS,
    split: str = _SPLIT,
    images: Path | None = _IMAGES,
    device: str = _DEVICE,
    cache_features: Path | None = _CACHE,
    dry_run: bool = _DRY_RUN,
    plain: bool = _PLAIN,
    as_json: bool = _JSON,
) -> None:
    """Stage 2: teach an aligned model to follow instructions, from chats about pictures.

    \b
    Examples:
      instructgen finetune --data out/chats --model runs/stage1 --out runs/stage2
      instructgen finetune --data out/chats --model runs/stage1 --recipe llava15-stage2-lora --out runs/stage2
      instructgen finetune --data out/chats --model runs/stage1 --out runs/stage2 --set rows.batch=16

    \b
    Ctrl-C, going on, what a run leaves and exit codes are as those of `instructgen pretrain`.
    """
    with told_as_json(as_json=as_json and _speaks(), stopped=_STOPPED):
        _check_packages()
        options = _make_options("finetune", data, out, *_read_recipe(recipe, assignments, steps))
        options = _change(options, split, images, device, cache_features)
        options = replace(options, model=model)
        _act(options, dry_run=dry_run, plain=plain, as_json=as_json)


def _speaks() -> bool:
    """Return whether this is the process that tells of the run, of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "safetensors", "matplotlib") if find_spec(name) is None]
    if missing:
        raise InstructgenError(f"training needs {', '.join(missing)}: pip install 'instructgen[train]'")


def _read_recipe(name: str, assignments: list[str], steps: int | None) -> tuple["Recipe", dict[str, str]]:
    """Return the recipe, and where its values come from."""
    from instructgen.cli.pipelines import find_recipe
    from instructgen.train.overrides import apply_overrides
    from instructgen.train.recipe import make_recipe, read_table
    from instructgen.train.recipe_notes import read_notes

    path = find_recipe(name)
    if steps is not None:
        assignments = [*assignments, f"train.steps={steps}"]
    where = f"{path} with {', '.join(assignments)}" if assignments else str(path)
    recipe = make_recipe(apply_overrides(read_table(path), assignments), where)
    return recipe, read_notes(path.read_text(encoding="utf-8"), assignments)


def _make_options(stage: "Stage", data: str, out: Path, recipe: "Recipe", notes: dict[str, str]) -> "TrainingOptions":
    from instructgen.jobs.training_parts import TrainingOptions

    return TrainingOptions(stage=stage, recipe=recipe, data=data, out=out, recipe_notes=notes)


def _change(
    options: "TrainingOptions", split: str, images: Path | None, device: str, cache_features: Path | None
) -> "TrainingOptions":
    return replace(options, split=split, image_folder=images, device=device, feature_folder=cache_features)


def _act(options: "TrainingOptions", *, dry_run: bool, plain: bool, as_json: bool) -> None:
    from instructgen.cli.training_progress import TrainingProgress

    if dry_run:
        from instructgen.jobs.training_plan import plan_training

        plan = plan_training(options)
        typer.echo(json.dumps(plan.to_table()) if as_json else "\n".join(plan.describe()))
        return
    from instructgen.jobs.training import train

    result = train(options, TrainingProgress(is_live=sys.stderr.isatty() and not plain and not as_json))
    if not result.is_first:
        return
    if as_json:
        typer.echo(json.dumps(_summarise(result)))
    else:
        _tell(result)


def _summarise(result: "TrainingResult") -> dict[str, Any]:
    import msgspec

    record, progress = result.record, result.progress
    return {
        "out": str(result.model_folder.parent),
        "model": str(result.model_folder),
        "stage": record.identity.stage,
        "data": record.data,
        "run_sha256": record.identity.sha256,
        "steps": progress.num_steps,
        "samples": progress.num_samples,
        "tokens": progress.num_tokens,
        "loss": result.loss,
        "seconds": round(progress.seconds, 3),
        "was_finished": result.was_finished,
        "examples": msgspec.to_builtins(record.examples),
        "parameters": msgspec.to_builtins(record.parameters),
    }


def _tell(result: "TrainingResult") -> None:
    from instructgen.report.names import REPORT_NAME

    run = result.model_folder.parent
    if result.was_finished:
        typer.echo(f"{run} was finished: {result.progress.num_steps} steps; its model is {result.model_folder}")
        return
    summary = result.record.examples
    loss = "" if result.loss is None else f", loss {result.loss:.4f} at the end"
    done = result.progress
    typer.echo(f"{done.num_steps} steps over {done.num_samples:,} samples in {done.seconds:.1f} s{loss}")
    for reason, count in summary.skipped.items():
        typer.echo(f"  rows left out: {count} x {reason} (as {', '.join(summary.skipped_ids[reason][:2])})")
    if summary.answers_cut:
        typer.echo(f"  answers that were cut at rows.max_tokens: {summary.answers_cut}")
    typer.echo(f"model:   {result.model_folder}")
    typer.echo(f"curves:  {run / 'loss.svg'}, {run / 'metrics.jsonl'}")
    typer.echo(f"report:  {run / REPORT_NAME}")
