"""What a run leaves behind of itself beside the dataset: log.jsonl, run.json and, where asked for, metrics."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from instructgen.dataset.manifest import Manifest
from instructgen.jobs.outcomes import Outcome
from instructgen.jobs.parts import BuildParts
from instructgen.observe.metrics import MetricsFile
from instructgen.observe.runlog import (
    RunLog,
    RunSummary,
    describe_settings,
    exit_word,
    read_versions,
    utc_now,
    write_run_json,
)
from instructgen.observe.stats import RunStats
from instructgen.records import Failed, Rejected, Sample
from instructgen.resources import LOG_NAME, RUN_NAME
from instructgen.secrets import redact


class RunRecord:
    """Use it as a context manager around a run; however that ends, run.json says so."""

    def __init__(self, parts: BuildParts, folder: Path, say: Callable[[str], None]) -> None:
        self.stats = RunStats()
        self.log = RunLog(folder / LOG_NAME, say=say)
        metrics = parts.config.run.metrics
        self._metrics = None if metrics is None else MetricsFile(Path(metrics), self.stats, say=say)
        self._parts = parts
        self._path = folder / RUN_NAME
        self._say = say
        self._started_at = utc_now()
        self._version = ""

    def __enter__(self) -> Self:
        self.log.write("run_began", settings=describe_settings(self._parts.config), notes=self._parts.notes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        how = exit_word(error)
        message = (
            f"published version {self._version}" if error is None else redact(str(error) or type(error).__name__)
        )
        self.log.tell_suppressed()
        self.log.write("run_ended", exit=how, message=message)
        self.log.close()
        if self._metrics is not None:
            self._metrics.close()
        summary = RunSummary(
            started_at=self._started_at,
            ended_at=utc_now(),
            exit=how,
            message=message,
            versions=read_versions(),
            settings=describe_settings(self._parts.config),
            stats=self.stats.summary(),
            log=self.log.summary(),
        )
        write_run_json(self._path, summary, self._say)

    def settled(self, outcome: Outcome) -> None:
        """Count a unit of the version that is written."""
        match outcome:
            case Sample():
                self.stats.settled("accepted")
            case Rejected(reason=reason):
                self.stats.settled("rejected", reason)
            case Failed(reason=reason):
                self.stats.settled("failed", reason)

    def tick(self) -> None:
        """Rewrite the metrics, if it is time."""
        if self._metrics is not None:
            self._metrics.maybe_write()

    def published(self, manifest: Manifest) -> None:
        self._version = manifest.version
