"""Reading a ledger without opening it: no lock is taken and nothing is written, and a run may be writing it."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import msgspec

from instructgen.errors import InstructgenError, LedgerDamagedError
from instructgen.ledger.books import FORMAT, Books, DamagedBlobError, Effect, read_reply, to_key
from instructgen.ledger.damage import DamagedStoreError
from instructgen.ledger.feeding import make_state
from instructgen.ledger.journal import Event, Frame, scan
from instructgen.ledger.recovery import CopiesDisagreeError, check_position
from instructgen.ledger.store import State, decode_state, meta_crc, read_format
from instructgen.records import Reply
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

# Tables of the connection's own stand before the file's: with them every query sees what the journal has besides.
_TAIL = """
CREATE TEMP TABLE tail_replies (rowid INTEGER PRIMARY KEY, request_id BLOB UNIQUE, reply BLOB, stored_at REAL);
CREATE TEMP TABLE tail_failures (request_id BLOB PRIMARY KEY, failure BLOB, failed_at REAL);
CREATE TEMP TABLE tail_meta (key TEXT PRIMARY KEY, value TEXT, crc INTEGER);
CREATE TEMP TABLE sent (request_id BLOB PRIMARY KEY, nano_usd INTEGER, tokens INTEGER, sent_at REAL);
CREATE TEMP TABLE state (id INTEGER PRIMARY KEY, body BLOB, crc INTEGER);
CREATE TEMP VIEW replies AS SELECT rowid, request_id, reply, stored_at FROM main.replies
    UNION ALL SELECT rowid, request_id, reply, stored_at FROM tail_replies;
CREATE TEMP VIEW failures AS SELECT * FROM main.failures
    WHERE request_id NOT IN (SELECT request_id FROM tail_failures)
    UNION ALL SELECT * FROM tail_failures WHERE failure IS NOT NULL;
CREATE TEMP VIEW meta AS SELECT * FROM main.meta WHERE key NOT IN (SELECT key FROM tail_meta)
    UNION ALL SELECT * FROM tail_meta;
"""


def open_for_replay(folder: Path) -> sqlite3.Connection:
    """Open a recorded run's ledger, of any format, at one moment of it: what SQLite has, and the journal's tail.

    Raises InstructgenError for a folder without a ledger or of a later format, LedgerDamagedError for a damaged one.
    """
    connection = open_store(folder)
    try:
        if read_format(connection) == FORMAT:
            _add_tail(connection, folder / JOURNAL_NAME)
    except (sqlite3.Error, DamagedStoreError) as error:
        connection.close()
        raise _damaged(folder, error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def open_store(folder: Path) -> sqlite3.Connection:
    """Open the SQLite copy alone, as it is, at one moment of it. Raises as `open_for_replay` does."""
    path = folder / LEDGER_NAME
    if not path.is_file():
        raise InstructgenError(f"{folder} holds no recorded run: there is no {path.name}; point to a dataset's run/")
    connection = connect_read_only(path)
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN")
        read_format(connection)
    except (sqlite3.Error, DamagedStoreError, InstructgenError) as error:
        connection.close()
        if isinstance(error, InstructgenError):
            raise
        raise _damaged(folder, error) from None
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Connect to an SQLite file that others may be writing, and put nothing beside it."""
    wal = path.with_name(f"{path.name}-wal")
    # A database at rest is opened as immutable: SQLite would put files of its own beside it otherwise.
    mode = "mode=ro" if wal.exists() and wal.stat().st_size else "immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)


def find_recorded(connection: sqlite3.Connection, request_id: str) -> Reply | None:
    """Return a recorded run's reply. Raises LedgerDamagedError where it is not what was written."""
    key = to_key(request_id)
    try:
        with closing(connection.execute("SELECT reply FROM replies WHERE request_id = ?", (key,))) as rows:
            row = rows.fetchone()
        return None if row is None else read_reply(key, row[0])
    except (sqlite3.Error, DamagedBlobError) as error:
        raise LedgerDamagedError(
            f"the recorded answer to {request_id} cannot be read ({error}); "
            "`instructgen ledger verify --repair` mends the recorded run"
        ) from None


def _damaged(folder: Path, error: Exception) -> LedgerDamagedError:
    return LedgerDamagedError(
        f"{folder / LEDGER_NAME} is not a usable ledger ({error}); "
        f"`instructgen ledger verify --repair {folder}` mends it"
    )


def _add_tail(connection: sqlite3.Connection, journal: Path) -> None:
    """Show what a busy or killed run has in its journal and not in SQLite yet."""
    row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
    if row is None:
        return
    state = decode_state(row)
    frames = _read_tail(journal, state)
    if not frames:
        return
    books = Books(totals=state.totals, journal_id=state.journal_id)
    books.load_marks(connection.execute("SELECT * FROM sent"))
    effect = books.apply(Event(frame.kind, frame.payload) for frame in frames)
    last = frames[-1]
    _show(connection, books, effect, make_state(books, last.number, last.end, last.start))


def _read_tail(journal: Path, state: State) -> list[Frame]:
    """Return the frames behind the last one that SQLite has; none where the journal is not the one beside it."""
    try:
        check_position(journal, state)
    except CopiesDisagreeError:
        return []
    frames: list[Frame] = []
    for piece in scan(journal, state.journal_end):
        if not isinstance(piece, Frame) or piece.number != state.number + len(frames) + 1:
            break  # torn: a write that is under way, or that a crash cut off
        frames.append(piece)
    return frames


def _show(connection: sqlite3.Connection, books: Books, effect: Effect, state: State) -> None:
    for statement in _TAIL.split(";"):  # one by one: a script would end the transaction, and with it the moment
        connection.execute(statement)
    (last,) = connection.execute("SELECT COALESCE(MAX(rowid), 0) FROM main.replies").fetchone()
    known = "SELECT 1 FROM main.replies WHERE request_id = ?"
    new = [
        (key, *reply) for key, reply in effect.replies.items() if connection.execute(known, (key,)).fetchone() is None
    ]
    connection.executemany(
        "INSERT INTO tail_replies VALUES (?, ?, ?, ?)", [(number, *row) for number, row in enumerate(new, last + 1)]
    )
    failures = [(key, *(failure or (None, None))) for key, failure in effect.failures.items()]
    connection.executemany("INSERT INTO tail_failures VALUES (?, ?, ?)", failures)
    notes = [(key, value, meta_crc(key, value)) for key, value in effect.meta.items()]
    connection.executemany("INSERT INTO tail_meta VALUES (?, ?, ?)", notes)
    connection.executemany(
        "INSERT INTO temp.sent VALUES (?, ?, ?, ?)", [(key, *mark) for key, mark in books.marks.items()]
    )
    body = msgspec.json.encode(state)
    connection.execute("INSERT INTO temp.state VALUES (0, ?, ?)", (body, zlib.crc32(body)))
