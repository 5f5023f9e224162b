"""A rate limit that nobody told: learned from 429 with Retry-After, in virtual time."""

import random
from collections.abc import Callable

import pytest

from instructgen.limits.bounds import ServerLimits
from instructgen.limits.gate import Gate
from tests.support.virtual_time import (
    Bucket,
    Client,
    FixedWindow,
    Limiter,
    Server,
    SlidingLog,
    VirtualTime,
    constant,
    simulate,
)

KINDS: dict[str, Callable[[float, float], Limiter]] = {
    "windows from the first request": FixedWindow,
    "windows on a grid": lambda num, period_s: FixedWindow(num, period_s, -0.6 * period_s),
    "windows on a grid, near its end": lambda num, period_s: FixedWindow(num, period_s, 0.05 * period_s),
    "bucket": Bucket,
    "sliding": SlidingLog,
}


def per_s(server: Server, from_s: float, to_s: float) -> float:
    return sum(from_s <= at_s < to_s for at_s in server.accepted_at_s) / (to_s - from_s)


@pytest.mark.parametrize("most", [32, 256, 1000])
@pytest.mark.parametrize("latency_s", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("retry_after", ["exact", "seconds"])
@pytest.mark.parametrize("kind", KINDS)
def test_200_rows_at_20_a_second_take_9_5_s_and_5_useless_requests(
    kind: str, retry_after: str, latency_s: float, most: int
) -> None:
    server = Server(constant(latency_s), KINDS[kind](20, 1.0), retry_after=retry_after)
    client = simulate(server, 200, ServerLimits(most))
    assert client.num_done == 200
    # A first window that ends in the burst, and a second 429 whose Retry-After is rounded up, cost what they cost.
    assert client.finished_at_s <= (9.6 if "near its end" in kind else 9.5)
    assert len(server.refused_at_s) <= 5


@pytest.mark.parametrize("retry_after", ["exact", "seconds"])
@pytest.mark.parametrize("kind", KINDS)
def test_unknown_limit_per_minute_is_used_to_the_full(kind: str, retry_after: str) -> None:
    server = Server(constant(1.0), KINDS[kind](60, 60.0), retry_after=retry_after)
    simulate(server, 10**6, ServerLimits(64), until_s=900)
    assert per_s(server, 0, 900) >= 0.98
    assert len(server.refused_at_s) <= 15


@pytest.mark.parametrize("retry_after", ["exact", "seconds"])
@pytest.mark.parametrize("kind", [FixedWindow, Bucket])
@pytest.mark.parametrize("later", [10, 30, 60])
def test_limit_that_changes_in_mid_run_is_found(
    kind: Callable[[float, float], FixedWindow | Bucket], later: int, retry_after: str
) -> None:
    time, limiter = VirtualTime(), kind(20, 1.0)
    server = Server(constant(0.2), limiter, retry_after=retry_after)
    gate = Gate(ServerLimits(256), time.now, jitter=random.Random(1).random)
    Client(time, gate, server, 10**6).start()
    time.run(30)
    limiter.num = later
    time.run(200)
    assert per_s(server, 10, 30) >= 19
    assert per_s(server, 80, 200) >= 0.7 * later
    assert len(server.refused_at_s) <= 0.01 * len(server.accepted_at_s)


def test_limit_that_begins_in_mid_run_is_not_taken_for_the_past_average() -> None:
    time, limiter = VirtualTime(), FixedWindow(10**6, 1.0)
    server = Server(constant(0.2), limiter, retry_after="seconds")
    gate = Gate(ServerLimits(32), time.now, jitter=random.Random(1).random)
    Client(time, gate, server, 10**6).start()
    time.run(30)
    assert per_s(server, 10, 30) > 150
    limiter.num = 20
    time.run(60)
    assert per_s(server, 35, 60) >= 18
    assert len(server.refused_at_s) <= 50  # those in flight, and a few


def test_limit_that_goes_is_forgotten() -> None:
    time, limiter = VirtualTime(), FixedWindow(20, 1.0)
    server = Server(constant(0.1), limiter, retry_after="seconds")
    logged: list[str] = []
    gate = Gate(ServerLimits(64), time.now, lambda event, **_fields: logged.append(event), jitter=lambda: 0.5)
    Client(time, gate, server, 10**6).start()
    time.run(30)
    limiter.num = 10**6
    time.run(90)
    assert "rate_forgotten" in logged
    assert gate.rates.requests_per_minute is None
    assert per_s(server, 80, 90) > 600


def test_learned_rate_is_shown() -> None:
    server = Server(constant(0.05), FixedWindow(20, 1.0), retry_after="exact")
    client = simulate(server, 200, ServerLimits(64))
    assert client.gate.rates.requests_per_minute == pytest.approx(1200, rel=0.03)
