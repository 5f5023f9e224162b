"""Parts on workers that die or run out of money: each is built in the end, for no more than was given."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from instructgen.config import BuildConfig, RunConfig, SourceConfig, TeacherConfig
from instructgen.engine.leases import LEASES_NAME, LeaseBook, to_nano
from instructgen.engine.partitions import build_part, read_spent
from instructgen.engine.schedule import Schedule
from instructgen.engine.work import PartReport, PartWork
from instructgen.errors import BudgetSpentError, RunStoppedError
from instructgen.generate.meter import RateSlice
from instructgen.jobs.merge import merge_parts
from instructgen.records import Cost
from tests.support.chat_server import ChatServer
from tests.support.coco_folder import make_coco

NUM_IMAGES, NUM_PARTS = 24, 4
PRICES = '[models."m"]\nprompt = 0.0\ncompletion = 10.0\n'


@pytest.fixture(autouse=True)
def _stay_here() -> Iterator[None]:
    """A part is built in the folder that its paths are relative to."""
    here = Path.cwd()
    yield
    os.chdir(here)


class Here:
    """Workers of this process: each builds its part when it is waited for, and dies at the given starts."""

    def __init__(self, work: PartWork, book: LeaseBook, dies_at: tuple[int, ...] = ()) -> None:
        self.work, self.book, self.dies_at = work, book, dies_at
        self.waiting: list[tuple[int, int]] = []
        self.num_hired = self.num_begun = 0

    def hire(self) -> int:
        self.num_hired += 1
        return self.num_hired

    def begin(self, worker: int, index: int) -> None:
        self.waiting.append((worker, index))

    def wait(self) -> list[tuple[int, int, PartReport | None]]:
        worker, index = self.waiting.pop(0)
        self.num_begun += 1
        if self.num_begun in self.dies_at:
            return [(worker, index, None)]
        return [(worker, index, build_part(self.work, index, Borrower(self.book, index)))]

    def settle(self, index: int, spent: Cost) -> Cost:
        self.book.settle(index, spent)
        return self.book.lent


class Borrower:
    def __init__(self, book: LeaseBook, part: int) -> None:
        self.book, self.part = book, part

    def lend_budget(self, wanted: Cost) -> Cost:
        return self.book.lend_budget(self.part, wanted)

    def lend_rate(self, server: str, tokens: int) -> RateSlice:
        return self.book.lend_rate(server, tokens)


def make_work(folder: Path, base_url: str | None = None, budget_usd: float | None = None) -> PartWork:
    make_coco(folder / "coco", NUM_IMAGES)
    (folder / "prices.toml").write_text(f'as_of = "2026-11-24"\n{PRICES}')
    teacher = TeacherConfig()
    if base_url is not None:
        teacher = TeacherConfig(name="openai", model="m", base_url=base_url, prices="prices.toml", concurrency=4)
    config = BuildConfig(
        types=("conv",), source=SourceConfig(root="coco"), teacher=teacher, run=RunConfig(budget_usd=budget_usd)
    )
    return PartWork(msgspec.json.encode(config), NUM_PARTS, str(folder / "out"), str(folder))


def open_book(work: PartWork, budget_usd: float | None = None) -> LeaseBook:
    book = LeaseBook(Path(work.out) / "run" / LEASES_NAME, NUM_PARTS, to_nano(budget_usd))
    book.open()
    return book


def run(workers: Here) -> list[PartReport]:
    return Schedule(workers, NUM_PARTS, 2, lambda _: None).run()


def test_part_whose_worker_died_is_built_by_another(tmp_path: Path) -> None:
    work = make_work(tmp_path)
    workers = Here(work, open_book(work), dies_at=(1, 3))
    reports = run(workers)
    assert [report.index for report in reports] == list(range(NUM_PARTS))
    assert not any(report.error for report in reports)
    assert workers.num_begun == NUM_PARTS + 2
    assert workers.num_hired == 4
    result = merge_parts([str(work.folder(index)) for index in range(NUM_PARTS)], tmp_path / "out")
    assert sum(result.manifest.counts.accepted.values()) == NUM_IMAGES


def test_part_that_kills_every_worker_ends_the_run(tmp_path: Path) -> None:
    work = make_work(tmp_path)
    workers = Here(work, open_book(work), dies_at=tuple(range(1, 100)))
    with pytest.raises(RunStoppedError, match="died 6 times"):
        run(workers)


def test_budget_is_spent_to_its_end_and_never_passed(tmp_path: Path) -> None:
    with ChatServer() as server:
        work = make_work(tmp_path, server.base_url, budget_usd=0.0125)
        workers = Here(work, open_book(work, 0.0125))
        with pytest.raises(RunStoppedError) as stopped:
            run(workers)
        assert stopped.value.exit_code == BudgetSpentError.exit_code
        spent = sum((read_spent(work.folder(index) / "run") for index in range(NUM_PARTS)), Cost())
        assert 0 < spent.nano_usd <= 12_500_000
        num_asked = server.num_requests
        assert num_asked > 0
        richer = make_work(tmp_path, server.base_url, budget_usd=5.0)
        reports = run(Here(richer, open_book(richer, 5.0)))
        assert not any(report.error for report in reports)
        assert server.num_requests == NUM_IMAGES, "what was answered is not asked again"


def test_money_that_others_did_not_need_goes_to_who_was_stopped(tmp_path: Path) -> None:
    """What a request may cost is many times what it does: for one more part only the others' rest is enough."""
    with ChatServer() as server:
        first = make_work(tmp_path, server.base_url, budget_usd=5.0)
        reports = run(Here(first, open_book(first, 5.0)))
        cost = sum(report.spent.nano_usd for report in reports)
        most = 1024 * 10_000  # of one request: max_tokens, at ten dollars a million
        budget_usd = (cost + 5 * most) / 1e9
        again = make_work(tmp_path / "again", server.base_url, budget_usd=budget_usd)
        workers = Here(again, open_book(again, budget_usd))
        assert not any(report.error for report in run(workers))
        spent = sum(read_spent(again.folder(index) / "run").nano_usd for index in range(NUM_PARTS))
        assert spent == cost
