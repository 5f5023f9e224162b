"""Checking both copies of a ledger against each other, and tidying them: `instructgen ledger verify` and `gc`."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from instructgen.dataset.publish import REJECTED_NAME
from instructgen.errors import InstructgenError
from instructgen.jobs.ledgers import ExportFile, encode_line
from instructgen.ledger.books import Effect, read_head, split_reply
from instructgen.ledger.damage import DamagedStoreError
from instructgen.ledger.journal import ADOPTED, BOUGHT, HEAD, Event, Frame, read_frame_at, scan
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.old_copies import DAMAGED
from instructgen.ledger.reading import open_store
from instructgen.ledger.recovery import Copies, write_journal
from instructgen.ledger.store import check_replies, check_small_tables, decode_state, read_format, read_keys
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

_AT_ONCE = 500
# Where a line of rejected.jsonl names what was asked: the text's answer, the teacher's before the fallback's and the
# judge's; `request_ids` has them all, of a unit that took several.
_REQUEST_KEYS = ("request_id", "first_request_id", "judge_request_id")


class Found(msgspec.Struct):
    """What a check found; `faults` is empty where both copies are whole and agree."""

    num_replies: int = 0
    num_frames: int = 0
    faults: list[str] = []


def verify(folder: Path) -> Found:
    """Read all of both copies; a run may be writing them. Raises InstructgenError for a later format."""
    found = Found(faults=[])
    with ExitStack() as stack:
        store = _open_store(folder, found)
        number = None
        if store is not None:
            stack.enter_context(closing(store))
            number = _check_store(folder, store, found)
        # A temporary file, for ids by the million.
        scratch = stack.enter_context(closing(sqlite3.connect("", isolation_level=None)))
        scratch.execute("PRAGMA journal_mode=OFF")
        scratch.execute("CREATE TABLE told (request_id BLOB PRIMARY KEY, crc BLOB) WITHOUT ROWID")
        scratch.execute("BEGIN")
        _check_journal(folder / JOURNAL_NAME, scratch, number, found)
        if store is not None and number is not None and (folder / JOURNAL_NAME).exists():
            _compare(store, scratch, found)
    return found


def _open_store(folder: Path, found: Found) -> sqlite3.Connection | None:
    if not (folder / LEDGER_NAME).exists():
        found.faults.append(f"{LEDGER_NAME} is missing")
        return None
    try:
        return open_store(folder)
    except InstructgenError as error:
        if (folder / LEDGER_NAME).stat().st_size and "has format" in str(error):
            raise
        found.faults.append(str(error))
    return None


def _check_store(folder: Path, store: sqlite3.Connection, found: Found) -> int | None:
    """Return the number of the last event that the SQLite copy has, or None where that cannot be told."""
    try:
        if read_format(store) == "1":
            found.faults.append(f"{LEDGER_NAME} is of format 1; the next build writes it again, with a second copy")
            return None
        return _check_tables(folder, store, found)
    except (sqlite3.Error, DamagedStoreError, UnicodeError, OverflowError, TypeError) as error:
        found.faults.append(f"{LEDGER_NAME}: {error}")
    return None


def _check_tables(folder: Path, connection: sqlite3.Connection, found: Found) -> int:
    row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
    if row is None:
        raise DamagedStoreError("it is empty")
    state = decode_state(row)
    for (line,) in connection.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            found.faults.append(f"{LEDGER_NAME}: {line}")
    replies = check_replies(connection)
    found.num_replies = replies.num_rows
    num_wrong = replies.num_wrong + check_small_tables(connection)
    if num_wrong:
        found.faults.append(f"{LEDGER_NAME}: {num_wrong} rows are not what was written")
    key_sum = sum(int.from_bytes(key, "big") for key in read_keys(connection))
    if (replies.num_rows, f"{key_sum:x}") != (state.num_stored, state.key_sum):
        found.faults.append(f"{LEDGER_NAME}: its request ids are not the {state.num_stored} that were stored")
    head = read_frame_at(folder / JOURNAL_NAME, 0)
    if head is not None and head.kind == HEAD and read_head(head.payload).journal_id != state.journal_id:
        found.faults.append(f"{JOURNAL_NAME}: it is not the one that {LEDGER_NAME} was written beside")
    return state.number


def _check_journal(path: Path, scratch: sqlite3.Connection, number: int | None, found: Found) -> None:
    """List the journal's replies, of events up to `number`, in `scratch`."""
    if not path.exists():
        found.faults.append(f"{path.name} is missing")
        return
    last = None
    for piece in scan(path):
        if not isinstance(piece, Frame):
            found.faults.append(f"{path.name}: bytes {piece.start} to {piece.end} are no record")
            continue
        if last is not None and piece.number != last + 1:
            found.faults.append(f"{path.name}: record {piece.number} at byte {piece.start} follows record {last}")
        last = piece.number
        found.num_frames += 1
        if piece.kind in (BOUGHT, ADOPTED) and (number is None or piece.number <= number):
            key, blob, _ = split_reply(Event(piece.kind, piece.payload))
            scratch.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (key, blob[:4]))
    if number is not None and (last is None or last < number):
        found.faults.append(f"{path.name}: it ends with record {last} of {number}")


