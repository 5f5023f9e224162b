"""One timer for many attempts: each ends in its own time, and nothing else is taken for it."""

import asyncio
import time

import pytest

from instructgen.teachers.deadlines import Deadlines


def test_only_what_takes_too_long_is_ended() -> None:
    async def attempt(deadlines: Deadlines, seconds: float) -> str:
        try:
            with deadlines.limit():
                await asyncio.sleep(seconds)
        except TimeoutError:
            return "late"
        return "done"

    async def run() -> list[str]:
        deadlines = Deadlines(0.2)
        early = [asyncio.create_task(attempt(deadlines, seconds)) for seconds in (0.0, 5.0, 0.05, 5.0)]
        await asyncio.sleep(0.1)
        later = [asyncio.create_task(attempt(deadlines, seconds)) for seconds in (0.15, 5.0)]
        return [await task for task in (*early, *later)]

    started_s = time.monotonic()
    assert asyncio.run(run()) == ["done", "late", "done", "late", "done", "late"]
    assert time.monotonic() - started_s < 4


def test_a_task_may_make_one_attempt_after_another() -> None:
    async def run() -> int:
        deadlines, num_late = Deadlines(0.05), 0
        for seconds in (5.0, 0.0, 5.0):
            try:
                with deadlines.limit():
                    await asyncio.sleep(seconds)
            except TimeoutError:
                num_late += 1
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return num_late

    assert asyncio.run(run()) == 2


def test_a_cancellation_stays_one_also_when_it_is_late() -> None:
    async def attempt(deadlines: Deadlines) -> None:
        with deadlines.limit():
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                await asyncio.sleep(0.2)  # while this ends, the time is over as well
                raise

    async def run() -> None:
        task = asyncio.create_task(attempt(Deadlines(0.1)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(run())


def test_an_error_comes_out_as_it_is() -> None:
    async def run() -> None:
        with Deadlines(5).limit():
            raise ValueError("no JSON")

    with pytest.raises(ValueError, match="no JSON"):
        asyncio.run(run())
