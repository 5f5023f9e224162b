"""While much is written SQLite is some groups behind the journal: nobody may notice."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from instructgen.errors import RunStoppedError
from instructgen.jobs.ledger_care import verify
from instructgen.jobs.ledgers import import_replies, read_stats
from instructgen.ledger import backlog, recovery
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.groups import GroupWriter
from instructgen.ledger.journal import META, Event
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.reading import find_recorded, open_for_replay
from instructgen.records import Cost, Failed
from tests.support.make import make_reply

NUM_REPLIES = 300
FAILED_ID, SENT_ID = f"{9000:064x}", f"{9001:064x}"

# Writes in large groups and ends as kill -9 does, once everything is acknowledged.
KILLED = f"""
import asyncio, os, sys
from pathlib import Path
from instructgen.ledger import backlog
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.records import Cost, Failed
from tests.support.make import make_reply

backlog.MAX_WAIT_S = 60.0
import instructgen.ledger.ledger
instructgen.ledger.ledger.MAX_WAIT_S = 60.0

async def fill(ledger):
    async def ask(number):
        await ledger.mark_sent(make_reply(number).request_id, Cost(1000, 10))
        await ledger.store_reply(make_reply(number))
    await asyncio.gather(*map(ask, range({NUM_REPLIES})),
        ledger.mark_sent("{SENT_ID}", Cost(7000, 70)),
        ledger.store_failure("{FAILED_ID}", Failed("{FAILED_ID}", "teacher", "timeout")))

folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
ledger = Ledger(folder, AnswerCache(cache, print), print)
ledger.write_meta("teachers", "someone")
asyncio.run(fill(ledger))
assert not ledger._backlog.is_empty
os._exit(0)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "cache")]
    subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[3])
    return folder


def test_who_only_reads_sees_all_that_a_killed_run_had_acknowledged(killed: Path) -> None:
    before = {path.name: path.read_bytes() for path in killed.iterdir()}
    connection = open_for_replay(killed)
    for number in range(NUM_REPLIES):
        assert find_recorded(connection, make_reply(number).request_id) == make_reply(number)
    assert connection.execute("SELECT value FROM meta WHERE key = 'teachers'").fetchone() == ("someone",)
    connection.close()
    stats = read_stats(killed)
    assert (stats["replies"], stats["in_doubt"], stats["failures"]) == (NUM_REPLIES, 1, {"timeout": 1})
    assert stats["bought"]["replies"] == NUM_REPLIES
    after = {path.name: path.read_bytes() for path in killed.iterdir() if not path.name.endswith("-shm")}
    assert after == {name: data for name, data in before.items() if not name.endswith("-shm")}


def test_a_killed_runs_answers_are_imported_whole(killed: Path, tmp_path: Path) -> None:
    counts = import_replies(tmp_path / "new", [killed], print)
    assert counts.num_new == NUM_REPLIES
    with Ledger(tmp_path / "new") as ledger:
        assert len(list(ledger.replies())) == NUM_REPLIES


def test_the_next_opening_takes_it_from_the_journal_and_the_shared_cache_has_it(killed: Path, tmp_path: Path) -> None:
    with AnswerCache(tmp_path / "cache", print) as cache:
        assert all(cache.find(make_reply(number).request_id) for number in range(NUM_REPLIES))
    with Ledger(killed) as ledger:
        assert [ledger.find_reply(make_reply(number).request_id) for number in range(NUM_REPLIES)] == [
            make_reply(number) for number in range(NUM_REPLIES)
        ]
        assert ledger.num_in_doubt() == 1
        assert ledger.find_failure(FAILED_ID) == Failed(FAILED_ID, "teacher", "timeout")
    assert verify(killed).faults == []


def test_a_reply_is_found_before_sqlite_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "_FEW", 0)
    monkeypatch.setattr(backlog, "MAX_WAIT_S", 60.0)
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(1, 1)))
        asyncio.run(ledger.store_reply(make_reply(1)))
        asyncio.run(ledger.store_failure(FAILED_ID, Failed(FAILED_ID, "teacher", "timeout")))
        assert not ledger._backlog.is_empty
        assert not ledger._backlog.effect.marks  # came and went
        assert ledger.find_reply(make_reply(1).request_id) == make_reply(1)
        assert ledger.find_failure(FAILED_ID) is not None
        ledger.write_meta("teachers", "someone")
        assert ledger.read_meta("teachers") == "someone"
        assert [reply.request_id for reply in ledger.replies()] == [make_reply(1).request_id]


def test_an_error_at_rest_costs_no_event_and_is_told_once() -> None:
    written: list[Event] = []
    rested = threading.Event()

    def write(events: object) -> None:
        written.extend(events)  # type: ignore[call-overload]

    def rest() -> None:
        rested.set()
        raise BrokenPipeError("nobody listens")

    writer = GroupWriter(write, rest, 0.01)
    events = [Event(META, bytes([number])) for number in range(2)]
    assert writer.write_all(events[:1]) is None
    assert rested.wait(10)
    while writer._rest_error is None:
        rested.wait(0.01)
    with pytest.raises(BrokenPipeError):
        writer.write_all(events[1:])
    writer.close()  # which rests no more
    assert written == events[:2]


def test_answers_under_way_are_rescued_after_a_mending_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1)))
        monkeypatch.setattr("instructgen.ledger.ledger.mend_copies", fail)
        with pytest.raises(RunStoppedError, match="cannot be mended"):
            ledger.mend("a test")
        # Whatever file takes the journal's number now, no answer may go there.
        with (tmp_path / "other").open("wb"), pytest.raises(RunStoppedError, match="are kept in"):
            asyncio.run(ledger.store_reply(make_reply(2)))
    assert (tmp_path / "other").read_bytes() == b""
    monkeypatch.setattr("instructgen.ledger.ledger.mend_copies", recovery.mend_copies)
    with Ledger(tmp_path) as ledger:
        assert [reply.request_id for reply in ledger.replies()] == [make_reply(n).request_id for n in (1, 2)]


def test_verify_finds_nothing_wrong_while_a_run_writes(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:

        async def fill() -> None:
            for start in range(0, 2000, 50):
                await asyncio.gather(*(ledger.store_reply(make_reply(start + number)) for number in range(50)))

        writer = threading.Thread(target=lambda: asyncio.run(fill()))
        writer.start()
        faults = [fault for _ in range(5) for fault in verify(tmp_path).faults]
        writer.join()
    assert faults == []


def test_a_request_id_of_another_length_in_the_index_is_damage_that_is_mended(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1)))
        ledger._copies.store.writer.execute("INSERT INTO replies VALUES (x'00ff', x'00', 0.0)")
    said: list[str] = []
    with Ledger(tmp_path, say=said.append) as ledger:
        assert ledger.find_reply(make_reply(1).request_id) == make_reply(1)
    assert "built again from the journal" in said[0]
