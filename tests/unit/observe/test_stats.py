"""What a run counts of itself."""

import json
import math
import random
import sys

import pytest

from instructgen.observe.stats import Latencies, RunStats
from instructgen.records import Reply, ReplyNote


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make_reply(model: str = "m", cost_usd: float | None = 0.001, notes: tuple[ReplyNote, ...] = ()) -> Reply:
    return Reply("id", "text", "stop", 100, 20, cost_usd, model, "openai", notes)


def ask(stats: RunStats, server: str, latency_s: float, reply: Reply | None = None) -> None:
    stats.sent(server)
    stats.attempt(server, "answered", latency_s)
    stats.answered(reply or make_reply(), server)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_quantiles_are_right_to_two_percent(share: float) -> None:
    draw = random.Random(3)
    values = [draw.lognormvariate(0.0, 1.5) for _ in range(20_000)]
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    assert latencies.quantile_s(share) == pytest.approx(exact, rel=0.02)
    found = latencies.summary()
    assert found is not None
    assert found["mean"] == pytest.approx(sum(values) / len(values), rel=1e-4)
    assert found["max"] == pytest.approx(max(values), rel=1e-6)


def test_one_latency_is_all_its_quantiles() -> None:
    latencies = Latencies()
    latencies.add(0.2)
    found = latencies.summary()
    assert found is not None
    assert all(value == pytest.approx(0.2, rel=0.016) for value in found.values())
    assert found["p99"] <= found["max"] == 0.2


@pytest.mark.parametrize("latency_s", [0.0, -1.0, 1e-9, 1e9])
def test_impossible_latencies_are_counted_too(latency_s: float) -> None:
    latencies = Latencies()
    latencies.add(latency_s)
    assert latencies.num == 1
    assert latencies.quantile_s(0.5) <= max(latency_s, 0.0)


def test_memory_does_not_grow_with_the_number_of_answers() -> None:
    latencies, draw = Latencies(), random.Random(4)
    for _ in range(50_000):
        latencies.add(draw.uniform(0.001, 300.0))
    num_before = len(latencies.buckets)
    size = sys.getsizeof(latencies.buckets)
    for _ in range(50_000):
        latencies.add(draw.uniform(0.001, 300.0))
    assert len(latencies.buckets) <= 430
    assert num_before >= 0.9 * len(latencies.buckets)
    assert sys.getsizeof(latencies.buckets) <= 2 * size


def test_server_that_invents_model_names_fills_no_memory() -> None:
    stats = RunStats()
    for number in range(1_000):
        ask(stats, "a", 0.1, make_reply(f"model-{number}"))
    found = stats.summary()
    assert len(found["by_model"]) <= 51
    assert sum(model["answered"] for model in found["by_model"].values()) == found["answered"] == 1_000


def test_summary_adds_up_over_servers_models_and_reasons() -> None:
    clock = Clock()
    stats = RunStats(clock)
    stats.sent("a")
    stats.sent("b")
    stats.sent("b")
    clock.now_s += 10.0
    stats.attempt("a", "answered", 10.0, 8)
    stats.answered(make_reply("small", 0.25, ("usage_missing", "wrong_model")), "a")
    stats.attempt("b", "rate_limited", 0.01)
    stats.retried("rate_limited")
    stats.attempt("b", "answered", 1.0)
    stats.answered(make_reply("large", None), "b")
    stats.found("ledger")
    stats.settled("accepted")
    stats.settled("rejected", "refusal")
    clock.now_s += 5.0
    found = stats.summary()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["seconds"], found["asking_seconds"]) == (15.0, 10.0)
    assert (found["requests"], found["answered"]) == (3, 2)
    assert found["failed_attempts"] == found["retries"] == {"rate_limited": 1}
    assert found["found"] == {"ledger": 1}
    assert found["notes"] == {"usage_missing": 1, "wrong_model": 1}
    assert (found["in_flight"], found["max_in_flight"]) == (0, 3)
    assert (found["answers_per_second"], found["prompt_tokens_per_second"]) == (0.2, 20.0)
    assert found["completion_tokens_per_second"] == 4.0
    assert found["units"] == {"accepted": {"": 1}, "rejected": {"refusal": 1}}
    assert found["latency_s"]["mean"] == 5.5
    assert found["by_server"]["a"]["concurrency"] == 8
    assert found["by_server"]["b"]["outcomes"] == {"rate_limited": 1, "answered": 1}
    assert found["by_server"]["b"]["latency_s"]["max"] == 1.0
    assert found["by_model"]["small"]["cost_usd"] == 0.25
    assert found["by_model"]["large"]["cost_usd"] is None
    assert (found["cost_usd"], found["without_price"]) == (None, 1)


def test_costs_add_up_without_rounding() -> None:
    stats = RunStats()
    for _ in range(1_000):
        ask(stats, "a", 0.1, make_reply(cost_usd=0.000_000_1))
    assert stats.summary()["cost_usd"] == 0.0001


def test_run_that_asked_nothing_has_no_rates_and_no_latency() -> None:
    found = RunStats(Clock()).summary()
    assert found["latency_s"] is None
    assert found["answers_per_second"] is None
    assert (found["requests"], found["cost_usd"]) == (0, 0.0)


def test_requests_in_flight_are_counted_per_server() -> None:
    stats = RunStats()
    for _ in range(3):
        stats.sent("a")
    stats.attempt("a", "timeout", 1.0)
    stats.sent("b")
    found = stats.summary()
    assert [found["by_server"][name]["in_flight"] for name in "ab"] == [2, 1]
    assert [found["by_server"][name]["max_in_flight"] for name in "ab"] == [3, 1]
    assert found["in_flight"] == 3
