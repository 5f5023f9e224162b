"""`instructgen build`: from annotated images to a published version of a dataset.

Two passes over the source. The first asks the teacher for whatever the ledger does not hold, in any order
(instructgen.jobs.generate); the second reads every reply back from the ledger, in the source's order, and writes
the version. So the version is a pure function of settings, prompts, annotations and replies, whatever the
concurrency was.
"""

import asyncio
import errno
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from instructgen.batch.files import count_open
from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import Exported
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.publish import REFINED_NAME, REJECTED_NAME, check_out, publish
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores.base import find_earlier
from instructgen.dataset.stores.local import LocalStore
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.generate.meter import Lender
from instructgen.jobs.compose import Composer, Files
from instructgen.jobs.corpus import compare_all
from instructgen.jobs.gates import GateFault, find_gate_faults
from instructgen.jobs.generate import BuildWatch, Generation
from instructgen.jobs.merge_part import PART_TAG, PartWriter
from instructgen.jobs.parts import BuildParts
from instructgen.jobs.refined import RefinedFile
from instructgen.jobs.run_record import RunRecord
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.records import Failed, Fault, ImageRecord, Reply
from instructgen.report.names import REPORT_NAME
from instructgen.resources import BATCHES_NAME
from instructgen.teachers.replay import TeacherIdentity, add_identity

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """`new_*` is what this run asked for; the manifest counts what the dataset cost in all."""

    version_folder: Path
    manifest: Manifest
    num_new_requests: int
    new_cost_usd: float | None
    num_in_doubt: int
    num_found_shared: int
    seconds: float
    exports: tuple[Exported, ...] = ()
    gate_faults: tuple[GateFault, ...] = ()
    """Bounds that the version passes; it is not the latest then."""
    report: Path | None = None

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
    writes_report: bool = False
    lender: Lender | None = None

    def run(self) -> BuildResult:
        """Return the published version.

        Raises RunLockedError, RunStoppedError (continue by running again) and InstructgenError.
        """
        started = time.monotonic()
        check_out(self.out)
        cache_dir = self.parts.config.run.cache_dir
        folder, say = self.out / "run", self.watch.say
        with ExitStack() as stack:
            cache = None if cache_dir is None else stack.enter_context(AnswerCache(Path(cache_dir), say))
            ledger = stack.enter_context(Ledger(folder, cache, say))
            record = stack.enter_context(RunRecord(self.parts, folder, say))
            # What is out in a batch is not in doubt: its answers wait at the server.
            num_in_doubt = max(0, ledger.num_in_doubt() - count_open(folder / BATCHES_NAME).num_requests)
            if num_in_doubt:
                say(f"{num_in_doubt} requests were in flight when an earlier run was cut off; they may be billed")
            self._note_teachers(ledger)
            generation = Generation(self.parts, ledger, record, self.watch, self.lender)
            try:
                generation.run()
                with _sigterm_as_interrupt():
                    version_folder, manifest, gate_faults = self._compose(ledger, record)
            except (KeyboardInterrupt, asyncio.CancelledError):
                kind = type(generation.stop.error or RunStoppedError())
                why = "" if kind is RunStoppedError else f" ({generation.stop.error})"
                raise kind(f"stopped at once{why}; the same command goes on from what is stored") from None
            except OSError as error:
                cure = "free space" if error.errno in _FULL_DISK else "see to it"
                raise RunStoppedError(f"{error}; {cure} and run the same command again") from None
            record.published(manifest)
        exports = () if gate_faults or self.parts.share is not None else self._export(version_folder, manifest)
        return BuildResult(
            version_folder=version_folder,
            manifest=manifest,
            num_new_requests=generation.new.num_requests,
            new_cost_usd=generation.new.cost_usd,
            num_in_doubt=num_in_doubt,
            num_found_shared=record.stats.found_in["shared cache"],
            seconds=time.monotonic() - started,
            exports=exports,
            gate_faults=tuple(gate_faults),
            report=self._report(version_folder) if self.writes_report and self.parts.share is None else None,
        )

    def _report(self, version_folder: Path) -> Path | None:
        """Write the report and return its path; what is wrong with it is said, for the version is published."""
        from instructgen.report.write import ReportOptions, write_report

        try:
            return write_report(version_folder, ReportOptions(source=self.parts.source), self.watch.say).path
        except KeyboardInterrupt:
            self.watch.say(f"stopped before {self.out / REPORT_NAME} was written; `instructgen report` writes it")
        except Exception as error:  # noqa: BLE001  whatever it is, the data must not seem lost
            self.watch.say(f"{self.out / REPORT_NAME} could not be written: {type(error).__name__}: {error}")
        return None

    def _note_teachers(self, ledger: Ledger) -> None:
        """Write down who is asked, for a later replay."""
        listed = ledger.read_meta("teachers")
        known = listed
        for teacher in self.parts.teachers:
            known = add_identity(known, TeacherIdentity(teacher.name, teacher.model, teacher.decoding))
        if known is not None and known != listed:
            ledger.write_meta("teachers", known)

    def _compose(self, ledger: Ledger, record: RunRecord) -> tuple[Path, Manifest, list[GateFault]]:
        staging = self.out / "run" / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "data").mkdir(parents=True)
        share = self.parts.share  # what looks at everything is settled when the parts are merged
        dropped = self._look_at_all(ledger, record) if self.parts.corpus_filters and share is None else {}
        self.watch.begin("write", self.parts.planner.num_images * len(self.parts.config.types))
        with ExitStack() as stack:
            files = self._open_files(stack, staging)
            composer = Composer(self.parts, ledger, staging, files, dropped)
            for image in self.parts.planner.images():
                for outcome in composer.write(image):
                    record.settled(outcome)
                    self.watch.outcome(outcome)
                record.tick()
            manifest = composer.finish(self.out)
        self.watch.end()
        faults = find_gate_faults(self.parts.config.gates, manifest.metrics or {"total": {}, "types": {}})
        version_folder = publish(staging, manifest, self.out, is_latest=not faults)
        if share is not None:
            store = LocalStore(self.out)
            store.move_tag(PART_TAG, manifest.version, store.list_tags().get(PART_TAG))
        return version_folder, manifest, faults

    def _open_files(self, stack: ExitStack, staging: Path) -> Files:
        rejected_file = stack.enter_context((staging / REJECTED_NAME).open("wb"))
        refined = stack.enter_context(RefinedFile(staging / REFINED_NAME))
        part = None if self.parts.share is None else stack.enter_context(PartWriter(staging, self.parts))
        return Files(rejected_file, refined, find_earlier(LocalStore(self.out)), part)

    def _look_at_all(self, ledger: Ledger, record: RunRecord) -> dict[str, Fault]:
        """Return the samples that must not be published because of others."""
        self.watch.begin("compare", self.parts.planner.num_images * len(self.parts.config.types))
        dropped: dict[str, Fault] = {}
        for outcomes, dropped in compare_all(self.parts, _make_finder(ledger)):  # noqa: B007
            for outcome in outcomes:
                self.watch.outcome(outcome)
            record.tick()
        self.watch.end()
        return dropped

    def _export(self, version_folder: Path, manifest: Manifest) -> tuple[Exported, ...]:
        """Write the version in the forms that the pipeline asks for; the version itself is published by now."""
        if not manifest.shards:
            return ()
        source = self.parts.source

        def read_picture(image_id: str, file_name: str) -> bytes | None:
            return source.image_bytes(ImageRecord(image_id, file_name, 0, 0, (), ()))

        try:
            return tuple(
                EXPORTS[name](LocalVersion(version_folder), self.out / "exports" / name, read_picture)
                for name in self.parts.config.dataset.exports
            )
        except InstructgenError as error:
            raise InstructgenError(f"version {manifest.version} is published, but not exported: {error}") from None


def _make_finder(ledger: Ledger) -> Callable[[str], Reply | Failed | None]:
    return lambda request_id: ledger.find_reply(request_id) or ledger.find_failure(request_id)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the writing as Ctrl-C does, so that the run says how it ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
