"""The queryable copy of a ledger: one SQLite file (WAL) that can be built again from the journal.

It is written with synchronous=NORMAL: what a power cut takes from it is in the journal, which is synchronised
first. Each row of `state` and `meta`, each reply and each failure carries a checksum, and `state` has the sum of
all request ids, so that neither a wrong answer nor a lost one goes unnoticed.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import lt
from pathlib import Path

import msgspec

from instructgen.errors import InstructgenError
from instructgen.ledger.books import FORMAT, KEY_BYTES, Books, Effect, Totals, is_whole_blob
from instructgen.ledger.damage import DamagedStoreError, OldFormatError
from instructgen.ledger.known_keys import KnownKeys

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT, crc INTEGER);
CREATE TABLE IF NOT EXISTS replies (request_id BLOB, reply BLOB, stored_at REAL);
CREATE UNIQUE INDEX IF NOT EXISTS replies_by_id ON replies (request_id);
CREATE TABLE IF NOT EXISTS sent (request_id BLOB PRIMARY KEY, nano_usd INTEGER, tokens INTEGER, sent_at REAL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (request_id BLOB PRIMARY KEY, failure BLOB, failed_at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, body BLOB, crc INTEGER);
"""
_PAGES_TO_CHECKPOINT = 4000  # 16 MB of WAL: an index page that many groups touch is written back once
_KEYS_AT_ONCE = 10_000


class State(msgspec.Struct):
    """Where the copy stands: the number of the last event in it, where that ends in which journal, and sums.

    `key_sum` is the sum of all request ids as numbers, in hexadecimal digits.
    """

    number: int = -1
    journal_id: str = ""
    journal_end: int = 0
    journal_last: int = 0
    num_stored: int = 0
    key_sum: str = "0"
    num_marks: int = 0
    in_doubt_nano_usd: int = 0
    in_doubt_tokens: int = 0
    totals: Totals = msgspec.field(default_factory=Totals)


class CheckedReplies(msgspec.Struct):
    num_rows: int = 0
    num_wrong: int = 0
    key_sum: int = 0


