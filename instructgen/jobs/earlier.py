"""What earlier runs left in a dataset folder and in a shared cache, opened for reading alone."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.jobs.survey import FindReply
from instructgen.ledger.books import DamagedBlobError, read_reply, to_key
from instructgen.ledger.cache import CACHE_NAME
from instructgen.ledger.damage import DamagedStoreError
from instructgen.ledger.reading import connect_read_only, find_recorded, open_for_replay
from instructgen.ledger.store import decode_state, read_format
from instructgen.records import NOTHING, Cost, Reply
from instructgen.resources import LEDGER_NAME, RUN_NAME

LEDGER, CACHE = "ledger", "cache"


class History(Struct, frozen=True):
    """What earlier runs in the dataset folder tell: what they spent, and how long an answer took, if any did."""

    spent: Cost = NOTHING
    latency_s: float | None = None


@contextmanager
def open_answers(run_folder: Path | None, cache_dir: Path | None) -> Iterator[dict[str, FindReply]]:
    """Give the places where answers may be already, in the order in which a build looks there. Nothing is locked.

    Raises InstructgenError for a ledger that cannot be read; a cache that cannot be is left out, as a build does.
    """
    answers: dict[str, FindReply] = {}
    connections: list[sqlite3.Connection] = []
    try:
        if run_folder is not None and (run_folder / LEDGER_NAME).is_file():
            ledger = open_for_replay(run_folder)
            connections.append(ledger)
            answers[LEDGER] = lambda request_id: find_recorded(ledger, request_id)
        if cache_dir is not None and (cache_dir / CACHE_NAME).is_file():
            cache = connect_read_only(cache_dir / CACHE_NAME)
            connections.append(cache)
            answers[CACHE] = lambda request_id: _find_shared(cache, request_id)
        yield answers
    finally:
        for connection in connections:
            connection.close()


def read_history(run_folder: Path) -> History:
    """Return what the ledger and run.json of a dataset folder tell; nothing where there are none."""
    if not (run_folder / LEDGER_NAME).is_file():
        return History()
    connection = open_for_replay(run_folder)
    try:
        spent = _read_spent(connection)
    except (sqlite3.Error, DamagedStoreError, DamagedBlobError) as error:
        raise InstructgenError(
            f"{run_folder / LEDGER_NAME} is not a usable ledger ({error}); "
            f"`instructgen ledger verify --repair {run_folder}` mends it"
        ) from None
    finally:
        connection.close()
    return History(spent, _read_latency_s(run_folder / RUN_NAME))


def _find_shared(connection: sqlite3.Connection, request_id: str) -> Reply | None:
    key = to_key(request_id)
    try:
        row = connection.execute("SELECT reply FROM answers WHERE request_id = ?", (key,)).fetchone()
        return None if row is None else read_reply(key, row[0])
    except (sqlite3.Error, DamagedBlobError, TypeError):
        return None  # a build begins a new cache then, and asks


def _read_spent(connection: sqlite3.Connection) -> Cost:
    """Return all that counts against a budget: answers, attempts that were lost, and those that may still run."""
    if read_format(connection) == "1":
        rows = connection.execute("SELECT request_id, reply FROM replies")
        replies = (read_reply(key, blob) for key, blob in rows)
        costs = (
            Cost(round((reply.cost_usd or 0.0) * 1e9), reply.prompt_tokens + reply.completion_tokens)
            for reply in replies
        )
        return sum(costs, NOTHING)
    row = connection.execute("SELECT body, crc FROM state WHERE id = 0").fetchone()
    if row is None:
        return NOTHING
    totals = decode_state(row).totals
    nano_usd, tokens = connection.execute("SELECT TOTAL(nano_usd), TOTAL(tokens) FROM sent").fetchone()
    return Cost(
        totals.nano_usd + totals.maybe_nano_usd + round(nano_usd),
        totals.prompt_tokens + totals.completion_tokens + totals.maybe_tokens + round(tokens),
    )


def _read_latency_s(path: Path) -> float | None:
    """Return the mean time of an answer in the latest run; None where run.json is not there or tells none."""
    try:
        mean = json.loads(path.read_text(encoding="utf-8"))["stats"]["latency_s"]["mean"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(mean) if isinstance(mean, (int, float)) and mean > 0 else None
