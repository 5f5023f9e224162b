"""What a run with batches must remember of each request and unit, kept on disk so that memory does not grow."""

import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from instructgen.errors import RunStoppedError
from instructgen.generate.asked import Asked
from instructgen.ledger.books import to_key

_LENGTH = struct.Struct("<I")


class Mark(IntEnum):
    """Where a request stands that is or was in a batch.

    OUT: awaited. FOUND: its answer was here before. BOUGHT: it was answered in this run, TOLD: and somebody was told
    so. FAILED: refused for good. UNANSWERED: the batch ended without it, LEFT: and a unit of this run wants it.
    HELD: an earlier run planned it and did not submit it, WANTED: and a unit of this run wants it, AGAIN: in another
    batch.
    """

    OUT = 0
    FOUND = 1
    BOUGHT = 2
    TOLD = 3
    FAILED = 4
    UNANSWERED = 5
    LEFT = 6
    HELD = 7
    WANTED = 8
    AGAIN = 9


class Roster:
    """Marks by request id, in a temporary file of SQLite's own."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        for statement in ("journal_mode=OFF", "synchronous=OFF"):
            self._connection.execute(f"PRAGMA {statement}")
        self._connection.execute("CREATE TABLE marks (request_id BLOB PRIMARY KEY, mark INTEGER) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def find(self, request_id: str) -> Mark | None:
        row = self._connection.execute(
            "SELECT mark FROM marks WHERE request_id = ?", (to_key(request_id),)
        ).fetchone()
        return None if row is None else Mark(row[0])

    def put(self, request_id: str, mark: Mark) -> None:
        try:
            self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (to_key(request_id), int(mark)))
        except sqlite3.Error as error:
            raise RunStoppedError(
                f"the system's folder for temporary files does not take what this run counts ({error}); "
                "free space there and run the same command again"
            ) from None

    def is_empty(self) -> bool:
        return self._connection.execute("SELECT 1 FROM marks LIMIT 1").fetchone() is None

    def close(self) -> None:
        self._connection.close()


class Spool:
    """Units that are still to be asked live: written once, then read in the same order."""

    def __init__(self) -> None:
        self.num = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed when it has been read

    def add(self, asked: Asked) -> None:
        written = msgspec.msgpack.encode(asked)
        self._file.write(_LENGTH.pack(len(written)) + written)
        self.num += 1

    def read(self) -> Iterator[Asked]:
        with self._file as file:
            file.seek(0)
            while head := file.read(_LENGTH.size):
                yield msgspec.msgpack.decode(file.read(*_LENGTH.unpack(head)), type=Asked)
