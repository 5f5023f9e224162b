"""What a run tells while it trains: a line of metrics.jsonl for every step, and the loggers of its recipe."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from instructgen.disk import replace_text
from instructgen.errors import InstructgenError

METRICS_NAME = "metrics.jsonl"
_PROJECT = "instructgen"


class StepReport(Struct, frozen=True, omit_defaults=True):
    """One step, as metrics.jsonl has it. `step` counts from 1; `tokens`, `samples` and `seconds` are of all steps."""

    step: int
    loss: float
    """Mean negative log-likelihood of the step's learned tokens, in nats."""
    grad_norm: float
    """Before clipping."""
    rates: dict[str, float]
    """Learning rate by part."""
    learned_tokens: int
    tokens: int
    """Positions that were computed, image tokens included."""
    samples: int
    seconds: float
    rows: int = 0
    """Of this step, in all processes; 0 in a line from before they were counted."""
    parts: dict[str, float] = {}
    """Of a loss that is a weighed sum: each of its parts, before it is weighed."""


class TrainWatch(Protocol):
    """Who sits in front of the run."""

    def say(self, text: str) -> None: ...

    def begin(self, num_steps: int, num_done: int) -> None: ...

    def step(self, report: StepReport) -> None: ...

    def end(self) -> None: ...


class Logger(Protocol):
    """A place that keeps curves."""

    def log(self, step: int, values: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class MetricsFile:
    """metrics.jsonl; lines after the step that a run goes on from are taken back when it is opened."""

    def __init__(self, path: Path, num_done: int) -> None:
        kept = [report for report in read_metrics(path) if report.step <= num_done]
        replace_text(path, "".join(msgspec.json.encode(report).decode() + "\n" for report in kept))
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, report: StepReport) -> None:
        self._file.write(msgspec.json.encode(report).decode() + "\n")

    def close(self) -> None:
        self._file.close()


def read_metrics(path: Path) -> list[StepReport]:
    """Return the steps of a metrics.jsonl, first to last; a line that a kill cut short is left out."""
    if not path.is_file():
        return []
    found: list[StepReport] = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=StepReport))
        except msgspec.MsgspecError:
            continue
    return found


def average(reports: Sequence[StepReport]) -> dict[str, float]:
    """Return what loggers are told of some steps in a row: the loss of all their tokens, the rest of the last one."""
    last = reports[-1]
    learned = sum(report.learned_tokens for report in reports)
    loss = sum(report.loss * report.learned_tokens for report in reports) / max(1, learned)
    rates = {f"rate/{part}": rate for part, rate in last.rates.items()}
    parts = {f"loss/{name}": value for name, value in last.parts.items()}
    return {
        "loss": loss,
        **parts,
        "grad_norm": max(report.grad_norm for report in reports),
        "tokens": last.tokens,
        "samples": last.samples,
        **rates,
    }


def open_logger(name: str, run: Path, settings: Mapping[str, object], num_done: int) -> Logger:
    """Return the logger of that name for a run's folder.

    Raises InstructgenError where its package is not installed.
    """
    try:
        if name == "tensorboard":
            return _TensorBoard(run / "tensorboard", num_done)
        if name == "wandb":
            return _WeightsAndBiases(run, settings)
        return _Trackio(run, settings)
    except ImportError as error:
        raise InstructgenError(
            f"train.loggers names {name}, which is not installed ({error}): pip install {name}, or leave it out"
        ) from None


def _name_of(run: Path) -> str:
    """Return a run's name for a server: that of its folder, and which of the folders of that name it is."""
    place = run.resolve()
    return f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:6]}"


class _TensorBoard:
    def __init__(self, folder: Path, num_done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Curves of steps that are computed again hide those of the killed run.
        self._writer = SummaryWriter(str(folder), purge_step=num_done + 1)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    def __init__(self, run: Path, settings: Mapping[str, object]) -> None:
        wandb = import_module("wandb")

        name = _name_of(run)
        self._run = wandb.init(
            project=_PROJECT, name=name, id=name, resume="allow", dir=str(run), config=dict(settings)
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


class _Trackio:
    def __init__(self, run: Path, settings: Mapping[str, object]) -> None:
        trackio = import_module("trackio")

        self._trackio = trackio
        trackio.init(project=_PROJECT, name=_name_of(run), resume="allow", config=dict(settings))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._trackio.log(dict(values), step=step)

    def close(self) -> None:
        self._trackio.finish()