def _compare(store: sqlite3.Connection, scratch: sqlite3.Connection, found: Found) -> None:
    """Compare the replies that the journal told of with those of SQLite at the same moment."""
    num_missing = num_other = 0
    try:
        for key, blob in store.execute("SELECT request_id, reply FROM replies"):
            row = scratch.execute("SELECT crc FROM told WHERE request_id = ?", (key,)).fetchone()
            num_missing += row is None
            num_other += row is not None and row[0] != blob[:4]
            scratch.execute("DELETE FROM told WHERE request_id = ?", (key,))
    except sqlite3.Error:
        return  # told already
    (num_left,) = scratch.execute("SELECT COUNT(*) FROM told").fetchone()
    for num, text in (
        (num_missing, f"answers are in {LEDGER_NAME} but not in the journal"),
        (num_other, "answers differ between the two copies"),
        (num_left, f"answers are in the journal but not in {LEDGER_NAME}"),
    ):
        if num:
            found.faults.append(f"{num} {text}")


def repair(folder: Path, say: Callable[[str], None]) -> None:
    """Mend both copies from each other, reading all of them. Raises RunLockedError while a run holds them."""
    with Ledger(folder, say=say) as ledger:
        ledger.mend("a repair was asked for", is_store_suspect=False)
        if verify(folder).faults:
            ledger.mend("its tables do not agree with each other")


class GcResult(msgspec.Struct):
    """Bytes of the run directory before and after, and how many replies went to the file of unused ones."""

    bytes_before: int
    bytes_after: int
    num_dropped: int
    num_damaged_removed: int


def collect(
    dataset: Path, folder: Path, unused_to: Path | None, say: Callable[[str], None], *, removes_damaged: bool
) -> GcResult:
    """Write the journal again without what is over, and give SQLite's free pages back.

    With `unused_to`, replies that no version refers to go to that file and, once it is on disk, out of the ledger.
    Raises RunLockedError while a run holds the ledger.
    """
    before = _count_bytes(folder)
    with Ledger(folder, say=say) as ledger:
        num_dropped = 0 if unused_to is None else _drop_unused(dataset, ledger, unused_to)
        ledger.replace_copies(_compact)
    num_removed = 0
    if removes_damaged:
        for path in sorted(folder.glob(f"*{DAMAGED}*")):
            path.unlink()
            num_removed += 1
    return GcResult(before, _count_bytes(folder), num_dropped, num_removed)


def _compact(copies: Copies) -> Copies:
    store, books = copies.store, copies.books
    store.check_rows()  # nothing is thrown away while the other copy is in doubt
    store.writer.execute("DELETE FROM failures WHERE request_id IN (SELECT request_id FROM replies)")
    store.writer.execute("VACUUM")
    store.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal = write_journal(store.path.parent, store, books, keep_old=False)
    copies.journal.close()
    return Copies(journal, store, books)


def _drop_unused(dataset: Path, ledger: Ledger, unused_to: Path) -> int:
    if unused_to.exists():
        raise InstructgenError(f"{unused_to} is there already; name a new file")
    with closing(sqlite3.connect("", isolation_level=None)) as scratch:
        scratch.execute("PRAGMA journal_mode=OFF")
        scratch.execute("CREATE TABLE used (request_id BLOB PRIMARY KEY) WITHOUT ROWID")
        scratch.execute("CREATE TABLE unused (request_id BLOB PRIMARY KEY) WITHOUT ROWID")
        scratch.execute("BEGIN")
        num_versions = 0
        for version in _versions(dataset):
            num_versions += 1
            keys = ((bytes.fromhex(request_id),) for request_id in read_request_ids(version))
            scratch.executemany("INSERT OR IGNORE INTO used VALUES (?)", keys)
        if not num_versions:
            raise InstructgenError(f"{dataset} has no published version, so every answer would go; build one first")
        with ExportFile(unused_to) as file:
            for key, reply, stored_at in ledger.stored():
                if scratch.execute("SELECT 1 FROM used WHERE request_id = ?", (key,)).fetchone() is None:
                    file.write(encode_line(reply, stored_at))
                    scratch.execute("INSERT INTO unused VALUES (?)", (key,))
        (num,) = scratch.execute("SELECT COUNT(*) FROM unused").fetchone()
        ledger.replace_copies(lambda copies: _drop(copies, scratch))
    return int(num)


def _drop(copies: Copies, scratch: sqlite3.Connection) -> Copies:
    keys = scratch.execute("SELECT request_id FROM unused")
    while group := [key for (key,) in keys.fetchmany(_AT_ONCE)]:
        copies.store.apply(Effect(dropped=group), copies.state())
    return copies


def _versions(dataset: Path) -> Iterator[Path]:
    root = dataset if (dataset / "versions").is_dir() else dataset.parent
    yield from sorted(path for path in (root / "versions").glob("*") if path.is_dir())


def read_request_ids(version: Path) -> Iterator[str]:
    """Yield the requests of every row and of everything rejected in a version, some of them many times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in sorted((version / "data").glob("*.parquet")):
        try:
            for batch in pq.ParquetFile(path).iter_batches(batch_size=4096, columns=["request_ids"]):
                for ids in batch.column(0).to_pylist():
                    yield from ids
        except (pa.ArrowException, OSError) as error:
            raise InstructgenError(f"{path} cannot be read: {error}; nothing was dropped") from None
    rejected = version / REJECTED_NAME
    if not rejected.exists():
        return
    with rejected.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                refused = json.loads(line)
                yield from [refused[key] for key in _REQUEST_KEYS if key in refused]
                yield from refused.get("request_ids", ())
            except (ValueError, TypeError, AttributeError) as error:
                raise InstructgenError(f"{rejected} line {number}: {error}; nothing was dropped") from None


def _count_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
