"""Clients and servers in virtual time: seconds of traffic are simulated in milliseconds, the same every time."""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from instructgen.limits.bounds import ServerLimits
from instructgen.limits.gate import Feedback, Gate


@dataclass
class VirtualTime:
    """A clock that jumps from one event to the next."""

    now_s: float = 0.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _num: int = 0

    def now(self) -> float:
        return self.now_s

    def call_at(self, at_s: float, call: Callable[[], None]) -> None:
        self._num += 1
        heapq.heappush(self._events, (max(at_s, self.now_s), self._num, call))

    def run(self, until_s: float = math.inf) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, call = heapq.heappop(self._events)
            call()
        if until_s < math.inf:
            self.now_s = max(self.now_s, until_s)


class Limiter(Protocol):
    def admit(self, now_s: float, amount: float) -> float:
        """Return 0 for a request that is let in, else the seconds after which it would be."""
        ...

    def remaining(self, now_s: float) -> tuple[float, float]:
        """Return what is left, and the seconds until all of it is there again."""
        ...


@dataclass
class FixedWindow:
    """`num` in each window; windows lie on a grid, or with `phase_s` None begin with a request."""

    num: float
    period_s: float
    phase_s: float | None = None
    _start_s: float = -math.inf
    _used: float = 0.0

    def _roll(self, now_s: float) -> None:
        if now_s >= self._start_s + self.period_s - 1e-9:
            phase_s = now_s if self.phase_s is None else self.phase_s
            self._start_s = phase_s + math.floor((now_s - phase_s) / self.period_s + 1e-9) * self.period_s
            self._used = 0.0

    def admit(self, now_s: float, amount: float) -> float:
        self._roll(now_s)
        if self._used + amount <= self.num:
            self._used += amount
            return 0.0
        return self._start_s + self.period_s - now_s

    def remaining(self, now_s: float) -> tuple[float, float]:
        self._roll(now_s)
        return self.num - self._used, self._start_s + self.period_s - now_s


@dataclass
class Bucket:
    """Holds `num`, all of which flows in again in `period_s`; begins full."""

    num: float
    period_s: float
    _level: float = -1.0
    _at_s: float = 0.0

    def _fill(self, now_s: float) -> None:
        level = self.num if self._level < 0 else self._level + (now_s - self._at_s) * self.num / self.period_s
        self._level = min(self.num, level)
        self._at_s = now_s

    def admit(self, now_s: float, amount: float) -> float:
        self._fill(now_s)
        if self._level >= amount - 1e-6:
            self._level = max(0.0, self._level - amount)
            return 0.0
        return (amount - self._level) * self.period_s / self.num

    def remaining(self, now_s: float) -> tuple[float, float]:
        self._fill(now_s)
        return math.floor(self._level + 1e-6), (self.num - self._level) * self.period_s / self.num


@dataclass
class SlidingLog:
    """At most `num` in any `period_s`."""

    num: float
    period_s: float
    _log: deque[tuple[float, float]] = field(default_factory=deque)
    _used: float = 0.0

    def _forget(self, now_s: float) -> None:
        while self._log and self._log[0][0] <= now_s - self.period_s + 1e-9:
            self._used -= self._log.popleft()[1]

    def admit(self, now_s: float, amount: float) -> float:
        self._forget(now_s)
        if self._used + amount <= self.num:
            self._log.append((now_s, amount))
            self._used += amount
            return 0.0
        return self._log[0][0] + self.period_s - now_s

    def remaining(self, now_s: float) -> tuple[float, float]:
        self._forget(now_s)
        return self.num - self._used, self._log[-1][0] + self.period_s - now_s if self._log else 0.0


@dataclass
class Server:
    """Answers after `latency_s`, refuses at once. What it counts is its own."""

    latency_s: Callable[[float], float]  # of the time
    limiter: Limiter | None = None
    token_limiter: Limiter | None = None
    used_tokens: int = 0
    retry_after: str | None = "exact"  # "seconds": rounded up; None: not told
    most_in_flight: float = math.inf
    sends_headers: bool = False
    is_down: Callable[[float], bool] = lambda _now_s: False
    num_in_flight: int = 0
    max_in_flight: int = 0
    answered_at_s: list[float] = field(default_factory=list)
    refused_at_s: list[float] = field(default_factory=list)
    accepted_at_s: list[float] = field(default_factory=list)

    def admit(self, now_s: float) -> float:
        """Return 0 where the request is worked on, else the seconds to wait."""
        wait_s = 1.0 if self.is_down(now_s) or self.num_in_flight >= self.most_in_flight else 0.0
        if not wait_s and self.limiter is not None:
            wait_s = self.limiter.admit(now_s, 1)
        if not wait_s and self.token_limiter is not None:
            wait_s = self.token_limiter.admit(now_s, self.used_tokens)
        if wait_s:
            self.refused_at_s.append(now_s)
            return wait_s
        self.accepted_at_s.append(now_s)
        self.num_in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.num_in_flight)
        return 0.0

    def headers(self, now_s: float) -> dict[str, str]:
        if not self.sends_headers or self.limiter is None:
            return {}
        left, reset_s = self.limiter.remaining(now_s)
        return {
            "x-ratelimit-limit-requests": f"{self.limiter.num:.0f}",  # type: ignore[attr-defined]
            "x-ratelimit-remaining-requests": f"{left:.0f}",
            "x-ratelimit-reset-requests": f"{int(reset_s // 60)}m{reset_s % 60:.3f}s",
        }

    def tell_retry_after_s(self, wait_s: float) -> float | None:
        if self.retry_after is None:
            return None
        return float(math.ceil(wait_s - 1e-6)) if self.retry_after == "seconds" else wait_s


