"""kill -9 while writing at full speed, and disks that are full, limited or read-only: no answer is lost."""

import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from instructgen.errors import RunStoppedError
from instructgen.jobs.ledgers import import_replies
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.rescue import read_rescued
from instructgen.records import Cost
from tests.support.make import make_reply

WRITER = """
import asyncio, os, sys
from pathlib import Path
from instructgen.ledger.ledger import Ledger
from instructgen.records import Cost
from tests.support.make import make_reply
numbers = iter(range(int(sys.argv[2]), 10**9))
async def work(ledger):
    for number in numbers:
        reply = make_reply(number, "The brown dog. " * 80)
        await ledger.mark_sent(reply.request_id, Cost(10, 1))
        os.write(1, f"sent {number}\\n".encode())
        await ledger.store_reply(reply)
        os.write(1, f"kept {number}\\n".encode())
async def main(ledger):
    await asyncio.gather(*(work(ledger) for _ in range(50)))
with Ledger(Path(sys.argv[1])) as ledger:
    asyncio.run(main(ledger))
"""


@pytest.mark.slow
def test_killed_at_any_moment_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    draw = random.Random(4)
    kept: set[int] = set()
    sent: set[int] = set()
    for run in range(20):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "run"), str(run * 10**6)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(draw.randrange(1, 1500))]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().split(b"\n")
        writer.wait()
        for line in lines:
            word, _, number = line.strip().partition(b" ")
            if number:
                (kept if word == b"kept" else sent).add(int(number))
        said: list[str] = []
        with Ledger(tmp_path / "run", say=said.append) as ledger:
            stored = {int(reply.request_id, 16) for reply in ledger.replies()}
            assert kept <= stored
            assert ledger.spent().num_replies == len(stored)
            # Of what was marked nothing is forgotten, and nothing is in doubt that was answered.
            assert len(sent - stored) <= ledger.num_in_doubt() <= 50 * (run + 1)
            assert not [text for text in said if "damaged" in text]
    assert len(kept) > 1000


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from instructgen.errors import RunStoppedError
from instructgen.ledger.ledger import Ledger
from tests.support.make import make_reply
kept = []
async def main(ledger):
    try:
        for number in range(2000):
            reply = make_reply(number, "The brown dog. " * 80)
            await ledger.mark_sent(reply.request_id)
            last = reply
            await ledger.store_reply(reply)
            kept.append(number)
    except RunStoppedError as error:
        print(error)
        try:
            await ledger.store_reply(last)
        except RunStoppedError:
            pass
        print(int(last.request_id, 16))
with Ledger(Path(sys.argv[1])) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    asyncio.run(main(ledger))
print(len(kept))
"""


@pytest.mark.parametrize("limit", [40_000, 61_234])
def test_file_size_limit_stops_the_run_and_keeps_what_was_paid_for(limit: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "run"), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message, last, num_kept = done.stdout.splitlines()
    assert "run the same command again" in message
    said: list[str] = []
    with Ledger(tmp_path / "run", say=said.append) as ledger:
        stored = {int(reply.request_id, 16) for reply in ledger.replies()}
    assert set(range(int(num_kept))) | {int(last)} <= stored


def fail_with(number: int, folder: str) -> object:
    """Make os.write fail for files of a folder, as its disk would."""
    write = os.write

    def failing(file: int, data: bytes) -> int:
        if str(Path(f"/proc/self/fd/{file}").readlink()).startswith(folder):
            raise OSError(number, os.strerror(number))
        return write(file, data)

    return failing


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="tells files by /proc")


@needs_proc
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EFBIG])
def test_reply_goes_to_the_temporary_folder_where_the_disk_takes_nothing_and_comes_back(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    with Ledger(run) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(900, 9)))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fail_with(number, str(run)))
            with pytest.raises(RunStoppedError, match="instructgen ledger import"):
                asyncio.run(ledger.store_reply(make_reply(1), Cost(7, 7)))
            with pytest.raises(RunStoppedError, match="run the same command again"):
                asyncio.run(ledger.mark_sent(make_reply(2).request_id))
            with pytest.raises(RunStoppedError, match="kept in"):
                asyncio.run(ledger.store_reply(make_reply(3)))
    (rescued,) = elsewhere.glob("rescue-*.journal")
    assert len(list(read_rescued(rescued))) == 2
    counts = import_replies(run, [rescued], print)
    assert (counts.num_new, counts.num_faulty) == (2, 0)
    with Ledger(run) as ledger:
        assert list(ledger.replies()) == [make_reply(1), make_reply(3)]
        assert ledger.spent().num_replies == 2


@needs_proc
def test_rescue_file_in_the_run_directory_comes_back_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with Ledger(run) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(900, 9)))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", fail_with(errno.EFBIG, str(run / "journal")))
            with pytest.raises(RunStoppedError, match="kept in"):
                asyncio.run(ledger.store_reply(make_reply(1), Cost(7, 7)))
    said: list[str] = []
    with Ledger(run, say=said.append) as ledger:
        assert ledger.find_reply(make_reply(1).request_id) == make_reply(1)
        assert ledger.spent().maybe == Cost(7, 7)
        assert ledger.num_in_doubt() == 0
    assert not list(run.glob("rescue-*"))
    assert "in the ledger now (1)" in said[0]


def test_reserve_makes_room_for_what_is_in_flight_and_the_run_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    run = tmp_path / "run"

    def full_until_room_is_made(file: int, data: bytes) -> int:
        if (run / "reserve").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    with Ledger(run) as ledger:
        assert (run / "reserve").stat().st_blocks * 512 >= 4 << 20
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full_until_room_is_made)
            asyncio.run(ledger.store_reply(make_reply(1)))
            with pytest.raises(RunStoppedError, match=r"disk of .* is full"):
                asyncio.run(ledger.mark_sent(make_reply(2).request_id))
    with Ledger(run) as ledger:
        assert ledger.find_reply(make_reply(1).request_id) == make_reply(1)
        assert (run / "reserve").exists()


FILLER = """
import asyncio, sys
from pathlib import Path
from instructgen.errors import RunStoppedError
from instructgen.ledger.ledger import Ledger
from tests.support.make import make_reply
kept, sent = [], []
async def work(ledger, numbers):
    for number in numbers:
        reply = make_reply(number, "The brown dog. " * 80)
        try:
            await ledger.mark_sent(reply.request_id)
        except RunStoppedError:
            return
        sent.append(number)
        try:
            await ledger.store_reply(reply)
        except RunStoppedError as error:
            print(error, file=sys.stderr)
            return
        kept.append(number)
async def main(ledger):
    numbers = iter(range(10**6))
    await asyncio.gather(*(work(ledger, numbers) for _ in range(20)))
with Ledger(Path(sys.argv[1])) as ledger:
    asyncio.run(main(ledger))
print(*sent)
"""


def test_disk_that_fills_up_loses_no_answer(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted: {mounted.stderr.strip()}")
    try:
        done = subprocess.run(
            [sys.executable, "-c", FILLER, str(disk / "run")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        sent = {int(number) for number in done.stdout.split()}
        assert len(sent) > 500
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        with Ledger(disk / "run") as ledger:
            # Whatever was sent was answered here, and whatever was answered is there.
            assert {int(reply.request_id, 16) for reply in ledger.replies()} == sent
    finally:
        subprocess.run(["umount", disk], check=True)
