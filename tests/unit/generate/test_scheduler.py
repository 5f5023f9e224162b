"""The scheduler with a teacher of its own kind: it answers slowly, and counts what it is asked."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.generate.ledger import Ledger
from instructgen.generate.scheduler import Answered, Asked, Scheduler
from instructgen.records import Decoding, Failed, Message, Reply, Request, Unit
from tests.support.make import make_reply, make_unit


class SlowTeacher:
    name = "openai"
    model = "test-model"
    decoding = Decoding()
    is_remote = True

    def __init__(self, delay_s: float = 0.05, failure: str | None = None) -> None:
        self.delay_s = delay_s
        self.failure = failure
        self.asked: list[str] = []

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        return (Message("user", unit.surrogate.text),)

    async def answer(self, request: Request, should_stop: Callable[[], bool]) -> Reply | Failed:
        self.asked.append(request.request_id)
        await asyncio.sleep(self.delay_s)
        if self.failure:
            return Failed(request.request_id, "teacher", self.failure)
        return make_reply(int(request.request_id, 16))

    async def close(self) -> None:
        """Nothing to give back."""


def make_asked(number: int) -> Asked:
    unit = make_unit(number)
    return Asked(unit, Request(f"{number:064x}", "conv", unit.record.image_id, (Message("user", "x"),)))


def run(folder: Path, teacher: SlowTeacher, asked: Iterator[Asked], concurrency: int = 4) -> list[Answered]:
    answered: list[Answered] = []

    async def answer_all(ledger: Ledger) -> None:
        await Scheduler(teacher, ledger, concurrency, answered.append).answer_all(asked)

    with Ledger(folder) as ledger:
        asyncio.run(answer_all(ledger))
    return answered


def stored(folder: Path) -> set[str]:
    with Ledger(folder) as ledger:
        return {reply.request_id for reply in ledger.replies()}


def test_every_unit_is_answered_once(tmp_path: Path) -> None:
    teacher = SlowTeacher(0)
    answered = run(tmp_path, teacher, map(make_asked, range(1, 101)))
    assert sorted(one.asked.request.request_id for one in answered) == sorted(teacher.asked)
    assert len(set(teacher.asked)) == 100
    assert stored(tmp_path) == set(teacher.asked)


def test_error_among_the_units_comes_out_after_what_is_in_flight_is_stored(tmp_path: Path) -> None:
    def break_at_four() -> Iterator[Asked]:
        yield from map(make_asked, range(1, 4))
        raise InstructgenError("annotations.json: broken at record 4")

    teacher = SlowTeacher()
    with pytest.raises(InstructgenError, match="record 4"):
        run(tmp_path, teacher, break_at_four(), concurrency=8)
    assert len(teacher.asked) == 3
    assert stored(tmp_path) == set(teacher.asked)


def test_units_are_pulled_only_as_workers_are_free(tmp_path: Path) -> None:
    num_pulled = 0

    def count() -> Iterator[Asked]:
        nonlocal num_pulled
        for number in range(1, 1000):
            num_pulled += 1
            yield make_asked(number)

    with pytest.raises(RunStoppedError):
        run(tmp_path, SlowTeacher(0, failure="unauthorized"), count(), concurrency=2)
    assert num_pulled < 10


def test_failures_of_single_requests_stop_nothing(tmp_path: Path) -> None:
    answered = run(tmp_path, SlowTeacher(0, failure="bad_request"), map(make_asked, range(1, 61)))
    assert len(answered) == 60


def test_cancelled_wait_neither_loses_the_write_nor_ends_the_ledger(tmp_path: Path) -> None:
    async def cancel_while_storing(ledger: Ledger) -> None:
        tasks = [asyncio.create_task(ledger.store_reply(make_reply(number))) for number in range(1, 6)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.store_reply(make_reply(6))

    with Ledger(tmp_path) as ledger:
        asyncio.run(cancel_while_storing(ledger))
    assert stored(tmp_path) == {f"{number:064x}" for number in range(1, 7)}
