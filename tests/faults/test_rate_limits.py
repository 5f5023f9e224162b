"""Rate limits, overload, wrong keys: what is waited for, and what ends a run while it is cheap."""

import json
import time
from typing import Any

import pytest

from tests.faults.engine import CONCURRENCY, Engine, storm
from tests.support.chat_server import Act

LIMITED = b'{"error": {"message": "too many requests", "code": "rate_limit_exceeded"}}'


class Window:
    """Lets so many requests through in each span of time, and turns the others away."""

    def __init__(self, num: int, span_s: float, *, says_when: bool) -> None:
        self.num = num
        self.span_s = span_s
        self.says_when = says_when
        self.num_refused = 0
        self._begun_s = -1e9
        self._left = 0

    def __call__(self, number: int, body: dict[str, Any]) -> Act | None:
        now_s = time.monotonic()
        if now_s - self._begun_s >= self.span_s:
            self._begun_s, self._left = now_s, self.num
        if self._left:
            self._left -= 1
            return None
        self.num_refused += 1
        left_s = self.span_s - (now_s - self._begun_s)
        return Act(429, {"retry-after": f"{left_s + 0.01:.3f}"} if self.says_when else {}, LIMITED)


def test_retry_after_is_obeyed(engine: Engine) -> None:
    server = engine.serve(fault=storm([Act(429, {"retry-after": "2"}, LIMITED)], 10, 13))
    engine.run()
    engine.check_complete()
    refused_s = min(each.ended_s for each in engine.exchanges if each.outcome == "refused")
    too_early = [each for each in engine.exchanges if refused_s + 0.3 < each.began_s < refused_s + 1.8]
    assert too_early == []
    assert server.num_requests <= engine.num_images + CONCURRENCY


@pytest.mark.parametrize("says_when", [True, False])
def test_storm_of_refusals_loses_nothing(engine: Engine, says_when: bool) -> None:
    window = Window(12, 1.0, says_when=says_when)
    server = engine.serve(fault=window)
    engine.run()
    engine.check_complete()
    assert window.num_refused > 0
    assert window.num_refused <= engine.num_images
    assert set(server.answered.values()) == {1}


ODD_WAITS = ["soon", "-5", "nan", "1e999", "", "Wed, 21 Oct 2015 07:28:00 GMT"]


def test_retry_after_that_makes_no_sense_is_survived(engine: Engine) -> None:
    acts = [Act(429, {"retry-after": value}, LIMITED) for value in ODD_WAITS]
    server = engine.serve(fault=storm(acts, 6, 6 + len(acts)))
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images + len(acts)


def test_burst_of_server_errors_loses_nothing(engine: Engine) -> None:
    page = b"<html><body><h1>Bad Gateway</h1></body></html>"
    acts = [Act(status, {"content-type": "text/html"}, page) for status in (500, 502, 503)]
    server = engine.serve(fault=storm(acts, 10, 18))
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images + 8


FATAL = {
    "wrong key": (0, 401, {"message": "Incorrect API key provided"}, "unauthorized"),
    "unknown model": (
        12,
        404,
        {"message": "The model `m` does not exist", "code": "model_not_found"},
        "unknown_model",
    ),
    "quota gone": (12, 429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, "quota_exhausted"),
}


@pytest.mark.parametrize(("num_good", "status", "error", "word"), FATAL.values(), ids=FATAL.keys())
def test_refusal_of_everything_stops_the_run_while_it_is_cheap(
    engine: Engine, num_good: int, status: int, error: dict[str, str], word: str
) -> None:
    body = json.dumps({"error": error}).encode()
    server = engine.serve(fault=storm([Act(status, {}, body)], num_good, 10_000))
    stopped = engine.run()
    assert stopped.code == 3
    assert word in stopped.err
    assert server.num_requests <= num_good + 3 + CONCURRENCY
    assert server.answered.total() == num_good
    assert "Traceback" not in stopped.err


def test_answers_before_the_key_was_refused_are_kept(engine: Engine) -> None:
    server = engine.serve(fault=storm([Act(401, {}, b'{"error": {"message": "expired"}}')], 12, 10_000))
    assert engine.run().code == 3
    server.fault = None
    engine.run()
    engine.check_complete()
    assert engine.num_requests(life=1) == engine.num_images - 12
