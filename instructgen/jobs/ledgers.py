"""What `instructgen ledger` does: count, check, hand out, take in and tidy the answers of a run."""

import gzip
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from instructgen.errors import InstructgenError, LedgerDamagedError
from instructgen.ledger.books import KEY_BYTES, DamagedBlobError, make_adopted, read_failure, read_reply, to_key
from instructgen.ledger.journal import Event, is_journal
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.reading import open_for_replay
from instructgen.ledger.rescue import read_rescued
from instructgen.ledger.store import decode_state
from instructgen.records import Reply
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME

EXPORT_FORMAT = 1
_AT_ONCE = 500
_MAX_LINE = 1 << 28
Say = Callable[[str], None]


class ExportedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of an export; `stored_at` is the time (UTC) at which the answer was stored first."""

    format: int
    reply: Reply
    stored_at: str


class ImportCounts(msgspec.Struct):
    """`problems` names file, line and fault of the first lines that were left out."""

    num_new: int = 0
    num_known: int = 0
    num_faulty: int = 0
    problems: list[str] = []


def find_run(dataset: Path) -> Path:
    """Return the run directory of a dataset folder, or of itself. Raises InstructgenError where there is none."""
    for folder in (dataset / "run", dataset):
        if (folder / LEDGER_NAME).exists() or (folder / JOURNAL_NAME).exists():
            return folder
    raise InstructgenError(f"{dataset} holds no ledger; give the --out of a build, or its run/")


def read_stats(folder: Path) -> dict[str, Any]:
    """Return counts, money and sizes of a ledger; a run may be writing it."""
    by_model: dict[str, dict[str, Any]] = {}
    oldest = newest = None
    num_replies = 0
    with closing(open_for_replay(folder)) as connection:
        for reply, stored_at in _rows(connection, 0.0):
            num_replies += 1
            oldest = stored_at if oldest is None else min(oldest, stored_at)
            newest = stored_at if newest is None else max(newest, stored_at)
            _count(by_model.setdefault(f"{reply.model} ({reply.teacher})", _no_counts()), reply)
        failures = _count_failures(connection)
        (num_in_doubt,) = connection.execute("SELECT COUNT(*) FROM sent").fetchone()
        bought = _read_bought(connection)
    return {
        "folder": str(folder),
        "replies": num_replies,
        "by_model": dict(sorted(by_model.items())),
        "bought": bought,
        "failures": dict(sorted(failures.items())),
        "in_doubt": num_in_doubt,
        "oldest": _to_text(oldest),
        "newest": _to_text(newest),
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()},
    }


def _no_counts() -> dict[str, Any]:
    return {"replies": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0, "unpriced": 0}


def _count(counts: dict[str, Any], reply: Reply) -> None:
    counts["replies"] += 1
    counts["prompt_tokens"] += reply.prompt_tokens
    counts["completion_tokens"] += reply.completion_tokens
    counts["cost_usd"] = round(counts["cost_usd"] + (reply.cost_usd or 0.0), 9)
    counts["unpriced"] += reply.cost_usd is None


def _count_failures(connection: sqlite3.Connection) -> Counter[str]:
    query = "SELECT request_id, failure FROM failures"
    return Counter(read_failure(key, blob).reason for key, blob in connection.execute(query))


def _read_bought(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Return the running totals of all runs, or None for a ledger of format 1, which has none."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchone() is None:
        return None
    row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
    if row is None:
        return None
    totals = decode_state(row).totals
    return {
        "replies": totals.num_replies,
        "prompt_tokens": totals.prompt_tokens,
        "completion_tokens": totals.completion_tokens,
        "cost_usd": totals.nano_usd / 1e9,
        "unpriced": totals.num_unpriced,
        "maybe_cost_usd": totals.maybe_nano_usd / 1e9,
        "maybe_tokens": totals.maybe_tokens,
    }


def _to_text(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _rows(connection: sqlite3.Connection, since: float) -> Iterator[tuple[Reply, float]]:
    query = "SELECT request_id, reply, stored_at FROM replies WHERE stored_at >= ? ORDER BY rowid"
    try:
        for key, blob, stored_at in connection.execute(query, (since,)):
            yield read_reply(key, blob), stored_at
    except (sqlite3.Error, DamagedBlobError) as error:
        raise LedgerDamagedError(
            f"the ledger is damaged ({error}); `instructgen ledger verify --repair` mends it"
        ) from None


def export_replies(folder: Path, file: BinaryIO, since: float = 0.0) -> int:
    """Write every reply stored at `since` (seconds of the epoch) or later as a line of JSON; returns how many."""
    num = 0
    with closing(open_for_replay(folder)) as connection:
        for reply, stored_at in _rows(connection, since):
            file.write(encode_line(reply, stored_at))
            num += 1
    return num


def encode_line(reply: Reply, stored_at: float) -> bytes:
    return msgspec.json.encode(ExportedReply(EXPORT_FORMAT, reply, _to_text(stored_at) or "")) + b"\n"


class ExportFile:
    """A file to export to, gzip by its name; it appears under its name when it is whole and on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.new")

    def __enter__(self) -> BinaryIO:
        self._raw = self._new.open("wb")
        is_gzip = self._path.name.endswith(".gz")
        self._file = cast("BinaryIO", gzip.open(self._raw, "wb")) if is_gzip else self._raw
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is not self._raw:
            self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        if kind is None:
            self._new.replace(self._path)
        else:
            self._new.unlink()


