"""Checkpoints of a run: what trains, its optimiser's moments, and the step; whole on disk, or not there.

A folder step-00000120 holds weights.safetensors, moments.safetensors and state.json, which is written last and has
the digests of the other two. It gets its name when all of it is on disk, so a kill leaves the one before.
"""

import re
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from instructgen.dataset.sums import hash_stream
from instructgen.disk import sync
from instructgen.errors import InstructgenError, RunStoppedError

_NAME = re.compile(r"step-(\d{8})")
_STATE = "state.json"
_WEIGHTS = "weights.safetensors"
_MOMENTS = "moments.safetensors"


class Progress(Struct, frozen=True):
    """How far a run is; the counts are of all its steps since the first."""

    num_steps: int = 0
    num_samples: int = 0
    num_tokens: int = 0
    seconds: float = 0.0


class CheckpointState(Struct, frozen=True):
    """`run_sha256` says which recipe, data and model it belongs to (RunIdentity.sha256)."""

    progress: Progress
    run_sha256: str
    files: dict[str, str]
    """File name -> sha256."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Whole tensors on the host: trained parameters by name, and moments by "exp_avg/NAME" and "exp_avg_sq/NAME"."""

    progress: Progress
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]


class CheckpointFolder:
    """RUN/checkpoints. One process writes it; saving goes on in a thread while the next steps are computed."""

    def __init__(self, folder: Path, run_sha256: str, keep_last: int, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._run_sha256 = run_sha256
        self._keep_last = keep_last
        self._say = say
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._saving: Future[None] | None = None

    def remove_rest(self) -> None:
        """Remove what a killed run left half written, or half removed."""
        for path in self.folder.glob(".*") if self.folder.is_dir() else ():
            shutil.rmtree(path)

    def list_steps(self) -> list[int]:
        """Return the steps that have a checkpoint, first to last."""
        names = (path.name for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def load_last(self) -> Checkpoint | None:
        """Return the last checkpoint that is whole; those that are damaged are told of and passed over."""
        steps = self.list_steps()
        for step in reversed(steps):
            path = self._path_of(step)
            try:
                return self._load(path)
            except (OSError, SafetensorError, msgspec.MsgspecError, _DamagedError) as error:
                self._say(f"{path} is damaged ({error}); the one before it is taken")
        if steps:
            self._say(f"no checkpoint in {self.folder} is whole; the run begins again")
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Begin to write a checkpoint; its tensors must not be changed by the caller any more.

        Waits for the one before, and raises what went wrong there.
        """
        self.finish()
        self._saving = self._writer.submit(self._write, checkpoint)

    def check(self) -> None:
        """Raise what went wrong in a save that has ended."""
        if self._saving is not None and self._saving.done():
            self.finish()

    def finish(self) -> None:
        """Wait for the save that is going on."""
        saving, self._saving = self._saving, None
        if saving is None:
            return
        try:
            saving.result()
        except (OSError, SafetensorError) as error:
            raise RunStoppedError(
                f"a checkpoint cannot be written to {self.folder}: {error}; see to it and run the same command again"
            ) from None

    def close(self) -> None:
        """Wait for what is being written; what goes wrong in it is not raised here."""
        self._writer.shutdown(wait=True)

    def _path_of(self, step: int) -> Path:
        return self.folder / f"step-{step:08}"

    def _load(self, path: Path) -> Checkpoint:
        state = msgspec.json.decode((path / _STATE).read_bytes(), type=CheckpointState)
        if state.run_sha256 != self._run_sha256:
            raise InstructgenError(f"{path} belongs to another run: it was made with other settings, data or model")
        for name in (_WEIGHTS, _MOMENTS):
            with (path / name).open("rb") as file:
                if hash_stream(file) != state.files.get(name):
                    raise _DamagedError(f"{name} is not what was written")
        return Checkpoint(state.progress, load_file(path / _WEIGHTS), load_file(path / _MOMENTS))

    def _write(self, checkpoint: Checkpoint) -> None:
        path = self._path_of(checkpoint.progress.num_steps)
        new = path.with_name(f".{path.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        digests: dict[str, str] = {}
        for name, tensors in ((_WEIGHTS, checkpoint.weights), (_MOMENTS, checkpoint.moments)):
            save_file(tensors, new / name)
            sync(new / name)
            with (new / name).open("rb") as file:
                digests[name] = hash_stream(file)
        state = CheckpointState(checkpoint.progress, self._run_sha256, digests)
        (new / _STATE).write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        sync(new / _STATE)
        sync(new)
        if path.exists():  # a damaged one that was passed over
            self._remove(path)
        new.rename(path)
        sync(self.folder)
        for step in self.list_steps()[: -self._keep_last]:
            self._remove(self._path_of(step))

    def _remove(self, path: Path) -> None:
        """Remove a checkpoint so that at no time a part of it bears its name."""
        old = path.with_name(f".{path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
        shutil.rmtree(old)


class _DamagedError(Exception):
    """A file is not what its checkpoint says."""
