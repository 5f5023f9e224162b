import sqlite3
import subprocess
import sys
from pathlib import Path

from instructgen.ledger.cache import AnswerCache
from tests.support.make import make_reply

WRITE = """
import sys
from pathlib import Path
from instructgen.ledger.cache import AnswerCache
from tests.support.make import make_reply
first, said = int(sys.argv[2]), []
with AnswerCache(Path(sys.argv[1]), said.append) as cache:
    for start in range(first, first + 200, 10):
        cache.put_many([make_reply(n) for n in range(start, start + 10)])
print(said)
"""


def test_reply_is_found_by_another_user_of_the_folder(tmp_path: Path) -> None:
    said: list[str] = []
    with AnswerCache(tmp_path, said.append) as one, AnswerCache(tmp_path, said.append) as two:
        one.put_many([make_reply(1), make_reply(2)])
        assert two.find(make_reply(2).request_id) == make_reply(2)
        assert two.find(make_reply(3).request_id) is None
    assert said == []


def test_first_reply_stays(tmp_path: Path) -> None:
    with AnswerCache(tmp_path, print) as cache:
        cache.put_many([make_reply(1)])
        cache.put_many([make_reply(1, text="other")])
        assert cache.find(make_reply(1).request_id) == make_reply(1)


def test_processes_write_at_once_without_losing_anything(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True)
        for first in (0, 100, 200)
    ]
    assert [writer.communicate()[0].strip() for writer in writers] == ["[]"] * 3
    with AnswerCache(tmp_path, print) as cache:
        assert all(cache.find(make_reply(number).request_id) == make_reply(number) for number in range(400))


def test_damaged_file_is_moved_aside_and_the_cache_goes_on(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"garbage" * 1000)
    said: list[str] = []
    with AnswerCache(tmp_path, said.append) as cache:
        cache.put_many([make_reply(1)])
        assert cache.find(make_reply(1).request_id) == make_reply(1)
    assert (tmp_path / "answers.sqlite.damaged-1").read_bytes() == b"garbage" * 1000
    assert len(said) == 1


def test_flipped_bit_is_no_answer(tmp_path: Path) -> None:
    said: list[str] = []
    with AnswerCache(tmp_path, said.append) as cache:
        cache.put_many([make_reply(1)])
    data = (tmp_path / "answers.sqlite").read_bytes()
    (tmp_path / "answers.sqlite").write_bytes(data.replace(b"A brown dog", b"A green dog"))
    with AnswerCache(tmp_path, said.append) as cache:
        assert cache.find(make_reply(1).request_id) is None
        cache.put_many([make_reply(1)])
        assert cache.find(make_reply(1).request_id) == make_reply(1)
    assert "damaged" in said[0]


def test_second_user_goes_over_to_the_new_file_instead_of_moving_it_aside(tmp_path: Path) -> None:
    said: list[str] = []
    with AnswerCache(tmp_path, said.append) as one, AnswerCache(tmp_path, said.append) as two:
        for cache in (one, two):
            cache._take_damage(sqlite3.DatabaseError("malformed"))
        assert len(list(tmp_path.glob("*.damaged-*"))) == 1
        one.put_many([make_reply(1)])
        assert two.find(make_reply(1).request_id) == make_reply(1)


def test_folder_that_cannot_be_used_is_said_once_and_never_fatal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    with AnswerCache(tmp_path / "file" / "cache", said.append) as cache:
        cache.put_many([make_reply(1)])
        cache.put_many([make_reply(2)])
        assert cache.find(make_reply(1).request_id) is None
    assert len(said) == 1
    assert "goes on without it" in said[0]


def test_disk_that_is_full_is_said_once_and_never_fatal(tmp_path: Path) -> None:
    said: list[str] = []
    with AnswerCache(tmp_path, said.append) as cache:
        assert cache._writer is not None
        cache._writer.execute("PRAGMA max_page_count=10")
        for number in range(10):
            cache.put_many([make_reply(number, text="x" * 9000)])
    assert len(said) == 1
    assert "full" in said[0]


def test_finding_does_not_wait_for_another_writer(tmp_path: Path) -> None:
    with AnswerCache(tmp_path, print) as cache:
        cache.put_many([make_reply(1)])
        other = sqlite3.connect(tmp_path / "answers.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with cache._write_lock:
            assert cache.find(make_reply(1).request_id) == make_reply(1)
        other.close()
