"""Training runs in forks that are killed, and what their models are in the end."""

import hashlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from instructgen.jobs.training import train
from instructgen.jobs.training_parts import TrainingOptions
from instructgen.train.watch import StepReport

_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir")


class QuietWatch:
    """Notes what is said; calls `act` after each step."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.said: list[str] = []
        self.reports: list[StepReport] = []
        self.act = act

    def say(self, text: str) -> None:
        self.said.append(text)

    def begin(self, num_steps: int, num_done: int) -> None:
        pass

    def step(self, report: StepReport) -> None:
        self.reports.append(report)
        self.act()

    def end(self) -> None:
        pass


def hash_model(out: Path) -> dict[str, str]:
    """Return the digest of every file of a run's model that has weights."""
    files = sorted((out / "model").rglob("*.safetensors"))
    assert files
    return {str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def run_and_kill(options: TrainingOptions, moment: int | None, delay_s: float | None = None) -> int | None:
    """Train in a fork that is killed at a moment or after a delay; return how many moments it had, None if killed.

    A moment is a call of the file system for the run's folder, from whichever thread, or the end of a step.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _train_as_child(options, moment, writer)
    os.close(writer)
    timer = None
    if delay_s is not None:
        timer = threading.Timer(delay_s, os.kill, (child, signal.SIGKILL))
        timer.start()
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if timer is not None:
        timer.cancel()
    if os.WIFSIGNALED(status):
        return None
    assert os.WEXITSTATUS(status) == 0, told.decode()
    return int(told)


def _train_as_child(options: TrainingOptions, moment: int | None, writer: int) -> None:
    num_moments = 0

    def count() -> None:
        nonlocal num_moments
        if num_moments == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        num_moments += 1

    out = str(options.out)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and str(arguments[0]).startswith(out):
            count()

    told = b""
    code = 1
    try:
        sys.addaudithook(watch)
        train(options, QuietWatch(count))
        told, code = str(num_moments).encode(), 0
    except BaseException as error:  # noqa: BLE001  a fork must not go on as the test
        told = repr(error).encode()
    os.write(writer, told)
    os._exit(code)


def kill_until_done(options: TrainingOptions, draws: random.Random, num_kills: int, num_moments: int) -> int:
    """Kill the run so often, at moments drawn anew, and let it end; return how many kills hit a running process.

    `num_moments` are those of a whole run: each life is drawn so that the last ends about where the run does.
    """
    num_killed = 0
    for _ in range(num_kills):
        num_killed += run_and_kill(options, draws.randrange(2 * num_moments // num_kills)) is None
    while run_and_kill(options, None) is None:
        pass
    return num_killed
