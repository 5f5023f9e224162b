import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from instructgen.errors import InstructgenError, LedgerDamagedError, RunLockedError
from instructgen.ledger.books import Spent
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.reading import find_recorded, open_for_replay
from instructgen.records import Cost, Failed
from tests.support.make import make_reply

FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE replies (request_id BLOB NOT NULL UNIQUE, reply BLOB NOT NULL, stored_at REAL NOT NULL);
CREATE TABLE sent (request_id BLOB NOT NULL UNIQUE, sent_at REAL NOT NULL);
CREATE TABLE failures (request_id BLOB NOT NULL UNIQUE, failure BLOB NOT NULL, failed_at REAL NOT NULL);
"""


def store(folder: Path, *numbers: int) -> None:
    async def store_all(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.store_reply(make_reply(number)) for number in numbers))

    with Ledger(folder) as ledger:
        asyncio.run(store_all(ledger))


def test_reply_is_found_after_closing_and_opening(tmp_path: Path) -> None:
    store(tmp_path, 1, 2, 3)
    with Ledger(tmp_path) as ledger:
        assert ledger.find_reply(make_reply(2).request_id) == make_reply(2)
        assert ledger.find_reply(make_reply(4).request_id) is None


def test_both_copies_have_the_reply_when_the_store_returns(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1)))
        connection = sqlite3.connect(ledger.path)
        assert connection.execute("SELECT COUNT(*) FROM replies").fetchone() == (1,)
        connection.close()
        assert msgspec.json.encode(make_reply(1)) in (tmp_path / "journal").read_bytes()


def test_first_reply_to_a_request_is_never_replaced_and_both_are_paid_for(tmp_path: Path) -> None:
    store(tmp_path, 1)
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1, text="another answer")))
        assert [reply.text for reply in ledger.replies()] == ["A brown dog."]
        assert ledger.spent().num_replies == 2
    said: list[str] = []
    with Ledger(tmp_path, say=said.append):
        assert said == []


def test_mark_without_reply_is_in_doubt_and_a_reply_clears_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(100, 10)))
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(100, 10)))
        asyncio.run(ledger.mark_sent(make_reply(2).request_id, Cost(1, 1)))
        assert ledger.num_in_doubt() == 2
        assert ledger.spent().in_doubt == Cost(201, 21)
        asyncio.run(ledger.store_reply(make_reply(1), maybe=Cost(100, 10)))
        assert ledger.num_in_doubt() == 1
        assert ledger.spent() == Spent(1, 10, 5, 250_000_000, 0, Cost(100, 10), Cost(1, 1), 1)


def test_what_a_killed_run_had_in_flight_counts_as_maybe_spent_once(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(100, 10)))
    for _ in range(2):
        with Ledger(tmp_path) as ledger:
            assert ledger.spent() == Spent(maybe=Cost(100, 10), num_in_doubt=1)
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(100, 10)))
        asyncio.run(ledger.store_reply(make_reply(1, cost_usd=None)))
        assert ledger.spent() == Spent(1, 10, 5, 0, 1, Cost(100, 10))


def test_failure_is_forgotten_once_a_reply_comes(tmp_path: Path) -> None:
    key = make_reply(1).request_id
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_failure(key, Failed(key, "teacher", "timeout"), Cost(3, 4)))
        assert ledger.find_failure(key) == Failed(key, "teacher", "timeout")
        asyncio.run(ledger.store_reply(make_reply(1)))
        assert ledger.find_failure(key) is None
        assert ledger.spent().maybe == Cost(3, 4)


def test_adopted_reply_is_not_counted_as_bought(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.adopt_reply(make_reply(1)))
        assert ledger.find_reply(make_reply(1).request_id) == make_reply(1)
        assert ledger.spent() == Spent()


def test_bought_reply_is_shared_with_another_run(tmp_path: Path) -> None:
    with AnswerCache(tmp_path / "cache", print) as cache:
        with Ledger(tmp_path / "one", cache) as ledger:
            asyncio.run(ledger.store_reply(make_reply(1)))
        with Ledger(tmp_path / "two", cache) as ledger:
            assert ledger.find_reply(make_reply(1).request_id) is None
            assert ledger.find_shared(make_reply(1).request_id) == make_reply(1)


def test_first_use_is_told_once(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asked = [ledger.is_first_use(make_reply(number).request_id) for number in (1, 2, 1, 1)]
    assert asked == [True, True, False, False]


def test_meta_is_kept_and_replaced(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.write_meta("teachers", "one")
        ledger.write_meta("teachers", "two")
    with Ledger(tmp_path) as ledger:
        assert ledger.read_meta("teachers") == "two"
        assert ledger.read_meta("nothing") is None


def test_cancelled_waiter_does_not_lose_the_write(tmp_path: Path) -> None:
    async def cancel(ledger: Ledger) -> None:
        tasks = [asyncio.create_task(ledger.store_reply(make_reply(number))) for number in range(1, 6)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.store_reply(make_reply(6))

    with Ledger(tmp_path) as ledger:
        asyncio.run(cancel(ledger))
        assert len(list(ledger.replies())) == 6


def test_leaving_writes_what_a_dead_loop_had_submitted(tmp_path: Path) -> None:
    tasks: list[asyncio.Future[None]] = []

    async def submit(ledger: Ledger) -> None:
        tasks.extend(asyncio.ensure_future(ledger.store_reply(make_reply(number))) for number in range(1, 40))
        await asyncio.sleep(0)

    with Ledger(tmp_path) as ledger:
        asyncio.run(submit(ledger))
    with Ledger(tmp_path) as ledger:
        assert len(list(ledger.replies())) == 39


def test_ctrl_c_while_leaving_does_not_lose_what_is_pending(tmp_path: Path) -> None:
    script = """
