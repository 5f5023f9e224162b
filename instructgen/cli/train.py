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
    from instructgen.dataset.reading.shard_cache import ShardCache
    from instructgen.jobs.representation import RepresentationOptions
    from instructgen.jobs.representation_plan import RepresentationPlan
    from instructgen.jobs.training import TrainingResult
    from instructgen.jobs.training_parts import Stage, TrainingOptions
    from instructgen.jobs.training_plan import TrainingPlan
    from instructgen.train.recipe import Recipe
    from instructgen.train.representation_recipe import RepresentationRecipe
    from instructgen.train.watch import TrainWatch

_STOPPED = "stopped; the same command goes on from the last checkpoint"
_DATA = typer.Option(
    help="Dataset: STORE (a folder or s3://...), STORE@TAG, a version's folder, or a .parquet or .jsonl file."
)
_OUT = typer.Option(help="The run's folder; the same command goes on in it.")
_SET = typer.Option([], "--set", help="A key of the recipe, as optim.learning_rate=1e-4; may be given again.")
_STEPS = typer.Option(None, min=1, help="So many steps, instead of what the recipe says.")
_SPLIT = typer.Option("train", help="The split to train on.")
_IMAGES = typer.Option(None, help="Folder of the pictures, where the rows name them by path.")
_DEVICE = typer.Option("auto", help="cpu, cuda or cuda:N.  [default: a GPU where there is one]")
_CACHE = typer.Option(None, "--cache-features", help="Folder for what a frozen vision tower makes of each picture.")
_SHARDS = typer.Option(
    None, "--shard-cache", help="Folder for shards of data in an object store.  [default: in the user's cache]"
)
_SHARDS_GIB = typer.Option(
    None, "--shard-cache-gib", min=0.01, help="The most it holds.  [default: half of what the disk has left]"
)
_ALSO = typer.Option(
    [], "--also", metavar="NAME=DATA", help="A dataset of the recipe's [[mixture]]; may be given again."
)
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
    shard_cache: Path | None = _SHARDS,
    shard_cache_gib: float | None = _SHARDS_GIB,
    also: list[str] = _ALSO,
    dry_run: bool = _DRY_RUN,
    plain: bool = _PLAIN,
    as_json: bool = _JSON,
) -> None:
    """Stage 1: align the connector of a vision tower and a language model, both frozen.

    With a recipe of BLIP-2's first stage a Q-Former learns from pairs, and there is no language model yet.

    \b
    Examples:
      instructgen pretrain --data out/pairs --out runs/stage1
      instructgen pretrain --data out/pairs --recipe llava15-stage1 --out runs/stage1 --dry-run
      instructgen pretrain --data out/pairs --out runs/stage1 --set optim.learning_rate=2e-3 --steps 500
      instructgen pretrain --data out/pairs --recipe blip2-stage1 --out runs/blip2-stage1
      torchrun --nproc-per-node 8 -m instructgen pretrain --data out/pairs --recipe llava-stage1 --out runs/stage1

    \b
    Ctrl-C ends the run after the step, with a checkpoint; a second one at once. The same command goes on from the
    last checkpoint, to the same weights. The model is RUN/model, what became of the run RUN/report.html.
    Exit codes: 0 done, 2 wrong use or bad input, 3 stopped (run the same command again).
    """
    with told_as_json(as_json=as_json and _speaks(), stopped=_STOPPED):
        _check_packages()
        from instructgen.train.representation_recipe import RepresentationRecipe

        made, notes = _read_recipe(recipe, assignments, steps)
        options: TrainingOptions | RepresentationOptions
        if isinstance(made, RepresentationRecipe):
            if also:
                raise InstructgenError("--also is not for BLIP-2's first stage, which learns from one dataset")
            options = _make_representation(data, out, made, notes, cache_features)
            options = replace(options, split=split, image_folder=images, device=device)
        else:
            options = _change(
                _make_options("pretrain", data, out, made, notes), split, images, device, cache_features
            )
            options = replace(options, also=_read_also(also))
        options = replace(options, shard_cache=_make_shard_cache(shard_cache, shard_cache_gib))
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
    shard_cache: Path | None = _SHARDS,
    shard_cache_gib: float | None = _SHARDS_GIB,
    also: list[str] = _ALSO,
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
      instructgen finetune --data s3://bucket/chats@v1 --model runs/stage1 --out runs/stage2 --shard-cache /scratch

    \b
    Ctrl-C, going on, what a run leaves and exit codes are as those of `instructgen pretrain`.
    """
    with told_as_json(as_json=as_json and _speaks(), stopped=_STOPPED):
        _check_packages()
        from instructgen.train.representation_recipe import RepresentationRecipe

        made, notes = _read_recipe(recipe, assignments, steps)
        if isinstance(made, RepresentationRecipe):
            raise InstructgenError(
                f"{recipe} is BLIP-2's first stage, without a language model: `instructgen pretrain`"
            )
        options = _make_options("finetune", data, out, made, notes)
        options = _change(options, split, images, device, cache_features)
        options = replace(options, model=model, also=_read_also(also))
        options = replace(options, shard_cache=_make_shard_cache(shard_cache, shard_cache_gib))
        _act(options, dry_run=dry_run, plain=plain, as_json=as_json)


def _read_also(also: list[str]) -> dict[str, str]:
    """Return where the datasets of a mixture are, by name."""
    found: dict[str, str] = {}
    for each in also:
        name, equals, place = each.partition("=")
        if not name or not equals or not place or name in found:
            raise InstructgenError(f"--also {each}: give NAME=DATA, each name once")
        found[name] = place
    return found


def _make_shard_cache(folder: Path | None, gib: float | None) -> "ShardCache":
    from instructgen.dataset.reading.shard_cache import make_shard_cache

    return make_shard_cache(folder, None if gib is None else int(gib * (1 << 30)))


def _speaks() -> bool:
    """Return whether this is the process that tells of the run, of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "safetensors", "matplotlib") if find_spec(name) is None]
    if missing:
        raise InstructgenError(f"training needs {', '.join(missing)}: pip install 'instructgen[train]'")


