"""A time limit for each of many attempts, with one timer for all: a timer of its own costs each about 5 us."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Deadlines:
    """Ends attempts that take longer than `total_s`, which is the same for all, by TimeoutError.

    An attempt is a part of a task, and a task makes one at a time.
    """

    def __init__(self, total_s: float) -> None:
        self._total_s = total_s
        self._ends: dict[asyncio.Task[object], float] = {}  # by loop time, in the order in which they come
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Raise TimeoutError in here once the time is over. A cancellation of the task stays one."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        assert task not in self._ends
        num_cancels = task.cancelling()
        self._ends[task] = loop.time() + self._total_s
        if self._timer is None:
            self._timer = loop.call_later(self._total_s, self._end_late)
        try:
            yield
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= num_cancels:
                raise TimeoutError from None
            raise
        finally:
            del self._ends[task]
            self._late.discard(task)

    def close(self) -> None:
        """Forget the timer; what is still open is not limited any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_late(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        next_s = None
        for task, end_s in self._ends.items():
            if task in self._late:
                continue
            if end_s > now_s:
                next_s = end_s
                break
            self._late.add(task)
            task.cancel()
        self._timer = None if next_s is None else loop.call_at(next_s, self._end_late)
