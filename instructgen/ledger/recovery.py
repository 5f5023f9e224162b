"""Opens the two copies of a ledger, and mends one from the other, or from what both still give.

Nothing damaged is deleted: it is moved aside as <name>.damaged-N. A killed mending is begun again by the next
opening, for a whole copy is replaced only by one rename.
"""

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from instructgen.ledger import books as events
from instructgen.ledger.books import Books, Effect, read_head
from instructgen.ledger.damage import DamagedStoreError, explain, telling_damage
from instructgen.ledger.feeding import EVENTS_AT_ONCE, adopt_all, feed, feed_all, make_state, take
from instructgen.ledger.journal import (
    HEAD,
    Event,
    Frame,
    Gap,
    Journal,
    Survey,
    read_frame_at,
    scan,
    survey,
    synchronise_folder,
)
from instructgen.ledger.old_copies import (
    DAMAGED,
    find_candidates,
    is_old_format,
)
from instructgen.ledger.store import State, Store
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

Say = Callable[[str], None]


class CopiesDisagreeError(Exception):
    """The journal is not the one that the SQLite copy was written beside, or part of it is missing."""


@dataclass(slots=True)
class Copies:
    """The open journal and SQLite copy, and the books that both agree on."""

    journal: Journal
    store: Store
    books: Books

    def state(self) -> State:
        """Return where the SQLite copy stands once it has everything that is in the journal."""
        journal = self.journal
        return make_state(self.books, journal.next_number - 1, journal.end, journal.last)

    def close_quickly(self) -> None:
        """Close both, damaged as they may be."""
        self.journal.close()
        self.store.close_quickly()


def open_copies(folder: Path, say: Say, suspect: str | None = None) -> Copies:
    """Open the ledger of a run directory, mended where it was damaged; `say` is told of it.

    `suspect` tells what was met in reading the SQLite copy, which is built again then. Raises InstructgenError
    for a later format or a disk that does not let itself be used, and OSError.
    """
    reason = suspect
    try:
        if reason is None:
            try:
                return _open_whole(folder, say)
            except DamagedStoreError as error:
                reason = f"{LEDGER_NAME}: {error}"
            except CopiesDisagreeError as error:
                reason = str(error)
        return mend_copies(folder, say, reason, is_store_suspect=suspect is not None)
    except sqlite3.Error as error:
        raise explain(error, folder / LEDGER_NAME) from None


def write_journal(folder: Path, store: Store, books: Books, *, keep_old: bool) -> Journal:
    """Replace the journal by one that begins with what the SQLite copy holds, and tell that copy of it.

    `keep_old` moves the old one aside; otherwise one rename replaces it.
    """
    path, new = folder / JOURNAL_NAME, folder / f"{JOURNAL_NAME}.new"
    new.unlink(missing_ok=True)
    books.journal_id = uuid.uuid4().hex
    with Journal(new, 0, 0, store.state.number + 1) as journal:
        pieces = chain([events.make_head(books.journal_id, books.totals)], _restate(store, books))
        while group := list(islice(pieces, EVENTS_AT_ONCE)):
            journal.append(group)
        end, last, next_number = journal.end, journal.last, journal.next_number
    if keep_old and path.exists():
        move_aside(path)
    new.replace(path)
    synchronise_folder(folder)
    store.apply(Effect(), make_state(books, next_number - 1, end, last))
    return Journal(path, end, last, next_number)


