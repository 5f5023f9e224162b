"""`instructgen pretrain` and `finetune`: from samples and a recipe to a model's folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import torch

import instructgen
from instructgen.errors import InstructgenError
from instructgen.jobs.training_features import PictureSource, RowSource, cache_features
from instructgen.jobs.training_guard import run_guarded
from instructgen.jobs.training_parts import (
    Data,
    StartingModel,
    TrainingOptions,
    check_stage,
    load_data,
    make_picture_loader,
    start_model,
)
from instructgen.jobs.training_plan import make_workload
from instructgen.jobs.training_told import leave_report, recorded
from instructgen.models.counts import count_parameters
from instructgen.models.folder import Notes, find_model, read_card, save_model
from instructgen.models.memory import estimate_memory
from instructgen.models.vlm import part_of
from instructgen.report.names import REPORT_NAME
from instructgen.train.checkpoint import CheckpointFolder, Progress
from instructgen.train.course import Course, count_learned_of
from instructgen.train.distributed import Ranks, shard
from instructgen.train.feed import RowFeed
from instructgen.train.loop import Samples, Trainer
from instructgen.train.mixture import Examples, MixedCourse, make_course, make_weights
from instructgen.train.optim import make_optimiser
from instructgen.train.packed import PackedRow
from instructgen.train.packing import PaddedBatch, pack, pad
from instructgen.train.prepare import find_blocks, trained_parameters
from instructgen.train.recipe_notes import find_note
from instructgen.train.rows import Row
from instructgen.train.run_facts import RunFacts
from instructgen.train.run_folder import (
    CHECKPOINTS_NAME,
    EXAMPLES_NAME,
    MODEL_NAME,
    RunRecord,
    enter_run,
    make_identity,
    to_table,
)
from instructgen.train.seq2seq import PairBatch, make_form, make_objective, pad_pairs
from instructgen.train.shards_ahead import find_strain, look_ahead
from instructgen.train.stop import StopSignals
from instructgen.train.tell import Teller
from instructgen.train.watch import TrainWatch

_KEPT_KEY = "model.vision.aspect"  # stays the recipe's (keep_aspect)
_PACKAGES = ("torch", "transformers", "safetensors", "numpy")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """`loss` is the last step's; None where an earlier run had taken it. `progress` is of all runs in the folder."""

    model_folder: Path
    record: RunRecord
    progress: Progress
    loss: float | None
    was_finished: bool
    is_first: bool = True
    """Whether this process is the one that tells of it."""


def train(options: TrainingOptions, watch: TrainWatch) -> TrainingResult:
    """Train in options.out, or go on there.

    Raises RunLockedError, RunStoppedError (continue by running again) and InstructgenError.
    """
    check_stage(options)
    with _compiler_told(options):
        return run_guarded(
            options.out, options.device, watch, lambda ranks, stop: _train(options, watch, ranks, stop)
        )


def _train(options: TrainingOptions, watch: TrainWatch, ranks: Ranks, stop: StopSignals) -> TrainingResult:
    start = start_model(options, ranks.device if ranks.mesh is None else torch.device("cpu"))
    recipe = start.recipe
    data = load_data(options, start.tokenizer, start.model, cache=options.out / EXAMPLES_NAME)
    course = make_course(data.examples, recipe, ranks.count)
    record = _make_record(options, start, data, course, ranks)
    checkpoints: CheckpointFolder | None = None
    if ranks.is_first:
        if options.stage == "finetune" and not (options.model or recipe.model.connector.name):
            watch.say("the connector begins untrained; --model takes that of an earlier run")
        enter_run(options.out, record)
        folder = options.out / CHECKPOINTS_NAME
        checkpoints = CheckpointFolder(folder, record.identity.sha256, recipe.saving.keep_last, watch.say)
        checkpoints.remove_rest()
    finished = ranks.tell_all(_find_finished(options.out, record) if ranks.is_first else None)
    if finished is not None:
        if ranks.is_first and not (options.out / REPORT_NAME).is_file():
            leave_report(options.out, watch.say)
        return _make_result(options, record, finished, ranks)
    source = _make_row_source(start, data.examples, course)
    if options.feature_folder is None:
        pictures = PictureSource(make_picture_loader(data.examples, start.reader), ahead=look_ahead(data.examples))
        if ranks.is_first and (strain := find_strain(data.examples, recipe.rows.mixed_shards)):
            watch.say(strain)
    else:
        pictures = cache_features(start, source, options.feature_folder, ranks, watch.say)
    trainer = _make_trainer(start, source, pictures, ranks, checkpoints)
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
    return replace(_make_result(options, record, trainer.progress, ranks), loss=loss, was_finished=False)


def _make_result(options: TrainingOptions, record: RunRecord, progress: Progress, ranks: Ranks) -> TrainingResult:
    """Return the result of a run that had nothing to do any more."""
    return TrainingResult(
        model_folder=options.out / MODEL_NAME,
        record=record,
        progress=progress,
        loss=None,
        was_finished=True,
        is_first=ranks.is_first,
    )


def _make_trainer(
    start: StartingModel,
    source: RowSource,
    pictures: PictureSource,
    ranks: Ranks,
    checkpoints: CheckpointFolder | None,
) -> Trainer:
    recipe, examples = start.recipe, source.examples
    objective = make_objective(start.model, pictures.embed)
    shard(objective, lambda: find_blocks(start.model), ranks, recipe.train.sharded_over)
    parameters = trained_parameters(objective, "model.")
    return Trainer(
        objective=objective,
        parameters=parameters,
        optimiser=make_optimiser(parameters, part_of, recipe.optim),
        recipe=recipe,
        course=source.course,
        feed=RowFeed(source.make_row, pictures.load, ahead=pictures.ahead),
        samples=Samples(
            examples.sample_ids, count_learned_of(examples), source.learned_in, make_weights(examples, recipe)
        ),
        ranks=ranks,
        checkpoints=checkpoints,
    )


