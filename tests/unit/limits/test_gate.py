"""Rates that are configured or told, Retry-After and the clock, in virtual time."""

import math
from collections.abc import Callable

import pytest

from instructgen.limits.bounds import ServerLimits
from instructgen.limits.gate import Feedback, Gate
from instructgen.limits.headers import Quota, read_quota, read_reset_s
from tests.support.virtual_time import (
    Bucket,
    Client,
    FixedWindow,
    Limiter,
    Server,
    SlidingLog,
    VirtualTime,
    constant,
    log_normal,
    simulate,
)

WALL_S = 1.79e9
MINUTES: dict[str, Callable[[float], Limiter]] = {
    "fixed": lambda num: FixedWindow(num, 60.0),
    "fixed on a grid": lambda num: FixedWindow(num, 60.0, 17.0),
    "sliding": lambda num: SlidingLog(num, 60.0),
    "bucket of a minute": lambda num: Bucket(num, 60.0),
    "bucket of a second": lambda num: Bucket(max(1.0, num / 60), max(1.0, 60 / num)),
}


class Clocked:
    """A gate, its clock, and what it logged."""

    def __init__(self, concurrency: int = 64, rpm: float | None = None, tpm: float | None = None) -> None:
        self.time = VirtualTime()
        self.logged: list[tuple[str, dict[str, object]]] = []
        limits = ServerLimits(concurrency, rpm, tpm)
        self.gate = Gate(limits, self.time.now, self._log, wall=lambda: WALL_S, jitter=lambda: 0.5)
        self.gate.wait_s(0)
        self.time.now_s = 1.0  # the start is over

    def _log(self, event: str, **fields: object) -> None:
        self.logged.append((event, fields))

    def num_now(self, most: int = 1000, tokens: int = 0) -> int:
        """Take what goes out at once, and say how many that were."""
        num = 0
        while num < most and self.gate.wait_s(tokens) == 0.0:
            self.gate.take(tokens)
            num += 1
        return num

    def fail(self, reason: str, retry_after_s: float | None, latency_s: float = 0.0) -> None:
        self.gate.release(Feedback(reason, latency_s, retry_after_s, 0, 0))

    def headers(self, kind: str = "requests", **values: object) -> None:
        self.gate.read_headers({f"x-ratelimit-{name}-{kind}": str(value) for name, value in values.items()})


@pytest.mark.parametrize("per_minute", [20, 600, 10_000])
@pytest.mark.parametrize("kind", MINUTES)
def test_configured_requests_per_minute_are_used_and_kept(kind: str, per_minute: int) -> None:
    server = Server(log_normal(0.5, 1.0), MINUTES[kind](per_minute), retry_after="seconds")
    simulate(server, 10**6, ServerLimits(1000, per_minute), until_s=180)
    assert len(server.accepted_at_s) >= 0.99 * 3 * per_minute
    assert len(server.refused_at_s) <= 0.01 * len(server.accepted_at_s)


@pytest.mark.parametrize("kind", [kind for kind in MINUTES if kind != "bucket of a second"])
def test_configured_tokens_per_minute_are_used_and_kept(kind: str) -> None:
    server = Server(
        log_normal(3.0, 1.0), token_limiter=MINUTES[kind](200_000), used_tokens=1_500, retry_after="seconds"
    )
    simulate(server, 10**6, ServerLimits(256, None, 200_000), tokens=3_500, until_s=180)
    # Until the first answers come, what they will give back is not known; and a sliding minute forgives no lump.
    assert len(server.accepted_at_s) * 1_500 >= (0.9 if kind == "sliding" else 0.96) * 3 * 200_000
    assert len(server.refused_at_s) <= 0.01 * len(server.accepted_at_s)


def test_request_larger_than_the_bucket_goes_out_alone() -> None:
    clocked = Clocked(tpm=600)
    assert clocked.num_now(tokens=5_000) == 1
    wait_s = clocked.gate.wait_s(5_000)
    assert 499 < wait_s < 506
    clocked.time.now_s += wait_s
    assert clocked.num_now(tokens=5_000) == 1


def test_tokens_not_used_are_given_back_and_more_than_reserved_is_counted() -> None:
    clocked = Clocked(tpm=60_000)
    assert clocked.num_now(tokens=10_000) == 1
    before_s = clocked.gate.wait_s(10_000)
    clocked.gate.release(Feedback("answered", 0.0, None, 10_000, 4_000))
    assert before_s - clocked.gate.wait_s(10_000) == pytest.approx(6.0, rel=0.02)
    clocked.time.now_s += clocked.gate.wait_s(100)
    assert clocked.num_now(1, tokens=100) == 1
    clocked.gate.release(Feedback("answered", 0.0, None, 100, 5_100))
    assert clocked.gate.wait_s(250) > 4.9