import asyncio, os, signal, sys, threading, time
from pathlib import Path
from instructgen.ledger import journal
from instructgen.ledger.ledger import Ledger
from tests.support.make import make_reply
synchronise, entered = journal.synchronise, threading.Event()
def slow(file):
    entered.set()
    time.sleep(0.3)
    synchronise(file)
tasks = []
async def submit(ledger):
    tasks.extend(asyncio.ensure_future(ledger.store_reply(make_reply(number))) for number in range(1, 40))
    await asyncio.sleep(0)
    journal.synchronise = slow
def interrupt():
    entered.wait()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
with Ledger(Path(sys.argv[1])) as ledger:
    asyncio.run(submit(ledger))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" in done.stderr
    with Ledger(tmp_path) as ledger:
        assert len(list(ledger.replies())) == 39


def test_groups_share_a_synchronisation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instructgen.ledger import journal

    synchronise, num = journal.synchronise, [0]

    def counted(file: int) -> None:
        num[0] += 1
        synchronise(file)

    monkeypatch.setattr(journal, "synchronise", counted)
    store(tmp_path, *range(1000))
    assert num[0] < 100


def test_second_process_is_refused(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from instructgen.ledger.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        with pytest.raises(RunLockedError, match="in use by another"):
            Ledger(tmp_path)
    finally:
        holder.communicate()
    Ledger(tmp_path).__exit__(None, None, None)


def test_lock_of_a_killed_process_does_not_stay(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal; from pathlib import Path; from instructgen.ledger.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    store(tmp_path, 1)


def test_file_that_is_no_ledger_is_moved_aside_and_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    said: list[str] = []
    with Ledger(tmp_path, say=said.append) as ledger:
        assert list(ledger.replies()) == []
    assert (tmp_path / "ledger.sqlite.damaged-1").read_bytes() == b"not a database at all" * 100
    assert "ledger.sqlite.damaged-1" in said[0]


def test_ledger_of_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    import zlib

    store(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    with connection:
        crc = zlib.crc32(b"format\x0099")
        connection.execute("UPDATE meta SET value = '99', crc = ? WHERE key = 'format'", (crc,))
    connection.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with pytest.raises(InstructgenError, match="has format 99"):
        Ledger(tmp_path)
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def make_format_1(folder: Path) -> None:
    folder.mkdir()
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(FORMAT_1)
    with connection:
        connection.executemany("INSERT INTO meta VALUES (?, ?)", [("format", "1"), ("teachers", "[]")])
        for number in range(30):
            row = (
                bytes.fromhex(make_reply(number).request_id),
                msgspec.json.encode(make_reply(number)),
                1000.5 + number,
            )
            connection.execute("INSERT INTO replies VALUES (?, ?, ?)", row)
        failure = Failed("e" * 64, "teacher", "timeout")
        connection.execute("INSERT INTO failures VALUES (?, ?, 5.0)", (b"\xee" * 32, msgspec.json.encode(failure)))
        connection.execute("INSERT INTO sent VALUES (?, 5.0)", (b"\xdd" * 32,))
    connection.close()


def test_format_1_is_replayed_as_it_is_and_migrated_by_a_writer(tmp_path: Path) -> None:
    make_format_1(tmp_path / "run")
    connection = open_for_replay(tmp_path / "run")
    assert find_recorded(connection, make_reply(3).request_id) == make_reply(3)
    connection.close()
    said: list[str] = []
    with Ledger(tmp_path / "run", say=said.append) as ledger:
        assert list(ledger.replies()) == [make_reply(number) for number in range(30)]
        assert [stored_at for _, _, stored_at in ledger.stored()] == [1000.5 + number for number in range(30)]
        assert ledger.find_failure("e" * 64) == Failed("e" * 64, "teacher", "timeout")
        assert ledger.read_meta("teachers") == "[]"
        assert ledger.spent() == Spent(30, 300, 150, 30 * 250_000_000, num_in_doubt=1)
    assert "format 1" in said[0]
    (tmp_path / "run" / "ledger.sqlite").unlink()
    with Ledger(tmp_path / "run", say=said.append) as ledger:
        assert len(list(ledger.replies())) == 30
        assert ledger.spent().num_replies == 30


def test_replay_of_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no recorded run"):
        open_for_replay(tmp_path)


def test_replay_never_gives_a_damaged_answer(tmp_path: Path) -> None:
    store(tmp_path, 1)
    data = (tmp_path / "ledger.sqlite").read_bytes()
    (tmp_path / "ledger.sqlite").write_bytes(data.replace(b"A brown dog", b"A green dog"))
    connection = open_for_replay(tmp_path)
    with pytest.raises(LedgerDamagedError, match="verify --repair"):
        find_recorded(connection, make_reply(1).request_id)
    assert find_recorded(connection, make_reply(2).request_id) is None
    connection.close()


def test_replay_writes_nothing_beside_the_ledger(tmp_path: Path) -> None:
    store(tmp_path, 1)
    before = sorted(tmp_path.iterdir())
    open_for_replay(tmp_path).close()
    assert sorted(tmp_path.iterdir()) == before


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InstructgenError, match="cannot be written"):
        Ledger(tmp_path / "file" / "run")


def test_request_id_that_is_no_sha256_is_a_bug(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, pytest.raises(ValueError, match="64 hexadecimal"):
        ledger.find_reply("abcd")


def test_clock_going_back_changes_nothing_but_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path, 1)
    monkeypatch.setattr("instructgen.ledger.books.time.time", lambda: -5e9)
    store(tmp_path, 2)
    with Ledger(tmp_path) as ledger:
        assert [reply.request_id for reply in ledger.replies()] == [make_reply(n).request_id for n in (1, 2)]
