"""A training run's progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import NoReturn

from tqdm import tqdm

from instructgen.train.watch import StepReport

_PLAIN_EVERY_S = 10.0


class TrainingProgress:
    """Implements instructgen.train.watch.TrainWatch."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._num_steps = 0
        self._bar: tqdm[NoReturn] | None = None
        self._printed_s = 0.0
        self._before: StepReport | None = None

    def say(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def begin(self, num_steps: int, num_done: int) -> None:
        self._num_steps = num_steps
        if self._is_live:
            self._bar = tqdm(total=num_steps, initial=num_done, unit="step", file=sys.stderr)

    def step(self, report: StepReport) -> None:
        told = _describe(report, self._before)
        self._before = report
        if self._bar is not None:
            self._bar.set_postfix_str(told, refresh=False)
            self._bar.update()
        elif report.step == self._num_steps or time.monotonic() - self._printed_s >= _PLAIN_EVERY_S:
            self._printed_s = time.monotonic()
            self.say(f"step {report.step} of {self._num_steps}: {told}")

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _describe(report: StepReport, before: StepReport | None) -> str:
    rate = max(report.rates.values())
    told = f"loss {report.loss:.4f}, rate {rate:.2e}"
    if before is None or report.seconds <= before.seconds:
        return told
    return f"{told}, {(report.tokens - before.tokens) / (report.seconds - before.seconds):,.0f} tokens/s"
