"""Asks for what the ledger does not hold yet, a bounded number at a time."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from instructgen.errors import RunStoppedError
from instructgen.generate.breaker import Breaker
from instructgen.generate.ledger import Ledger
from instructgen.records import Failed, Reply, Request, Unit
from instructgen.teachers.base import Teacher

# A local teacher waits only for the disk: as many writes as two commits of the ledger take.
_LOCAL_CONCURRENCY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit and the request that would answer it."""

    unit: Unit
    request: Request


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a request; `is_new` where it was asked in this run rather than found in the ledger."""

    asked: Asked
    reply: Reply | Failed
    is_new: bool


@dataclass(slots=True)
class Stop:
    """A wish to end early: nothing more is asked, and what is in flight is still awaited and stored."""

    reason: str | None = None

    def ask(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason


@dataclass(slots=True)
class Scheduler:
    """Runs the generate stage. Memory does not grow with the number of units: they are pulled when needed."""

    teacher: Teacher
    ledger: Ledger
    concurrency: int
    on_answer: Callable[[Answered], None]
    stop: Stop = field(default_factory=Stop)
    breaker: Breaker = field(default_factory=Breaker)
    _in_flight: dict[str, "asyncio.Task[Reply | Failed]"] = field(default_factory=dict)
    _errors: list[Exception] = field(default_factory=list)

    async def answer_all(self, asked: Iterator[Asked]) -> None:
        """Pass every unit's reply or failure to `on_answer`, in the order in which they come.

        Raises RunStoppedError when `stop` was asked for or the teacher refuses everything; what was answered
        until then is in the ledger. So it is when the units or `on_answer` raise: what is in flight is awaited
        and stored, then the first error comes out.
        """
        num_workers = self.concurrency if self.teacher.is_remote else _LOCAL_CONCURRENCY
        async with asyncio.TaskGroup() as group:
            for _ in range(num_workers):
                group.create_task(self._work(asked))
        if self._errors:
            raise self._errors[0]
        if self.stop.reason is not None:
            raise RunStoppedError(self.stop.reason)

    async def _work(self, asked: Iterator[Asked]) -> None:
        try:
            await self._answer_some(asked)
        except Exception as error:  # noqa: BLE001  raised by answer_all once the others have stored their answers
            self._errors.append(error)
            self.stop.ask("another unit met an error")

    async def _answer_some(self, asked: Iterator[Asked]) -> None:
        for one in asked:
            if self.stop.reason is not None:
                return
            stored = self.ledger.find_reply(one.request.request_id)
            if stored is not None:
                self.on_answer(Answered(one, stored, is_new=False))
                await asyncio.sleep(0)  # lets signals in where nothing is left to ask
                continue
            reply, is_new = await self._ask_once(one.request)
            self.on_answer(Answered(one, reply, is_new))

    async def _ask_once(self, request: Request) -> tuple[Reply | Failed, bool]:
        """Two units with the same prompt share one request, also while it is in flight."""
        task = self._in_flight.get(request.request_id)
        if task is not None:
            return await task, False
        task = asyncio.create_task(self._ask(request))
        self._in_flight[request.request_id] = task
        try:
            return await task, True
        finally:
            del self._in_flight[request.request_id]

    async def _ask(self, request: Request) -> Reply | Failed:
        try:
            if self.teacher.is_remote:
                await self.ledger.mark_sent(request.request_id)
            reply = await self.teacher.answer(request, self._is_stopping)
            if isinstance(reply, Failed):
                await self.ledger.store_failure(request.request_id, reply)
            else:
                await self.ledger.store_reply(reply)
        except RunStoppedError as error:
            self.stop.ask(str(error))
            return Failed(request.request_id, "teacher", "stopped", str(error))
        if self.teacher.is_remote:
            self.breaker.count(reply)
        if self.breaker.verdict is not None:
            self.stop.ask(self.breaker.verdict)
        return reply

    def _is_stopping(self) -> bool:
        return self.stop.reason is not None
