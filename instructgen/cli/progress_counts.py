"""What a running build has come to: counted as it goes, cheaply; rates and what is to come worked out when asked."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from instructgen.generate.budget import NANO
from instructgen.jobs.facts import Spending
from instructgen.jobs.generate import Gauges
from instructgen.jobs.outcomes import Outcome
from instructgen.records import Failed, Rejected, Reply, Sample

_RATE_WINDOW_S = 20.0
_ROUNDING = 1e-6


@dataclass(slots=True)
class StageCounts:
    """How far one stage is. `num_units` None: not known yet."""

    name: str
    num_units: int | None
    started_s: float
    num_done: int = 0
    ended_s: float | None = None
    _marks: "deque[tuple[float, int]]" = field(default_factory=deque)

    def seconds(self, now_s: float) -> float:
        return max(0.0, (now_s if self.ended_s is None else self.ended_s) - self.started_s)

    def rate(self, now_s: float) -> float:
        """Return units per second: of the last seconds, as often as this is asked; of the whole stage at its end."""
        if self.ended_s is not None:
            return self.num_done / max(self.seconds(now_s), 1e-9)
        marks = self._marks or deque([(self.started_s, 0)])
        self._marks = marks
        marks.append((now_s, self.num_done))
        while len(marks) > 2 and marks[1][0] < now_s - _RATE_WINDOW_S:
            marks.popleft()
        since_s, num_before = marks[0]
        return (self.num_done - num_before) / max(now_s - since_s, 1e-9)

    def left_s(self, rate: float) -> float | None:
        """Return the seconds that the rest takes at a rate; None where that is not known."""
        if not self.num_units or not rate or not self.num_done:
            return None
        return max(0, self.num_units - self.num_done) / rate


@dataclass(frozen=True, slots=True)
class Projection:
    """An amount so far, what it will have come to at the end, and its limit; None where that is not known.

    `fits_units` is how many units of the stage the limit is enough for, where it is not for all.
    """

    so_far: float
    whole: float | None
    limit: float | None = None
    fits_units: int | None = None


def project(
    so_far: float, of_run: float, num_paid: int, num_done: int, num_units: int | None, limit: float | None
) -> Projection:
    """Return what an amount grows to if the units to come take what the `num_paid` of this run took on average.

    `so_far` may hold what earlier runs took; `of_run` is what this one has.
    """
    if not num_units or not num_paid:
        return Projection(so_far, None, limit)
    each = of_run / num_paid
    whole = so_far + each * max(0, num_units - num_done)
    if limit is None or whole <= limit or not each:
        return Projection(so_far, whole, limit)
    return Projection(
        so_far, whole, limit, min(num_units, num_done + int(max(0.0, limit - so_far) / each + _ROUNDING))
    )


@dataclass(slots=True)
class BuildCounts:
    """Told of every unit by the thread that builds; another may read it at any time."""

    now: Callable[[], float] = time.monotonic
    stages: list[StageCounts] = field(default_factory=list)
    num_answered: int = 0
    num_judged: int = 0
    num_accepted: int = 0
    num_in_flight: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    bought: Spending = field(default_factory=Spending)
    gauges: Gauges | None = None
    latest: Sample | None = None
    _paid_from: int | None = None

    @property
    def stage(self) -> StageCounts:
        return self.stages[-1]

    @property
    def num_failed(self) -> int:
        return sum(list(self.failed.values()))

    @property
    def num_rejected(self) -> int:
        return sum(list(self.rejected.values()))

    @property
    def num_tokens(self) -> int:
        return self.bought.prompt_tokens + self.bought.completion_tokens

    def begin(self, stage: str, num_units: int | None) -> None:
        """Count from nothing again: each stage looks at every unit."""
        self.stages.append(StageCounts(stage, num_units, self.now()))
        self.num_in_flight = self.num_answered = self.num_judged = self.num_accepted = 0
        self.rejected, self.failed = Counter(), Counter()

    def answered(self, reply: Reply | Failed, outcome: Outcome | None) -> None:
        if self._paid_from is None and self.bought.num_requests:
            self._paid_from = self.stage.num_done
        self.stage.num_done += 1
        if isinstance(reply, Reply):
            self.num_answered += 1
        else:
            self.failed[reply.reason] += 1
        if outcome is not None and not isinstance(outcome, Failed):
            self.num_judged += 1
            if isinstance(outcome, Rejected):
                self.rejected[outcome.reason] += 1
            else:
                self.latest = outcome

    def outcome(self, outcome: Outcome) -> None:
        self.stage.num_done += 1
        match outcome:
            case Sample():
                self.num_judged += 1
                self.num_accepted += 1
                self.latest = outcome
            case Rejected():
                self.num_judged += 1
                self.rejected[outcome.reason] += 1
            case Failed():
                self.failed[outcome.reason] += 1

    def end(self) -> None:
        self.stage.ended_s = self.now()
        self.num_in_flight = 0

    def top_reasons(self, num: int) -> list[tuple[str, int, bool]]:
        """Return the most frequent reasons with their counts, and whether the unit failed; the others together."""
        found = [(reason, count, False) for reason, count in list(self.rejected.items())]
        found += [(reason, count, True) for reason, count in list(self.failed.items())]
        found.sort(key=lambda one: (-one[1], one[0]))
        if len(found) <= num:
            return found
        rest = found[num - 1 :]
        return [*found[: num - 1], (f"{len(rest)} other reasons", sum(count for _, count, _ in rest), False)]

    def project_usd(self) -> Projection | None:
        """Return the money, that of earlier runs with it where there is a budget; None where a price is unknown."""
        if self.bought.cost_usd is None:
            return None
        budget = None if self.gauges is None else self.gauges.budget
        limit = None if budget is None or budget.max_nano_usd is None else budget.max_nano_usd / NANO
        spent = self.bought.cost_usd if budget is None or limit is None else budget.spent.nano_usd / NANO
        return self._project(spent, self.bought.cost_usd, limit)

    def project_tokens(self) -> Projection:
        budget = None if self.gauges is None else self.gauges.budget
        limit = None if budget is None else budget.max_tokens
        spent = self.num_tokens if budget is None or limit is None else budget.spent.tokens
        return self._project(spent, self.num_tokens, limit)

    def _project(self, so_far: float, of_run: float, limit: float | None) -> Projection:
        """Look at the first stage, which alone spends."""
        if not self.stages:
            return Projection(so_far, None, limit)
        asking = self.stages[0]
        num_paid = 0 if self._paid_from is None else asking.num_done - self._paid_from
        num_units = asking.num_done if asking.ended_s is not None else asking.num_units
        return project(so_far, of_run, num_paid, asking.num_done, num_units, limit)
