"""How far each stage of a long command is, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from tqdm import tqdm

_PLAIN_EVERY_S = 5.0


@dataclass(slots=True)
class StageProgress:
    """`unit` is what is counted, `units` in single stages instead."""

    is_live: bool
    unit: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    _stage: str = ""
    _bar: "tqdm[NoReturn] | None" = None
    _told_s: float = 0.0

    def tell(self, stage: str, num_done: int, num_all: int | None) -> None:
        if stage != self._stage:
            self.close()
            self._stage = stage
            self._told_s = time.monotonic()
        unit = self.units.get(stage, self.unit)
        if self.is_live:
            self._draw(num_done, num_all, unit)
        elif time.monotonic() - self._told_s >= _PLAIN_EVERY_S:
            self._told_s = time.monotonic()
            of = f" of {num_all:,}" if num_all else ""
            typer.echo(f"{stage}: {num_done:,}{of} {unit}", err=True)

    def say(self, text: str) -> None:
        typer.echo(text, err=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self, num_done: int, num_all: int | None, unit: str) -> None:
        from tqdm import tqdm

        if self._bar is None:
            # What an earlier run has done is no work of this one, and would make it look fast.
            self._bar = tqdm(desc=self._stage, initial=num_done, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True)
        self._bar.total = num_all
        self._bar.update(num_done - self._bar.n)