def test_tokens_given_back_make_no_burst() -> None:
    clocked = Clocked(tpm=60_000)
    for _ in range(20):
        clocked.time.now_s += 10.2
        assert clocked.num_now(1, tokens=10_000) == 1
    clocked.time.now_s += 1.0
    for _ in range(20):
        clocked.gate.release(Feedback("answered", 0.0, None, 10_000, 0))
    assert clocked.num_now(tokens=10_000) <= 2


def test_unknown_use_counts_as_the_reservation() -> None:
    clocked = Clocked(tpm=60_000)
    assert clocked.num_now(tokens=10_000) == 1
    before_s = clocked.gate.wait_s(10_000)
    clocked.gate.release(Feedback("timeout", 0.0, None, 10_000, None))
    assert clocked.gate.wait_s(10_000) == before_s


def test_permit_that_was_not_used_is_given_back() -> None:
    clocked = Clocked(rpm=6)
    assert clocked.num_now() == 1
    clocked.gate.release(Feedback("unused", 0.0, None, 0, 0))
    assert clocked.num_now() == 1


def test_hours_of_sleep_are_no_burst() -> None:
    clocked = Clocked(concurrency=10_000, rpm=600)
    clocked.num_now()
    clocked.time.now_s += 6 * 3600
    assert clocked.num_now() <= 10


@pytest.mark.parametrize("reason", ["rate_limited", "overloaded"])
def test_nothing_goes_out_until_retry_after_and_then_it_goes_on(reason: str) -> None:
    clocked = Clocked()
    assert clocked.num_now(3) == 3
    clocked.fail(reason, 20.0)
    assert clocked.gate.wait_s(0) == pytest.approx(20.0, abs=0.1)
    clocked.time.now_s += 19.9
    assert clocked.num_now() == 0
    clocked.time.now_s += 0.2
    assert clocked.num_now() == 1


def test_longest_retry_after_counts_when_many_arrive_together_and_one_is_logged() -> None:
    clocked = Clocked()
    assert clocked.num_now(30) == 30
    for seconds in (5.0, 9.0, 7.0):
        clocked.fail("rate_limited", seconds)
    assert clocked.gate.wait_s(0) == pytest.approx(9.0, abs=0.1)
    assert [event for event, _ in clocked.logged] == ["paused"]


def test_late_429_of_an_earlier_window_does_not_change_what_was_learned() -> None:
    clocked = Clocked()
    assert clocked.num_now(21) == 21
    clocked.fail("rate_limited", 1.0, latency_s=0.01)
    learned = clocked.gate.rates.requests_per_minute
    assert learned == 20 * 60 / 2.0  # since the first question, two seconds before
    clocked.time.now_s += 1.1
    assert clocked.num_now(1) == 1
    clocked.fail("rate_limited", 1.0, latency_s=1.2)
    assert clocked.num_now() == 0
    assert clocked.gate.rates.requests_per_minute == learned


def test_past_average_is_not_taken_for_a_limit() -> None:
    clocked = Clocked()
    clocked.time.now_s = 1000.0
    assert clocked.num_now(21) == 21
    clocked.fail("rate_limited", 1.0, latency_s=0.01)
    assert clocked.gate.rates.requests_per_minute is None


def test_retry_after_is_obeyed_for_ten_minutes_at_most() -> None:
    clocked = Clocked()
    assert clocked.num_now(2) == 2
    clocked.fail("rate_limited", 86_400.0)
    assert clocked.gate.wait_s(0) == pytest.approx(600.0)
    assert clocked.logged[0][1]["seconds"] == 600.0
    assert clocked.logged[0][1]["asked_s"] == 86_400.0


@pytest.mark.parametrize("seconds", [math.inf, math.nan, -1.0, 0.0])
def test_retry_after_that_makes_no_sense_is_overload(seconds: float) -> None:
    clocked = Clocked()
    assert clocked.num_now(20) == 20
    clocked.fail("rate_limited", seconds)
    assert clocked.gate.concurrency == 14
    assert clocked.gate.wait_s(0) == math.inf


def test_server_that_always_says_a_moment_is_not_asked_every_moment() -> None:
    server = Server(constant(0.1), is_down=lambda _now_s: True)
    server.tell_retry_after_s = lambda _wait_s: 0.001  # type: ignore[method-assign]
    simulate(server, 100, ServerLimits(64), until_s=60)
    assert len(server.refused_at_s) <= 30


@pytest.mark.parametrize("kind", ["fixed", "fixed on a grid", "bucket of a minute"])
def test_told_limit_costs_no_429(kind: str) -> None:
    server = Server(constant(1.0), MINUTES[kind](600), sends_headers=True)
    client = simulate(server, 10**6, ServerLimits(64), until_s=300)
    assert server.refused_at_s == []
    assert len(server.accepted_at_s) >= 0.97 * 5 * 600
    assert client.gate.rates.requests_per_minute == 600


