"""What one server lets through now: requests in flight, rates, and when it said to wait (docs/limits.md).

One thread's logic with an injected clock; nothing here sleeps or sends.
"""

import math
import random
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from instructgen.attempts import OVERLOAD_REASONS
from instructgen.limits.bounds import ServerLimits
from instructgen.limits.concurrency import Concurrency, Ramp, Slowness
from instructgen.limits.headers import QUOTA_HEADERS, Allowance, read_quota
from instructgen.limits.learned import LearnedWindow
from instructgen.limits.rates import REQUESTS_MARGIN, TOKENS_MARGIN, Pacer

MAX_RETRY_AFTER_S = 600.0
_FIRST_AT_ONCE = 4
_LEAST_WAIT_S = 1e-4  # a shorter wait might not move a clock
_ROUNDING_S = 1e-9
_MAX_EVENTS_WITHOUT_ANSWER = 4  # then Retry-After alone is not believed


class Feedback(Struct, frozen=True, gc=False):
    """How an attempt ended: "answered", "unused" (it was never sent) or the reason of an AttemptError.

    `used_tokens` None is not known: the reservation counts as used.
    """

    outcome: str
    latency_s: float
    retry_after_s: float | None
    reserved_tokens: int
    used_tokens: int | None


class Rates(Struct, frozen=True):
    """Limits in force, configured, told or learned; None for none known."""

    requests_per_minute: float | None
    tokens_per_minute: float | None


def _log_nothing(_event: str, **_fields: object) -> None:
    """The log of a gate that nobody watches."""


