"""The disk full, files at their size limit, folders that nobody may write to, ledger files that are damaged."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from instructgen.ledger.backlog import MAX_WAIT_S
from tests.faults.engine import CONCURRENCY, Engine
from tests.support.chat_server import Act

BLOCK_BYTES = 4096
SETTLE_S = 8 * MAX_WAIT_S  # in which SQLite has all that the journal has


def go_on(engine: Engine) -> None:
    """Run again: what the disk did not take may be bought twice, and that is no more than was in flight."""
    engine.lives[0].num_excused = CONCURRENCY
    engine.run()
    engine.check_complete()
    assert engine.servers[0].num_requests <= engine.num_images + CONCURRENCY


def test_file_at_its_size_limit_stops_the_run_and_loses_nothing(engine: Engine) -> None:
    server = engine.serve(delay_s=0.01)
    stopped = engine.run(max_file_bytes=12 * 1024, timeout_s=60)
    assert stopped.code in (2, 3), (stopped.code, stopped.err[-800:])
    assert "cannot be" in stopped.err
    assert "Traceback" not in stopped.err
    assert server.num_requests < engine.num_images
    go_on(engine)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False)
    if made.returncode:
        pytest.skip("a small disk wants the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_full_disk_stops_the_run_and_loses_nothing(engine: Engine) -> None:
    server = engine.serve(delay_s=0.02)
    with small_disk(engine.out, "6m"):
        life = engine.start()
        server.wait_for(10)
        filler = engine.out / "filler"
        with pytest.raises(OSError, match="No space"):
            fill(filler)
        stopped = engine.wait(life)
        assert stopped.code == 3, (stopped.code, stopped.err[-800:])
        assert "free space" in stopped.err
        assert "Traceback" not in stopped.err
        filler.unlink()
        go_on(engine)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * BLOCK_BYTES)


def test_folder_that_becomes_read_only_stops_the_run_and_loses_nothing(engine: Engine) -> None:
    server = engine.serve(delay_s=0.02)
    life = engine.start()
    server.wait_for(10)
    frozen = [engine.out, engine.out / "run"]
    if subprocess.run(["chattr", "+i", *frozen], check=False, capture_output=True).returncode:
        engine.wait(life)
        pytest.skip("making a folder read-only to this user wants chattr, its rights and a file system that has it")
    try:
        stopped = engine.wait(life)
    finally:
        subprocess.run(["chattr", "-i", *frozen], check=True)
    assert stopped.code == 3, (stopped.code, stopped.err[-800:])
    assert "cannot be written" in stopped.err
    assert "Traceback" not in stopped.err
    go_on(engine)


def cut(share: float) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def zero_tail(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def add_garbage(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\x00\xffgarbage" * 99)


def strew_garbage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(len(data) // 3, len(data), max(len(data) // 7, 1)):
        data[start : start + 16] = b"stray garbage!!!"
    path.write_bytes(data)


DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "ledger cut to half": ("ledger.sqlite", cut(0.5)),
    "ledger emptied": ("ledger.sqlite", cut(0.0)),
    "ledger with garbage strewn in": ("ledger.sqlite", strew_garbage),
    "ledger with a zeroed tail": ("ledger.sqlite", zero_tail),
    "journal cut to a third": ("journal", cut(0.35)),
    "journal emptied": ("journal", cut(0.0)),
    "journal with a zeroed tail": ("journal", zero_tail),
    "journal with garbage at its end": ("journal", add_garbage),
}


def damage_and_go_on(engine: Engine, names: Sequence[str], num_before_kill: int | None = None) -> None:
    """Damage one file of a run that was done, or killed, and run it again: no answer is bought twice."""
    server = engine.serve(delay_s=0.02)
    if num_before_kill is not None:
        server.fault = lambda number, body: Act(then="hang", cut_at=0) if number >= num_before_kill else None
    life = engine.start()
    if num_before_kill is not None:
        server.at(num_before_kill, life.kill, SETTLE_S)
    engine.wait(life)
    server.fault = None
    whole = engine.folder / "whole"
    engine.out.rename(whole)
    answered = set(server.answered)
    for name in names:
        file_name, damage = DAMAGES[name]
        shutil.rmtree(engine.out, ignore_errors=True)
        shutil.copytree(whole, engine.out)
        damage(engine.out / "run" / file_name)
        engine.run()
        assert engine.last is not None
        assert engine.last.code == 0, (name, engine.last.err[-800:])
        assert engine.last.total("accepted") == engine.num_images
        asked = {each.prompt for each in engine.exchanges if each.life == len(engine.lives) - 1}
        num_again = len(asked & answered)
        assert num_again <= life.num_excused, f"{name}: {num_again} answers were bought again"


def test_damaged_ledger_gives_every_answer_back(engine: Engine) -> None:
    damage_and_go_on(engine, list(DAMAGES)[::2])


def test_damaged_ledger_of_a_killed_run_gives_every_answer_back(engine: Engine) -> None:
    damage_and_go_on(engine, list(DAMAGES)[1::4], num_before_kill=25)