def import_replies(folder: Path, sources: list[Path], say: Say) -> ImportCounts:
    """Take replies of export files, other run folders and rescue files into a ledger; none is counted as bought,
    but those that a full disk kept from it.

    Raises RunLockedError, and InstructgenError for a source that cannot be read at all.
    """
    counts = ImportCounts(problems=[])
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(folder, say=say))
        for source in sources:
            try:
                _take_all(ledger, _read_source(source, counts), counts)
            except (OSError, EOFError, gzip.BadGzipFile) as error:
                raise InstructgenError(f"{source} cannot be read: {error}") from None
    return counts


def _take_all(ledger: Ledger, events: Iterator[Event], counts: ImportCounts) -> None:
    group: dict[bytes, Event] = {}
    for event in events:
        key = event.payload[:KEY_BYTES]
        if key in group or ledger.has_reply(key):
            counts.num_known += 1
            continue
        group[key] = event
        if len(group) == _AT_ONCE:
            ledger.write_events(list(group.values()))
            counts.num_new += len(group)
            group = {}
    ledger.write_events(list(group.values()))
    counts.num_new += len(group)


def _read_source(source: Path, counts: ImportCounts) -> Iterator[Event]:
    if source.is_dir():
        with closing(open_for_replay(find_run(source))) as connection:
            for reply, stored_at in _rows(connection, 0.0):
                yield make_adopted(reply, stored_at)
    elif not source.is_file():
        raise InstructgenError(f"{source} is not there; give an export's file, a dataset's folder or a rescue file")
    elif is_journal(source):
        yield from read_rescued(source)
    else:
        with gzip.open(source) if source.name.endswith(".gz") else source.open("rb") as file:
            yield from _read_lines(source, cast("BinaryIO", file), counts)


def _read_lines(source: Path, file: BinaryIO, counts: ImportCounts) -> Iterator[Event]:
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            exported = msgspec.json.decode(line, type=ExportedReply)
            if exported.format != EXPORT_FORMAT:
                raise ValueError(f"format {exported.format} is not {EXPORT_FORMAT}")
            to_key(exported.reply.request_id)
            stored_at = datetime.fromisoformat(exported.stored_at).timestamp()
            yield make_adopted(exported.reply, stored_at)
        except (msgspec.MsgspecError, ValueError) as error:
            counts.num_faulty += 1
            if len(counts.problems) < 20:
                counts.problems.append(f"{source} line {number}: {error}")


def parse_since(text: str) -> float:
    """Return the epoch's seconds of a date or time (ISO 8601, UTC where no zone is given)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InstructgenError(f"--since wants a date such as 2026-11-24 or 2026-11-24T10:30, not '{text}'") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
