"""Runs the parts of a build on workers that may die, until each has ended; which workers, an engine says."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from instructgen.engine.work import PartReport
from instructgen.errors import RunStoppedError
from instructgen.records import Cost

WorkerT = TypeVar("WorkerT")
_MAX_DEATHS = 5  # of one part's workers: then it is the part that kills them


class Workers(Protocol[WorkerT]):
    """What an engine offers. A worker runs one part at a time."""

    def hire(self) -> WorkerT: ...

    def begin(self, worker: WorkerT, index: int) -> None: ...

    def wait(self) -> list[tuple[WorkerT, int, PartReport | None]]:
        """Return the parts that have ended, after a while at most; a report of None: the worker died."""
        ...

    def settle(self, index: int, spent: Cost) -> Cost:
        """Take back what an ended part was lent and did not spend; return what is lent or spent in all."""
        ...


@dataclass(slots=True)
class Schedule(Generic[WorkerT]):
    """Gives each part to a worker; one that died is given again, and goes on from its ledger."""

    workers: Workers[WorkerT]
    num_parts: int
    num_workers: int
    say: Callable[[str], None]
    watch: Callable[[int, int], None] = lambda _done, _all: None
    _deaths: dict[int, int] = field(default_factory=dict)
    _done: dict[int, PartReport] = field(default_factory=dict)
    _idle: list[WorkerT] = field(default_factory=list)
    _num_at_work: int = 0

    def run(self) -> list[PartReport]:
        """Return the reports of all parts once each is published.

        Parts that ended for want of money go again when others have given back what they did not spend. Raises
        RunStoppedError where a part cannot be built, once those under way have ended.
        """
        waiting = list(range(self.num_parts))
        lent_before: Cost | None = None
        while True:
            stopped, lent = self._run_all(waiting)
            others = [report for report in stopped if not report.wants_money]
            if others or (stopped and lent == lent_before):
                raise _stop((others or stopped)[0], self.num_parts, len(stopped))
            if not stopped:
                return [self._done[index] for index in range(self.num_parts)]
            waiting, lent_before = [report.index for report in stopped], lent

    def _run_all(self, waiting: list[int]) -> tuple[list[PartReport], Cost]:
        """Return the reports of parts that were stopped, and what is lent or spent when none is at work any more."""
        queue, lent = deque(waiting), Cost()
        stopped: list[PartReport] = []
        while queue or self._num_at_work:
            is_ending = any(not report.wants_money for report in stopped)
            while queue and not is_ending and self._num_at_work < self.num_workers:
                worker = self._idle.pop() if self._idle else self.workers.hire()
                self.workers.begin(worker, queue.popleft())
                self._num_at_work += 1
            if is_ending and not self._num_at_work:
                break
            for worker, index, report in self.workers.wait():
                self._num_at_work -= 1
                if report is None:
                    self._count_death(index)
                    queue.append(index)
                    continue
                self._idle.append(worker)
                lent = self.workers.settle(index, report.spent)
                if report.error:
                    stopped.append(report)
                else:
                    self._done[index] = report
                    self.watch(len(self._done), self.num_parts)
        return stopped, lent

    def _count_death(self, index: int) -> None:
        self._deaths[index] = num = self._deaths.get(index, 0) + 1
        if num > _MAX_DEATHS:
            raise RunStoppedError(
                f"the workers of part {index}/{self.num_parts} died {num} times; see their logs for why (memory?), "
                "and run the same command again"
            )
        self.say(f"the worker of part {index}/{self.num_parts} died; another one goes on from its ledger")


def _stop(report: PartReport, num_parts: int, num_stopped: int) -> RunStoppedError:
    more = f" ({num_stopped} parts stopped)" if num_stopped > 1 else ""
    error = RunStoppedError(f"part {report.index}/{num_parts}: {report.error}{more}")
    error.exit_code = report.exit_code
    return error
