"""What a run has done so far, in memory that does not grow with it."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from instructgen.records import Reply

# Buckets that grow by 3%: a quantile is right to 1.5%, and a microsecond to a day takes 850 of them.
_LOG_GROWTH = math.log(1.03)
_MIN_LATENCY_S = 1e-6
_NANO = 1_000_000_000
_MAX_MODELS = 50
_OTHER_MODELS = "others"
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class Latencies:
    """Seconds that answers took; quantiles are right to 1.5%, mean and maximum exactly."""

    num: int = 0
    total_s: float = 0.0
    max_s: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, latency_s: float) -> None:
        self.num += 1
        self.total_s += latency_s
        if latency_s > self.max_s:
            self.max_s = latency_s
        bucket = int(math.log(latency_s / _MIN_LATENCY_S) / _LOG_GROWTH) if latency_s > _MIN_LATENCY_S else 0
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def quantile_s(self, share: float) -> float:
        """Return the latency that this share of the answers, 0 to 1, does not pass; 0 before the first."""
        rank, num_below = max(1, math.ceil(share * self.num)), 0
        for bucket in sorted(self.buckets):
            num_below += self.buckets[bucket]
            if num_below >= rank:
                return min(_middle_s(bucket), self.max_s)
        return 0.0

    def num_within(self, bounds_s: Iterable[float]) -> list[int]:
        """Return for each bound how many answers took at most that long, to the width of a bucket."""
        counts = [(_middle_s(bucket), count) for bucket, count in self.buckets.items()]
        return [sum(count for middle_s, count in counts if middle_s <= bound_s) for bound_s in bounds_s]

    def merge(self, other: "Latencies") -> None:
        self.num += other.num
        self.total_s += other.total_s
        self.max_s = max(self.max_s, other.max_s)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def summary(self) -> dict[str, float] | None:
        """Return mean, quantiles and maximum in seconds; None before the first answer."""
        if not self.num:
            return None
        found = {name: self.quantile_s(share) for name, share in _QUANTILES.items()}
        found = {"mean": self.total_s / self.num, **found, "max": self.max_s}
        return {name: round(value, 6) for name, value in found.items()}


@dataclass(slots=True)
class ServerStats:
    """`outcomes` counts attempts: "answered", or the reason why not. `limit` is the concurrency in force."""

    num_sent: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    limit: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)


@dataclass(slots=True)
class ModelStats:
    """What the answers cost that name this model; `num_unpriced` of them have no known price."""

    num_answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    num_unpriced: int = 0

    def summary(self) -> dict[str, Any]:
        return {
            "answered": self.num_answers,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": None if self.num_unpriced else self.nano_usd / _NANO,
            "without_price": self.num_unpriced,
        }


@dataclass(slots=True)
class RunStats:
    """Counts of one run, from its start. The scheduler tells it of requests, the build of units.

    Latencies are those of answered attempts: a refusal that comes at once would make a slow server look quick.
    """

    now: Callable[[], float] = time.monotonic
    servers: dict[str, ServerStats] = field(default_factory=dict)
    models: dict[str, ModelStats] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)
    found_in: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    units: dict[str, Counter[str]] = field(default_factory=dict)
    in_flight: int = 0
    max_in_flight: int = 0
    _started_s: float = field(init=False)
    _started_cpu_s: float = field(init=False)
    _first_sent_s: float | None = None
    _last_ended_s: float = 0.0

    def __post_init__(self) -> None:
        self._started_s = self.now()
        self._started_cpu_s = time.process_time()

    def sent(self, server: str) -> None:
        """Count a request that leaves for the server."""
        stats = self._server(server)
        stats.num_sent += 1
        stats.in_flight += 1
        self.in_flight += 1
        if stats.in_flight > stats.max_in_flight:
            stats.max_in_flight = stats.in_flight
        if self.in_flight > self.max_in_flight:
            self.max_in_flight = self.in_flight
        if self._first_sent_s is None:
            self._first_sent_s = self.now()

    def attempt(self, server: str, outcome: str, latency_s: float, limit: int | None = None) -> None:
        """Count the end of what was sent: "answered", or the reason why it was not.

        `limit` is how many requests the server may have in flight now.
        """
        stats = self._server(server)
        if limit is not None:
            stats.limit = limit
        stats.in_flight -= 1
        self.in_flight -= 1
        stats.outcomes[outcome] += 1
        if outcome == "answered":
            stats.latencies.add(latency_s)
        self._last_ended_s = self.now()

    def answered(self, reply: Reply, server: str) -> None:
        """Count what an answer brought."""
        stats = self._server(server)
        stats.prompt_tokens += reply.prompt_tokens
        stats.completion_tokens += reply.completion_tokens
        model = self.models.get(reply.model) or self._add_model(reply.model)
        model.num_answers += 1
        model.prompt_tokens += reply.prompt_tokens
        model.completion_tokens += reply.completion_tokens
        if reply.cost_usd is None:
            model.num_unpriced += 1
        else:
            model.nano_usd += round(reply.cost_usd * _NANO)
        for note in reply.notes:
            self.notes[note] += 1

    def retried(self, reason: str) -> None:
        self.retries[reason] += 1

    def found(self, where: str) -> None:
        """Count an answer that did not have to be asked for: in the "ledger" or the "shared cache"."""
        self.found_in[where] += 1

    def settled(self, outcome: str, reason: str = "") -> None:
        """Count a unit that is "accepted", "rejected" or "failed", with the reason word of the last two."""
        self.units.setdefault(outcome, Counter())[reason] += 1

    def total(self) -> ModelStats:
        """Return what all answers cost together."""
        whole = ModelStats()
        for model in self.models.values():
            whole.num_answers += model.num_answers
            whole.prompt_tokens += model.prompt_tokens
            whole.completion_tokens += model.completion_tokens
            whole.nano_usd += model.nano_usd
            whole.num_unpriced += model.num_unpriced
        return whole

    def summary(self) -> dict[str, Any]:
        """Return everything as JSON's types; docs/observability.md says what each field means."""
        total, outcomes, latencies = self.total(), Counter[str](), Latencies()
        for server in self.servers.values():
            outcomes.update(server.outcomes)
            latencies.merge(server.latencies)
        asking_s = 0.0 if self._first_sent_s is None else max(self._last_ended_s - self._first_sent_s, 0.0)
        return {
            "seconds": round(self.now() - self._started_s, 3),
            "asking_seconds": round(asking_s, 3),
            "cpu_seconds": round(time.process_time() - self._started_cpu_s, 3),
            "requests": sum(server.num_sent for server in self.servers.values()),
            **total.summary(),
            "found": dict(self.found_in),
            "failed_attempts": {reason: num for reason, num in outcomes.items() if reason != "answered"},
            "retries": dict(self.retries),
            "notes": dict(self.notes),
            "latency_s": latencies.summary(),
            "answers_per_second": _rate(total.num_answers, asking_s),
            "prompt_tokens_per_second": _rate(total.prompt_tokens, asking_s),
            "completion_tokens_per_second": _rate(total.completion_tokens, asking_s),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "units": {outcome: dict(reasons) for outcome, reasons in self.units.items()},
            "by_model": {name: model.summary() for name, model in self.models.items()},
            "by_server": {name: _summarise(server) for name, server in self.servers.items()},
        }

    def _server(self, name: str) -> ServerStats:
        stats = self.servers.get(name)
        if stats is None:
            stats = self.servers[name] = ServerStats()
        return stats

    def _add_model(self, name: str) -> ModelStats:
        # The name comes from the server's answer: one that invents a new name each time must not fill the memory.
        if len(self.models) >= _MAX_MODELS:
            name = _OTHER_MODELS
        return self.models.setdefault(name, ModelStats())


def _summarise(server: ServerStats) -> dict[str, Any]:
    return {
        "requests": server.num_sent,
        "outcomes": dict(server.outcomes),
        "prompt_tokens": server.prompt_tokens,
        "completion_tokens": server.completion_tokens,
        "latency_s": server.latencies.summary(),
        "in_flight": server.in_flight,
        "max_in_flight": server.max_in_flight,
        "concurrency": server.limit,
    }


def _middle_s(bucket: int) -> float:
    return _MIN_LATENCY_S * math.exp((bucket + 0.5) * _LOG_GROWTH)


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 3) if seconds > 0 else None
