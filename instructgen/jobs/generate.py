"""The first pass of a build: every unit's answer into the ledger."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instructgen.batch.files import count_open
from instructgen.batch.run import BatchRun
from instructgen.batch.watch import BatchSettings
from instructgen.errors import AnswersCollapsedError, InstructgenError, RunStoppedError
from instructgen.generate.alarm import Alarm, Lookout, find_plain_reason
from instructgen.generate.asked import Answered, Asked, AskedStep, Stop
from instructgen.generate.budget import NANO, Budget
from instructgen.generate.lanes import make_lane
from instructgen.generate.meter import Lender, Meter
from instructgen.generate.pool import Endpoint
from instructgen.generate.scheduler import Scheduler
from instructgen.jobs.course import Ended, FindAnswer, Wanted
from instructgen.jobs.facts import Spending
from instructgen.jobs.outcomes import Outcome
from instructgen.jobs.parts import BuildParts
from instructgen.jobs.run_record import RunRecord
from instructgen.ledger.ledger import Ledger
from instructgen.observe.stats import RunStats
from instructgen.records import Cost, Failed, Reply, Sample, Unit
from instructgen.resources import BATCHES_NAME

_HEARTBEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Gauges:
    """What the asking itself counts with, to be read while it goes on."""

    stats: RunStats
    budget: Budget
    endpoints: tuple[Endpoint, ...]


class BuildWatch(Protocol):
    """Is told what happens while it happens; shows it to people (instructgen.cli.progress)."""

    def begin(self, stage: str, num_units: int | None) -> None: ...

    def expect(self, num_units: int) -> None:
        """The stage's size is known now; it was not when the stage began."""
        ...

    def say(self, text: str) -> None:
        """Something that the user should hear now."""
        ...

    def count(self, bought: Spending) -> None:
        """What is bought in this run is added up in `bought`."""
        ...

    def observe(self, gauges: Gauges) -> None:
        """The requests are about to begin."""
        ...

    def waiting(self, num_in_flight: int) -> None:
        """Called every second: so many requests are out."""
        ...

    def answered(self, reply: Reply | Failed, outcome: Outcome | None) -> None:
        """One unit has its answer; `outcome` is what will become of it, where that was looked at already."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """One unit is settled."""
        ...

    def end(self) -> None: ...


@dataclass(slots=True)
class Generation:
    """Asks for what is missing, tells `watch` of every unit, and stops where going on would waste money."""

    parts: BuildParts
    ledger: Ledger
    record: RunRecord
    watch: BuildWatch
    lender: Lender | None = None
    """Where budget and rates are shared with the builds of other shares."""
    new: Spending = field(default_factory=Spending)
    stop: Stop = field(default_factory=Stop)
    _has_planned: bool = False
    _num_signals: int = 0
    _lookout: Lookout = field(default_factory=Lookout)
    _alarms: dict[tuple[int, AskedStep], Alarm] = field(default_factory=dict)  # of each lane and step

    def run(self) -> None:
        """Return once every unit has an answer or a failure in the ledger; raises RunStoppedError before that."""
        with asyncio.Runner(loop_factory=_find_loop_factory() if self._is_remote() else None) as runner:
            runner.run(self._ask_all())

    def _is_remote(self) -> bool:
        return any(teacher.is_remote for teacher in self.parts.teachers)

    async def _ask_all(self) -> None:
        self._listen_to_signals()
        self.watch.begin("generate", None)
        self.watch.count(self.new)
        try:
            for teacher in self.parts.teachers:
                await teacher.open()
            heartbeat = asyncio.create_task(self._show_waiting())
            try:
                await self._answer(self._make_scheduler())
            finally:
                heartbeat.cancel()
        except RunStoppedError as error:
            kept = f"{self.new.num_requests} answers of this run are kept"
            more = "" if isinstance(error, AnswersCollapsedError) else ", and the same command goes on from there"
            raise type(error)(f"{error}; {kept}{more}") from None
        finally:
            self.watch.end()
            for teacher in self.parts.teachers:
                await teacher.close()

    async def _show_waiting(self) -> None:
        while self._is_remote() and not self.parts.config.run.batch:
            await asyncio.sleep(_HEARTBEAT_S)
            self.watch.waiting(self.record.stats.in_flight)

    async def _answer(self, scheduler: Scheduler) -> None:
        folder = self.ledger.folder / BATCHES_NAME
        if not self.parts.config.run.batch:
            out = count_open(folder)
            if out.num_batches:
                raise InstructgenError(
                    f"{out.num_batches} batches with {out.num_requests} requests are out, and asking live would pay "
                    "for them again; collect them first: the same command with --batch"
                )
            await scheduler.answer_all(self._asked())
            return
        batch = self._make_batch(scheduler.budget, folder)
        await scheduler.answer_all(await batch.answer_all(self._asked))
        batch.check()

    def _make_batch(self, budget: Budget, folder: Path) -> BatchRun:
        from instructgen.teachers.openai_chat import OpenAIServer

        run, (server, *others) = self.parts.config.run, self.parts.teacher.servers
        if not isinstance(server, OpenAIServer) or others:
            raise InstructgenError("--batch wants the openai teacher with one server; leave it out, or name a model")
        settings = BatchSettings(live_rest=run.batch_live_rest, delete_remote=run.batch_delete_files)
        return BatchRun(
            server.for_batches(),
            self.ledger,
            folder,
            self._take,
            self.record.log,
            self.watch.say,
            budget,
            self.stop,
            settings,
            self.record.stats,
        )

    def _make_scheduler(self) -> Scheduler:
        parts, log = self.parts, self.record.log
        lanes = [
            make_lane(teacher, setting.max_attempts, log, self.watch.say)
            for teacher, setting in zip(parts.teachers, parts.settings, strict=True)
        ]
        budget, stats = self._make_budget(), self.record.stats
        endpoints = tuple(endpoint for lane in lanes if lane.pool is not None for endpoint in lane.pool.endpoints)
        self.watch.observe(Gauges(stats, budget, endpoints))
        meter = None if self.lender is None else Meter(self.lender)
        return Scheduler(lanes, self.ledger, self._take, log, budget, self.stop, stats, meter)

    def _make_budget(self) -> Budget:
        """Return the budget with all that the runs of this folder have spent, or may have."""
        run, spent = self.parts.config.run, self.ledger.spent()
        tokens = spent.prompt_tokens + spent.completion_tokens
        if run.budget_usd is not None and spent.num_unpriced:
            self.watch.say(
                f"{spent.num_unpriced} earlier answers have no known price: the budget does not count them"
            )
        spent_cost = Cost(spent.nano_usd, tokens) + spent.maybe + spent.in_doubt
        nano_usd = None if run.budget_usd is None else int(run.budget_usd * NANO)
        if self.lender is None:
            return Budget(nano_usd, run.budget_tokens, spent_cost)
        limits = None if nano_usd is None else 0, None if run.budget_tokens is None else 0
        return Budget(*limits, spent_cost, self.lender.lend_budget)

    def _listen_to_signals(self) -> None:
        """The first Ctrl-C or SIGTERM lets what is in flight arrive; the second ends at once, losing only that."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None

        def stop() -> None:
            self._num_signals += 1
            if self._num_signals > 1:
                task.cancel()
                return
            self.stop.ask("stopped by a signal")
            if not self.parts.config.run.batch:
                self.watch.say("stopping: waiting for what is in flight; once more ends at once")

        # Windows has no signal handlers in its loop: Ctrl-C ends it at once, as a second one does elsewhere.
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)

    def _asked(self) -> Iterator[Asked]:
        """Yield the units to ask for. Batches go through them more than once; `watch` hears of the others once."""
        is_first, self._has_planned = not self._has_planned, True
        for image in self.parts.planner.images():
            if is_first and self.parts.planner.num_images == 1 and self.parts.source.num_images is not None:
                self.watch.expect(self.parts.source.num_images * len(self.parts.config.types))
            for _, unit in image.units:
                if not isinstance(unit, Unit):
                    if is_first:
                        self.watch.outcome(unit)
                else:
                    yield self.parts.course.begin(unit)

    def _take(self, answered: Answered) -> Asked | None:
        """Take in one answer; return the next request of the unit's course, or None where that has ended."""
        asked, reply = answered.asked, answered.reply
        bought = reply if answered.is_new and isinstance(reply, Reply) else None
        if bought is not None:
            self.new.add(bought)
        has_more = not self.parts.course.is_single
        wants_look = self._lookout.wants() or (bought is not None and find_plain_reason(bought) != "")
        walked = self.parts.course.walk(asked.unit, self._find_for(answered)) if has_more or wants_look else None
        outcome = _find_outcome(walked)
        if outcome is not None and not isinstance(outcome, Sample):
            self._lookout.saw_bad()
        if not answered.is_new and isinstance(reply, Reply):
            self._find_alarm(asked).has_answer = True
        if answered.is_new and self.parts.teachers[asked.lane].is_remote:
            self._look_for_collapse(asked, reply, outcome)
        if isinstance(walked, Wanted):
            return walked.asked
        self.watch.answered(reply, outcome)
        self.record.tick()
        return None

    def _find_for(self, answered: Answered) -> FindAnswer:
        """Return what finds the answers of one course in this run.

        A failure counts before the request that was just answered: what comes after it, this run has not asked yet,
        and an earlier run's failure is to be asked again.
        """
        request_id, is_past = answered.asked.request.request_id, False

        def find(wanted: str) -> Reply | Failed | None:
            nonlocal is_past
            if wanted == request_id:
                is_past = True
                return answered.reply
            reply = self.ledger.find_reply(wanted)
            return reply if reply is not None or is_past else self.ledger.find_failure(wanted)

        return find

    def _find_alarm(self, asked: Asked) -> Alarm:
        key = asked.lane, asked.step
        if key not in self._alarms:
            # "Nothing is to be changed." or "10 10" may be right for one text after another.
            self._alarms[key] = Alarm(compares_texts=asked.step not in ("rewrite", "judge"))
        return self._alarms[key]

    def _look_for_collapse(self, asked: Asked, reply: Reply | Failed, outcome: Outcome | None) -> None:
        alarm = self._find_alarm(asked)
        if isinstance(reply, Failed):
            alarm.refuse(reply)
        else:
            alarm.count(reply, outcome)
        if alarm.verdict is None or not self.parts.config.run.alarm:
            return
        teacher = self.parts.teachers[asked.lane]
        cure = "look at them with `instructgen ledger export` and mend the prompt or the model"
        if isinstance(reply, Failed):
            cure = "mend the settings (docs/pipelines.md)"
        elif "wrong_model" in alarm.verdict:
            cure = "if that is the same model, list its name in teacher.accept_models"
        advice = f"{cure}; --no-alarm goes on anyway"
        self.stop.ask(AnswersCollapsedError(f"{teacher.model}: {alarm.verdict}; {advice}"))


def _find_outcome(walked: Wanted | Ended | None) -> Outcome | None:
    """Return what became of the answer that a walk came to, where that is known; a repair may still make it good."""
    if isinstance(walked, Wanted):
        return None if walked.asked.step == "repair" else walked.because
    return None if walked is None else walked.outcome


def _find_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's where it is installed (it has no Windows version): about a third less time per request."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
