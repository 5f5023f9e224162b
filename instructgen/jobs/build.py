"""`instructgen build`: from annotated images to a published version of a dataset.

Two passes over the source. The first asks the teacher for whatever the ledger does not hold, in any order;
the second reads every reply back from the ledger, in the source's order, and writes the version. So the
version is a pure function of settings, prompts, annotations and replies, whatever the concurrency was.
"""

import asyncio
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.publish import REJECTED_NAME, check_out, publish
from instructgen.errors import RunStoppedError
from instructgen.generate.ledger import Ledger
from instructgen.generate.scheduler import Answered, Asked, Scheduler
from instructgen.jobs.compose import Composer
from instructgen.jobs.facts import Spending
from instructgen.jobs.outcomes import Outcome
from instructgen.jobs.parts import BuildParts
from instructgen.records import Rejected, Reply
from instructgen.teachers.replay import TeacherIdentity, add_identity


class BuildWatch(Protocol):
    """Is told what happens while it happens; shows it to people (instructgen.cli.progress)."""

    def begin(self, stage: str, num_units: int | None) -> None: ...

    def expect(self, num_units: int) -> None:
        """The stage's size is known now; it was not when the stage began."""
        ...

    def say(self, text: str) -> None:
        """Something that the user should hear now."""
        ...

    def outcome(self, outcome: Outcome, reply: Reply | None) -> None:
        """One unit is done; `reply` where one was bought in this run."""
        ...

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BuildResult:
    """`new_*` is what this run asked for; the manifest counts what the dataset cost in all."""

    version_folder: Path
    manifest: Manifest
    num_new_requests: int
    new_cost_usd: float | None
    num_in_doubt: int
    seconds: float

    @property
    def num_failed(self) -> int:
        return sum(self.manifest.counts.failed.values())

    @property
    def num_accepted(self) -> int:
        return sum(self.manifest.counts.accepted.values())


@dataclass(slots=True)
class Build:
    """One run of a build in the dataset folder `out`."""

    parts: BuildParts
    out: Path
    watch: BuildWatch
    new: Spending = field(default_factory=Spending)

    def run(self) -> BuildResult:
        """Return the published version.

        Raises RunLockedError, RunStoppedError (continue by running again) and InstructgenError.
        """
        started = time.monotonic()
        teacher = self.parts.teacher
        check_out(self.out)
        with Ledger(self.out / "run") as ledger:
            num_in_doubt = ledger.num_in_doubt()
            identity = TeacherIdentity(teacher.name, teacher.model, teacher.decoding)
            ledger.write_meta("teachers", add_identity(ledger.read_meta("teachers"), identity))
            try:
                asyncio.run(self._generate(ledger))
                version_folder, manifest = self._compose(ledger)
            except (KeyboardInterrupt, asyncio.CancelledError):
                raise RunStoppedError("stopped at once; the same command goes on from what is stored") from None
            except OSError as error:
                raise RunStoppedError(f"{self.out} cannot be written ({error}); free space and run again") from None
        return BuildResult(
            version_folder=version_folder,
            manifest=manifest,
            num_new_requests=self.new.num_requests,
            new_cost_usd=self.new.cost_usd,
            num_in_doubt=num_in_doubt,
            seconds=time.monotonic() - started,
        )

    async def _generate(self, ledger: Ledger) -> None:
        scheduler = Scheduler(self.parts.teacher, ledger, self.parts.config.teacher.concurrency, self._show_answer)
        self._listen_to_signals(scheduler)
        self.watch.begin("generate", None)
        try:
            await scheduler.answer_all(self._asked())
        except RunStoppedError as error:
            kept = f"{self.new.num_requests} answers of this run are kept"
            raise RunStoppedError(f"{error}; {kept}, and the same command goes on from there") from None
        finally:
            self.watch.end()
            await self.parts.teacher.close()

    def _listen_to_signals(self, scheduler: Scheduler) -> None:
        """The first Ctrl-C or SIGTERM lets what is in flight arrive; the second ends at once, losing only that."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None

        def stop() -> None:
            if scheduler.stop.reason is not None:
                task.cancel()
            scheduler.stop.ask("stopped by a signal")
            self.watch.say("stopping: waiting for what is in flight; once more ends at once")

        # Windows has no signal handlers in its loop: Ctrl-C ends it at once, as a second one does elsewhere.
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)

    def _asked(self) -> Iterator[Asked]:
        for image in self.parts.planner.images():
            if self.parts.planner.num_images == 1 and self.parts.source.num_images is not None:
                self.watch.expect(self.parts.source.num_images * len(self.parts.config.types))
            for _, unit in image.units:
                if isinstance(unit, Rejected):
                    self.watch.outcome(unit, None)
                else:
                    yield Asked(unit, self.parts.make_request(unit))

    def _show_answer(self, answered: Answered) -> None:
        unit = answered.asked.unit
        bought = answered.reply if answered.is_new and isinstance(answered.reply, Reply) else None
        if bought is not None:
            self.new.add(bought)
        self.watch.outcome(self.parts.judge.judge(unit, answered.reply), bought)

    def _compose(self, ledger: Ledger) -> tuple[Path, Manifest]:
        staging = self.out / "run" / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "data").mkdir(parents=True)
        self.watch.begin("write", self.parts.planner.num_images * len(self.parts.config.types))
        with (staging / REJECTED_NAME).open("wb") as rejected_file:
            composer = Composer(self.parts, ledger, staging, rejected_file)
            for image in self.parts.planner.images():
                for outcome in composer.write(image):
                    self.watch.outcome(outcome, None)
        self.watch.end()
        manifest = composer.finish(self.out)
        return publish(staging, manifest, self.out), manifest
