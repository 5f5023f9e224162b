"""Shows a running build: a live line on a terminal, a plain line now and then elsewhere. Speaks on stderr."""

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NoReturn

from tqdm import tqdm

from instructgen.jobs.facts import Spending
from instructgen.jobs.outcomes import Outcome
from instructgen.records import Failed, Rejected, Reply, Sample

_PLAIN_EVERY_S = 5.0
_PLAIN_WAITING_S = 15.0  # where no unit is done meanwhile
_NUM_REASONS = 3
# The counts matter more than the bar: they come first and the bar takes what is left of a narrow terminal.
_BAR_FORMAT = "{desc} {percentage:3.0f}% {n_fmt}/{total_fmt} {rate_fmt}, {remaining} left{postfix} {bar}"


@dataclass(slots=True)
class Progress:
    """Implements instructgen.jobs.generate.BuildWatch."""

    is_live: bool
    num_units: int | None = None
    _stage: str = ""
    _bar: "tqdm[NoReturn] | None" = None
    _started_s: float = 0.0
    _printed_s: float = 0.0
    _num_in_flight: int = 0
    _num_done: int = 0
    _num_answered: int = 0
    _looked_at: int = 0
    _accepted: int = 0
    _failed: int = 0
    _rejected: Counter[str] = field(default_factory=Counter)
    _bought: Spending = field(default_factory=Spending)

    def begin(self, stage: str, num_units: int | None) -> None:
        self._stage = stage
        self.num_units = num_units
        self._num_in_flight = 0
        self._num_done = self._num_answered = self._looked_at = self._accepted = self._failed = 0
        self._rejected.clear()
        self._started_s = self._printed_s = time.monotonic()
        if self.is_live:
            self._bar = tqdm(
                total=num_units, desc=stage, unit="", file=sys.stderr, dynamic_ncols=True, bar_format=_BAR_FORMAT
            )

    def expect(self, num_units: int) -> None:
        self.num_units = num_units

    def say(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def count(self, bought: Spending) -> None:
        self._bought = bought

    def answered(self, reply: Reply | Failed, outcome: Outcome | None) -> None:
        self._num_answered += isinstance(reply, Reply)
        self._failed += isinstance(reply, Failed)
        if outcome is not None and not isinstance(outcome, Failed):
            self._looked_at += 1
            if isinstance(outcome, Rejected):
                self._rejected[outcome.reason] += 1
        self._step()

    def waiting(self, num_in_flight: int) -> None:
        self._num_in_flight = num_in_flight
        if self._bar is not None:
            self._bar.total = self.num_units
            self._bar.set_postfix_str(self._live_counts())
        elif time.monotonic() - self._printed_s >= _PLAIN_WAITING_S:
            self._print_plain()

    def outcome(self, outcome: Outcome) -> None:
        self._looked_at += not isinstance(outcome, Failed)
        match outcome:
            case Sample():
                self._accepted += 1
            case Rejected():
                self._rejected[outcome.reason] += 1
            case Failed():
                self._failed += 1
        self._step()

    def _step(self) -> None:
        self._num_done += 1
        if self._bar is not None:
            self._bar.total = self.num_units
            if self._bar.update():
                self._bar.set_postfix_str(self._live_counts(), refresh=False)
        elif time.monotonic() - self._printed_s >= _PLAIN_EVERY_S:
            self._print_plain()

    def end(self) -> None:
        self._num_in_flight = 0
        if self._bar is not None:
            self._bar.set_postfix_str(self._live_counts())
            self._bar.close()
            self._bar = None
        else:
            self._print_plain()

    def _counts(self) -> str:
        done = f"{self._num_answered} answered" if self._num_answered else f"{self._accepted} accepted"
        parts = [done, f"{self._failed} failed"]
        if self._num_tokens:
            parts += [f"{self._num_tokens} tokens", self._cost]
        parts.append(self._rejections)
        if self._num_in_flight:
            parts.append(f"{self._num_in_flight} in flight")
        return ", ".join(parts)

    def _live_counts(self) -> str:
        """Return the counts with what matters most in front, for a terminal cuts the line off."""
        parts = [self._cost] if self._num_tokens else []
        if self._failed:
            parts.append(f"{self._failed} failed")
        parts.append(self._rejections)
        if self._num_in_flight:
            parts.append(f"{self._num_in_flight} in flight")
        return ", ".join(parts)

    @property
    def _num_tokens(self) -> int:
        return self._bought.prompt_tokens + self._bought.completion_tokens

    @property
    def _cost(self) -> str:
        return "cost unknown" if self._bought.cost_usd is None else f"${self._bought.cost_usd:.4f}"

    @property
    def _rejections(self) -> str:
        """Return how many were rejected; while a run goes on, of those that were judged, which are a sample."""
        of = f" of {self._looked_at} judged" if self._looked_at < self._num_answered else ""
        top = ", ".join(f"{reason} {count}" for reason, count in self._rejected.most_common(_NUM_REASONS))
        more = " ..." if len(self._rejected) > _NUM_REASONS else ""
        return f"{self._rejected.total()}{of} rejected" + (f" ({top}{more})" if top else "")

    def _print_plain(self) -> None:
        now = time.monotonic()
        self._printed_s = now
        rate = self._num_done / max(now - self._started_s, 1e-9)
        of, left = "", ""
        if self.num_units:
            of = f" of {self.num_units}"
            if 0 < self._num_done < self.num_units:
                left = f", {(self.num_units - self._num_done) / rate:.0f} s left"
        line = f"{self._stage}: {self._num_done}{of} units, {self._counts()}, {rate:.0f} units/s{left}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  a progress line, not an answer
