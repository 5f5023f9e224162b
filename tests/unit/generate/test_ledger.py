import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.generate.ledger import Ledger, open_for_replay
from instructgen.records import Failed
from tests.support.make import make_reply


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


def test_reply_is_in_the_file_when_the_store_returns(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1)))
        connection = sqlite3.connect(ledger.path)
        assert connection.execute("SELECT COUNT(*) FROM replies").fetchone() == (1,)
        connection.close()


def test_first_reply_to_a_request_is_never_replaced(tmp_path: Path) -> None:
    store(tmp_path, 1)
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(1, text="another answer")))
        assert [reply.text for reply in ledger.replies()] == ["A brown dog."]


def test_mark_without_reply_is_in_doubt_and_a_reply_clears_it(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id))
        asyncio.run(ledger.mark_sent(make_reply(2).request_id))
        assert ledger.num_in_doubt() == 2
        asyncio.run(ledger.store_reply(make_reply(1)))
        assert ledger.num_in_doubt() == 1


def test_failure_is_forgotten_once_a_reply_comes(tmp_path: Path) -> None:
    key = make_reply(1).request_id
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_failure(key, Failed(key, "teacher", "timeout")))
        assert ledger.find_failure(key) == Failed(key, "teacher", "timeout")
        asyncio.run(ledger.store_reply(make_reply(1)))
        assert ledger.find_failure(key) is None


def test_second_process_is_refused(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from instructgen.generate.ledger import Ledger\n"
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
        "import os, sys, signal; from pathlib import Path; from instructgen.generate.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    store(tmp_path, 1)


def test_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(InstructgenError, match=r"ledger\.sqlite is not a usable ledger"):
        Ledger(tmp_path)


def test_ledger_of_another_format_is_refused(tmp_path: Path) -> None:
    store(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    with connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    connection.close()
    with pytest.raises(InstructgenError, match="has ledger format 99"):
        Ledger(tmp_path)


def test_write_that_fails_stops_the_run_instead_of_losing_the_reply(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        connection = sqlite3.connect(ledger.path)
        connection.execute("DROP TABLE replies")
        connection.close()
        with pytest.raises(RunStoppedError, match="cannot be written"):
            asyncio.run(ledger.store_reply(make_reply(1)))


def test_replay_of_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no recorded run"):
        open_for_replay(tmp_path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InstructgenError, match="cannot be written"):
        Ledger(tmp_path / "file" / "run")