def _make_row_source(start: StartingModel, examples: Examples, course: Course | MixedCourse) -> RowSource:
    recipe, tokens_per_image = start.recipe, examples.tokens_per_image
    if start.model.is_seq2seq:
        seed, prefix_lm = recipe.train.seed, recipe.rows.prefix_lm
        form = make_form(start.model, start.tokenizer, prefix_lm=prefix_lm, seed=seed)

        def make_pairs(epoch: int, row: Row) -> PairBatch:
            return pad_pairs(examples, row, tokens_per_image, form, epoch)

        return RowSource(
            examples, course, make_pairs, lambda number, epoch: form.count_learned(examples[number], epoch)
        )

    def make_row(_epoch: int, row: Row) -> PackedRow | PaddedBatch:
        return (pack if recipe.rows.packing else pad)(examples, row, examples.tokens_per_image)

    return RowSource(examples, course, make_row)


def run_steps(out: Path, trainer: Trainer, record: RunRecord, watch: TrainWatch, stop: StopSignals) -> float | None:
    """Return the loss of the last step; None where only the model was not saved yet."""
    num_done = trainer.progress.num_steps
    if not trainer.ranks.is_first:
        trainer.run(stop, lambda _report: None)
        return None
    if num_done:
        watch.say(f"goes on after step {num_done}")
    with Teller(out, trainer.recipe, record.recipe, watch, num_done) as teller:
        watch.begin(len(trainer.course), num_done)
        try:
            trainer.run(stop, teller.tell)
        finally:
            watch.end()
        return None if teller.last is None else teller.last.loss


def make_provenance(record: RunRecord, progress: Progress) -> dict[str, Any]:
    """Return what a model's folder says of the run that made it."""
    return {
        "run_sha256": record.identity.sha256,
        "data": record.data,
        "data_version": record.identity.data,
        "examples_sha256": record.identity.examples_sha256,
        "progress": msgspec.to_builtins(progress),
        "versions": record.versions,
    }


def read_progress(provenance: Mapping[str, Any], record: RunRecord) -> Progress | None:
    """Return how far the run came, by what `make_provenance` said; None where another run made the model."""
    if provenance.get("run_sha256") != record.identity.sha256:
        return None
    return msgspec.convert(provenance["progress"], Progress)


def take_last_weights(model: torch.nn.Module, trainer: Trainer) -> None:
    """Fill what trained of a whole model from the last checkpoint."""
    assert trainer.checkpoints is not None
    checkpoint = trainer.checkpoints.load_last()
    assert checkpoint is not None
    with torch.no_grad():
        for name, parameter in trained_parameters(model).items():
            parameter.copy_(checkpoint.weights[name])


def list_versions() -> dict[str, str]:
    """Return the versions of what a run computes with."""
    return {"instructgen": instructgen.__version__, **{name: version(name) for name in _PACKAGES}}


def _find_finished(out: Path, record: RunRecord) -> Progress | None:
    """Return how far the run came whose model is in the folder; None without one, or with another run's."""
    try:
        told = read_card(find_model(out / MODEL_NAME)).provenance
    except InstructgenError:
        return None
    return read_progress(told, record)


def _save(options: TrainingOptions, start: StartingModel, trainer: Trainer, record: RunRecord) -> None:
    """Write the model's folder. What was spread over processes is put together again from the last checkpoint."""
    model = start.model
    if trainer.ranks.mesh is not None:
        model = start_model(options, torch.device("cpu")).model
        take_last_weights(model, trainer)
    save_model(
        model,
        start.recipe.model,
        options.out / MODEL_NAME,
        tokenizer=start.tokenizer,
        template=start.recipe.template,
        notes=Notes(trained=start.trained, stage=record.recipe, provenance=make_provenance(record, trainer.progress)),
    )


def _make_record(
    options: TrainingOptions, start: StartingModel, data: Data, course: Course | MixedCourse, ranks: Ranks
) -> RunRecord:
    identity = make_identity(
        options.stage, start.recipe, data.identity, data.examples_sha256, num_steps=course.num_steps
    )
    return RunRecord(
        identity=identity,
        recipe=to_table(start.recipe),
        data=data.place,
        examples=data.examples.summary,
        parameters=count_parameters(start.model),
        versions=list_versions(),
        device=str(ranks.device),
        num_processes=ranks.count,
        facts=_make_facts(options, start, data, ranks),
    )


def _make_facts(options: TrainingOptions, start: StartingModel, data: Data, ranks: Ranks) -> RunFacts:
    notes = options.recipe_notes
    if options.model is not None:
        kept = find_note(notes, _KEPT_KEY)
        notes = {key: note for key, note in notes.items() if not key.startswith("model.")}
        notes |= {"model": "the model that it began with", _KEPT_KEY: kept}
    memory = estimate_memory(start.model, make_workload(start.recipe, ranks.count))
    return RunFacts(notes, data.facts, memory)


@contextmanager
def _compiler_told(options: TrainingOptions) -> Iterator[None]:
    """Tell of a compiler that fails, which it does in the first step."""
    if not options.recipe.train.compile:
        yield
        return
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        reason = str(error).strip().partition("\n")[0]
        raise InstructgenError(f"torch.compile failed: {reason}; set train.compile to false") from error