@dataclass
class Client:
    """Sends `num` requests through a gate, as the scheduler does; one that is refused is sent again first."""

    time: VirtualTime
    gate: Gate
    server: Server
    num: int
    tokens: int = 0
    one_way_s: float = 0.0005
    num_done: int = 0
    finished_at_s: float = math.nan
    max_in_flight: int = 0
    _num_waiting: int = 0
    _timer_at_s: float = math.inf

    def start(self) -> None:
        self._num_waiting = self.num
        self.time.call_at(self.time.now_s, self.pump)

    def pump(self) -> None:
        while self._num_waiting:
            wait_s = self.gate.wait_s(self.tokens)
            if wait_s:
                self._come_back(wait_s)
                return
            self._num_waiting -= 1
            self.gate.take(self.tokens)
            self.max_in_flight = max(self.max_in_flight, self.gate.num_in_flight)
            sent_at_s = self.time.now_s
            self.time.call_at(sent_at_s + self.one_way_s, lambda sent_at_s=sent_at_s: self._arrive(sent_at_s))

    def _come_back(self, wait_s: float) -> None:
        at_s = self.time.now_s + wait_s
        if wait_s == math.inf:
            assert self.gate.num_in_flight, "nothing in flight, and nothing may go out"
        elif not self.time.now_s < self._timer_at_s <= at_s:
            self._timer_at_s = at_s
            self.time.call_at(at_s, self._ring)

    def _ring(self) -> None:
        if self.time.now_s >= self._timer_at_s:
            self._timer_at_s = math.inf
        self.pump()

    def _arrive(self, sent_at_s: float) -> None:
        now_s = self.time.now_s
        wait_s = self.server.admit(now_s)
        if wait_s:
            headers = self.server.headers(now_s)
            self.time.call_at(now_s + self.one_way_s, lambda: self._refused(sent_at_s, wait_s, headers))
            return
        headers = self.server.headers(now_s)
        latency_s = self.server.latency_s(now_s)
        self.time.call_at(now_s + latency_s, self._leave)
        self.time.call_at(now_s + latency_s + self.one_way_s, lambda: self._answered(sent_at_s, headers))

    def _leave(self) -> None:
        self.server.num_in_flight -= 1
        self.server.answered_at_s.append(self.time.now_s)

    def _answered(self, sent_at_s: float, headers: dict[str, str]) -> None:
        self.num_done += 1
        if self.num_done == self.num:
            self.finished_at_s = self.time.now_s
        if headers:
            self.gate.read_headers(headers)
        latency_s = self.time.now_s - sent_at_s
        self.gate.release(Feedback("answered", latency_s, None, self.tokens, self.server.used_tokens))
        self.pump()

    def _refused(self, sent_at_s: float, wait_s: float, headers: dict[str, str]) -> None:
        self._num_waiting += 1
        if headers:
            self.gate.read_headers(headers)
        retry_after_s = self.server.tell_retry_after_s(wait_s)
        self.gate.release(Feedback("rate_limited", self.time.now_s - sent_at_s, retry_after_s, self.tokens, 0))
        self.pump()


def simulate(
    server: Server,
    num: int,
    limits: ServerLimits,
    *,
    tokens: int = 0,
    one_way_s: float = 0.0005,
    until_s: float = math.inf,
) -> Client:
    """Run `num` requests through a new gate; `until_s` ends it early."""
    time = VirtualTime()
    draw = random.Random(7)
    gate = Gate(limits, time.now, wall=lambda: 1.79e9 + time.now_s, jitter=draw.random)
    client = Client(time, gate, server, num, tokens, one_way_s)
    client.start()
    time.run(until_s)
    return client


def constant(seconds: float) -> Callable[[float], float]:
    return lambda _now_s: seconds


def log_normal(mean_s: float, sigma: float, seed: int = 3) -> Callable[[float], float]:
    """Return latencies of that mean."""
    draw = random.Random(seed)
    return lambda _now_s: mean_s * math.exp(draw.gauss(0, sigma) - sigma**2 / 2)
