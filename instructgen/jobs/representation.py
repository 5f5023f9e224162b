"""`instructgen pretrain` with a recipe of BLIP-2's first stage: from pairs to a Q-Former's folder."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from instructgen.dataset.reading.shard_cache import ShardCache, make_shard_cache
from instructgen.errors import InstructgenError
from instructgen.jobs.training import (
    TrainingResult,
    list_versions,
    make_provenance,
    read_progress,
    run_steps,
    take_last_weights,
)
from instructgen.jobs.training_guard import run_guarded
from instructgen.jobs.training_parts import hash_examples
from instructgen.jobs.training_told import leave_report, recorded
from instructgen.models.blip2.build import build_representation, make_representation_reader
from instructgen.models.blip2.counts import count_representation, estimate_representation_memory
from instructgen.models.blip2.folder import find_representation, read_representation_card, save_representation
from instructgen.models.blip2.model import Representation, representation_part_of
from instructgen.models.folder import Notes
from instructgen.models.memory import Memory
from instructgen.models.pictures import PictureReader
from instructgen.report.names import REPORT_NAME
from instructgen.train.augment import AugmentedReader
from instructgen.train.checkpoint import CheckpointFolder, Progress
from instructgen.train.distributed import Ranks, shard
from instructgen.train.example_rows import open_source
from instructgen.train.examples import encode_source
from instructgen.train.feed import RowFeed
from instructgen.train.loop import Samples, Trainer
from instructgen.train.optim import make_optimiser
from instructgen.train.prepare import trained_parameters
from instructgen.train.representation import RepresentationObjective
from instructgen.train.representation_data import CaptionEncoder, PairCourse, PairSet, read_view
from instructgen.train.representation_recipe import RepresentationRecipe
from instructgen.train.run_facts import DataFacts, RunFacts, describe_data
from instructgen.train.run_folder import (
    CHECKPOINTS_NAME,
    EXAMPLES_NAME,
    MODEL_NAME,
    RunRecord,
    enter_run,
    make_identity,
    to_table,
)
from instructgen.train.shards_ahead import look_ahead_of_pictures
from instructgen.train.stop import StopSignals
from instructgen.train.watch import TrainWatch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# B pictures of a process, C channels, H height, W width

STAGE = "representation"


@dataclass(frozen=True, slots=True)
class RepresentationOptions:
    """A run, as it is asked for."""

    recipe: RepresentationRecipe
    data: str
    out: Path
    split: str = "train"
    image_folder: Path | None = None
    device: str = "auto"
    recipe_notes: dict[str, str] = field(default_factory=dict)
    """Where the recipe's values come from (read_notes), for the report."""
    shard_cache: ShardCache = field(default_factory=make_shard_cache)
    """Where shards of an object store are kept."""


@dataclass(frozen=True, slots=True)
class Starting:
    model: Representation
    tokenizer: "PreTrainedTokenizerBase"
    reader: PictureReader


@dataclass(frozen=True, slots=True)
class PairData:
    """`identity` changes with the rows, `sha256` also with how they are encoded."""

    place: str
    identity: str
    pairs: PairSet
    sha256: str
    facts: DataFacts


def train_representation(options: RepresentationOptions, watch: TrainWatch) -> TrainingResult:
    """Train in options.out, or go on there.

    Raises RunLockedError, RunStoppedError (continue by running again) and InstructgenError.
    """
    return run_guarded(options.out, options.device, watch, lambda ranks, stop: _train(options, watch, ranks, stop))


def _train(options: RepresentationOptions, watch: TrainWatch, ranks: Ranks, stop: StopSignals) -> TrainingResult:
    recipe = options.recipe
    start = start_representation(recipe, ranks.device if ranks.mesh is None else torch.device("cpu"))
    data = load_pairs(options, start.tokenizer, ranks.count, cache=options.out / EXAMPLES_NAME)
    course = PairCourse(len(data.pairs), recipe, ranks.count)
    record = _make_record(options, start, data, course, ranks)
    checkpoints: CheckpointFolder | None = None
    if ranks.is_first:
        enter_run(options.out, record)
        folder = options.out / CHECKPOINTS_NAME
        checkpoints = CheckpointFolder(folder, record.identity.sha256, recipe.saving.keep_last, watch.say)
        checkpoints.remove_rest()
    finished = ranks.tell_all(_find_finished(options.out, record) if ranks.is_first else None)
    if finished is not None:
        if ranks.is_first and not (options.out / REPORT_NAME).is_file():
            leave_report(options.out, watch.say)
        return _make_result(options, record, finished, ranks, was_finished=True)
    trainer = _make_trainer(start, data.pairs, course, recipe, ranks, checkpoints)
    try:
        trainer.resume()
        with recorded(options.out, trainer, record, watch.say):
            with stop.while_stepping():
                loss = run_steps(options.out, trainer, record, watch, stop)
            if checkpoints is not None:
                _save(options, start, trainer, record)
    finally:
        if checkpoints is not None:
            checkpoints.close()
    result = _make_result(options, record, trainer.progress, ranks, was_finished=False)
    return replace(result, loss=loss)


def _make_result(
    options: RepresentationOptions, record: RunRecord, progress: Progress, ranks: Ranks, *, was_finished: bool
) -> TrainingResult:
    return TrainingResult(
        model_folder=options.out / MODEL_NAME,
        record=record,
        progress=progress,
        loss=None,
        was_finished=was_finished,
        is_first=ranks.is_first,
    )


