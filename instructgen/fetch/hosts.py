"""The servers of a table: what each lets through now, what waits for it, and whether it is worth asking at all."""

import heapq
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instructgen.fetch.options import Politeness
from instructgen.fetch.reasons import UNREACHABLE, Missed
from instructgen.fetch.tables import TableRow
from instructgen.limits.bounds import ServerLimits
from instructgen.limits.gate import Feedback, Gate

if TYPE_CHECKING:
    from yarl import URL

_NUM_REMEMBERED = 5_000  # servers with nothing to do; a table may name a million
_NUM_FAILED_TO_BE_DOWN = 8
MAX_REFUSALS = 8  # of one row, by a server that wants to be asked later; it is left alone then
_TELLS_OF_SERVER = UNREACHABLE | {"server_error"}


@dataclass(slots=True)
class Job:
    """A row on its way. `url` is where it is now, after `num_hops` redirects."""

    row: TableRow
    url: "URL"
    num_hops: int = 0
    num_tries: int = 0
    num_refused: int = 0


@dataclass(slots=True)
class Host:
    """One server: scheme, name and port. `down` is why it is left alone, if it is.

    `is_scheduled`: it stands in the ring or waits for its time.
    """

    name: str
    gate: Gate
    waiting: deque[Job] = field(default_factory=deque)
    is_scheduled: bool = False
    num_failed_in_row: int = 0
    down: Missed | None = None


class Hosts:
    """Hands out jobs, one server after the other, each when its gate lets one through."""

    def __init__(self, politeness: Politeness, now: Callable[[], float]) -> None:
        self._politeness = politeness
        per_s = politeness.per_host_per_s
        self._limits = ServerLimits(politeness.per_host, None if per_s is None else per_s * 60)
        self._now = now
        self._hosts: OrderedDict[str, Host] = OrderedDict()
        self._ring: deque[Host] = deque()
        self._asleep: list[tuple[float, int, Host]] = []
        self._num_slept = 0

    def add(self, job: Job) -> None:
        host = self._find(f"{job.url.scheme}://{job.url.raw_authority.lower()}")
        host.waiting.append(job)
        self._schedule(host)

    def pop(self) -> tuple[Host, Job] | None:
        """Return a job that may go out now; its server's gate has counted it, unless the server is down."""
        now_s = self._now()
        while self._asleep and self._asleep[0][0] <= now_s:
            self._ring.append(heapq.heappop(self._asleep)[2])
        while self._ring:
            host = self._ring.popleft()
            wait_s = 0.0 if host.down or not host.waiting else host.gate.wait_s(0)
            if host.waiting and wait_s == 0:
                job = host.waiting.popleft()
                if host.down is None:
                    host.gate.take(0)
                self._ring.append(host)
                return host, job
            if not host.waiting or wait_s == math.inf:
                host.is_scheduled = False  # a release, or another job, brings it back
            else:
                self._num_slept += 1
                heapq.heappush(self._asleep, (now_s + wait_s, self._num_slept, host))
        return None

    def wait_s(self) -> float:
        """Return the seconds until a sleeping server may be asked; math.inf where none sleeps."""
        return max(0.0, self._asleep[0][0] - self._now()) if self._asleep else math.inf

    def release(self, host: Host, missed: Missed | None, latency_s: float) -> None:
        """Count the end of a request; None is an answer that was what it should be."""
        outcome, retry_after_s = "answered", None
        if missed is not None:
            retry_after_s = missed.retry_after_s
            if missed.reason in ("rate_limited", "timeout"):
                outcome = missed.reason
            elif missed.http_status == 503:
                outcome = "overloaded"
            elif missed.reason in UNREACHABLE:
                outcome = "connection"
        host.gate.release(Feedback(outcome, latency_s, retry_after_s, 0, 0))
        self._schedule(host)

    def judge(self, host: Host, job: Job, missed: Missed | None) -> None:
        """Take down a server that fails row after row, or that wants to be left alone for long."""
        if missed is None or missed.reason not in _TELLS_OF_SERVER:
            host.num_failed_in_row = 0
        else:
            host.num_failed_in_row += 1
            if host.num_failed_in_row >= _NUM_FAILED_TO_BE_DOWN or job.num_refused >= MAX_REFUSALS:
                host.down = Missed("host_down", f"it failed again and again, at last: {missed.reason}")
        if missed is not None and missed.reason == "rate_limited":
            host.down = Missed("rate_limited", "not asked any more: " + missed.detail)
        if host.down is not None:
            self._schedule(host)

    def _schedule(self, host: Host) -> None:
        if host.waiting and not host.is_scheduled:
            host.is_scheduled = True
            self._ring.append(host)

    def _find(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name, Gate(self._limits, self._now))
            self._forget()
        else:
            self._hosts.move_to_end(name)
        return host

    def _forget(self) -> None:
        for _ in range(min(4, len(self._hosts) - _NUM_REMEMBERED)):
            name, host = self._hosts.popitem(last=False)
            if host.waiting or host.is_scheduled or host.gate.num_in_flight:
                self._hosts[name] = host