def test_server_s_smaller_limit_is_obeyed_and_a_larger_one_changes_nothing() -> None:
    for told, in_force in ((300, 300), (9_000, 600)):
        server = Server(constant(0.2), FixedWindow(told, 60.0), sends_headers=True)
        client = simulate(server, 10**6, ServerLimits(64, 600), until_s=180)
        assert client.gate.rates.requests_per_minute == in_force
        assert 0.97 * 3 * in_force <= len(server.accepted_at_s) <= 3 * in_force + 5
        assert len(server.refused_at_s) == 0


def test_nothing_left_waits_for_the_reset() -> None:
    clocked = Clocked()
    clocked.num_now(1)
    clocked.headers(limit=60, remaining=0, reset="12.5s")
    assert clocked.gate.wait_s(0) == pytest.approx(12.5)
    clocked.time.now_s += 12.6
    assert clocked.gate.wait_s(0) == 0.0


def test_what_is_in_flight_is_not_in_the_remainder() -> None:
    clocked = Clocked()
    assert clocked.num_now(8) == 8
    clocked.headers(remaining=10, reset="30s")
    assert clocked.num_now() == 3  # ten, less the seven that the answer cannot have counted
    clocked.time.now_s += 31
    assert clocked.num_now() == 1  # it is not told how many a reset brings


def test_tokens_left_bound_the_reservations() -> None:
    clocked = Clocked()
    clocked.num_now(1, tokens=1_000)
    clocked.headers("tokens", remaining=3_500, reset="20s")
    clocked.gate.release(Feedback("answered", 0.1, None, 1_000, 1_000))
    assert clocked.num_now(tokens=1_000) == 3
    assert clocked.gate.wait_s(1_000) == pytest.approx(20.0)


def test_remainder_without_limit_or_reset_is_asked_again_each_second() -> None:
    clocked = Clocked()
    clocked.num_now(1)
    clocked.headers(remaining=0)
    assert clocked.gate.wait_s(0) == pytest.approx(1.0)
    clocked.time.now_s += 1.0
    assert clocked.num_now() == 1


def test_limit_per_second_is_not_taken_for_one_per_minute() -> None:
    clocked = Clocked()
    clocked.num_now(1)
    clocked.headers(limit=20, remaining=10, reset="0.9s")
    assert clocked.gate.rates.requests_per_minute == 1200


def test_a_told_rate_is_logged_once() -> None:
    clocked = Clocked()
    for remaining in range(99, 50, -1):
        clocked.headers(limit=100, remaining=remaining, reset=f"{(100 - remaining) * 600}ms")
    assert clocked.logged == [("rate_told", {"requests_per_minute": 100.0, "tokens_per_minute": None})]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6ms", 0.006),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("1d", 86_400.0),
        ("17", 17.0),
        ("0.25", 0.25),
        (str(WALL_S + 30), 30.0),
        (str((WALL_S + 30) * 1000), 30.0),
        (str(WALL_S - 30), 0.0),
        ("", None),
        ("s", None),
        ("-1s", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
        ("soon", None),
        ("9" * 50, None),
        (None, None),
    ],
)
def test_reset_is_read_in_every_way_that_servers_write_it(text: str | None, seconds: float | None) -> None:
    found = read_reset_s(text, WALL_S)
    assert found == (None if seconds is None else pytest.approx(seconds, abs=0.01))


@pytest.mark.parametrize(
    ("limit", "remaining"),
    [
        ("-5", None),
        ("nan", None),
        ("", ""),
        ("1e300", None),
        ("many", "few"),
        ("0", "0"),
        ("1", "1000"),
        ("9" * 60, None),
    ],
)
def test_hostile_headers_are_as_good_as_none(limit: str | None, remaining: str | None) -> None:
    headers = {"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": remaining}
    headers = {name: value for name, value in headers.items() if value is not None}
    assert read_quota(headers, "requests", WALL_S) is None
    clocked = Clocked()
    clocked.gate.read_headers(headers)
    assert clocked.num_now() == 64


def test_usable_part_of_odd_headers_is_used() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "nan",
        "x-ratelimit-remaining-tokens": "7",
        "x-ratelimit-reset-tokens": "x",
    }
    assert read_quota(headers, "tokens", WALL_S) == Quota(None, 7.0, None)


def test_gate_holds_as_much_after_many_requests_as_after_few() -> None:
    import gc

    def num_objects() -> int:
        gc.collect()
        return len(gc.get_objects())

    time = VirtualTime()
    server = Server(constant(0.05), FixedWindow(200, 1.0), sends_headers=True, retry_after="seconds")
    gate = Gate(ServerLimits(64, None, 10**7), time.now)
    Client(time, gate, server, 10**6, tokens=10).start()
    time.run(5)
    before = num_objects()
    time.run(60)
    assert num_objects() - before < 100
