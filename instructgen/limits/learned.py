"""Learns an unknown limit from answers 429 with Retry-After: so many requests in each window of so many seconds."""

import math

_ROUND_PERIODS_S = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3_600.0)
_MAX_ELAPSED = 10.0  # times Retry-After: a longer past tells of no window
_SHORT_S = 0.25  # periods below are a bucket's, whose time adds up; above, a window may begin with its first request
_SPREAD = 0.04  # of the period: so long takes a burst, so that a lowered limit costs few useless requests
_SHORT_SPREAD = 0.8
_FIRST_ALONE_S = 0.015
_CLEAN_TO_PROBE = 5
_FIRST_PROBE_S = 10.0
_MAX_PROBE_S = 300.0
_FIRST_GROWTH = 0.05
_PROBE_SPACING_S = 0.02
_ROUNDING_S = 1e-9
_MAX_GROWTH = 0.5
_FORGET_ABOVE = 8.0
_FORGET_AFTER_S = 5.0
_STILL_MEASURING_S = 120.0


class LearnedWindow:
    """`budget` requests in `period_s`, measured from one time at which the server said to go on to the next.

    Right for fixed windows, sliding ones and buckets alike: all of them have `budget` requests ready `period_s` after
    the last were ready. While `budget` is infinite the window under way is being measured.
    """

    __slots__ = (
        "_base",
        "_begun_s",
        "_extras",
        "_goes_on",
        "_growth",
        "_learned",
        "_num_clean",
        "_num_refused",
        "_num_run",
        "_num_sent",
        "_previous",
        "_probe_at_s",
        "_probe_wait_s",
        "_proven",
        "_refused_at_s",
        "_resume_at_s",
        "_resumed_at_s",
        "_run_from_s",
        "_spread_s",
        "_start_s",
        "budget",
        "is_open",
        "period_s",
    )

    def __init__(self, start_s: float, num_sent: int) -> None:
        """`num_sent` requests went out since `start_s`, before there was anything to learn."""
        self.budget = math.inf
        self.period_s = math.inf
        self.is_open = False  # a 429 was met, and its pause is not over
        self._spread_s = 0.0
        self._start_s = start_s
        self._begun_s = start_s
        self._num_sent = num_sent
        self._num_refused = 0
        self._resume_at_s = -math.inf
        self._goes_on = False  # the window under way, after the pause
        self._resumed_at_s = -math.inf  # when the last pause was over
        self._refused_at_s = start_s
        self._previous: tuple[float, int] | None = None  # start and accepted requests of the window before
        self._base = (math.inf, math.inf)  # budget and period before the last event
        self._run_from_s, self._num_run = start_s, 0  # accepted since the last event but in this window
        self._learned = math.inf
        self._num_clean = 0
        self._extras = 0
        self._growth = _FIRST_GROWTH
        self._proven: tuple[float, float] | None = None  # budget and period before more was tried
        self._probe_wait_s = _FIRST_PROBE_S
        self._probe_at_s = math.inf

    @property
    def per_minute(self) -> float | None:
        return self.budget * 60 / self.period_s if self.budget < math.inf else None

    @property
    def is_measuring(self) -> bool:
        return self.budget == math.inf

    def is_void(self, now_s: float) -> bool:
        """Return whether it bounds nothing (any more)."""
        if self.is_measuring:
            return now_s - self._resume_at_s > _STILL_MEASURING_S
        # What a bucket had saved lasts some seconds: only then is it the server that allows so much more.
        return self.budget >= _FORGET_ABOVE * self._learned and now_s - self._probe_at_s > _FORGET_AFTER_S

    def wait_s(self, now_s: float) -> float:
        if self.is_measuring or now_s >= self._end_s():
            return 0.0
        if self._num_sent >= self.budget + self._extras:
            return self._end_s() - now_s
        return self._start_s + self._due_s() - now_s

    def take(self, now_s: float) -> None:
        if self._num_sent == 0 or (not self.is_measuring and now_s >= self._end_s()):
            self._roll(now_s)
        self._num_sent += 1

    def refuse(self, now_s: float, sent_at_s: float, retry_after_s: float) -> float:
        """Take a 429 and return the time at which to go on. Those of requests sent before that are the same event."""
        resume_at_s = now_s + retry_after_s
        if sent_at_s >= self._resume_at_s:
            self._base = (self.budget, self.period_s)
            self._refused_at_s = now_s
            self.is_open = True
        elif not self.is_open:
            return self._resume_at_s  # a straggler: the next window has begun
        self._num_refused += 1
        self._resume_at_s = max(self._resume_at_s, resume_at_s)
        self._estimate(retry_after_s)
        return self._resume_at_s + min(0.005, 0.05 * retry_after_s)

    def close_event(self) -> None:
        """Begin a new window with the next request; called when the pause after an event is over."""
        self.is_open = False
        self._num_clean = 0
        if self._proven is not None:
            is_more = self.budget > self._proven[0]
            self._probe_wait_s = _FIRST_PROBE_S if is_more else min(_MAX_PROBE_S, 4 * self._probe_wait_s)
            self._proven = None
            self._growth = _FIRST_GROWTH
        self._probe_at_s = self._resume_at_s + self._probe_wait_s
        if self._goes_on:
            self._num_sent -= self._num_refused
            self._num_refused = self._extras = 0
            return
        self._resumed_at_s = self._resume_at_s
        accepted = max(0, self._num_sent - self._num_refused)
        if accepted:
            self._previous = (self._start_s, accepted)
        self._start_s = self._begun_s = self._run_from_s = self._resume_at_s
        self._num_sent = self._num_refused = self._num_run = self._extras = 0
        self._learned = self.budget

    def _estimate(self, retry_after_s: float) -> None:
        accepted = self._num_sent - self._num_refused
        budget, period_s = self._base
        self._goes_on = False
        if self._proven is not None:
            # More was tried. What a bucket had saved may have let it pass for a while; only a whole window counts.
            is_more = accepted > self._proven[0]
            self.budget = accepted if is_more else self._proven[0]
            self._set_period(period_s if is_more else self._proven[1])
            return
        elapsed_s = self._refused_at_s - self._start_s
        if self._resumed_at_s == -math.inf and elapsed_s > _MAX_ELAPSED * retry_after_s:
            return
        if accepted > 0:
            new_period_s = _round_period_s(self._resume_at_s - self._start_s, retry_after_s)
            mean = (self._num_run + accepted) / (self._resume_at_s - self._run_from_s) * new_period_s
            # A bucket runs down over several windows: a last one that is a little short is not a lower limit.
            is_short = 0.85 * budget <= accepted < budget
            if accepted < budget and accepted * period_s > 1.01 * budget * new_period_s:
                # A pattern within the window (a sliding window's): so short a wait does not make the limit higher.
                self.budget, self.period_s = budget, period_s
                self._goes_on = True
                ready_s = self._resume_at_s - self._start_s
                self._spread_s = max(self._spread_s, min(ready_s * budget / accepted, 0.9 * period_s))
                return
            self.budget = max(accepted, min(budget, round(mean))) if is_short else accepted
            self._set_period(new_period_s)
        elif self._previous is not None and budget < math.inf:
            # Refused at once: the window before was not over. By a hair, or is its period another one?
            whole_s = self._resume_at_s - self._previous[0]
            if whole_s <= 1.1 * period_s:
                self.period_s = period_s * 1.01
            else:
                self.budget = self._previous[1]
                self._set_period(_round_period_s(whole_s, retry_after_s))

    def _set_period(self, period_s: float) -> None:
        self.period_s = period_s
        self._spread_s = period_s * (_SHORT_SPREAD if period_s < _SHORT_S else _SPREAD)

    def _roll(self, now_s: float) -> None:
        """Begin a window at `now_s`."""
        is_full = self._num_sent >= self.budget
        if self._num_sent and is_full:
            self._num_clean += 1
            self._previous = (self._start_s, self._num_sent)
        self._num_run += self._num_sent
        nominal_s = self._begun_s + self._length_s()
        is_late = now_s - nominal_s > self.period_s or self._num_sent == 0
        self._start_s = now_s
        # The time that a bucket waits for us is not lost: it fills meanwhile.
        self._begun_s = nominal_s if self.period_s < _SHORT_S and not is_late else now_s
        if self._extras and self._num_sent >= self.budget + self._extras:
            self.budget += self._extras
            self._growth = min(_MAX_GROWTH, 2 * self._growth)
        if now_s >= self._probe_at_s and self._num_clean >= _CLEAN_TO_PROBE and not self.is_measuring:
            self._proven = self._proven or (self.budget, self.period_s)
            self._extras = max(1, int(self.budget * self._growth))
        self._num_sent = 0

    def _due_s(self) -> float:
        """Return when, after the window's start, the next request is due."""
        after_burst = self._num_sent - self.budget
        if after_burst >= 0:
            spacing_s = min(_PROBE_SPACING_S, (0.95 * self.period_s - self._spread_s) / self._extras)
            return self._spread_s + (after_burst + 1) * spacing_s
        # The period may be a part of the real one, or the limit have changed: the first request finds out.
        alone_s = min(_FIRST_ALONE_S, self.period_s / 8) if self._num_sent else 0.0
        return alone_s + self._spread_s * self._num_sent / self.budget

    def _length_s(self) -> float:
        return self.period_s + min(0.01, 0.01 * self.period_s)

    def _end_s(self) -> float:
        return self._begun_s + self._length_s() - _ROUNDING_S


def _round_period_s(period_s: float, retry_after_s: float) -> float:
    """Return the usual period that was meant: Retry-After in whole seconds was rounded up."""
    is_whole = retry_after_s == int(retry_after_s)
    least_s = period_s - 1.0 if is_whole else 0.98 * period_s
    most_s = period_s if is_whole else 1.02 * period_s
    return next((round_s for round_s in _ROUND_PERIODS_S if least_s < round_s <= most_s), period_s)