def start_representation(recipe: RepresentationRecipe, device: torch.device) -> Starting:
    """Return the model that the stage begins with: what trains in float32, the tower as the recipe computes."""
    dtype = torch.bfloat16 if recipe.train.dtype == "bfloat16" else torch.float32
    model, tokenizer = build_representation(recipe.model, dtype=dtype)
    reader = make_representation_reader(recipe.model, model)
    model.freeze_tower()
    for module in model.vision.modules():
        # BatchNorm's running means stay float32, and a CPU wants its weights to be like them.
        if not isinstance(module, torch.nn.modules.batchnorm._BatchNorm):  # noqa: SLF001  torch has no public name
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.to(dtype)
    model.recomputes = recipe.train.gradient_checkpointing
    model.to(device).train()
    return Starting(model, tokenizer, reader)


def load_pairs(
    options: RepresentationOptions,
    tokenizer: "PreTrainedTokenizerBase",
    num_ranks: int = 1,
    *,
    cache: Path | None = None,
) -> PairData:
    """Return the pictures with their captions, and what identifies them; `cache` keeps them for the next time."""
    recipe = options.recipe
    encoder = CaptionEncoder(tokenizer, recipe.model.qformer.num_queries, recipe.rows.text_tokens)
    source = open_source(options.data, options.split, options.shard_cache)
    examples = encode_source(source, encoder, image_folder=options.image_folder, cache=cache)
    pairs = PairSet(examples, encoder, recipe.train.seed, num_ranks)
    return PairData(
        source.place, source.identity, pairs, hash_examples(examples), describe_data(source, options.split)
    )


def make_view_loader(
    pairs: PairSet, reader: PictureReader, recipe: RepresentationRecipe
) -> Callable[[tuple[str, ...]], Tensor]:
    """Return what reads pixels [B, 3, H, W] of views, as the recipe augments them."""
    augmented = AugmentedReader(reader, recipe.augment, recipe.train.seed)

    def read(view: str) -> Tensor:
        epoch, number = read_view(view)
        key = pairs.key_of(number)
        try:
            return augmented.read(pairs.examples.picture_bytes(key), key, epoch)
        except InstructgenError as error:
            raise InstructgenError(f"picture {key}: {error}") from None

    return lambda views: torch.stack([read(view) for view in views])


def estimate(recipe: RepresentationRecipe, model: Representation, batch: int, num_processes: int = 1) -> Memory:
    return estimate_representation_memory(
        model,
        -(-batch // num_processes),
        recipe.rows.text_tokens,
        in_bfloat16=recipe.train.dtype == "bfloat16",
        recomputes=recipe.train.gradient_checkpointing,
        num_processes=num_processes,
    )


def _make_trainer(
    start: Starting,
    pairs: PairSet,
    course: PairCourse,
    recipe: RepresentationRecipe,
    ranks: Ranks,
    checkpoints: CheckpointFolder | None,
) -> Trainer:
    objective = RepresentationObjective(start.model, recipe.losses, pairs.encoder.decode, ranks)
    # Layers run in several passes of a step, so that none is brought together by itself.
    shard(objective, list, ranks, recipe.train.sharded_over)
    parameters = trained_parameters(objective, "model.")
    return Trainer(
        objective=objective,
        parameters=parameters,
        optimiser=make_optimiser(parameters, representation_part_of, recipe.optim),
        recipe=recipe,
        course=course,
        feed=RowFeed(
            pairs.make_batch,
            make_view_loader(pairs, start.reader, recipe),
            ahead=look_ahead_of_pictures(pairs.examples.pictures),
        ),
        samples=Samples(pairs.examples.pictures.keys, np.broadcast_to(np.int64(1), (len(pairs),))),
        ranks=ranks,
        checkpoints=checkpoints,
        take_parts=objective.take_parts,
    )


def _find_finished(out: Path, record: RunRecord) -> Progress | None:
    """Return how far the run came whose model is in the folder; None without one, or with another run's."""
    folder = find_representation(out / MODEL_NAME)
    if folder is None:
        return None
    try:
        told = read_representation_card(folder).provenance
    except InstructgenError:
        return None
    return read_progress(told, record)


def _save(options: RepresentationOptions, start: Starting, trainer: Trainer, record: RunRecord) -> None:
    """Write the model's folder. What was spread over processes is put together again from the last checkpoint."""
    model, recipe = start.model, options.recipe
    if trainer.ranks.mesh is not None:
        model = start_representation(recipe, torch.device("cpu")).model
        take_last_weights(model, trainer)
    save_representation(
        model,
        recipe.model,
        options.out / MODEL_NAME,
        tokenizer=start.tokenizer,
        max_text_tokens=recipe.rows.text_tokens,
        notes=Notes(stage=record.recipe, provenance=make_provenance(record, trainer.progress)),
    )


def _make_record(
    options: RepresentationOptions, start: Starting, data: PairData, course: PairCourse, ranks: Ranks
) -> RunRecord:
    recipe = options.recipe
    identity = make_identity(STAGE, recipe, data.identity, data.sha256, num_steps=course.num_steps)
    return RunRecord(
        identity=identity,
        recipe=to_table(recipe),
        data=data.place,
        examples=data.pairs.examples.summary,
        parameters=count_representation(start.model),
        versions=list_versions(),
        device=str(ranks.device),
        num_processes=ranks.count,
        facts=RunFacts(options.recipe_notes, data.facts, estimate(recipe, start.model, course.batch, ranks.count)),
    )
