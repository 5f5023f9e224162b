import pytest

from instructgen.attempts import AttemptError
from instructgen.generate.retry import MAX_WAIT_S, RetryPolicy, counts


def transient(reason: str = "server_error", **changes: object) -> AttemptError:
    return AttemptError(reason, "x", is_worth_retry=True, **changes)  # type: ignore[arg-type]


def test_what_is_not_worth_a_retry_is_given_up_at_once() -> None:
    assert RetryPolicy(5).wait_s(AttemptError("bad_request", "x"), 1, 1) is None


def test_attempts_that_count_end_at_the_limit() -> None:
    policy = RetryPolicy(3)
    waits = [policy.wait_s(transient(), number, number) for number in (1, 2, 3)]
    assert waits[0] is not None
    assert waits[1] is not None
    assert waits[2] is None


@pytest.mark.parametrize(
    ("error", "is_counted"),
    [
        (transient("rate_limited"), False),
        (transient("overloaded"), False),
        (transient("connection"), False),
        (transient("connection", may_have_cost=True), True),
        (transient("timeout"), True),
        (transient("bad_response", may_have_cost=True), True),
        (transient("server_error"), True),
    ],
)
def test_only_what_may_be_the_requests_own_doing_counts(error: AttemptError, is_counted: bool) -> None:
    assert counts(error) is is_counted
    assert (RetryPolicy(1).wait_s(error, 1, 1) is None) is is_counted


def test_waits_grow_with_jitter_up_to_a_minute() -> None:
    policy = RetryPolicy(100)
    late = [policy.wait_s(transient("overloaded"), 0, 20) for _ in range(200)]
    early = [policy.wait_s(transient("overloaded"), 0, 1) for _ in range(200)]
    assert all(wait is not None and 0 <= wait <= 0.5 for wait in early)
    assert all(wait is not None and 0 <= wait <= MAX_WAIT_S for wait in late)
    assert len(set(late)) > 100
    assert max(wait or 0 for wait in late) > 30


def test_a_servers_own_wish_is_left_to_its_gate_where_the_gate_heeds_it() -> None:
    assert RetryPolicy(5).wait_s(transient("rate_limited", retry_after_s=20.0), 0, 1) == 0.0
    assert RetryPolicy(5).wait_s(transient("server_error", retry_after_s=20.0), 1, 1) == 20.0
    assert RetryPolicy(5).wait_s(transient("server_error", retry_after_s=1e6), 1, 1) == MAX_WAIT_S
