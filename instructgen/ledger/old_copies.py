"""What an SQLite copy of an older format, or a damaged one, still gives: as the events that would make it."""

import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path

from instructgen.ledger import books as events
from instructgen.ledger.books import Totals
from instructgen.ledger.damage import DamagedStoreError, OldFormatError, telling_damage
from instructgen.ledger.journal import Event
from instructgen.ledger.salvage import salvage
from instructgen.ledger.store import Store, decode_state
from instructgen.resources import LEDGER_NAME

DAMAGED = ".damaged-"


def find_candidates(folder: Path) -> list[Path]:
    """Return every SQLite copy, damaged ones too, that may hold answers."""
    names = [folder / LEDGER_NAME, folder / f"{LEDGER_NAME}.new", *sorted(folder.glob(f"{LEDGER_NAME}*{DAMAGED}*"))]
    return [path for path in names if path.is_file() and not path.name.endswith(("-wal", "-shm"))]


def is_old_format(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with telling_damage(path):
            Store(path).close_quickly()
    except OldFormatError:
        return True
    except DamagedStoreError:
        return False
    return False


def read_answers(path: Path, *, is_bought: bool) -> Iterator[Event]:
    for key, blob, stored_at in chain(_read_rows(path), salvage(path)):
        try:
            reply = events.read_reply(key, blob)
            yield (events.make_bought if is_bought else events.make_adopted)(reply, stored_at=stored_at)
        except (events.DamagedBlobError, TypeError, ValueError):
            continue


def _read_rows(path: Path) -> Iterator[tuple[bytes, bytes, float]]:
    """Yield the replies in the order in which they came, as far as SQLite reads them."""
    with suppress(sqlite3.Error, UnicodeError, OverflowError), closing(_connect_to_read(path)) as connection:
        yield from connection.execute("SELECT request_id, reply, stored_at FROM replies ORDER BY rowid")


def _connect_to_read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def read_tables(path: Path) -> Iterator[Event]:
    """Yield notes, marks and failures, as far as SQLite reads them."""
    queries: tuple[tuple[str, Callable[..., Event]], ...] = (
        ("SELECT key, value FROM meta WHERE key != 'format'", events.make_meta),
        ("SELECT request_id FROM sent", lambda key: events.make_mark(key, (0, 0, 0.0))),
        ("SELECT request_id, failure, failed_at FROM failures", _restate_failure),
    )
    with suppress(sqlite3.Error), closing(_connect_to_read(path)) as connection:
        for query, make in queries:
            # A struct.error is no ValueError: what is no key or number in a damaged row ends its table.
            with suppress(sqlite3.Error, events.DamagedBlobError, TypeError, ValueError, struct.error):
                for row in connection.execute(query):
                    yield make(*row)


def _restate_failure(key: bytes, blob: bytes, failed_at: float) -> Event:
    return events.restate_failure(key, events.encode_blob(key, events.read_failure(key, blob)), failed_at)


def read_totals(path: Path) -> Totals | None:
    """Return the totals that the copy tells, or None where it does not."""
    with suppress(sqlite3.Error, DamagedStoreError, UnicodeError), closing(_connect_to_read(path)) as connection:
        row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
        if row is not None:
            return decode_state(row).totals
    return None
