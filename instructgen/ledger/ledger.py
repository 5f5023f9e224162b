"""The ledger: every reply that was paid for, durable before anything reads it.

A run directory keeps each event twice: in an append-only journal that is synchronised before a write is
acknowledged, and in one SQLite file, where replies are found. Each can be built again from the other, and both are
checked when they are opened and read (docs/ledger.md). One process writes at a time. Requests to a paid teacher are
marked before they are sent; a mark that is still there after a crash is a request that may have been paid for
without its answer arriving.
"""

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from instructgen.disk import hold_folder
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.ledger.backlog import MAX_WAIT_S, Backlog
from instructgen.ledger.books import (
    DamagedBlobError,
    Spent,
    is_whole_blob,
    make_adopted,
    make_bought,
    make_failed,
    make_meta,
    make_sent,
    make_unsent,
    read_failure,
    read_reply,
    split_reply,
    to_key,
)
from instructgen.ledger.damage import DamagedStoreError, explain, is_damage, telling_damage
from instructgen.ledger.first_uses import FirstUses
from instructgen.ledger.groups import GroupWriter
from instructgen.ledger.journal import BOUGHT, Event
from instructgen.ledger.recovery import Copies, mend_copies, open_copies
from instructgen.ledger.rescue import Outlet, begin_run
from instructgen.records import NOTHING, Cost, Failed, Reply
from instructgen.resources import LEDGER_NAME

if TYPE_CHECKING:
    from instructgen.ledger.cache import AnswerCache

_Found = TypeVar("_Found")


def say_on_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")


