"""predictions.jsonl: every answer as it comes, so that an evaluation that was cut off goes on where it was."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from instructgen.disk import hold_folder, read_whole_lines
from instructgen.errors import InstructgenError
from instructgen.evaluate.questions import Prediction

PREDICTIONS_NAME = "predictions.jsonl"


class PredictionFile:
    """Use it as a context manager. `answered` finds what an earlier run answered, by digest.

    A line that was cut off at the end is taken away; any other that cannot be read is the user's to mend. Raises
    RunLockedError where another process evaluates into the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / PREDICTIONS_NAME
        self._lock = hold_folder(folder)
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
        found: dict[str, Prediction] = {}
        for number, line in enumerate(read_whole_lines(self.path), 1):
            try:
                one = msgspec.json.decode(line, type=Prediction)
            except msgspec.MsgspecError as error:
                raise InstructgenError(
                    f"{self.path} line {number}: {error}; take the line out, and its question is asked again"
                ) from None
            if not one.failure:
                found[one.digest] = one
        return found
