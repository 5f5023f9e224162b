"""Asks through a batch API: requests go up as files, and their answers come back within a day.

What a batch goes through is instructgen.batch.course's; here units become requests of batches, and answers
become what a unit's owner is told.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from instructgen.batch.course import MARKS_AT_ONCE, BatchCourse
from instructgen.batch.files import BatchFolder, BatchState, BatchWriter, write_line
from instructgen.batch.roster import Mark, Roster, Spool
from instructgen.batch.watch import BatchSettings, BatchWatch
from instructgen.errors import BudgetSpentError, RunStoppedError
from instructgen.generate.asked import Answered, Asked, Stop
from instructgen.generate.budget import Budget
from instructgen.ledger.ledger import Ledger
from instructgen.observe.runlog import RunLog
from instructgen.observe.stats import RunStats
from instructgen.records import NOTHING, Cost, Reply
from instructgen.teachers.openai_batch import BatchApi, BatchServer

_YIELD_EVERY = 20  # units, between two looks at signals


class _Body(msgspec.Struct):
    model: str


@dataclass(slots=True)
class BatchRun:
    """Runs the generate stage through batches; the ledger is the same as that of live requests.

    `on_answer` is told of every unit's reply or failure; what it returns is asked live by the caller. `checkpoint`
    is told the name of every step once it is done.
    """

    server: BatchServer
    ledger: Ledger
    folder: Path
    on_answer: Callable[[Answered], Asked | None]
    log: RunLog
    say: Callable[[str], None]
    budget: Budget = field(default_factory=Budget)
    stop: Stop = field(default_factory=Stop)
    settings: BatchSettings = field(default_factory=BatchSettings)
    stats: RunStats = field(default_factory=RunStats)
    checkpoint: Callable[[str], None] = lambda _: None
    num_left: int = 0  # requests that units of this run want and whose batch ended without an answer
    _course: BatchCourse = field(init=False)
    _roster: Roster = field(default_factory=Roster)
    _spool: Spool = field(default_factory=Spool)
    _writer: BatchWriter | None = None
    _refused: Cost | None = None

    def __post_init__(self) -> None:
        is_open: dict[str, BatchState] = {}
        self._course = BatchCourse(
            server=self.server,
            api=BatchApi(self.server),
            files=BatchFolder(self.folder),
            watch=BatchWatch(self.server.name, self.settings, self.stop, self.log, self.say, is_open),
            ledger=self.ledger,
            budget=self.budget,
            roster=self._roster,
            stats=self.stats,
            settings=self.settings,
            checkpoint=self.checkpoint,
            open=is_open,
        )

    async def answer_all(self, make_asked: Callable[[], Iterator[Asked]]) -> Iterator[Asked]:
        """Answer every unit that batches can answer; returns what is to be asked live, in a scheduler's window.

        The units are read twice, after a kill three times. Raises RunStoppedError where the run ends before the
        batches do, and InstructgenError for a batch that the server does not accept. `check` tells what is left.
        """
        try:
            await self._course.go_on()
            await self._plan(make_asked())
            if await self._course.release():
                await self._plan_again(make_asked())
            await self._course.follow_all()
            if not self._roster.is_empty():
                await self._tell_all(make_asked())
        finally:
            if self._writer is not None:
                self._writer.discard()
            self._roster.close()
        return self._spool.read()

    def check(self) -> None:
        """Raise RunStoppedError where not every unit could be asked or answered."""
        if self.stop.error is not None:
            raise self.stop.error
        if self._refused is not None:
            if not self.budget.try_reserve(self._refused):
                raise self.budget.error(self._refused)
            self.budget.settle(self._refused, NOTHING)
            raise BudgetSpentError(
                "the budget had no room for more requests while the batches were out; their answers cost less than "
                "was set aside, so the same command can ask for more now"
            )
        if self.num_left:
            raise RunStoppedError(
                f"{self.num_left} requests have no answer, for their batch ended without; the same command asks for "
                "them in a new batch, or with --batch-live-rest one by one"
            )

    async def _plan(self, asked: Iterator[Asked]) -> None:
        """Tell of what is stored, and put everything else that is not out yet into batches."""
        shared: list[tuple[Asked, Reply]] = []
        for number, one in enumerate(asked):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
                self._course.watch.check_stop()
            request_id = one.request.request_id
            mark = self._roster.find(request_id)
            if mark is not None:
                if mark is Mark.HELD:
                    self._roster.put(request_id, Mark.WANTED)
                continue
            stored = self.ledger.find_reply(request_id)
            if stored is not None:
                self.stats.found("ledger")
                self._tell(Answered(one, stored, is_new=False))
            elif (found := self.ledger.find_shared(request_id)) is not None:
                shared.append((one, found))
                if len(shared) >= MARKS_AT_ONCE:
                    await self._adopt(shared)
            elif not await self._add(one):
                break
        await self._adopt(shared)
        await self._close_writer()

    async def _plan_again(self, asked: Iterator[Asked]) -> None:
        """Put what was given up, and is wanted, into batches."""
        for number, one in enumerate(asked):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
                self._course.watch.check_stop()
            if self._roster.find(one.request.request_id) is Mark.AGAIN and not await self._add(one):
                break
        await self._close_writer()

    async def _adopt(self, shared: list[tuple[Asked, Reply]]) -> None:
        await asyncio.gather(*(self.ledger.adopt_reply(reply) for _, reply in shared))
        for one, reply in shared:
            self.stats.found("shared cache")
            self._tell(Answered(one, reply, is_new=False))
        shared.clear()

    async def _add(self, one: Asked) -> bool:
        """Put a request into the batch that is being written; False where the budget does not allow it."""
        most = self.server.most(one.request)
        if not self.budget.try_reserve(most):
            self._refused = most
            return False
        body = self.server.body(one.request)
        line = write_line(one.request.request_id, body)
        if self._writer is not None and not self._writer.fits(len(line), self.settings.limits):
            await self._close_writer()
        if self._writer is None:
            model = msgspec.json.decode(body, type=_Body).model
            self._writer = BatchWriter(self._course.files, self._course.api.address, model)
        self._writer.add_line(one.request.request_id, line, most)
        self._roster.put(one.request.request_id, Mark.OUT)
        return True

    async def _close_writer(self) -> None:
        if self._writer is None:
            return
        state = self._writer.finish()
        self._writer = None
        await self._course.begin(state)

    async def _tell_all(self, asked: Iterator[Asked]) -> None:
        """Hand out what came of the requests that were in batches."""
        for number, one in enumerate(asked):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            if self.stop.error is not None:
                return
            request_id = one.request.request_id
            mark = self._roster.find(request_id)
            if mark is None or mark in (Mark.WANTED, Mark.AGAIN):  # told already, or not asked for want of money
                continue
            if mark in (Mark.UNANSWERED, Mark.LEFT):
                self._leave(one, mark)
                continue
            reply = self.ledger.find_reply(request_id) or self.ledger.find_failure(request_id)
            assert reply is not None, "a collected request has neither a reply nor a failure"
            self._tell(Answered(one, reply, is_new=mark is Mark.BOUGHT))
            if mark is Mark.BOUGHT:
                self._roster.put(request_id, Mark.TOLD)

    def _leave(self, one: Asked, mark: Mark) -> None:
        if self.settings.live_rest:
            self._spool.add(one)
        elif mark is Mark.UNANSWERED:
            self.num_left += 1
            self._roster.put(one.request.request_id, Mark.LEFT)

    def _tell(self, answered: Answered) -> None:
        follow_up = self.on_answer(answered)
        if follow_up is not None:
            self._spool.add(follow_up)