class Ledger:
    """The replies of one run directory. Use it as a context manager; leaving it waits for every write.

    Raises RunLockedError where another process holds the directory, and InstructgenError where the folder cannot
    be used. A write that does not reach its place raises RunStoppedError, which says where it was put instead.
    """

    def __init__(
        self, folder: Path, cache: "AnswerCache | None" = None, say: Callable[[str], None] = say_on_stderr
    ) -> None:
        self.folder = folder
        self.path = folder / LEDGER_NAME
        self._cache = cache
        self._say = say
        self._is_store_lost = False
        # A writer holds the first while it writes a batch, a reader the second; mending holds both.
        self._write_lock = threading.Lock()
        self._read_lock = threading.RLock()
        self._lock = hold_folder(folder)
        try:
            self._copies = self._open()
        except OSError as error:
            self._lock.release()
            raise InstructgenError(f"{folder} cannot be written: {error}") from None
        except BaseException:
            self._lock.release()
            raise
        self._backlog = Backlog()
        self._first_uses = FirstUses()
        self._groups = GroupWriter(self._write_batch, self._bring_in, MAX_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._groups.close()
            self._bring_in()
            self._outlet.close()
            self._first_uses.close()
            self._copies.journal.close()
            # The journal has it all: what SQLite cannot take now, the next opening gives it.
            with suppress(sqlite3.Error):
                self._copies.store.close()
        finally:
            self._lock.release()

    def find_reply(self, request_id: str) -> Reply | None:
        """Return the stored reply, or None where the request has not been answered yet."""
        key = to_key(request_id)
        blob = self._find_blob(key)
        return None if blob is None else read_reply(key, blob)

    def has_reply(self, key: bytes) -> bool:
        return self._find_blob(key) is not None

    def _find_blob(self, key: bytes) -> bytes | None:
        blob = self._backlog.find_reply(key)
        if blob is not None or (not self._is_store_lost and not self._copies.store.may_have(key)):
            return blob
        return self._read(lambda: _whole(key, self._copies.store.find_blob(key)))

    def find_failure(self, request_id: str) -> Failed | None:
        """Return the last failure of a request that has no reply."""
        key = to_key(request_id)
        blob = self._backlog.find_failure(key)
        if blob is None:
            blob = self._read(lambda: _whole(key, self._copies.store.find_failure_blob(key)))
        return None if blob is None else read_failure(key, blob)

    def find_shared(self, request_id: str) -> Reply | None:
        """Return the reply that another run put into the shared cache, if there is one."""
        return None if self._cache is None else self._cache.find(request_id)

    def replies(self) -> Iterator[Reply]:
        """Yield every stored reply in the order in which they came."""
        return (reply for _, reply, _ in self.stored())

    def stored(self) -> Iterator[tuple[bytes, Reply, float]]:
        """Yield each stored reply between its request id and the time (seconds of the epoch) at which it came."""
        self._bring_in()
        last = -1
        while rows := self._read(lambda last=last: self._read_replies(last)):  # type: ignore[misc]
            last = rows[-1][0]
            yield from ((key, read_reply(key, blob), stored_at) for _, key, blob, stored_at in rows)

    def spent(self) -> Spent:
        """Return what was spent up to the last write that was acknowledged, of all runs together."""
        return self._spent

    def num_in_doubt(self) -> int:
        """Count requests that were sent and whose answer was never stored: a crash cut them off."""
        return self._spent.num_in_doubt

    def is_first_use(self, request_id: str) -> bool:
        """Tell whether this ledger object is asked so for the first time; what was asked is kept on disk."""
        return self._first_uses.add(request_id)

    @property
    def trouble(self) -> str | None:
        """Why the run should stop, where the disk takes no more; every answer up to now is safe."""
        return self._outlet.trouble

    async def mark_sent(self, request_id: str, most: Cost = NOTHING) -> None:
        """Return once it is on disk that the request may have been sent, and may cost `most` once more."""
        _stop_at(self.trouble)
        _stop_at(await self._groups.submit(make_sent(request_id, most)))

    async def store_reply(self, reply: Reply, maybe: Cost = NOTHING) -> None:
        """Return once the reply is on disk; only then may anything use it.

        `maybe` is what lost attempts at it may have cost. The first reply to a request is never replaced.
        """
        _stop_at(await self._groups.submit(make_bought(reply, maybe)))

    async def adopt_reply(self, reply: Reply) -> None:
        """Store a reply that was not bought here: it comes from the shared cache or another run."""
        _stop_at(await self._groups.submit(make_adopted(reply)))

    async def store_failure(self, request_id: str, failure: Failed, maybe: Cost = NOTHING) -> None:
        """Record why a request has no reply; it is asked again by the next run."""
        _stop_at(await self._groups.submit(make_failed(request_id, failure, maybe)))

    async def unmark(self, request_id: str, maybe: Cost = NOTHING) -> None:
        """Take the mark back from a request that the end of a run kept from being sent, or sent again."""
        _stop_at(await self._groups.submit(make_unsent(request_id, maybe)))

    def read_meta(self, key: str) -> str | None:
        self._bring_in()
        return self._read(lambda: self._copies.store.read_meta(key))

    def write_meta(self, key: str, value: str) -> None:
        """Store a fact of the run, such as its teacher, and return once it is on disk."""
        self.write_events([make_meta(key, value)])

    def write_events(self, events: Sequence[Event]) -> None:
        """Store events of any kind, as an import brings them, and return once they are on disk."""
        _stop_at(self._groups.write_all(events))

    def replace_copies(self, change: Callable[[Copies], Copies]) -> None:
        """Let `change` work on both copies while nothing is written or read, as `instructgen ledger gc` does."""
        self._bring_in()
        _stop_at(self.trouble)
        with self._write_lock, self._read_lock:
            self._copies = change(self._copies)
            self._spent = self._copies.books.spent()

    def _open(self) -> Copies:
        """Open both copies, take in what was rescued, and count what a killed run had in flight as maybe spent."""
        self._outlet = Outlet(self.folder, self._say)
        copies = open_copies(self.folder, self._say)
        try:
            try:
                with telling_damage(self.path):
                    begin_run(copies, self.folder, self._say)
            except DamagedStoreError as error:
                copies.close_quickly()
                copies = open_copies(self.folder, self._say, suspect=str(error))
                begin_run(copies, self.folder, self._say)
        except sqlite3.Error as error:
            copies.close_quickly()
            raise explain(error, self.path) from None
        self._spent = copies.books.spent()
        return copies

    def _read(self, read: Callable[[], _Found]) -> _Found:
        """Read from SQLite; where it turns out to be damaged, build it again from the journal and read once more."""
        with self._read_lock:
            if self._is_store_lost:
                _stop_at(self.trouble)  # what came last would not be found
            try:
                return read()
            except (DamagedStoreError, DamagedBlobError, UnicodeError, OverflowError) as error:
                reason = str(error)
            except sqlite3.Error as error:
                if not is_damage(error, self.path):
                    raise RunStoppedError(
                        f"{self.path} cannot be read ({error}); see to the disk and run the same command again"
                    ) from None
                reason = str(error)
        self.mend(reason)
        with self._read_lock:
            return read()

    def mend(self, reason: str, *, is_store_suspect: bool = True) -> None:
        """Read all of both copies and make them whole again; a suspect SQLite copy is built again in any case."""
        with self._write_lock, self._read_lock:
            _stop_at(self.trouble)
            self._copies.close_quickly()
            self._backlog = Backlog()  # the journal has it
            try:
                self._copies = mend_copies(self.folder, self._say, reason, is_store_suspect=is_store_suspect)
            except (OSError, sqlite3.Error) as error:
                self._outlet.give_up(f"{self.folder} cannot be mended ({error})")
                raise RunStoppedError(
                    f"{self.folder} is damaged ({reason}) and cannot be mended ({error}); "
                    "free space and run the same command again"
                ) from None

    def _read_replies(self, last: int) -> list[tuple[int, bytes, bytes, float]]:
        query = "SELECT rowid, * FROM replies WHERE rowid > ? ORDER BY rowid LIMIT 500"
        rows = self._copies.store.reader.execute(query, (last,)).fetchall()
        return [row for row in rows if _whole(row[1], row[2]) is not None]

    def _write_batch(self, events: Sequence[Event]) -> str | None:
        """Bring the events to disk, in the writing thread. Returns why the run should stop, or None."""
        with self._write_lock:
            before = self._outlet.trouble
            trouble = self._outlet.append(self._copies.journal, events)
            if trouble is not None:
                return trouble
            is_due = self._backlog.add(self._copies.books, events)
            self._spent = self._copies.books.spent()
        if self._cache is not None:
            self._cache.put_blobs([split_reply(event)[:2] for event in events if event.kind == BOUGHT])
        if is_due:
            self._bring_in()
        # A batch that met the trouble is safe all the same: who waits goes on, and the next write ends the run.
        return before

    def _bring_in(self) -> None:
        """Give SQLite what it has not yet of the journal."""
        with self._write_lock:
            copies, effect = self._copies, self._backlog.effect
            if self._backlog.is_empty or self._is_store_lost:
                return
            try:
                copies.store.apply(effect, copies.state())
            except (sqlite3.Error, DamagedStoreError) as error:
                self._is_store_lost = True
                self._outlet.trouble = (
                    f"{self.path} cannot be written ({error}); every answer is safe in the journal: "
                    "see to the disk, free space and run the same command again"
                )
            self._backlog = Backlog()


def _stop_at(trouble: str | None) -> None:
    if trouble is not None:
        raise RunStoppedError(trouble)


def _whole(key: bytes, blob: bytes | None) -> bytes | None:
    if blob is not None and not is_whole_blob(key, blob):
        raise DamagedBlobError(f"the answer to {key.hex()} is not what was written")
    return blob
