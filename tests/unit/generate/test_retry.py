import asyncio

import pytest

from instructgen.generate.breaker import Breaker
from instructgen.generate.retry import TransientError, make_retrying, read_retry_after_s
from instructgen.records import Failed
from tests.support.make import make_reply


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after_s(headers) == seconds


def test_last_transient_error_comes_out_after_the_last_attempt() -> None:
    tries = []

    async def fail_always() -> None:
        async for attempt in make_retrying(3, lambda: False):
            with attempt:
                tries.append(1)
                raise TransientError("server_error", "HTTP 500", retry_after_s=0.0)

    with pytest.raises(TransientError, match="server_error"):
        asyncio.run(fail_always())
    assert len(tries) == 3


def test_breaker_opens_after_three_fatal_failures_in_a_row() -> None:
    breaker = Breaker()
    failed = Failed("x", "teacher", "unauthorized", "HTTP 401")
    breaker.count(failed)
    breaker.count(failed)
    assert breaker.verdict is None
    breaker.count(failed)
    assert breaker.verdict is not None
    assert "unauthorized" in breaker.verdict


def test_reply_starts_the_breakers_count_again() -> None:
    breaker = Breaker(max_failures=3)
    for _ in range(10):
        breaker.count(Failed("x", "teacher", "bad_request"))
        breaker.count(Failed("x", "teacher", "bad_request"))
        breaker.count(make_reply())
    assert breaker.verdict is None


def test_breaker_opens_after_many_failures_of_any_kind() -> None:
    breaker = Breaker(max_failures=3)
    for reason in ("timeout", "connection", "server_error"):
        breaker.count(Failed("x", "teacher", reason))
    assert breaker.verdict is not None
