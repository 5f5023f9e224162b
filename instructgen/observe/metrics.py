"""A run's counts for Prometheus, as a text file that node-exporter's textfile collector reads."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.errors import InstructgenError
from instructgen.observe.stats import RunStats, ServerStats
from instructgen.secrets import redact

if TYPE_CHECKING:
    from prometheus_client.core import HistogramMetricFamily, Metric

EVERY_S = 5.0
# Seconds that an answer may take: from a local model's short ones to the longest timeout.
_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class MetricsFile:
    """Rewritten whole, by one rename, so that a reader never sees half of it.

    Raises InstructgenError where prometheus_client is not installed. A disk that is full stops no run: `say` is
    told once.
    """

    def __init__(
        self,
        path: Path,
        stats: RunStats,
        *,
        now: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        try:
            import prometheus_client
        except ImportError:
            raise InstructgenError(
                f"metrics for {path} need the package prometheus_client: pip install 'instructgen[metrics]'"
            ) from None
        self.path = path
        self._stats = stats
        self._now = now
        self._say = say
        self._next_s = now()
        self._has_failed = False
        self._is_running = True
        self._started_unix_s = time.time()
        self._registry = prometheus_client.CollectorRegistry()
        self._registry.register(self)

    def maybe_write(self) -> None:
        """Rewrite the file if the last time is five seconds ago or more."""
        if self._now() >= self._next_s:
            self.write()

    def write(self) -> None:
        """Rewrite the file now."""
        import prometheus_client

        self._next_s = self._now() + EVERY_S
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            prometheus_client.write_to_textfile(str(self.path), self._registry)
        except OSError as error:
            if not self._has_failed:
                self._say(f"metrics cannot be written to {self.path} ({error}); the run goes on without")
            self._has_failed = True

    def close(self) -> None:
        """Write for the last time, and that the run is over."""
        self._is_running = False
        self.write()

    def collect(self) -> Iterator["Metric"]:
        """Yield what prometheus_client writes down."""
        yield from self._of_run()
        yield from self._of_servers()

    def _of_run(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        stats, total = self._stats, self._stats.total()
        yield GaugeMetricFamily("instructgen_running", "1 while the run goes on, 0 when it is over", self._is_running)
        yield GaugeMetricFamily(
            "instructgen_start_time_seconds", "When the run began, in seconds since 1970", self._started_unix_s
        )
        yield CounterMetricFamily("instructgen_answers", "Answers that arrived", total.num_answers)
        yield CounterMetricFamily(
            "instructgen_cost_usd", "What the answers of known price cost, in dollars", total.nano_usd / 1e9
        )
        yield CounterMetricFamily(
            "instructgen_answers_without_price", "Answers whose price is not known", total.num_unpriced
        )
        tokens = CounterMetricFamily("instructgen_tokens", "Tokens that were used", labels=["kind"])
        tokens.add_metric(["prompt"], total.prompt_tokens)
        tokens.add_metric(["completion"], total.completion_tokens)
        yield tokens
        for name, help_text, label, counts in (
            ("retries", "Attempts that were made again, by what went wrong", "reason", stats.retries),
            ("found", "Answers that did not have to be asked for, by where they were", "where", stats.found_in),
            ("answer_notes", "Answers that are odd, by what is odd", "note", stats.notes),
        ):
            family = CounterMetricFamily(f"instructgen_{name}", help_text, labels=[label])
            for word, count in counts.items():
                family.add_metric([redact(word)], count)
            yield family
        units = CounterMetricFamily("instructgen_units", "Units by what became of them", labels=["outcome", "reason"])
        for outcome, reasons in stats.units.items():
            for reason, count in reasons.items():
                units.add_metric([outcome, redact(reason)], count)
        yield units

    def _of_servers(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        sent = CounterMetricFamily("instructgen_requests", "Requests that were sent", labels=["server"])
        failed = CounterMetricFamily(
            "instructgen_failed_attempts", "Requests without an answer, by reason", labels=["server", "reason"]
        )
        in_flight = GaugeMetricFamily("instructgen_in_flight", "Requests in flight", labels=["server"])
        limit = GaugeMetricFamily(
            "instructgen_concurrency", "Requests that may be in flight at present", labels=["server"]
        )
        latency = HistogramMetricFamily(
            "instructgen_latency_seconds", "Time to a whole answer, in seconds", labels=["server"]
        )
        for name, server in self._stats.servers.items():
            label = redact(name)
            sent.add_metric([label], server.num_sent)
            in_flight.add_metric([label], server.in_flight)
            if server.limit is not None:
                limit.add_metric([label], server.limit)
            for reason, count in server.outcomes.items():
                if reason != "answered":
                    failed.add_metric([label, redact(reason)], count)
            _add_latency(latency, label, server)
        yield from (sent, failed, in_flight, limit, latency)


def _add_latency(family: "HistogramMetricFamily", label: str, server: ServerStats) -> None:
    latencies = server.latencies
    counts = latencies.num_within(_BOUNDS_S)
    buckets = [(str(bound_s), float(count)) for bound_s, count in zip(_BOUNDS_S, counts, strict=True)]
    family.add_metric([label], [*buckets, ("+Inf", float(latencies.num))], latencies.total_s)
