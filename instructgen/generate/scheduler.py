"""Asks for what the ledger does not hold yet: a window of units at a time, each in a task of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from instructgen.attempts import FATAL_REASONS, SERVER_REASONS, AttemptError
from instructgen.errors import RunStoppedError
from instructgen.generate.asked import Answered, Asked, Stop
from instructgen.generate.budget import Budget
from instructgen.generate.lanes import Lane, cost_of
from instructgen.generate.meter import Meter
from instructgen.generate.pool import Endpoint, Permit, Pool, PoolStoppedError
from instructgen.generate.retry import counts
from instructgen.ledger.ledger import Ledger
from instructgen.observe.runlog import RunLog
from instructgen.observe.stats import RunStats
from instructgen.records import NOTHING, Cost, Failed, Reply, Request

# A local teacher waits only for the disk: as many writes as two commits of the ledger take.
_LOCAL_WINDOW = 200
# Units made ready ahead of their turn, so that no server waits and those with the same prefix can go together.
_MIN_AHEAD = 64
_MAX_AHEAD = 512
_MAX_FAILED_IN_A_ROW = 25
_MAX_TURNED_AWAY = 8
_MAX_REMEMBERED = 10_000  # failed requests of this run, for units with the same prompt
_YIELD_EVERY = 20  # units found in the ledger, between two looks at signals


@dataclass(slots=True, eq=False)
class _Job:
    """One request under way, and all the units that wait for it.

    `most` is set aside for the attempt to come; `maybe` is what attempts whose answer was lost may have cost.
    """

    lane: Lane
    request: Request
    asked: list[Asked]
    most: Cost = NOTHING
    maybe: Cost = NOTHING
    is_marked: bool = False


@dataclass(slots=True)
class Scheduler:
    """Runs the generate stage. Memory does not grow with the number of units: they are pulled when needed.

    `on_answer` is told of every unit's reply or failure, in the order in which they come, once it is on disk;
    it may return another request for the same unit, such as one to the fallback teacher.
    """

    lanes: Sequence[Lane]
    ledger: Ledger
    on_answer: Callable[[Answered], Asked | None]
    log: RunLog
    budget: Budget = field(default_factory=Budget)
    stop: Stop = field(default_factory=Stop)
    stats: RunStats = field(default_factory=RunStats)
    meter: Meter | None = None
    """Where rates are shared with other runs."""
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _num_open: int = 0  # units that were pulled and are not done
    _num_failed: int = 0  # in a row
    _failures: dict[str, Failed] = field(default_factory=dict)
    _errors: list[Exception] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _is_stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer_all(self, asked: Iterator[Asked]) -> None:
        """Answer every unit.

        Raises RunStoppedError when `stop` was asked for, the teacher refuses everything or the budget is spent;
        what was answered until then is in the ledger. So it is when the units or `on_answer` raise: what is in
        flight is awaited and stored, then the first error comes out.
        """
        self.stop.on_ask = self._let_go
        try:
            await self._feed(asked)
            while self._tasks:
                await self._sleep()
        finally:
            for task in self._tasks:  # there are some only where this task itself was cancelled
                task.cancel()
            for lane in self.lanes:
                if lane.pool is not None:
                    lane.pool.stop()
        if self._errors:
            raise self._errors[0]
        if self.stop.error is not None:
            raise self.stop.error

    async def _feed(self, asked: Iterator[Asked]) -> None:
        try:
            window = self._window()
            for number, one in enumerate(asked):
                while self._num_open >= window and self.stop.error is None:
                    await self._sleep()
                if self.stop.error is not None:
                    return
                await self._begin(one)
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)  # lets signals in where nothing is left to ask
        except Exception as error:  # noqa: BLE001  raised by answer_all once the others have stored their answers
            self._end_with(error)

    async def _begin(self, one: Asked) -> None:
        """Answer a unit from what is stored, or start to ask."""
        request_id = one.request.request_id
        job = self._jobs.get(request_id)
        if job is not None:  # two units with the same prompt share one request, also while it is in flight
            job.asked.append(one)
            self._num_open += 1
            return
        stored = self.ledger.find_reply(request_id)
        if stored is not None:
            self.stats.found("ledger")
        # What this run could not have it does not ask for once more.
        known = stored or self._failures.get(request_id)
        if known is not None:
            await self._tell(Answered(one, known, is_new=False))
            return
        job = self._jobs[request_id] = _Job(self.lanes[one.lane], one.request, [one])
        self._num_open += 1
        shared = self.ledger.find_shared(request_id)
        if shared is not None:
            self.stats.found("shared cache")
            self._start(self._adopt(job, shared))
        elif await self._set_aside(job):
            self._start(self._ask(job))
        else:
            self._close(job)

    async def _adopt(self, job: _Job, reply: Reply) -> None:
        try:
            await self.ledger.adopt_reply(reply)
        finally:
            self._close(job)
        await self._tell_all(job, reply, is_new=False)

    async def _ask(self, job: _Job) -> None:
        try:
            reply = await (self._ask_here(job) if job.lane.pool is None else self._ask_servers(job))
        finally:
            self._close(job)
        if reply is not None:
            self._count(reply)
            await self._tell_all(job, reply, is_new=not job.lane.teacher.is_replay)

    async def _ask_here(self, job: _Job) -> Reply | Failed:
        """Ask a teacher inside this process."""
        try:
            reply = await job.lane.teacher.servers[0].send(job.request)
        except AttemptError as error:
            failure = _make_failure(job, error)
            await self.ledger.store_failure(job.request.request_id, failure)
            return failure
        store = self.ledger.adopt_reply if job.lane.teacher.is_replay else self.ledger.store_reply
        await store(reply)
        return reply

    async def _ask_servers(self, job: _Job) -> Reply | Failed | None:
        """Ask until there is an answer or none can be had, and store it; None where the run ends before that."""
        request_id = job.request.request_id
        reply = await self._attempt_all(job)
        if isinstance(reply, Reply):
            uncounted = job.most if "usage_missing" in reply.notes else NOTHING
            await self.ledger.store_reply(reply, job.maybe + uncounted)
            self._settle(job, cost_of(reply, job.most))
            return reply
        if isinstance(reply, Failed):
            await self.ledger.store_failure(request_id, reply, job.maybe)
        elif job.is_marked or job.maybe != NOTHING:
            await self.ledger.unmark(request_id, job.maybe)
        self._settle(job, NOTHING)
        return reply

    async def _attempt_all(self, job: _Job) -> Reply | Failed | None:
        pool, tokens = job.lane.pool, job.lane.expect_tokens(job.request)
        assert pool is not None
        num_counted, num_tries, num_turned_away, num_answers = 0, 0, 0, pool.num_answers
        avoid, refused = None, tuple[Endpoint, ...]()
        while True:
            try:
                permit = await pool.permit(job.request.sample_type, tokens, avoid, refused, is_again=num_tries > 0)
            except PoolStoppedError:
                return None
            reply = await self._attempt(job, pool, permit)
            if not isinstance(reply, AttemptError):
                return reply
            num_tries += 1
            num_counted += counts(reply)
            wait_s = job.lane.policy.wait_s(reply, num_counted, num_tries)
            if reply.reason in FATAL_REASONS:
                refused = (*refused, permit.endpoint)
                wait_s = 0.0 if pool.has_other(refused) else wait_s  # what one server refuses, another may take
            # Turned away while others are answered, again and again: it may be the request, after all.
            num_turned_away += not counts(reply) and pool.num_answers > num_answers
            num_answers = pool.num_answers
            if wait_s is None or num_turned_away >= _MAX_TURNED_AWAY:
                return _make_failure(job, reply)
            self.stats.retried(reply.reason)
            if not await self._is_worth_going_on(job, wait_s):
                return None
            avoid = permit.endpoint

    async def _attempt(self, job: _Job, pool: Pool, permit: Permit) -> Reply | AttemptError | None:
        """Mark and send; None where the run ends before it is sent."""
        server = permit.endpoint.server
        try:
            if not job.is_marked:
                await self.ledger.mark_sent(job.request.request_id, job.most)
                job.is_marked = True
            if self.meter is not None:
                await self.meter.take(server.name, permit.tokens, self._is_stopping)
            if self.stop.error is not None:
                pool.give_back(permit)
                return None
            self.stats.sent(server.name)
            permit.taken_at_s = pool.now()
            reply = await server.send(job.request)
        except AttemptError as error:
            pool.failed(permit, error)
            self._note_attempt(permit, error.reason)
            self.log.write(
                "attempt_failed",
                server=server.name,
                request_id=job.request.request_id,
                reason=error.reason,
                detail=error.detail,
            )
            if (verdict := pool.find_verdict()) is not None:
                self.stop.ask(verdict)
            if error.may_have_cost:
                self._settle(job, job.most)
                job.maybe = job.maybe + job.most
                job.most, job.is_marked = NOTHING, False
            return error
        except BaseException:
            pool.give_back(permit)
            raise
        pool.answered(permit, reply.prompt_tokens + reply.completion_tokens or None)
        self._note_attempt(permit, "answered")
        self.stats.answered(reply, server.name)
        job.lane.learn(job.request, reply)
        return reply

    async def _is_worth_going_on(self, job: _Job, wait_s: float) -> bool:
        """Wait before another attempt; False where the run ends meanwhile, or its budget."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_stopping.wait(), wait_s)
        if self.stop.error is not None:
            return False
        # Where the last attempt may be billed, so may the next.
        return job.is_marked or await self._set_aside(job)

    async def _set_aside(self, job: _Job) -> bool:
        """Reserve the most that an attempt can cost; False where the run ends before there is room."""
        most = job.lane.most(job.request)
        while self.stop.error is None:
            if self.budget.try_reserve(most):
                job.most = most
                return True
            if not self.budget.has_open:
                self.stop.ask(self.budget.error(most))
                return False
            await self._sleep()
        return False

    def _settle(self, job: _Job, actual: Cost) -> None:
        self.budget.settle(job.most, actual)
        self._wake.set()

    def _note_attempt(self, permit: Permit, outcome: str) -> None:
        endpoint = permit.endpoint
        self.stats.attempt(endpoint.server.name, outcome, permit.latency_s, endpoint.gate.concurrency)

    def _count(self, reply: Reply | Failed) -> None:
        if isinstance(reply, Reply):
            self._num_failed = 0
            return
        if len(self._failures) < _MAX_REMEMBERED:
            self._failures[reply.record_id] = reply
        if reply.reason not in SERVER_REASONS:
            return
        self._num_failed += 1
        if self._num_failed >= _MAX_FAILED_IN_A_ROW:
            self.stop.ask(f"{self._num_failed} requests in a row failed, the last ({reply.reason}): {reply.detail}")

    async def _tell_all(self, job: _Job, reply: Reply | Failed, *, is_new: bool) -> None:
        for number, one in enumerate(job.asked):
            await self._tell(Answered(one, reply, is_new=is_new and number == 0))

    async def _tell(self, answered: Answered) -> None:
        follow_up = self.on_answer(answered)
        if follow_up is not None and self.stop.error is None:
            await self._begin(follow_up)

    def _close(self, job: _Job) -> None:
        del self._jobs[job.request.request_id]
        self._num_open -= len(job.asked)
        self._wake.set()

    def _window(self) -> int:
        pool = self.lanes[0].pool
        if pool is None:
            return _LOCAL_WINDOW
        return pool.concurrency + min(max(pool.concurrency // 2, _MIN_AHEAD), _MAX_AHEAD)

    def _start(self, work: "Coroutine[None, None, None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._end_with(error)
        self._wake.set()

    def _end_with(self, error: Exception) -> None:
        if isinstance(error, RunStoppedError):
            self.stop.ask(error)
            return
        self._errors.append(error)
        self.stop.ask("another unit met an error")

    async def _sleep(self) -> None:
        """Wait until something is done."""
        self._wake.clear()
        await self._wake.wait()

    def _let_go(self) -> None:
        """The run is to end: whoever waits for a turn, a pause or the budget gives up."""
        self._is_stopping.set()
        self._wake.set()
        for lane in self.lanes:
            if lane.pool is not None:
                lane.pool.stop()


def _make_failure(job: _Job, error: AttemptError) -> Failed:
    return Failed(job.request.request_id, "teacher", error.reason, error.detail)
