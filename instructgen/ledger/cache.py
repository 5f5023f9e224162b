"""The answer cache: replies that several runs share, in one SQLite file that many processes use at once.

It is a convenience: whatever goes wrong with it is said once, and the run goes on without it. It holds replies by
the identity of their request and nothing else, so no key of a teacher is in it.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from instructgen.ledger.books import DamagedBlobError, encode_blob, is_whole_blob, read_reply, to_key
from instructgen.ledger.damage import is_damage
from instructgen.records import Reply

CACHE_NAME = "answers.sqlite"
_BUSY_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (request_id BLOB, reply BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS answers_by_id ON answers (request_id);
"""


class AnswerCache:
    """The cache in a folder, which is made if need be. Never raises: what it cannot do, it says once.

    Finding never waits for a write, of this process or another: each has a connection of its own.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.path = folder / CACHE_NAME
        self._say = say
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except sqlite3.Error as error:
            self._take_damage(error)
        except OSError as error:
            self._give_up(error)

    def find(self, request_id: str) -> Reply | None:
        """Return a shared reply, if there is a whole one."""
        key = to_key(request_id)
        try:
            with self._read_lock:
                if self._reader is None:
                    return None
                row = self._reader.execute("SELECT reply FROM answers WHERE request_id = ?", (key,)).fetchone()
            if row is None:
                return None
            if isinstance(row[0], bytes) and is_whole_blob(key, row[0]):
                return read_reply(key, row[0])
            error: Exception = DamagedBlobError(f"the answer to {request_id} is not what was written")
        except (sqlite3.Error, DamagedBlobError, UnicodeError, OverflowError) as met:
            error = met
        self._take_damage(error)
        return None

    def put_many(self, replies: Iterable[Reply]) -> None:
        """Share replies; the first one to a request stays."""
        keyed = [(to_key(reply.request_id), reply) for reply in replies]
        self.put_blobs([(key, encode_blob(key, reply)) for key, reply in keyed])

    def put_blobs(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Share replies as the ledger encodes them (books.encode_blob)."""
        try:
            with self._write_lock:
                if self._writer is None or not rows:
                    return
                with self._writer as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany("INSERT INTO answers VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        except sqlite3.Error as error:
            self._take_damage(error)

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._close()

    def __enter__(self) -> "AnswerCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self._writer = self._connect()
        self._writer.executescript(_SCHEMA)
        self._reader = self._connect()
        self._inode = self.path.stat().st_ino

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, timeout=_BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()
        self._reader = self._writer = None

    def _take_damage(self, error: Exception) -> None:
        """Go on with a new file where this one is damaged, without one where the disk is to blame."""
        with self._write_lock, self._read_lock:
            had_opened = self._reader is not None
            self._close()
            if isinstance(error, sqlite3.Error) and not is_damage(error, self.path):
                self._give_up(error)
                return
            try:
                with FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=_BUSY_S):
                    # Another process may have put a new file there since this one was opened.
                    if not had_opened or self.path.stat().st_ino == self._inode:
                        self._move_aside(error)
                    self._open()
            except (OSError, Timeout, sqlite3.Error) as second:
                self._close()
                self._give_up(second)

    def _move_aside(self, error: Exception) -> None:
        number = 1
        while (aside := self.path.with_name(f"{CACHE_NAME}.damaged-{number}")).exists():
            number += 1
        for ending in ("-wal", "-shm"):
            self.path.with_name(CACHE_NAME + ending).unlink(missing_ok=True)
        self.path.replace(aside)
        self._say(f"{self.path} was damaged ({error}); it is kept as {aside.name}, and a new cache is begun")

    def _give_up(self, error: Exception) -> None:
        self._say(f"the answer cache {self.path} cannot be used ({error}); this run goes on without it")