def _read_recipe(
    name: str, assignments: list[str], steps: int | None
) -> tuple["Recipe | RepresentationRecipe", dict[str, str]]:
    """Return the recipe, of whichever kind, and where its values come from."""
    from instructgen.cli.pipelines import find_recipe
    from instructgen.train.overrides import apply_overrides
    from instructgen.train.recipe import make_recipe, read_table
    from instructgen.train.recipe_notes import read_notes
    from instructgen.train.representation_recipe import (
        RepresentationRecipe,
        is_representation,
        make_representation_recipe,
    )

    path = find_recipe(name)
    if steps is not None:
        assignments = [*assignments, f"train.steps={steps}"]
    where = f"{path} with {', '.join(assignments)}" if assignments else str(path)
    table = read_table(path)
    notes = read_notes(path.read_text(encoding="utf-8"), assignments)
    if is_representation(table):
        return make_representation_recipe(apply_overrides(table, assignments, RepresentationRecipe), where), notes
    return make_recipe(apply_overrides(table, assignments), where), notes


def _make_representation(
    data: str, out: Path, recipe: "RepresentationRecipe", notes: dict[str, str], cache_features: Path | None
) -> "RepresentationOptions":
    from instructgen.jobs.representation import RepresentationOptions

    if cache_features is not None:
        raise InstructgenError("--cache-features is not for BLIP-2's first stage, which sees pictures anew each time")
    return RepresentationOptions(recipe=recipe, data=data, out=out, recipe_notes=notes)


def _make_options(stage: "Stage", data: str, out: Path, recipe: "Recipe", notes: dict[str, str]) -> "TrainingOptions":
    from instructgen.jobs.training_parts import TrainingOptions

    return TrainingOptions(stage=stage, recipe=recipe, data=data, out=out, recipe_notes=notes)


def _change(
    options: "TrainingOptions", split: str, images: Path | None, device: str, cache_features: Path | None
) -> "TrainingOptions":
    return replace(options, split=split, image_folder=images, device=device, feature_folder=cache_features)


def _act(options: "TrainingOptions | RepresentationOptions", *, dry_run: bool, plain: bool, as_json: bool) -> None:
    from instructgen.cli.training_progress import TrainingProgress

    if dry_run:
        plan = _plan(options)
        if _speaks():
            typer.echo(json.dumps(plan.to_table()) if as_json else "\n".join(plan.describe()))
        return
    result = _train(options, TrainingProgress(is_live=sys.stderr.isatty() and not plain and not as_json))
    if not result.is_first:
        return
    if as_json:
        typer.echo(json.dumps(_summarise(result)))
    else:
        _tell(result)


def _plan(options: "TrainingOptions | RepresentationOptions") -> "TrainingPlan | RepresentationPlan":
    from instructgen.jobs.training_parts import TrainingOptions

    if isinstance(options, TrainingOptions):
        from instructgen.jobs.training_plan import plan_training

        return plan_training(options)
    from instructgen.jobs.representation_plan import plan_representation

    return plan_representation(options)


def _train(options: "TrainingOptions | RepresentationOptions", watch: "TrainWatch") -> "TrainingResult":
    from instructgen.jobs.training_parts import TrainingOptions

    if isinstance(options, TrainingOptions):
        from instructgen.jobs.training import train

        return train(options, watch)
    from instructgen.jobs.representation import train_representation

    return train_representation(options, watch)


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