class Gate:
    """Says when a request may go to a server. Ask `wait_s`, then `take`, send, and `release` whatever came of it.

    `now` is a monotonic clock in seconds, `wall` the time of day for headers that name a date, `jitter` a number in
    [0, 1) for the waits of a server that names none.
    """

    __slots__ = (
        "_allowed_requests",
        "_allowed_tokens",
        "_concurrency",
        "_first_take_s",
        "_is_free",
        "_is_new",
        "_learned",
        "_limits",
        "_log",
        "_logged_limit",
        "_now",
        "_num_events",
        "_num_sent",
        "_paused_until_s",
        "_ramp",
        "_request_pacer",
        "_reserved_tokens",
        "_room",
        "_slowness",
        "_token_pacer",
        "_wall",
        "num_in_flight",
    )

    def __init__(
        self,
        limits: ServerLimits,
        now: Callable[[], float],
        log: Callable[..., None] = _log_nothing,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits
        self._now = now
        self._log = log
        self._wall = wall
        self.num_in_flight = 0
        self._reserved_tokens = 0
        self._num_sent = 0
        self._first_take_s = 0.0
        self._concurrency = Concurrency(limits.concurrency, jitter)
        self._room = limits.concurrency
        self._logged_limit = float(limits.concurrency)
        self._slowness = Slowness()
        self._is_new = True
        self._is_free = False
        self._ramp: Ramp | None = None
        self._paused_until_s: float | None = None
        self._learned: LearnedWindow | None = None
        self._num_events = 0  # of 429 with Retry-After since the last answer
        self._allowed_requests: Allowance | None = None
        self._allowed_tokens: Allowance | None = None
        self._request_pacer: Pacer | None = None
        self._token_pacer: Pacer | None = None
        self._set_rates()

    @property
    def concurrency(self) -> int:
        """Requests that may be in flight now."""
        return self._room

    @property
    def rates(self) -> Rates:
        per_minute = [
            rate
            for rate in (
                self._request_pacer.per_minute if self._request_pacer else None,
                self._learned.per_minute if self._learned else None,
            )
            if rate is not None
        ]
        tokens = self._token_pacer.per_minute if self._token_pacer else None
        return Rates(min(per_minute, default=None), tokens)

    def wait_s(self, tokens: int) -> float:
        """Return 0.0 where a request that reserves `tokens` may go out now, else the seconds after which to ask.

        That is math.inf where only a release can help.
        """
        if self.num_in_flight >= self._room:
            return math.inf
        return 0.0 if self._is_free else self._bounded_wait_s(tokens)

    def take(self, tokens: int) -> None:
        """Count a request that goes out now."""
        now_s = self._now()
        self._slowness.take(now_s, self.num_in_flight)
        self.num_in_flight += 1
        self._num_sent += 1
        self._reserved_tokens += tokens
        if not self._is_free:
            self._take_bounded(now_s, tokens)

    def release(self, feedback: Feedback) -> None:
        """Count the end of an attempt, however it ended."""
        now_s = self._now()
        advice = self._slowness.release(now_s, self.num_in_flight)
        self.num_in_flight -= 1
        self._reserved_tokens -= feedback.reserved_tokens
        if feedback.used_tokens is not None and (self._token_pacer or self._allowed_tokens):
            self._give_back_tokens(now_s, feedback.reserved_tokens - feedback.used_tokens)
        if feedback.outcome == "answered":
            self._num_events = 0
            self._concurrency.answered(self.num_in_flight)
            if advice is not None:
                self._concurrency.heed(advice, self.num_in_flight + 1)
                self._log_limit("slower")
            self._room = int(self._concurrency.limit)
        elif feedback.outcome == "unused":
            self._give_back_request(now_s)
        else:
            self._fail(feedback, now_s)

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Take what an answer says of limits; call it before the release. Names are looked up in lower case."""
        if not any(name in headers for name in QUOTA_HEADERS):
            return
        requests = read_quota(headers, "requests", self._wall())
        tokens = read_quota(headers, "tokens", self._wall())
        if requests is None and tokens is None:
            return
        now_s = self._now()
        others = max(0, self.num_in_flight - 1)
        if requests is not None:
            self._allowed_requests = self._allowed_requests or Allowance()
            self._allowed_requests.read(requests, now_s, others)
        if tokens is not None:
            self._allowed_tokens = self._allowed_tokens or Allowance()
            share = others / (others + 1)
            self._allowed_tokens.read(tokens, now_s, self._reserved_tokens * share)
        self._is_free = False
        self._set_rates()

    def _set_rates(self) -> None:
        """Pace by what was configured or told, whichever is smaller."""
        before = self.rates
        told_requests = self._allowed_requests.per_minute if self._allowed_requests else None
        told_tokens = self._allowed_tokens.per_minute if self._allowed_tokens else None
        now_s = self._now()
        per_minute = _lower(self._limits.requests_per_minute, told_requests)
        self._request_pacer = _make_pacer(self._request_pacer, per_minute, REQUESTS_MARGIN, now_s)
        per_minute = _lower(self._limits.tokens_per_minute, told_tokens)
        self._token_pacer = _make_pacer(self._token_pacer, per_minute, TOKENS_MARGIN, now_s)
        after = self.rates
        if after != before and not self._is_new:
            self._log(
                "rate_told", requests_per_minute=after.requests_per_minute, tokens_per_minute=after.tokens_per_minute
            )

    def _bounded_wait_s(self, tokens: int) -> float:
        now_s = self._now()
        self._settle(now_s)
        wait_s = self._paused_until_s - now_s if self._paused_until_s is not None else 0.0
        if self._ramp is not None:
            wait_s = max(wait_s, self._ramp.wait_s(now_s))
        if self._learned is not None and self._paused_until_s is None:
            wait_s = max(wait_s, self._learned.wait_s(now_s))
        for bound, amount in (
            (self._request_pacer, 1),
            (self._token_pacer, tokens),
            (self._allowed_requests, 1),
            (self._allowed_tokens, tokens),
        ):
            if bound is not None:
                wait_s = max(wait_s, bound.wait_s(now_s, amount))
        return max(wait_s, _LEAST_WAIT_S) if wait_s > _ROUNDING_S else 0.0

    def _take_bounded(self, now_s: float, tokens: int) -> None:
        self._settle(now_s)
        if self._ramp is not None:
            self._ramp.take()
        if self._learned is not None:
            self._learned.take(now_s)
        for bound, amount in (
            (self._request_pacer, 1),
            (self._token_pacer, tokens),
            (self._allowed_requests, 1),
            (self._allowed_tokens, tokens),
        ):
            if bound is not None:
                bound.take(amount)

    def _settle(self, now_s: float) -> None:
        """End what has run its time."""
        if self._is_new:
            self._is_new = False
            self._first_take_s = now_s
            self._ramp = Ramp(now_s, _FIRST_AT_ONCE)
        if self._paused_until_s is not None and now_s >= self._paused_until_s - _ROUNDING_S:
            self._paused_until_s = None
            if self._learned is not None and self._learned.is_open:
                self._learned.close_event()
            if self._learned is None or self._learned.is_measuring:
                self._ramp = Ramp(now_s, 1)
        if self._ramp is not None and self._ramp.is_over(now_s):
            self._ramp = None
        if self._learned is not None and not self._learned.is_open and self._learned.is_void(now_s):
            self._log("rate_forgotten", requests_per_minute=self._learned.per_minute)
            self._learned = None
            self._ramp = Ramp(now_s, _FIRST_AT_ONCE)
            self._first_take_s = -math.inf  # the past tells of no window any more
        self._is_free = (
            self._paused_until_s is None
            and self._ramp is None
            and self._learned is None
            and self._request_pacer is None
            and self._token_pacer is None
            and self._allowed_requests is None
            and self._allowed_tokens is None
        )

    def _fail(self, feedback: Feedback, now_s: float) -> None:
        if feedback.outcome not in OVERLOAD_REASONS:
            return
        sent_at_s = now_s - feedback.latency_s
        retry_after_s = feedback.retry_after_s
        if retry_after_s is not None and 0 < retry_after_s < math.inf:
            self._obey(feedback.outcome, now_s, sent_at_s, retry_after_s)
            return
        pause_s = self._concurrency.overloaded(now_s, sent_at_s, self.num_in_flight)
        if pause_s is None:
            return
        self._room = int(self._concurrency.limit)
        self._ramp = None
        self._log_limit(feedback.outcome)
        if pause_s:
            self._pause(now_s, now_s + pause_s, feedback.outcome)

    def _obey(self, reason: str, now_s: float, sent_at_s: float, retry_after_s: float) -> None:
        """Let nothing out until the server's own time."""
        until_s = now_s + min(retry_after_s, MAX_RETRY_AFTER_S)
        if reason == "rate_limited" and retry_after_s <= MAX_RETRY_AFTER_S:
            if self._learned is None:
                self._learned = LearnedWindow(self._first_take_s, self._num_sent)
            until_s = max(until_s, self._learned.refuse(now_s, sent_at_s, retry_after_s))
        if self._paused_until_s is None:
            self._num_events += 1
            if self._num_events > _MAX_EVENTS_WITHOUT_ANSWER:
                until_s = max(
                    until_s, now_s + self._concurrency.pause_s(self._num_events - _MAX_EVENTS_WITHOUT_ANSWER)
                )
        self._ramp = None
        self._pause(now_s, until_s, reason, retry_after_s)

    def _pause(self, now_s: float, until_s: float, reason: str, asked_s: float | None = None) -> None:
        is_new = self._paused_until_s is None
        self._paused_until_s = max(until_s, self._paused_until_s or 0.0)
        self._is_free = False
        if is_new:
            learned = self._learned.per_minute if self._learned else None
            self._log(
                "paused",
                reason=reason,
                seconds=round(until_s - now_s, 3),
                asked_s=asked_s,
                learned_requests_per_minute=learned,
            )

    def _give_back_tokens(self, now_s: float, amount: int) -> None:
        if self._token_pacer is not None:
            self._token_pacer.give_back(now_s, amount)
        if self._allowed_tokens is not None:
            self._allowed_tokens.give_back(amount)

    def _give_back_request(self, now_s: float) -> None:
        if self._request_pacer is not None:
            self._request_pacer.give_back(now_s, 1)
        if self._allowed_requests is not None:
            self._allowed_requests.give_back(1)

    def _log_limit(self, reason: str) -> None:
        """Tell of a decrease by half: the small ones come all the time."""
        limit = self._concurrency.limit
        if limit <= self._logged_limit / 2:
            self._logged_limit = limit
            self._log("concurrency_lowered", reason=reason, limit=int(limit))
        elif limit > 2 * self._logged_limit:
            self._logged_limit = limit


def _lower(configured: float | None, told: float | None) -> float | None:
    return min((rate for rate in (configured, told) if rate is not None), default=None)


def _make_pacer(pacer: Pacer | None, per_minute: float | None, margin: float, now_s: float) -> Pacer | None:
    if per_minute is None:
        return None
    if pacer is None:
        return Pacer(per_minute, margin, now_s)
    if pacer.per_minute != per_minute:
        pacer.set_rate(per_minute)
    return pacer
