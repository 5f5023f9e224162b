"""What a run of training has written down, gathered from its folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from instructgen.train.checkpoint import CheckpointState
from instructgen.train.history import Sitting, read_history
from instructgen.train.recipe_notes import find_note
from instructgen.train.run_folder import CHECKPOINTS_NAME, MODEL_NAME, RunRecord, read_run
from instructgen.train.watch import METRICS_NAME, StepReport, read_metrics

RunState = Literal["finished", "stopped", "failed", "unfinished"]


class Setting(Struct, frozen=True):
    """One key of a recipe: what it is, as JSON, and where that comes from."""

    key: str
    value: str
    note: str


class KeptCheckpoint(Struct, frozen=True):
    """A folder of RUN/checkpoints; `num_samples` and `seconds` are None where its state cannot be read."""

    step: int
    num_bytes: int
    num_samples: int | None
    seconds: float | None


class TrainingFacts(Struct, frozen=True):
    """All that the report shows. `fill` is None where the run did not count its rows."""

    name: str
    record: RunRecord
    steps: tuple[StepReport, ...]
    sittings: tuple[Sitting, ...]
    checkpoints: tuple[KeptCheckpoint, ...]
    model_bytes: int
    """0 where there is no model yet."""
    settings: tuple[Setting, ...]
    fill: float | None

    @property
    def num_done(self) -> int:
        return self.steps[-1].step if self.steps else 0

    @property
    def state(self) -> RunState:
        """What the last sitting says; a run from before there were sittings is finished when it has a model."""
        if not self.sittings:
            return "finished" if self.model_bytes else "unfinished"
        ended = self.sittings[-1].ended
        return "unfinished" if ended is None else ended.how

    @property
    def detail(self) -> str:
        """What ended the run, in the words of its message; "" where it went well or nobody knows."""
        ended = self.sittings[-1].ended if self.sittings else None
        return "" if ended is None else ended.detail

    @property
    def peak_bytes(self) -> int:
        """The most memory of all sittings; 0 is unknown."""
        return max((one.ended.peak_bytes for one in self.sittings if one.ended is not None), default=0)


def collect_training(folder: Path) -> TrainingFacts:
    """Read a run's folder. Raises InstructgenError where it holds no run."""
    record = read_run(folder)
    steps = tuple(read_metrics(folder / METRICS_NAME))
    notes = record.facts.recipe_notes if record.facts is not None else {}
    return TrainingFacts(
        name=folder.resolve().name,
        record=record,
        steps=steps,
        sittings=tuple(read_history(folder)),
        checkpoints=tuple(_list_checkpoints(folder / CHECKPOINTS_NAME)),
        model_bytes=_measure(folder / MODEL_NAME),
        settings=tuple(list_settings(record.recipe, notes)),
        fill=find_fill(steps, find_room(record.recipe)),
    )


def list_settings(recipe: Mapping[str, Any], notes: Mapping[str, str], prefix: str = "") -> Iterator[Setting]:
    """Yield every key of a recipe; a table without keys is a value."""
    for key, value in recipe.items():
        if isinstance(value, Mapping) and value:
            yield from list_settings(value, notes, f"{prefix}{key}.")
        else:
            path = prefix + key
            yield Setting(path, msgspec.json.encode(value).decode(), find_note(notes, path))


def find_room(recipe: Mapping[str, Any]) -> int:
    """Return the most positions that a row may have; 0 where the recipe does not say."""
    rows = recipe.get("rows", {})
    return int(rows.get("row_tokens") or rows.get("max_tokens") or 0)


def find_fill(steps: Sequence[StepReport], room: int) -> float | None:
    """Return the share of the rows' room that was computed, 0 to 1, over the steps whose rows were counted."""
    before = tokens = rows = 0
    for step in steps:
        if step.rows:
            tokens += step.tokens - before
            rows += step.rows
        before = step.tokens
    return tokens / (rows * room) if rows and room else None


def _list_checkpoints(folder: Path) -> Iterator[KeptCheckpoint]:
    for path in sorted(folder.glob("step-*")):
        number = path.name.partition("-")[2]
        if not number.isdecimal():
            continue
        try:
            progress = msgspec.json.decode((path / "state.json").read_bytes(), type=CheckpointState).progress
        except (OSError, msgspec.MsgspecError):
            yield KeptCheckpoint(int(number), _measure(path), None, None)
        else:
            yield KeptCheckpoint(int(number), _measure(path), progress.num_samples, progress.seconds)


def _measure(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
