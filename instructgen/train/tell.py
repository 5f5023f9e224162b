"""Passes on what happens in a run: to its folder, to loggers, and to who sits in front of it."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from instructgen.train.curves import CURVES_NAME, draw_curves
from instructgen.train.recipe import StageRecipe
from instructgen.train.watch import (
    METRICS_NAME,
    MetricsFile,
    StepReport,
    TrainWatch,
    average,
    open_logger,
    read_metrics,
)

_DRAW_EVERY_S = 60.0  # a picture takes some tenths of a second from the training


class Teller:
    """Tells of every step, from the one after `num_done` on; closed, it leaves loss.svg."""

    def __init__(
        self, out: Path, recipe: StageRecipe, settings: Mapping[str, object], watch: TrainWatch, num_done: int
    ) -> None:
        self._out = out
        self._recipe = recipe
        self._watch = watch
        self._waiting: list[StepReport] = []
        self._drawn_s = time.monotonic()
        self.last: StepReport | None = None
        with ExitStack() as stack:
            self._metrics = MetricsFile(out / METRICS_NAME, num_done)
            stack.callback(self._metrics.close)
            self._loggers = []
            for name in recipe.train.loggers:
                self._loggers.append(open_logger(name, out, settings, num_done))
                stack.callback(self._loggers[-1].close)
            self._closing = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._waiting:
            self._log()
        self._closing.close()
        self._draw()

    def tell(self, report: StepReport) -> None:
        self.last = report
        self._metrics.write(report)
        self._watch.step(report)
        self._waiting.append(report)
        if report.step % self._recipe.train.log_every_steps == 0:
            self._log()
        is_saved = report.step % self._recipe.saving.every_steps == 0
        if is_saved and time.monotonic() - self._drawn_s > _DRAW_EVERY_S:
            self._draw()

    def _log(self) -> None:
        values = average(self._waiting)
        for logger in self._loggers:
            logger.log(self._waiting[-1].step, values)
        self._waiting.clear()

    def _draw(self) -> None:
        self._drawn_s = time.monotonic()
        draw_curves(read_metrics(self._out / METRICS_NAME), self._out / CURVES_NAME, self._out.resolve().name)
