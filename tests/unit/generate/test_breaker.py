"""A server's health, with a clock that the tests turn."""

import math

import pytest

from instructgen.attempts import AttemptError
from instructgen.generate.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make(**changes: int) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(clock, **changes), clock


def failure(reason: str = "server_error") -> AttemptError:
    return AttemptError(reason, "HTTP 500: no", is_worth_retry=True)


@pytest.mark.parametrize("reason", ["unauthorized", "unknown_model", "quota_exhausted"])
def test_what_every_request_would_meet_ends_it_after_three(reason: str) -> None:
    breaker, _ = make()
    for _ in range(2):
        breaker.count(failure(reason))
    assert breaker.verdict is None
    breaker.count(failure(reason))
    assert breaker.verdict is not None
    assert reason in breaker.verdict
    assert breaker.wait_s() == math.inf


def test_an_answer_between_starts_the_count_again() -> None:
    breaker, _ = make()
    for _ in range(10):
        breaker.count(failure("unauthorized"))
        breaker.count(failure("unauthorized"))
        breaker.count(None)
    assert breaker.verdict is None


def test_refusals_of_single_requests_count_for_nothing() -> None:
    breaker, clock = make()
    for _ in range(1000):
        clock.now_s += 10
        breaker.count(failure("bad_request"))
    assert breaker.verdict is None
    assert breaker.wait_s() == 0


def test_it_rests_after_failures_in_a_row_and_then_lets_one_through() -> None:
    breaker, clock = make(max_failures=3)
    for _ in range(3):
        breaker.count(failure())
    assert breaker.is_resting
    assert breaker.wait_s() == 0.5
    clock.now_s += 0.5
    assert breaker.wait_s() == 0
    breaker.take()
    assert breaker.wait_s() == math.inf
    breaker.count(failure())
    assert breaker.wait_s() == 1.0
    clock.now_s += 1.0
    breaker.take()
    breaker.count(None)
    assert breaker.wait_s() == 0
    assert not breaker.is_resting


def test_failures_of_what_was_sent_before_the_rest_do_not_lengthen_it() -> None:
    breaker, _ = make(max_failures=3)
    for _ in range(50):
        breaker.count(failure())
    assert breaker.wait_s() == 0.5


def test_a_probe_that_was_not_sent_is_taken_back() -> None:
    breaker, clock = make(max_failures=1)
    breaker.count(failure())
    clock.now_s += 5
    breaker.take()
    breaker.untake()
    assert breaker.wait_s() == 0


def test_a_server_that_never_answered_is_given_up_sooner() -> None:
    new, clock = make()
    new.count(failure("connection"))
    clock.now_s += 16
    new.count(failure("connection"))
    assert new.verdict is not None
    old, clock = make()
    old.count(None)
    old.count(failure("connection"))
    clock.now_s += 299
    old.count(failure("connection"))
    assert old.verdict is None
    clock.now_s += 2
    old.count(failure("connection"))
    assert old.verdict is not None
    assert "301 s" in old.verdict


def test_a_server_that_loads_its_model_is_waited_for() -> None:
    breaker, clock = make()
    for _ in range(100):
        clock.now_s += 2.5
        breaker.count(failure("overloaded"))
    assert breaker.verdict is None
    assert not breaker.is_resting


def test_a_rate_limit_is_waited_for_longest_and_is_no_reason_to_rest() -> None:
    breaker, clock = make()
    for _ in range(100):
        clock.now_s += 17
        breaker.count(failure("rate_limited"))
    assert breaker.verdict is None
    assert not breaker.is_resting
    clock.now_s += 200
    breaker.count(failure("rate_limited"))
    assert breaker.verdict is not None


@pytest.mark.parametrize("reason", ["rate_limited", "overloaded"])
def test_a_probe_that_is_turned_away_for_load_ends_the_rest(reason: str) -> None:
    breaker, clock = make(max_failures=1)
    breaker.count(failure())
    clock.now_s += 1
    breaker.take()
    breaker.count(failure(reason))
    assert breaker.wait_s() == 0
    assert not breaker.is_resting


def test_one_odd_failure_does_not_end_a_longer_wait() -> None:
    breaker, clock = make()
    for reason in ("overloaded", "overloaded", "connection"):
        clock.now_s += 60
        breaker.count(failure(reason))
    assert breaker.verdict is None
