"""Batches on this disk: their requests, and how far each has come, so that a killed run loses track of none.

Below run/batches/ a batch has `<key>.jsonl` (what is sent), `<key>.ids` (each request's id and the most that it may
cost) and `<key>.json` (its state). The state is written last and replaced by one rename, so a batch without one was
never sent.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import NOTHING, Cost

Step = Literal["planned", "uploaded", "submitted", "ended", "split", "collected"]
_NEW = ".new"


class BatchLimits(Struct, frozen=True):
    """What one batch may hold; the defaults are OpenAI's."""

    max_requests: int = 50_000
    max_bytes: int = 200_000_000


class BatchState(Struct, frozen=True, omit_defaults=True):
    """How far a batch has come. `most` is the most that all its requests may cost together.

    `dropped` are the ids of batches that the server refused as a whole. `status` is the server's word for how the
    batch ended. The counts are those of a collected batch.
    """

    key: str
    step: Step
    address: str
    model: str
    num_requests: int
    num_bytes: int
    most: Cost
    file_id: str = ""
    batch_id: str = ""
    dropped: tuple[str, ...] = ()
    status: str = ""
    output_file_id: str | None = None
    error_file_id: str | None = None
    faults: tuple[str, ...] = ()
    num_answered: int = 0
    num_failed: int = 0
    num_unanswered: int = 0

    @property
    def name(self) -> str:
        """The name of its file at the server."""
        return f"instructgen-{self.key}.jsonl"


class OpenBatches(Struct, frozen=True):
    """Batches that were planned or sent and are not collected; `most` is the most that they may still cost."""

    num_batches: int
    num_requests: int
    most: Cost


class BatchFolder:
    """The folder of one run's batches. Only the process that holds the run's ledger may change it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, state: BatchState, ending: str = "jsonl") -> Path:
        return self.path / f"{state.key}.{ending}"

    def states(self) -> list[BatchState]:
        """Return the states of all batches. Raises InstructgenError for one that cannot be read."""
        return [_read_state(path) for path in sorted(self.path.glob("*.json"))]

    def clear_unfinished(self) -> None:
        """Remove what a killed process had begun to write: nothing of it was sent."""
        self.path.mkdir(parents=True, exist_ok=True)
        known = {path.stem for path in self.path.glob("*.json")}
        for path in [*self.path.glob(f"*{_NEW}"), *self.path.glob("*.jsonl"), *self.path.glob("*.ids")]:
            if path.suffix == _NEW or path.stem not in known:
                path.unlink()

    def save(self, state: BatchState) -> BatchState:
        """Return once the state is on disk."""
        path = self.path / f"{state.key}.json"
        with path.with_name(path.name + _NEW).open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
            _synchronise(file)
        path.with_name(path.name + _NEW).replace(path)
        _synchronise_folder(self.path)
        return state

    def drop_files(self, state: BatchState) -> None:
        """Remove all but the state of a batch that is collected."""
        for ending in ("jsonl", "ids", "output", "error"):
            self.file(state, ending).unlink(missing_ok=True)

    def forget(self, state: BatchState) -> None:
        """Remove all of a batch that was never submitted."""
        self.file(state, "json").unlink(missing_ok=True)
        self.drop_files(state)

    def read_ids(self, state: BatchState) -> Iterator[tuple[str, Cost]]:
        """Yield each request's id and the most that it may cost, in the order of the file."""
        path = self.file(state, "ids")
        try:
            with path.open(encoding="ascii") as file:
                for line in file:
                    request_id, nano_usd, tokens = line.split()
                    yield request_id, Cost(int(nano_usd), int(tokens))
        except (OSError, ValueError) as error:
            raise InstructgenError(
                f"{path} cannot be read ({error}); its answers cannot be told apart without it: restore it, or "
                f"remove {state.key}.* there to give up the batch {state.batch_id or state.key}"
            ) from None

    def split(self, state: BatchState) -> tuple[BatchState, BatchState]:
        """Return two batches with half of the requests each; the same two however often it is begun."""
        num_first = state.num_requests // 2
        with self.file(state).open("rb") as lines:
            pairs = zip(self.read_ids(state), lines, strict=True)
            first = self._write_half(state, "a", (next(pairs) for _ in range(num_first)))
            second = self._write_half(state, "b", pairs)
        return first, second

    def _write_half(
        self, state: BatchState, letter: str, pairs: Iterable[tuple[tuple[str, Cost], bytes]]
    ) -> BatchState:
        writer = BatchWriter(self, state.address, state.model, state.key + letter)
        for (request_id, most), line in pairs:
            writer.add_line(request_id, line, most)
        return writer.finish()


class BatchWriter:
    """Writes the files of a new batch, one request at a time."""

    def __init__(self, folder: BatchFolder, address: str, model: str, key: str | None = None) -> None:
        self._folder = folder
        self._state = BatchState(key or secrets.token_hex(8), "planned", address, model, 0, 0, NOTHING)
        self.num_requests = 0
        self.num_bytes = 0
        self._most = NOTHING
        folder.path.mkdir(parents=True, exist_ok=True)
        self._lines: IO[bytes] = self._new("jsonl").open("wb")
        self._ids: IO[bytes] = self._new("ids").open("wb")

    def fits(self, num_more: int, limits: BatchLimits) -> bool:
        """Return whether a line of so many bytes may come; the first one always may."""
        if self.num_requests == 0:
            return True
        return self.num_requests < limits.max_requests and self.num_bytes + num_more <= limits.max_bytes

    def add_line(self, request_id: str, line: bytes, most: Cost) -> None:
        self._lines.write(line)
        self._ids.write(f"{request_id} {most.nano_usd} {most.tokens}\n".encode("ascii"))
        self.num_requests += 1
        self.num_bytes += len(line)
        self._most = self._most + most

    def finish(self) -> BatchState:
        """Return the batch once it is on disk as planned."""
        for file, ending in ((self._lines, "jsonl"), (self._ids, "ids")):
            _synchronise(file)
            file.close()
            self._new(ending).replace(self._folder.file(self._state, ending))
        return self._folder.save(
            msgspec.structs.replace(
                self._state, num_requests=self.num_requests, num_bytes=self.num_bytes, most=self._most
            )
        )

    def discard(self) -> None:
        """Remove what was written; nothing of it was sent."""
        for file, ending in ((self._lines, "jsonl"), (self._ids, "ids")):
            file.close()
            self._new(ending).unlink(missing_ok=True)

    def _new(self, ending: str) -> Path:
        return self._folder.path / f"{self._state.key}.{ending}{_NEW}"


def write_line(request_id: str, body: bytes) -> bytes:
    """Return a request as a line of a batch file."""
    head = b'{"custom_id":"' + request_id.encode("ascii") + b'","method":"POST","url":"/v1/chat/completions","body":'
    return head + body + b"}\n"


def count_open(folder: Path) -> OpenBatches:
    """Count what is out; for a run without batches, which would ask and pay for the same requests once more."""
    states = [state for state in BatchFolder(folder).states() if state.step not in ("collected", "split")]
    most = NOTHING
    for state in states:
        most = most + state.most
    return OpenBatches(len(states), sum(state.num_requests for state in states), most)


def _read_state(path: Path) -> BatchState:
    try:
        return msgspec.json.decode(path.read_bytes(), type=BatchState)
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        raise InstructgenError(
            f"{path} cannot be read ({error}); it says which batch at the server is this run's: restore it, or "
            f"remove {path.stem}.* there to give up that batch"
        ) from None


def _synchronise(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _synchronise_folder(path: Path) -> None:
    with suppress(OSError):  # Windows opens no folder
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