def move_aside(path: Path) -> Path:
    """Rename a damaged file, its WAL with it, and return its new name."""
    number = 1
    while (aside := path.with_name(f"{path.name}{DAMAGED}{number}")).exists():
        number += 1
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists():
        wal.replace(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if path.exists():
        path.replace(aside)
    return aside


def _open_whole(folder: Path, say: Say) -> Copies:
    store_path, journal_path = folder / LEDGER_NAME, folder / JOURNAL_NAME
    if not store_path.exists() and (journal_path.exists() or find_candidates(folder)):
        raise CopiesDisagreeError(f"{LEDGER_NAME} is missing")
    with telling_damage(store_path):
        store = Store(store_path)
        try:
            books = store.check()
            if store.state.number < 0 and not journal_path.exists():
                return Copies(write_journal(folder, store, books, keep_old=False), store, books)
            check_position(journal_path, store.state)
            return _replay_tail(journal_path, store, books, say)
        except BaseException:
            store.close_quickly()
            raise


def check_position(path: Path, state: State) -> None:
    """Raise CopiesDisagreeError where the journal does not hold what the SQLite copy has from it."""
    if not path.exists():
        raise CopiesDisagreeError(f"{path.name} is missing")
    head, last = read_frame_at(path, 0), read_frame_at(path, state.journal_last)
    if head is None or head.kind != HEAD or read_head(head.payload).journal_id != state.journal_id:
        raise CopiesDisagreeError(f"{path.name} begins as another one")
    if last is None or (last.number, last.end) != (state.number, state.journal_end):
        raise CopiesDisagreeError(f"{path.name} does not hold what {LEDGER_NAME} has from it")


def _replay_tail(path: Path, store: Store, books: Books, say: Say) -> Copies:
    number, end, last, gap = store.state.number, store.state.journal_end, store.state.journal_last, None
    group: list[Frame] = []
    for piece in scan(path, end):
        if isinstance(piece, Gap):
            gap = piece
            continue
        number += 1
        if gap is not None or piece.number != number:
            raise CopiesDisagreeError(f"{path.name} is damaged at byte {end}")
        group.append(piece)
        end, last = piece.end, piece.start
        if len(group) == EVENTS_AT_ONCE:
            feed(store, books, group)
            group = []
    feed(store, books, group)
    if gap is not None:
        _cut(path, end, gap.end - end, say)
    return Copies(Journal(path, end, last, number + 1), store, books)


def _cut(path: Path, end: int, num_bytes: int, say: Say) -> None:
    os.truncate(path, end)
    say(f"{path}: the last {num_bytes} bytes are no whole record (a write that a crash cut off); they are removed")


def mend_copies(folder: Path, say: Say, reason: str, *, is_store_suspect: bool) -> Copies:
    """Make both copies whole again from each other; read in full, so that nothing is replaced by something worse."""
    journal_path = folder / JOURNAL_NAME
    found = survey(journal_path)
    try:
        if is_store_suspect:
            raise DamagedStoreError(reason)
        store, books = _open_checked(folder / LEDGER_NAME)
    except DamagedStoreError as error:
        store, books = _rebuild_store(folder, found, say, str(error))
        is_foreign = False
    else:
        is_foreign = _is_foreign(journal_path, store.state)
        if is_foreign:
            adopt_all(store, books, journal_path)
        else:
            feed_all(store, books, journal_path)
    try:
        if found.is_whole and not is_foreign and found.number >= store.state.number:
            if found.num_gaps:
                _cut(journal_path, found.end, found.num_bad_bytes, say)
            store.apply(Effect(), make_state(books, found.number, found.end, found.last))
            say(f"{folder}: both copies of the ledger agree again on {store.state.num_stored} answers ({reason})")
            return Copies(Journal(journal_path, found.end, found.last, found.number + 1), store, books)
        journal = write_journal(folder, store, books, keep_old=True)
    except BaseException:
        store.close_quickly()
        raise
    say(f"{journal_path} was written again from {LEDGER_NAME} and what could be read of it ({reason})")
    return Copies(journal, store, books)


def _open_checked(path: Path) -> tuple[Store, Books]:
    """Open the SQLite copy and read all of it. Raises DamagedStoreError where anything is wrong with it."""
    if not path.exists():
        raise DamagedStoreError(f"{path.name} is missing")
    with telling_damage(path):
        store = Store(path)
        try:
            books = store.check()
            store.check_rows()
        except BaseException:
            store.close_quickly()
            raise
    return store, books


def _is_foreign(path: Path, state: State) -> bool:
    """Tell whether the journal is of another ledger, or of this one before it was written again.

    One that begins after all that SQLite has restates it: a killed rewriting left it.
    """
    head = read_frame_at(path, 0)
    if head is None or head.kind != HEAD:
        return False
    return read_head(head.payload).journal_id != state.journal_id and head.number <= state.number


def _rebuild_store(folder: Path, found: Survey, say: Say, reason: str) -> tuple[Store, Books]:
    path, new_path = folder / LEDGER_NAME, folder / f"{LEDGER_NAME}.new"
    if new_path.exists():
        move_aside(new_path)
    candidates = find_candidates(folder)
    is_old = is_old_format(path)
    books = Books()
    with closing(Store(new_path)) as new:
        feed_all(new, books, folder / JOURNAL_NAME)
        if is_old or not found.is_whole:
            for candidate in candidates:
                take(new, books, candidate)
        num_stored = new.state.num_stored
    aside = move_aside(path) if path.exists() and not is_old else None
    if is_old:
        # The new file has everything and replaces it in one step; the old WAL must not be taken for the new one's.
        _drop_wal(path)
    new_path.replace(path)
    synchronise_folder(folder)
    kept = f"; the damaged file is kept as {aside.name}" if aside else ""
    if is_old:
        say(f"{path} was of format 1; it was written again in format {events.FORMAT} with its {num_stored} answers")
    elif found.is_whole:
        say(f"{path} was built again from the journal with {num_stored} answers ({reason}){kept}")
    else:
        say(
            f"{path} and the journal are both damaged ({reason}; {found.num_gaps} places of the journal are "
            f"unreadable): {num_stored} answers could be read and are kept, others may be asked again{kept}"
        )
    return Store(path), books


def _drop_wal(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _restate(store: Store, books: Books) -> Iterator[Event]:
    """Yield the events that make up everything that the SQLite copy holds."""
    for key, value in store.reader.execute("SELECT key, value FROM meta WHERE key != 'format'").fetchall():
        yield events.make_meta(key, value)
    for key, mark in books.marks.items():
        yield events.make_mark(key, mark)
    for row in store.reader.execute("SELECT * FROM failures").fetchall():
        yield events.restate_failure(*row)
    for reply in store.read_replies():
        yield events.restate_reply(*reply)
