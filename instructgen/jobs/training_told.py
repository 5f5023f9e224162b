"""What a run of training leaves for people: when it was worked at and on what, and its report."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from instructgen.errors import RunStoppedError
from instructgen.report.names import REPORT_NAME
from instructgen.report.training import write_training_report
from instructgen.train.history import Began, Ended, Ending, append_event, tell_platform, tell_time
from instructgen.train.loop import Trainer
from instructgen.train.run_folder import RunRecord

Say = Callable[[str], None]


@contextmanager
def recorded(out: Path, trainer: Trainer, record: RunRecord, say: Say) -> Iterator[None]:
    """Keep RUN/history.jsonl while the steps are taken, and leave RUN/report.html however they end."""
    if not trainer.ranks.is_first:
        yield
        return
    append_event(out, _begin(trainer, record))
    how: Ending = "finished"
    detail = ""
    try:
        yield
    except BaseException as error:
        how = "stopped" if isinstance(error, RunStoppedError | KeyboardInterrupt) else "failed"
        detail = str(error) or "stopped at once"
        raise
    finally:
        _end(out, trainer, how, detail, say)


def leave_report(out: Path, say: Say) -> None:
    """Write the report; what is wrong with it is said, for the run is worth more than its report."""
    try:
        write_training_report(out)
    except Exception as error:  # noqa: BLE001  whatever it is, the weights are on disk and must not seem lost
        say(f"{out / REPORT_NAME} could not be written: {type(error).__name__}: {error}")


def _begin(trainer: Trainer, record: RunRecord) -> Began:
    device = trainer.ranks.device
    return Began(
        at=tell_time(),
        step=trainer.progress.num_steps,
        device=str(device),
        device_name=torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        num_processes=trainer.ranks.count,
        num_threads=torch.get_num_threads(),
        platform=tell_platform(),
        versions=record.versions,
    )


def _end(out: Path, trainer: Trainer, how: Ending, detail: str, say: Say) -> None:
    event = Ended(tell_time(), trainer.progress.num_steps, how, detail, _measure_peak(trainer.ranks.device))
    try:
        append_event(out, event)
    except OSError as error:  # as on a full disk, which is what ended the run
        say(f"{out}: when the run ended could not be noted: {error}")
    leave_report(out, say)


def _measure_peak(device: torch.device) -> int:
    """Return the most bytes that this process took at a time; 0 where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