class Store:
    """An open SQLite copy: a connection that writes, one that reads. Raises sqlite3.Error, and DamagedStoreError
    for a file of another format or a state that does not hold.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = _connect(path)
        try:
            self.reader = _connect(path)
        except BaseException:
            self.writer.close()
            raise
        try:
            self.state = self._read_state()
            self._known = KnownKeys() if self.state.number < 0 else None  # None: not read yet
            self.has_failures = self.reader.execute("SELECT 1 FROM failures LIMIT 1").fetchone() is not None
        except BaseException:
            self.close_quickly()
            raise

    def _read_state(self) -> State:
        row = self.reader.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
        if row is None:
            return State()
        return decode_state(row)

    def apply(self, effect: Effect, state: State) -> None:
        """Write a group and where the copy stands after it, in one transaction.

        `state` comes without the sums, which are this method's own. Raises sqlite3.Error; nothing is written then.
        """
        with self.writer as connection:
            connection.execute("BEGIN IMMEDIATE")
            key_sum = int(self.state.key_sum, 16)
            keys = list(effect.replies)
            rows = [(key, *reply) for key, reply in effect.replies.items()]
            if self._known is not None:
                for key in keys:
                    self._known.add(key)
            num_new = _insert(connection, "INTO replies", rows, "ON CONFLICT DO NOTHING")
            _delete(connection, "replies", effect.dropped)
            if num_new == len(keys):
                key_sum += sum(map(_to_int, keys)) - sum(map(_to_int, effect.dropped))
            else:
                key_sum = sum(map(_to_int, read_keys(connection)))
            state.num_stored = self.state.num_stored + num_new - len(effect.dropped)
            state.key_sum = f"{key_sum:x}"
            self._write_tables(connection, effect)
            body = msgspec.json.encode(state)
            connection.execute("INSERT OR REPLACE INTO state VALUES (0, ?, ?)", (body, zlib.crc32(body)))
        self.state = state

    def _write_tables(self, connection: sqlite3.Connection, effect: Effect) -> None:
        if effect.is_reset:
            connection.execute("DELETE FROM sent")
            connection.execute("DELETE FROM failures")
        marks = [(key, *mark) for key, mark in effect.marks.items() if mark is not None]
        _insert(connection, "OR REPLACE INTO sent", marks)
        _delete(connection, "sent", [key for key, mark in effect.marks.items() if mark is None])
        failed = [(key, *failure) for key, failure in effect.failures.items() if failure is not None]
        if failed or self.has_failures:
            _insert(connection, "OR REPLACE INTO failures", failed)
            _delete(connection, "failures", [key for key, failure in effect.failures.items() if failure is None])
            self.has_failures = True
        rows = [(key, value, meta_crc(key, value)) for key, value in effect.meta.items()]
        _insert(connection, "OR REPLACE INTO meta", rows)

    def check(self) -> Books:
        """Return the books, once the file's length, its request ids and its marks agree with its state.

        It reads the index, not the replies: those are checked when they are read. Raises DamagedStoreError.
        """
        busy, *_ = self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        num_bytes = _pragma(self.writer, "page_count") * _pragma(self.writer, "page_size")
        if not busy and self.path.stat().st_size < num_bytes:
            raise DamagedStoreError(f"it has {self.path.stat().st_size} bytes of {num_bytes}")
        num_keys = total = 0
        before = b""
        known = KnownKeys()
        for keys in _read_key_groups(self.reader):
            if not all(map(lt, [before, *keys[:-1]], keys)):
                raise DamagedStoreError("its index is out of order")
            for key in keys:
                known.add(key)
            num_keys, total, before = num_keys + len(keys), total + sum(map(_to_int, keys)), keys[-1]
        if num_keys != self.state.num_stored or total != int(self.state.key_sum, 16):
            raise DamagedStoreError(f"it has {num_keys} request ids where {self.state.num_stored} were stored")
        self._known = known
        return self._read_books()

    def _read_books(self) -> Books:
        books = Books(totals=self.state.totals, journal_id=self.state.journal_id)
        books.load_marks(self.reader.execute("SELECT * FROM sent"))
        found = (len(books.marks), books.in_doubt_nano_usd, books.in_doubt_tokens)
        if found != (self.state.num_marks, self.state.in_doubt_nano_usd, self.state.in_doubt_tokens):
            raise DamagedStoreError("its marks of sent requests do not add up")
        return books

    def check_rows(self) -> None:
        """Read every row and its checksum. Raises DamagedStoreError and sqlite3.Error."""
        found = check_replies(self.reader)
        num_wrong = found.num_wrong + check_small_tables(self.reader)
        if num_wrong:
            raise DamagedStoreError(f"{num_wrong} rows are not what was written")
        if (found.num_rows, f"{found.key_sum:x}") != (self.state.num_stored, self.state.key_sum):
            raise DamagedStoreError(f"it has {found.num_rows} replies where {self.state.num_stored} were stored")

    def may_have(self, key: bytes) -> bool:
        """Return False where there surely is no reply, without reading anything."""
        return self._known is None or self._known.may_have(key)

    def find_blob(self, key: bytes) -> bytes | None:
        row = self.reader.execute("SELECT reply FROM replies WHERE request_id = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def find_failure_blob(self, key: bytes) -> bytes | None:
        row = self.reader.execute("SELECT failure FROM failures WHERE request_id = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def read_meta(self, key: str) -> str | None:
        row = self.reader.execute("SELECT value, crc FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        if row[1] != meta_crc(key, row[0]):
            raise DamagedStoreError(f"its note '{key}' is not what was written")
        return str(row[0])

    def read_replies(self) -> Iterator[tuple[bytes, bytes, float]]:
        """Yield request id, blob and time in the order in which they came; others may write meanwhile."""
        last = -1
        while rows := self.reader.execute(
            "SELECT rowid, * FROM replies WHERE rowid > ? ORDER BY rowid LIMIT 500", (last,)
        ).fetchall():
            last = rows[-1][0]
            for _, key, blob, stored_at in rows:
                yield key, blob, stored_at

    def close(self) -> None:
        """Bring everything into the one file. Raises sqlite3.Error, after closing all the same."""
        try:
            self.reader.close()
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.writer.close()

    def close_quickly(self) -> None:
        """Close a copy that may be damaged; nothing is raised."""
        for connection in (self.reader, self.writer):
            try:
                connection.close()
            except sqlite3.Error:
                continue


def decode_state(row: tuple[bytes, int]) -> State:
    """Return the state of its row (body, crc). Raises DamagedStoreError."""
    body, crc = row
    try:
        if zlib.crc32(body) == crc:
            return msgspec.json.decode(body, type=State)
    except (TypeError, msgspec.MsgspecError):
        pass
    raise DamagedStoreError("its state is not what was written")


def check_replies(connection: sqlite3.Connection) -> CheckedReplies:
    """Read every reply; `num_wrong` counts those whose checksum does not hold."""
    found = CheckedReplies()
    for key, blob in connection.execute("SELECT request_id, reply FROM replies ORDER BY rowid"):
        found.num_rows += 1
        if _holds(key, blob):
            found.key_sum += _to_int(key)
        else:
            found.num_wrong += 1
    return found


def check_small_tables(connection: sqlite3.Connection) -> int:
    """Count the failures and notes whose checksum does not hold."""
    failures = connection.execute("SELECT request_id, failure FROM failures")
    notes = connection.execute("SELECT key, value, crc FROM meta WHERE key != 'format'")
    num_failures = sum(not _holds(key, blob) for key, blob in failures)
    num_notes: int = sum(meta_crc(key, value) != crc for key, value, crc in notes)
    return num_failures + num_notes


def _holds(key: object, blob: object) -> bool:
    return isinstance(key, bytes) and isinstance(blob, bytes) and is_whole_blob(key, blob)


def read_keys(connection: sqlite3.Connection) -> Iterator[bytes]:
    """Yield the request ids of all replies, rising."""
    for keys in _read_key_groups(connection):
        yield from keys


def _read_key_groups(connection: sqlite3.Connection) -> Iterator[list[bytes]]:
    rows = connection.execute("SELECT request_id FROM replies INDEXED BY replies_by_id ORDER BY request_id")
    while group := rows.fetchmany(_KEYS_AT_ONCE):
        keys = [key for (key,) in group]
        if not all(type(key) is bytes and len(key) == KEY_BYTES for key in keys):
            raise DamagedStoreError("its index holds what is no request id")
        yield keys


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_PAGES_TO_CHECKPOINT}")
        _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
        connection.executescript(_SCHEMA)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?, ?)", (FORMAT, meta_crc("format", FORMAT)))
    found = read_format(connection)
    if found != FORMAT:
        raise OldFormatError(f"its format is {found}")


def read_format(connection: sqlite3.Connection) -> str:
    """Return "1" or the present format.

    Raises DamagedStoreError where none is told, and InstructgenError for one that only a later instructgen reads.
    """
    row = connection.execute("SELECT * FROM meta WHERE key = 'format'").fetchone()
    if row is None or (len(row) > 2 and row[2] != meta_crc(row[0], row[1])):
        raise DamagedStoreError("it does not tell its format")
    found = str(row[1])
    if found not in ("1", FORMAT):
        raise InstructgenError(
            f"a ledger has format {found}, this instructgen reads 1 and {FORMAT}; "
            "use the version of instructgen that wrote it"
        )
    return found


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _to_int(key: bytes) -> int:
    return int.from_bytes(key, "big")


def meta_crc(key: object, value: object) -> int:
    return zlib.crc32(f"{key}\0{value}".encode("utf-8", "surrogatepass"))


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[object]], clause: str = "") -> int:
    """Insert with few statements, for the interpreter's lock is given up and awaited once for each.

    Returns how many rows came.
    """
    num_new = start = 0
    while start < len(rows):
        size = next(size for size in (64, 8, 1) if size <= len(rows) - start)
        values = [value for row in rows[start : start + size] for value in row]
        num_new += connection.execute(_insertion(into, len(rows[0]), size, clause), values).rowcount
        start += size
    return num_new


@lru_cache(maxsize=64)
def _insertion(into: str, width: int, num_rows: int, clause: str) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT {into} VALUES {', '.join([row] * num_rows)} {clause}"  # noqa: S608  names of ours alone


def _delete(connection: sqlite3.Connection, table: str, keys: list[bytes]) -> None:
    start = 0
    while start < len(keys):
        size = next(size for size in (64, 8, 1) if size <= len(keys) - start)
        marks = ", ".join("?" * size)
        connection.execute(f"DELETE FROM {table} WHERE request_id IN ({marks})", keys[start : start + size])  # noqa: S608
        start += size
