"""predictions.jsonl: every answer as it comes, so that an evaluation that was cut off goes on where it was."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from filelock import FileLock, Timeout

from instructgen.errors import InstructgenError, RunLockedError
from instructgen.evaluate.questions import Prediction

PREDICTIONS_NAME = "predictions.jsonl"


class PredictionFile:
    """Use it as a context manager. `answered` finds what an earlier run answered, by digest.

    A line that was cut off at the end is taken away; any other that cannot be read is the user's to mend. Raises
    RunLockedError where another process evaluates into the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / PREDICTIONS_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / "lock", timeout=0)
            self._lock.acquire()
        except Timeout:
            raise RunLockedError(
                f"{folder} is in use by another instructgen process; wait for it to end, or choose another --out"
            ) from None
        except OSError as error:
            raise InstructgenError(f"{folder} cannot be written: {error}") from None
        try:
            self.answered = self._read()
            self._file = self.path.open("ab")
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._lock.release()

    def write(self, predictions: Sequence[Prediction]) -> None:
        """Return once the lines are on disk."""
        for one in predictions:
            self._file.write(msgspec.json.encode(one) + b"\n")
            if not one.failure:
                self.answered[one.digest] = one
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> dict[str, Prediction]:
        if not self.path.exists():
            return {}
        with self.path.open("r+b") as file:
            text = file.read()
            whole = text.rfind(b"\n") + 1
            file.truncate(whole)
        found: dict[str, Prediction] = {}
        for number, line in enumerate(text[:whole].splitlines(), 1):
            try:
                one = msgspec.json.decode(line, type=Prediction)
            except msgspec.MsgspecError as error:
                raise InstructgenError(
                    f"{self.path} line {number}: {error}; take the line out, and its question is asked again"
                ) from None
            if not one.failure:
                found[one.digest] = one
        return found
