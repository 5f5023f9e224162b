"""Where replies go when the disk does not take them: into room kept in reserve, then into a file elsewhere."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from instructgen.ledger.books import KEY_BYTES
from instructgen.ledger.journal import (
    ADOPTED,
    BOUGHT,
    FAILED,
    NO_SPACE,
    SWEPT,
    Event,
    Frame,
    Journal,
    scan,
    synchronise,
    write_all,
)
from instructgen.ledger.recovery import Copies

RESERVE_NAME = "reserve"
RESERVE_BYTES = 4 << 20
RESCUE_GLOB = "rescue-*.journal"
_WORTH_RESCUE = frozenset({BOUGHT, ADOPTED, FAILED})


class Reserve:
    """A file that takes up room on the run directory's disk, to be given back when there is no other."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._path = folder / RESERVE_NAME
        try:
            if not self._path.exists() or self._path.stat().st_size < RESERVE_BYTES:
                self._allocate()
        except OSError as error:
            self._path.unlink(missing_ok=True)
            say(f"{self._path}: no room can be kept in reserve ({error}); free space before the disk is full")

    def give_up(self) -> bool:
        """Make room; False where there is none to make."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _allocate(self) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            if hasattr(os, "posix_fallocate"):
                try:
                    os.posix_fallocate(file, 0, RESERVE_BYTES)
                    return
                except OSError as error:
                    if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                        raise
            # Random bytes, for a file system that compresses would give zeros no room.
            write_all(file, os.urandom(RESERVE_BYTES))
            synchronise(file)
        finally:
            os.close(file)


class Rescue:
    """Takes events that the journal could not: a journal of their own in the run directory, or in a temporary one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: Journal | None = None

    def store(self, events: Sequence[Event]) -> Path | None:
        """Return the file that holds the events now, on disk; None where nothing was worth it.

        Raises OSError where no place takes them.
        """
        kept = [event for event in events if event.kind in _WORTH_RESCUE]
        if not kept:
            return None
        if self._journal is not None:
            with suppress(OSError):
                self._journal.append(kept)
                return self._journal.path
        failure: OSError | None = None
        for folder in (self._folder, Path(tempfile.gettempdir())):
            try:
                self._journal = _begin(folder)
                self._journal.append(kept)
            except OSError as error:
                failure = error
            else:
                return self._journal.path
        assert failure is not None
        raise failure

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


class Outlet:
    """Appends to a ledger's journal, or brings what that does not take to a rescue file.

    `trouble` is why the run should stop, for people, or None while all is well.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.trouble: str | None = None
        self._folder = folder
        self._reserve = Reserve(folder, say)
        self._rescue = Rescue(folder)
        self._cause: str | None = None  # why the journal is written no more

    def append(self, journal: Journal, events: Sequence[Event]) -> str | None:
        """Return None once the events are in the journal, else what to tell those who wait for it."""
        if self._cause is None:
            try:
                journal.append(events)
                return None
            except OSError as error:
                failure = error
            if failure.errno in NO_SPACE and self._reserve.give_up():
                with suppress(OSError):
                    journal.append(events)
                    self.trouble = f"the disk of {self._folder} is full; free space and run the same command again"
                    return None
            self._cause = f"{journal.path} cannot be written ({failure}); free space and run the same command again"
        self.trouble = self._store_elsewhere(events, self._cause)
        return self.trouble

    def give_up(self, cause: str) -> None:
        """Write the journal no more: what is under way goes to a rescue file."""
        self._cause = self._cause or f"{cause}; free space and run the same command again"
        self.trouble = self.trouble or self._cause

    def close(self) -> None:
        self._rescue.close()

    def _store_elsewhere(self, events: Sequence[Event], cause: str) -> str:
        try:
            path = self._rescue.store(events)
        except OSError as error:
            return f"{cause}; answers under way could not be stored anywhere ({error})"
        if path is None:
            return cause
        kept = f"{cause}; answers under way are kept in {path}"
        if path.parent == self._folder:
            return kept
        return f"{kept}: bring them in first with `instructgen ledger import {self._folder} {path}`"


def read_rescued(path: Path) -> Iterator[Event]:
    """Yield what a rescue file holds."""
    for piece in scan(path):
        if isinstance(piece, Frame) and piece.kind in _WORTH_RESCUE:
            yield Event(piece.kind, piece.payload)


def begin_run(copies: Copies, folder: Path, say: Callable[[str], None]) -> None:
    """Take in what a full disk kept from the ledger, and count what a killed run had in flight as maybe spent."""
    for path in sorted(folder.glob(RESCUE_GLOB)):
        num_new = _write_now(copies, read_rescued(path))
        path.unlink()
        say(f"{path.name}: answers that the full disk did not take are in the ledger now ({num_new})")
    if copies.books.in_doubt_nano_usd or copies.books.in_doubt_tokens:
        _write_now(copies, [Event(SWEPT, b"")])


def _write_now(copies: Copies, events: Iterable[Event]) -> int:
    """Write what is not about an answered request; for a ledger whose writing thread does not run yet."""
    new = [
        event
        for event in events
        if event.kind not in _WORTH_RESCUE or copies.store.find_blob(event.payload[:KEY_BYTES]) is None
    ]
    if new:
        copies.journal.append(new)
        copies.store.apply(copies.books.apply(new), copies.state())
    return len(new)


def _begin(folder: Path) -> Journal:
    file, name = tempfile.mkstemp(prefix="rescue-", suffix=".journal", dir=folder)
    os.close(file)
    return Journal(Path(name), 0, 0, 0)
