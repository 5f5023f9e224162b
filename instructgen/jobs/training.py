"""`instructgen pretrain` and `finetune`: from samples and a recipe to a model's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import nn

import instructgen
from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.jobs.training_parts import (
    Data,
    StartingModel,
    TrainingOptions,
    check_stage,
    load_data,
    make_picture_loader,
    start_model,
)
from instructgen.models.counts import count_parameters
from instructgen.models.folder import Notes, find_model, read_card, save_model
from instructgen.models.vlm import part_of
from instructgen.train.checkpoint import CheckpointFolder
from instructgen.train.course import Course, count_learned_of
from instructgen.train.distributed import Ranks, join_ranks, shard
from instructgen.train.feed import RowFeed
from instructgen.train.loop import Samples, Trainer
from instructgen.train.objective import Objective
from instructgen.train.optim import make_optimiser
from instructgen.train.packed import PackedRow
from instructgen.train.packing import PaddedBatch, pack, pad
from instructgen.train.prepare import find_blocks, trained_parameters
from instructgen.train.rows import Row, measure
from instructgen.train.run_folder import (
    CHECKPOINTS_NAME,
    LOCK_NAME,
    MODEL_NAME,
    RunRecord,
    enter_run,
    make_identity,
    to_table,
)
from instructgen.train.stop import StopSignals
from instructgen.train.tell import Teller
from instructgen.train.watch import TrainWatch

_PACKAGES = ("torch", "transformers", "safetensors", "numpy")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """`loss` is the last step's; None where an earlier run had finished. `seconds` are of all runs in the folder."""

    model_folder: Path
    record: RunRecord
    num_steps: int
    num_samples: int
    num_tokens: int
    seconds: float
    loss: float | None
    was_finished: bool
    is_first: bool = True
    """Whether this process is the one that tells of it."""


def train(options: TrainingOptions, watch: TrainWatch) -> TrainingResult:
    """Train in options.out, or go on there.

    Raises RunLockedError, RunStoppedError (continue by running again) and InstructgenError.
    """
    check_stage(options)
    with join_ranks(options.device) as ranks, _locked(options.out, ranks), _compiler_told(options):
        try:
            return _train(options, watch, ranks)
        except KeyboardInterrupt:
            raise RunStoppedError("stopped at once; the same command goes on from the last checkpoint") from None


def _train(options: TrainingOptions, watch: TrainWatch, ranks: Ranks) -> TrainingResult:
    start = start_model(options, ranks.device if ranks.mesh is None else torch.device("cpu"))
    recipe, tokens_per_image = start.recipe, start.model.tokens_per_image
    data = load_data(options, start.tokenizer, tokens_per_image, recipe.rows.max_tokens)
    course = Course(measure(data.examples, tokens_per_image), recipe, ranks.count)
    record = _make_record(options, start, data, course, ranks)
    checkpoints: CheckpointFolder | None = None
    if ranks.is_first:
        enter_run(options.out, record)
        folder = options.out / CHECKPOINTS_NAME
        checkpoints = CheckpointFolder(folder, record.identity.sha256, recipe.saving.keep_last, watch.say)
        checkpoints.remove_rest()
    trainer = _make_trainer(start, data, course, ranks, checkpoints)
    trainer.resume()
    was_finished = ranks.tell_all(_is_finished(options.out, trainer, record))
    loss = None if was_finished else _run_steps(options.out, trainer, record, watch)
    if checkpoints is not None and not was_finished:
        _save(options, start, trainer, record)
    done = trainer.progress
    return TrainingResult(
        model_folder=options.out / MODEL_NAME,
        record=record,
        num_steps=done.num_steps,
        num_samples=done.num_samples,
        num_tokens=done.num_tokens,
        seconds=done.seconds,
        loss=loss,
        was_finished=was_finished,
        is_first=ranks.is_first,
    )


def _make_trainer(
    start: StartingModel, data: Data, course: Course, ranks: Ranks, checkpoints: CheckpointFolder | None
) -> Trainer:
    recipe, examples = start.recipe, data.examples
    objective: nn.Module = Objective(start.model)
    shard(objective, lambda: find_blocks(start.model), ranks)
    parameters = trained_parameters(objective, "model.")

    def make_row(row: Row) -> PackedRow | PaddedBatch:
        return (pack if recipe.rows.packing else pad)(examples, row, examples.tokens_per_image)

    return Trainer(
        objective=objective,
        parameters=parameters,
        optimiser=make_optimiser(parameters, part_of, recipe.optim),
        recipe=recipe,
        course=course,
        feed=RowFeed(make_row, make_picture_loader(examples, start.reader)),
        samples=Samples(examples.sample_ids, count_learned_of(examples)),
        ranks=ranks,
        checkpoints=checkpoints,
    )


def _run_steps(out: Path, trainer: Trainer, record: RunRecord, watch: TrainWatch) -> float | None:
    """Return the loss of the last step; None where only the model was not saved yet."""
    num_done = trainer.progress.num_steps
    with StopSignals(watch.say) as stop:
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


def _is_finished(out: Path, trainer: Trainer, record: RunRecord) -> bool:
    """Return whether all steps are taken and the model that they made is there."""
    if trainer.progress.num_steps < len(trainer.course):
        return False
    try:
        card = read_card(find_model(out / MODEL_NAME))
    except InstructgenError:
        return False
    return card.provenance.get("run_sha256") == record.identity.sha256


def _save(options: TrainingOptions, start: StartingModel, trainer: Trainer, record: RunRecord) -> None:
    """Write the model's folder. What was spread over processes is put together again from the last checkpoint."""
    model = start.model
    if trainer.ranks.mesh is not None:
        assert trainer.checkpoints is not None
        checkpoint = trainer.checkpoints.load_last()
        assert checkpoint is not None
        model = start_model(options, torch.device("cpu")).model
        with torch.no_grad():
            for name, parameter in trained_parameters(model).items():
                parameter.copy_(checkpoint.weights[name])
    provenance = {
        "run_sha256": record.identity.sha256,
        "data": record.data,
        "data_version": record.identity.data,
        "examples_sha256": record.identity.examples_sha256,
        "steps": trainer.progress.num_steps,
        "samples": trainer.progress.num_samples,
        "versions": record.versions,
    }
    save_model(
        model,
        start.recipe.model,
        options.out / MODEL_NAME,
        tokenizer=start.tokenizer,
        template=start.recipe.template,
        notes=Notes(trained=start.trained, stage=record.recipe, provenance=provenance),
    )


def _make_record(
    options: TrainingOptions, start: StartingModel, data: Data, course: Course, ranks: Ranks
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
        versions={"instructgen": instructgen.__version__, **{name: version(name) for name in _PACKAGES}},
        device=str(ranks.device),
        num_processes=ranks.count,
    )


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


@contextmanager
def _locked(out: Path, ranks: Ranks) -> Iterator[None]:
    """Hold the run's folder against a second command; the processes of one command count as one."""
    if not ranks.is_first:
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK_NAME, timeout=0)
        lock.acquire()
    except Timeout:
        raise RunLockedError(f"another process trains in {out}; wait for it or stop it") from None
    except OSError as error:
        raise InstructgenError(f"{out} cannot be written: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()
