"""What became of every row, in one SQLite file (.fetch/state.sqlite).

A result is committed before its picture appears at its place, so that what is there is never asked for again,
whenever the process is killed: a picture that was committed and not yet moved is moved at the next start. Commits are
not synchronised one by one; after a power cut the last ones may be missing, and are fetched again.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import astuple

from instructgen.errors import InstructgenError
from instructgen.fetch.reasons import Status

FORMAT = "1"
_KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 1000
_COLUMNS = (
    *("position", "key", "url", "path", "width_px", "height_px", "sha256", "fetched_sha256", "num_bytes", "caption"),
    *("status", "reason", "detail", "http_status", "etag", "fetched_at"),
)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS results (id BLOB, {", ".join(_COLUMNS)});
CREATE UNIQUE INDEX IF NOT EXISTS results_by_id ON results (id);
"""


class Result(Struct, frozen=True, kw_only=True):
    """What became of a row. `position` is its number in the table; `path` is relative to the folder."""

    position: int
    key: str
    url: str
    path: str = ""
    width_px: int = 0
    height_px: int = 0
    sha256: str = ""
    fetched_sha256: str = ""
    num_bytes: int = 0
    caption: str = ""
    status: Status
    reason: str = ""
    detail: str = ""
    http_status: int = 0
    etag: str = ""
    fetched_at: str = ""


class Known(Struct, frozen=True):
    """What is known of a key."""

    url: str
    status: Status
    path: str
    num_bytes: int


class Store:
    """The open file. Its methods may be called from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
            (found,) = self._db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise InstructgenError(f"{path} cannot be read ({error}); fetch into a new folder") from None
        if found != FORMAT:
            self._db.close()
            raise InstructgenError(f"{path} has format {found}, this instructgen reads {FORMAT}; use a later one")

    def put(self, results: Iterable[Result]) -> None:
        """Commit results, each in place of what was known of its key."""
        rows = [(_id(result.key), *astuple(result)) for result in results]
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(f"INSERT OR REPLACE INTO results VALUES ({marks})", rows)  # noqa: S608  marks alone
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def find(self, keys: Sequence[str]) -> dict[str, Known]:
        """Return what is known of those of the keys that have a result."""
        found: dict[str, Known] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            ids = [_id(key) for key in keys[start : start + _KEYS_AT_ONCE]]
            marks = ", ".join("?" * len(ids))
            query = f"SELECT key, url, status, path, num_bytes FROM results WHERE id IN ({marks})"  # noqa: S608
            found.update({key: Known(*rest) for key, *rest in self._db.execute(query, ids)})
        return found

    def results(self) -> Iterator[Result]:
        """Yield all results in the order of the table; memory does not grow with their number."""
        names = ", ".join(_COLUMNS)
        rows = self._db.execute(f"SELECT {names} FROM results ORDER BY position, id")  # noqa: S608  names of ours
        while some := rows.fetchmany(_ROWS_AT_ONCE):
            for row in some:
                yield Result(**dict(zip(_COLUMNS, row, strict=True)))

    def counts(self) -> dict[tuple[Status, str], tuple[int, int]]:
        """Return (status, reason) -> how many there are, and their bytes."""
        rows = self._db.execute("SELECT status, reason, COUNT(*), SUM(num_bytes) FROM results GROUP BY 1, 2")
        return {(status, reason): (count, num_bytes) for status, reason, count, num_bytes in rows}

    def close(self) -> None:
        self._db.close()


def _id(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
