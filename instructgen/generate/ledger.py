"""The ledger: every reply that was paid for, durable before anything reads it.

One SQLite file (WAL, synchronous=FULL) in a run directory, written by one process at a time. Requests to a
paid teacher are marked before they are sent; a mark that is still there after a crash is a request that may
have been paid for without its answer arriving. Writes are committed in groups by a thread of their own, so
that the disk is awaited once for many replies.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from filelock import FileLock, Timeout

from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.records import Failed, Reply
from instructgen.resources import LEDGER_NAME

_FORMAT = "1"
_MAX_GROUP = 100  # replies in one commit (docs/decisions/0001-spine.md)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replies (request_id BLOB NOT NULL UNIQUE, reply BLOB NOT NULL, stored_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sent (request_id BLOB NOT NULL UNIQUE, sent_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS failures (request_id BLOB NOT NULL UNIQUE, failure BLOB NOT NULL, failed_at REAL NOT NULL);
"""
_STORE = "INSERT INTO replies VALUES (?, ?, ?) ON CONFLICT(request_id) DO NOTHING"
_MARK = "INSERT INTO sent VALUES (?, ?) ON CONFLICT(request_id) DO UPDATE SET sent_at = excluded.sent_at"
_UNMARK = "DELETE FROM sent WHERE request_id = ?"
_FAIL = "INSERT OR REPLACE INTO failures VALUES (?, ?, ?)"
_FORGIVE = "DELETE FROM failures WHERE request_id = ?"

_Statement = tuple[str, tuple[object, ...]]
_decode_reply = msgspec.json.Decoder(Reply).decode
_decode_failure = msgspec.json.Decoder(Failed).decode


@dataclass(slots=True)
class _Write:
    statements: list[_Statement]
    done: "Future[None]" = field(default_factory=Future)


class Ledger:
    """The replies of one run directory. Use it as a context manager; leaving it waits for every write.

    Raises RunLockedError where another process holds the directory, and InstructgenError where the file is
    not a ledger or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LEDGER_NAME
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
            self._reader = _open(self.path)
            self._writer = _open(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_groups, name="ledger", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writes.put(None)
        self._thread.join()
        self._reader.close()
        self._lock.release()

    def find_reply(self, request_id: str) -> Reply | None:
        """Return the stored reply, or None where the request has not been answered yet."""
        row = self._reader.execute(
            "SELECT reply FROM replies WHERE request_id = ?", (bytes.fromhex(request_id),)
        ).fetchone()
        return _decode_reply(row[0]) if row else None

    def find_failure(self, request_id: str) -> Failed | None:
        """Return the last failure of a request that has no reply."""
        row = self._reader.execute(
            "SELECT failure FROM failures WHERE request_id = ?", (bytes.fromhex(request_id),)
        ).fetchone()
        return _decode_failure(row[0]) if row else None

    def replies(self) -> Iterator[Reply]:
        """Yield every stored reply in the order in which they came."""
        for (reply,) in self._reader.execute("SELECT reply FROM replies ORDER BY rowid"):
            yield _decode_reply(reply)

    def num_in_doubt(self) -> int:
        """Count requests that were sent and whose answer was never stored: a crash cut them off."""
        return int(self._reader.execute("SELECT COUNT(*) FROM sent").fetchone()[0])

    async def mark_sent(self, request_id: str) -> None:
        """Return once it is on disk that the request may have been sent."""
        await self._commit([(_MARK, (bytes.fromhex(request_id), time.time()))])

    async def store_reply(self, reply: Reply) -> None:
        """Return once the reply is on disk; only then may anything use it."""
        key = bytes.fromhex(reply.request_id)
        await self._commit(
            [
                (_STORE, (key, msgspec.json.encode(reply), time.time())),
                (_UNMARK, (key,)),
                (_FORGIVE, (key,)),
            ]
        )

    async def store_failure(self, request_id: str, failure: Failed) -> None:
        """Record why a request has no reply; it is asked again by the next run."""
        key = bytes.fromhex(request_id)
        await self._commit([(_FAIL, (key, msgspec.json.encode(failure), time.time())), (_UNMARK, (key,))])

    def read_meta(self, key: str) -> str | None:
        row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def write_meta(self, key: str, value: str) -> None:
        """Store a fact of the run, such as its teacher, and return once it is on disk."""
        write = _Write([("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))])
        self._writes.put(write)
        write.done.result()

    async def _commit(self, statements: list[_Statement]) -> None:
        write = _Write(statements)
        self._writes.put(write)
        # Shielded: who waits may be cancelled, what was paid for is stored all the same.
        await asyncio.shield(asyncio.wrap_future(write.done))

    def _write_groups(self) -> None:
        with contextlib.closing(self._writer) as connection:
            closing = False
            while not closing:
                group = [self._writes.get()]
                while len(group) < _MAX_GROUP and not self._writes.empty():
                    group.append(self._writes.get())
                closing = None in group
                _commit_group(connection, self.path, [write for write in group if write is not None])


def open_for_replay(folder: Path) -> sqlite3.Connection:
    """Open a recorded run's ledger for reading alone; no lock is taken and nothing is written."""
    path = folder / LEDGER_NAME
    if not path.is_file():
        raise InstructgenError(f"{folder} holds no recorded run: there is no {path.name}; point to a dataset's run/")
    wal = path.with_name(f"{path.name}-wal")
    # A database at rest is opened as immutable: SQLite would put files of its own beside it otherwise.
    mode = "mode=ro" if wal.exists() and wal.stat().st_size else "immutable=1"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)
    _check_format(connection, path)
    return connection


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        with connection:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (_FORMAT,))
        _check_format(connection, path)
    except sqlite3.OperationalError as error:
        # Its answers may be whole: never advise to put it aside and pay again.
        connection.close()
        raise InstructgenError(
            f"{path} cannot be opened ({error}); see to the disk, its rights and free space"
        ) from None
    except sqlite3.DatabaseError as error:
        connection.close()
        raise InstructgenError(
            f"{path} is not a usable ledger ({error}); restore it from a copy, or move it away to start anew"
        ) from None
    except InstructgenError:
        connection.close()
        raise
    return connection


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    except sqlite3.DatabaseError as error:
        raise InstructgenError(f"{path} is not a ledger ({error})") from None
    if row is None or row[0] != _FORMAT:
        found = row[0] if row else "none"
        raise InstructgenError(
            f"{path} has ledger format {found}, this instructgen reads {_FORMAT}; "
            "use the version of instructgen that wrote it"
        )


def _commit_group(connection: sqlite3.Connection, path: Path, group: list[_Write]) -> None:
    awaited = [write for write in group if write.done.set_running_or_notify_cancel()]
    try:
        with connection:
            for write in group:
                for statement, values in write.statements:
                    connection.execute(statement, values)
    except sqlite3.Error as error:
        # The writers wait for this answer: a full disk must stop the run before more is spent.
        failure = RunStoppedError(f"{path} cannot be written ({error}); free space and run the same command again")
        for write in awaited:
            write.done.set_exception(failure)
        return
    for write in awaited:
        write.done.set_result(None)
