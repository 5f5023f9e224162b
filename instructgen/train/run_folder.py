"""RUN/run.json: what a run is, so that nobody goes on with it as another one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.disk import replace_text
from instructgen.errors import InstructgenError
from instructgen.models.counts import Counts
from instructgen.train.examples import Summary
from instructgen.train.recipe import StageRecipe
from instructgen.train.run_facts import RunFacts

RUN_NAME = "run.json"
CHECKPOINTS_NAME = "checkpoints"
MODEL_NAME = "model"
LOCK_NAME = ".lock"
EXAMPLES_NAME = ".examples"
_FREE = ("saving", "about")
_FREE_IN_TRAIN = ("log_every_steps", "loggers", "sharded_over")


class RunIdentity(Struct, frozen=True):
    """What the weights are a function of, step for step. Two runs that are equal in it are the same run."""

    stage: str
    recipe: dict[str, Any]
    """Without what only says when to save and whom to tell."""
    data: str
    """RowSource.identity: what the rows are, wherever they lie."""
    examples_sha256: str
    num_steps: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class RunRecord(Struct, frozen=True):
    """The file. All but `identity` is told for people."""

    identity: RunIdentity
    recipe: dict[str, Any]
    data: str
    """Where it was read."""
    examples: Summary
    parameters: Counts
    versions: dict[str, str]
    device: str
    num_processes: int
    facts: RunFacts | None = None
    """None in a run from before there were reports."""


def make_identity(stage: str, recipe: StageRecipe, data: str, examples_sha256: str, num_steps: int) -> RunIdentity:
    """Return a run's identity; settings that do not touch the weights are left out."""
    table = to_table(recipe)
    kept = {key: value for key, value in table.items() if key not in _FREE}
    kept["train"] = {key: value for key, value in table["train"].items() if key not in _FREE_IN_TRAIN}
    return RunIdentity(stage, kept, data, examples_sha256, num_steps)


def to_table(recipe: StageRecipe) -> dict[str, Any]:
    """Return the recipe with every key, as run.json holds it."""
    return msgspec.json.decode(msgspec.json.encode(recipe), type=dict[str, Any])


def check_folder(folder: Path) -> None:
    """Raise where a folder holds something that is not a run's; one that is not there is well."""
    if not folder.is_dir() or (folder / RUN_NAME).is_file():
        return
    # Hidden are the lock, the encoded data, and what a kill may leave of run.json itself.
    others = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    if others:
        raise InstructgenError(f"{folder} is not a run and holds {', '.join(others[:3])}; give another --out")


def enter_run(folder: Path, record: RunRecord) -> None:
    """Write run.json, or go on with the run that is there.

    Raises InstructgenError with what differs where the folder holds another run.
    """
    path = folder / RUN_NAME
    if path.is_file():
        earlier = read_run(folder).identity
        if earlier != record.identity:
            differences = "; ".join(find_differences(earlier, record.identity))
            raise InstructgenError(
                f"{folder} holds another run: {differences}. Give another --out, or the same settings as before"
            )
    replace_text(path, msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n")


def read_run(folder: Path) -> RunRecord:
    """Return what a run's folder says of it."""
    path = folder / RUN_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise InstructgenError(f"{path} cannot be read as a run: {error}") from None


def find_differences(earlier: RunIdentity, now: RunIdentity) -> list[str]:
    """Return a line for each setting in which two runs differ, the earlier one's value first."""
    before, after = (_flatten(msgspec.to_builtins(each)) for each in (earlier, now))
    return [
        f"{key} was {before.get(key)!r}, is {after.get(key)!r}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            found |= _flatten(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
