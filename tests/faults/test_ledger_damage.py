"""Whatever happens to one file of a ledger: no answer is lost, none is wrong, and what happened is said."""

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from instructgen.errors import RunStoppedError
from instructgen.ledger.journal import Frame, scan
from instructgen.ledger.ledger import Ledger
from instructgen.ledger.store import State
from instructgen.records import Cost, Failed
from tests.support.make import make_reply

NUM_REPLIES = 12
FAILED_ID = f"{900:064x}"
SENT_ID = f"{901:064x}"


def text_of(number: int) -> str:
    # One reply is larger than a page of SQLite.
    return f"answer {number} " + "The brown dog lies on the grass. " * (400 if number == 5 else 8)


async def fill(ledger: Ledger) -> None:
    ledger.write_meta("teachers", "a teacher")
    for number in range(NUM_REPLIES):
        await ledger.mark_sent(make_reply(number).request_id, Cost(1000, 100))
        await ledger.store_reply(make_reply(number, text_of(number)), Cost(7, 1))
    await ledger.store_failure(FAILED_ID, Failed(FAILED_ID, "teacher", "timeout"))
    await ledger.mark_sent(SENT_ID, Cost(5000, 50))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory that was closed in good order."""
    folder = tmp_path_factory.mktemp("closed") / "run"
    with Ledger(folder) as ledger:
        asyncio.run(fill(ledger))
    (folder / "reserve").unlink()  # it takes long to copy, and a missing one is made again
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory as a kill leaves it: SQLite's WAL holds everything."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    with Ledger(folder) as ledger:
        asyncio.run(fill(ledger))
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("lock", "*-shm", "reserve"))
    assert (copy / "ledger.sqlite-wal").stat().st_size > 0
    return copy


@pytest.fixture(autouse=True)
def no_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instructgen.ledger.rescue.RESERVE_BYTES", 1 << 12)


def assert_whole(folder: Path) -> list[str]:
    """Open, read everything, open once more (nothing may be left to mend); return what was said at first."""
    said: list[str] = []
    with Ledger(folder, say=said.append) as ledger:
        for number in range(NUM_REPLIES):
            reply = ledger.find_reply(make_reply(number).request_id)
            assert reply == make_reply(number, text_of(number)), number
        assert [reply.text for reply in ledger.replies()] == [text_of(number) for number in range(NUM_REPLIES)]
        assert ledger.read_meta("teachers") == "a teacher"
        failure = ledger.find_failure(FAILED_ID)
        assert failure is not None
        assert failure.reason == "timeout"
        spent = ledger.spent()
        assert (spent.num_replies, spent.nano_usd) == (NUM_REPLIES, NUM_REPLIES * 250_000_000)
        assert (spent.maybe, spent.num_in_doubt) == (Cost(NUM_REPLIES * 7 + 5000, NUM_REPLIES + 50), 1)
    again: list[str] = []
    with Ledger(folder, say=again.append) as ledger:
        assert ledger.find_reply(make_reply(5).request_id) is not None
        assert ledger.spent() == spent
    assert again == []
    return said


def damage_each(
    whole: Path, work: Path, name: str, damages: Iterator[Callable[[bytes], bytes | None]]
) -> Iterator[Path]:
    """Yield a copy of the run directory for each damage to the file called `name`."""
    original = (whole / name).read_bytes()
    for damage in damages:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(whole, work)
        damaged = damage(original)
        if damaged is None:
            (work / name).unlink()
        else:
            (work / name).write_bytes(damaged)
        yield work


def cut_at(length: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:length]


def zero_from(start: int, end: int | None = None) -> Callable[[bytes], bytes]:
    return lambda data: data[:start] + bytes(len(data[start:end])) + (data[end:] if end else b"")


def flip(bit: int) -> Callable[[bytes], bytes]:
    return lambda data: data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def insert(at: int, extra: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + extra + data[at:]


def offsets(path: Path, step: int) -> list[int]:
    size = path.stat().st_size
    return sorted({*range(0, size, step), *random.Random(1).sample(range(size), 20), 1, 99, 100, size - 1})


FILES = [("closed", "journal"), ("closed", "ledger.sqlite"), ("killed", "journal")]


@pytest.mark.parametrize(("state", "name"), FILES)
def test_file_cut_at_any_length_loses_nothing(
    state: str, name: str, request: pytest.FixtureRequest, memory_path: Path
) -> None:
    whole: Path = request.getfixturevalue(state)
    lengths = offsets(whole / name, 997 if name == "journal" else 1021)
    for length, work in zip(
        lengths, damage_each(whole, memory_path / "run", name, map(cut_at, lengths)), strict=True
    ):
        assert assert_whole(work), f"nothing was said of {name} cut at {length}"


@pytest.mark.slow
def test_journal_of_a_small_ledger_cut_anywhere_loses_nothing(tmp_path: Path, memory_path: Path) -> None:
    """At every byte of the last frame and of the head of each, and at every fifth of what the others hold."""
    whole = tmp_path / "whole"
    with Ledger(whole) as ledger:
        asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(1, 1)))
        asyncio.run(ledger.store_reply(make_reply(1)))
        asyncio.run(ledger.store_reply(make_reply(2)))
    frames = [found for found in scan(whole / "journal") if isinstance(found, Frame)]
    heads = {at for frame in frames for at in range(frame.start, frame.start + 24)}
    lengths = sorted({*range(0, frames[-1].start, 5), *heads, *range(frames[-1].start, frames[-1].end)})
    for length, work in zip(
        lengths, damage_each(whole, memory_path / "run", "journal", map(cut_at, lengths)), strict=True
    ):
        said: list[str] = []
        with Ledger(work, say=said.append) as ledger:
            assert list(ledger.replies()) == [make_reply(1), make_reply(2)]
            assert ledger.spent().num_replies == 2
        assert said, length


@pytest.mark.slow
def test_sqlite_cut_at_every_256_bytes_loses_nothing(closed: Path, memory_path: Path) -> None:
    lengths = range(0, (closed / "ledger.sqlite").stat().st_size, 256)
    for work in damage_each(closed, memory_path / "run", "ledger.sqlite", map(cut_at, lengths)):
        assert_whole(work)


@pytest.mark.parametrize("name", ["ledger.sqlite", "ledger.sqlite-wal"])
def test_sqlite_or_its_wal_cut_after_a_kill_loses_nothing(name: str, killed: Path, memory_path: Path) -> None:
    lengths = offsets(killed / name, 4096 if name.endswith("wal") else 512)
    for work in damage_each(killed, memory_path / "run", name, map(cut_at, lengths)):
        assert_whole(work)


@pytest.mark.parametrize(("state", "name"), [*FILES, ("killed", "ledger.sqlite-wal")])
def test_zeroed_tail_loses_nothing(state: str, name: str, request: pytest.FixtureRequest, memory_path: Path) -> None:
    whole: Path = request.getfixturevalue(state)
    starts = offsets(whole / name, 4096)
    for work in damage_each(whole, memory_path / "run", name, map(zero_from, starts)):
        assert_whole(work)


@pytest.mark.parametrize("name", ["journal", "ledger.sqlite"])
def test_zeroed_stretch_loses_nothing(name: str, closed: Path, memory_path: Path) -> None:
    starts = offsets(closed / name, 4096)
    damages = (zero_from(start, start + 512) for start in starts)
    for work in damage_each(closed, memory_path / "run", name, damages):
        assert_whole(work)


@pytest.mark.parametrize("name", ["journal", "ledger.sqlite"])
def test_flipped_bits_lose_nothing_and_answer_nothing_wrong(name: str, closed: Path, memory_path: Path) -> None:
    draw = random.Random(2)
    size = (closed / name).stat().st_size
    bits = [draw.randrange(size * 8) for _ in range(60)] + [draw.randrange(100 * 8) for _ in range(20)]
    for bit, work in zip(bits, damage_each(closed, memory_path / "run", name, map(flip, bits)), strict=True):
        try:
            assert_whole(work)
        except AssertionError as error:
            raise AssertionError(f"bit {bit} of {name}") from error


@pytest.mark.parametrize("name", ["journal", "ledger.sqlite"])
def test_stray_garbage_loses_nothing(name: str, closed: Path, memory_path: Path) -> None:
    draw = random.Random(3)
    size = (closed / name).stat().st_size
    journal = (closed / "journal").read_bytes()
    damages = [insert(size, draw.randbytes(length)) for length in (1, 13, 5000)]
    damages += [insert(draw.randrange(size), draw.randbytes(draw.randrange(1, 300))) for _ in range(20)]
    damages += [insert(size, journal[:3000]), insert(0, journal), insert(size, journal)]
    for work in damage_each(closed, memory_path / "run", name, iter(damages)):
        assert_whole(work)


@pytest.mark.parametrize("name", ["journal", "ledger.sqlite", "ledger.sqlite-wal"])
@pytest.mark.parametrize("state", ["closed", "killed"])
def test_missing_file_loses_nothing(state: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    whole: Path = request.getfixturevalue(state)
    work = tmp_path / "run"
    shutil.copytree(whole, work)
    (work / name).unlink(missing_ok=True)
    assert_whole(work)


def test_damaged_sqlite_is_kept_aside(closed: Path, memory_path: Path) -> None:
    (work,) = damage_each(closed, memory_path / "run", "ledger.sqlite", iter([cut_at(5000)]))
    damaged = (work / "ledger.sqlite").read_bytes()
    said = assert_whole(work)
    assert (work / "ledger.sqlite.damaged-1").read_bytes()[:5000] == damaged
    assert any("built again from the journal with 12 answers" in text for text in said)


@pytest.mark.parametrize("seed", range(12))
def test_what_either_damaged_file_still_gives_is_found(seed: int, closed: Path, tmp_path: Path) -> None:
    """Half of each is gone: an answer may be lost, but only where neither file has it, and none is wrong."""
    draw = random.Random(seed)
    work = tmp_path / "run"
    shutil.copytree(closed, work)
    journal, database = (work / "journal").read_bytes(), (work / "ledger.sqlite").read_bytes()
    start = draw.randrange(len(journal) // 2)
    (work / "journal").write_bytes(zero_from(start, start + len(journal) // 3)(journal))
    page = draw.randrange(len(database) // 4096)
    (work / "ledger.sqlite").write_bytes(zero_from(page * 4096, page * 4096 + 4096)(database))
    left = (work / "journal").read_bytes(), (work / "ledger.sqlite").read_bytes()
    said: list[str] = []
    with Ledger(work, say=said.append) as ledger:
        for number in range(NUM_REPLIES):
            reply = ledger.find_reply(make_reply(number).request_id)
            assert reply is None or reply == make_reply(number, text_of(number))
            if any(text_of(number).encode() in data for data in left):
                assert reply is not None, (number, said)
        assert len(list(ledger.replies())) <= ledger.spent().num_replies <= NUM_REPLIES
    assert said


def test_both_files_missing_is_an_empty_ledger(closed: Path, tmp_path: Path) -> None:
    work = tmp_path / "run"
    shutil.copytree(closed, work)
    (work / "journal").unlink()
    (work / "ledger.sqlite").unlink()
    with Ledger(work) as ledger:
        assert list(ledger.replies()) == []


def test_damage_met_while_reading_is_mended_in_place(closed: Path, tmp_path: Path) -> None:
    """The run goes on: the bad page is met by a lookup, the file is built again, writing goes on."""
    work = tmp_path / "run"
    shutil.copytree(closed, work)
    database = (work / "ledger.sqlite").read_bytes()
    at = database.index(text_of(3).encode()) + 20
    (work / "ledger.sqlite").write_bytes(flip(at * 8)(database))
    said: list[str] = []
    with Ledger(work, say=said.append) as ledger:
        assert said == []
        assert ledger.find_reply(make_reply(3).request_id) == make_reply(3, text_of(3))
        assert "built again" in "".join(said)
        asyncio.run(ledger.store_reply(make_reply(70)))
        assert ledger.find_reply(make_reply(70).request_id) == make_reply(70)
    with Ledger(work) as ledger:
        assert ledger.find_reply(make_reply(70).request_id) == make_reply(70)


def test_sqlite_that_goes_bad_under_a_running_writer_stops_the_run_and_keeps_the_reply(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    work = tmp_path / "run"
    shutil.copytree(closed, work)
    with Ledger(work) as ledger, monkeypatch.context() as patch:
        patch.setattr("instructgen.ledger.store.Store.apply", fail)
        asyncio.run(ledger.store_reply(make_reply(71)))
        with pytest.raises(RunStoppedError, match="safe in the journal"):
            asyncio.run(ledger.mark_sent(make_reply(72).request_id))
        with pytest.raises(RunStoppedError, match="run the same command again"):
            asyncio.run(ledger.store_reply(make_reply(73)))
    with Ledger(work) as ledger:
        assert ledger.find_reply(make_reply(71).request_id) == make_reply(71)
        assert ledger.find_reply(make_reply(73).request_id) == make_reply(73)


def test_older_copy_of_one_file_is_brought_up_to_date(closed: Path, tmp_path: Path) -> None:
    work = tmp_path / "run"
    shutil.copytree(closed, work)
    with Ledger(work) as ledger:
        asyncio.run(ledger.store_reply(make_reply(80)))
    newer = tmp_path / "newer"
    shutil.copytree(work, newer)
    for name in ("journal", "ledger.sqlite"):
        shutil.copy(closed / name, work / name)
        with Ledger(work) as ledger:
            assert ledger.find_reply(make_reply(80).request_id) == make_reply(80)
            assert ledger.spent().num_replies == NUM_REPLIES + 1
        for other in ("journal", "ledger.sqlite"):
            shutil.copy(newer / other, work / other)


def test_state_tells_nothing_of_the_clock() -> None:
    assert not [name for name in State.__struct_fields__ if name.endswith("_at")]
