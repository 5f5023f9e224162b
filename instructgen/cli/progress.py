"""Shows a running build: a live display on a terminal, a plain line now and then elsewhere. Speaks on stderr."""

import os
import sys
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from instructgen.cli.progress_counts import BuildCounts
from instructgen.cli.terminal_text import clean_text
from instructgen.jobs.facts import Spending
from instructgen.jobs.generate import Gauges
from instructgen.jobs.outcomes import Outcome
from instructgen.records import Failed, Reply

if TYPE_CHECKING:
    from instructgen.cli.live import LiveDisplay

_PLAIN_EVERY_S = 5.0
_PLAIN_WAITING_S = 15.0  # where no unit is done meanwhile
_NUM_REASONS = 3
_DUMB_TERMINALS = ("dumb", "unknown", "")


def has_live_terminal() -> bool:
    """Return whether stderr is a terminal on which lines can be drawn again."""
    is_able = sys.platform == "win32" or os.environ.get("TERM", "") not in _DUMB_TERMINALS
    return is_able and sys.stderr.isatty()


@dataclass(slots=True)
class Progress:
    """Implements instructgen.jobs.generate.BuildWatch. As a context manager it gives the terminal back at the end."""

    is_live: bool
    title: str = ""
    """One line on what is built, of what, by whom."""
    counts: BuildCounts = field(default_factory=BuildCounts)
    _display: "LiveDisplay | None" = None
    _printed_s: float = 0.0

    def __enter__(self) -> Self:
        if self.is_live:
            from instructgen.cli.live import LiveDisplay

            self._display = LiveDisplay(self.counts, self.title)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.close()
            self._display = None

    def begin(self, stage: str, num_units: int | None) -> None:
        self.counts.begin(stage, num_units)
        self._printed_s = self.counts.stage.started_s
        if self._display is not None:
            self._display.start()

    def expect(self, num_units: int) -> None:
        self.counts.stage.num_units = num_units

    def say(self, text: str) -> None:
        if self._display is not None:
            self._display.say(text)
        else:
            lines = "\n".join(clean_text(line) for line in text.splitlines())
            print(lines, file=sys.stderr, flush=True)  # noqa: T201  told while it goes on, not an answer

    def count(self, bought: Spending) -> None:
        self.counts.bought = bought

    def observe(self, gauges: Gauges) -> None:
        self.counts.gauges = gauges

    def answered(self, reply: Reply | Failed, outcome: Outcome | None) -> None:
        self.counts.answered(reply, outcome)
        if self._display is None:
            self._maybe_print(_PLAIN_EVERY_S)

    def waiting(self, num_in_flight: int) -> None:
        self.counts.num_in_flight = num_in_flight
        if self._display is None:
            self._maybe_print(_PLAIN_WAITING_S)

    def outcome(self, outcome: Outcome) -> None:
        self.counts.outcome(outcome)
        if self._display is None:
            self._maybe_print(_PLAIN_EVERY_S)

    def end(self) -> None:
        self.counts.end()
        if self._display is None:
            self._print_plain()

    def _maybe_print(self, every_s: float) -> None:
        if self.counts.now() - self._printed_s >= every_s:
            self._print_plain()

    def _print_plain(self) -> None:
        stage, now_s = self.counts.stage, self.counts.now()
        self._printed_s = now_s
        rate = stage.num_done / max(stage.seconds(now_s), 1e-9)
        of, left = "", ""
        if stage.num_units:
            of = f" of {stage.num_units}"
            if 0 < stage.num_done < stage.num_units:
                left = f", {stage.left_s(rate):.0f} s left"
        line = f"{stage.name}: {stage.num_done}{of} units, {self._tell_counts()}, {rate:.0f} units/s{left}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  a progress line, not an answer

    def _tell_counts(self) -> str:
        counts = self.counts
        done = f"{counts.num_answered} answered" if counts.num_answered else f"{counts.num_accepted} accepted"
        parts = [done, f"{counts.num_failed} failed"]
        if counts.num_tokens:
            usd = counts.bought.cost_usd
            parts += [f"{counts.num_tokens} tokens", "cost unknown" if usd is None else f"${usd:.4f}"]
        parts.append(self._tell_rejected())
        if counts.num_in_flight:
            parts.append(f"{counts.num_in_flight} in flight")
        return ", ".join(parts)

    def _tell_rejected(self) -> str:
        """Return how many were rejected; while a run goes on, of those that were judged, which are a sample."""
        counts = self.counts
        of = f" of {counts.num_judged} judged" if counts.num_judged < counts.num_answered else ""
        top = ", ".join(f"{reason} {count}" for reason, count in counts.rejected.most_common(_NUM_REASONS))
        more = " ..." if len(counts.rejected) > _NUM_REASONS else ""
        return f"{counts.num_rejected}{of} rejected" + (f" ({top}{more})" if top else "")
