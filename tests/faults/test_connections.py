"""Connections that are refused, reset, cut, or never end."""

import pytest

from tests.faults.engine import CONCURRENCY, Engine, first_tries
from tests.support.chat_server import Act

IMPATIENT = "[teacher]\ntimeout_s = 1.0\n"
BROKEN: dict[str, list[Act]] = {
    "reset before an answer": [Act(cut_at=0, then="reset")],
    "closed before an answer": [Act(cut_at=0, then="close")],
    "closed in the middle of the headers": [Act(cut_at=40, then="close")],
    "closed in the middle of the body": [Act(cut_at=-30, then="close")],
    "reset in the middle of the body": [Act(cut_at=-30, then="reset")],
    "hanging without an answer": [Act(cut_at=0, then="hang")],
    "hanging in the middle of the headers": [Act(cut_at=25, then="hang")],
    "hanging in the middle of the body": [Act(cut_at=-30, then="hang")],
    "trickling": [Act(trickle_s=0.2, is_answer=False)],
    "late answer after the time limit": [Act(delay_s=1.5, is_answer=False)],
}


def survive(engine: Engine, acts: list[Act], num_each: int = 1) -> None:
    """Give each of some prompts one broken connection; all must be answered in the same run."""
    server = engine.serve(fault=first_tries(acts * num_each))
    ended = engine.run(toml=IMPATIENT)
    engine.check_complete()
    assert server.malformed == []
    assert server.num_requests == engine.num_images + len(acts) * num_each, ended.err[-500:]
    assert set(server.answered.values()) == {1}


def test_every_kind_of_broken_connection_is_tried_again(engine: Engine) -> None:
    survive(engine, [act for acts in BROKEN.values() for act in acts])


def test_late_answers_are_never_taken_for_the_next_request(engine: Engine) -> None:
    survive(engine, [Act(delay_s=1.2 + 0.05 * number, is_answer=False) for number in range(2 * CONCURRENCY)])


def test_server_that_restarts_loses_nothing_and_is_waited_for(engine: Engine) -> None:
    server = engine.serve(delay_s=0.02)
    server.at(10, lambda: server.restart(0.5))
    engine.run()
    engine.check_complete()
    assert server.num_requests <= engine.num_images + CONCURRENCY


@pytest.mark.parametrize("says_so", [True, False])
def test_server_that_closes_after_each_answer_is_asked_nothing_twice(engine: Engine, says_so: bool) -> None:
    server = engine.serve(fault=lambda number, body: Act(then="close" if says_so else "drop"))
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images


def test_refused_connections_end_the_run_with_a_clear_message(engine: Engine) -> None:
    server = engine.serve()
    server.go_down()
    stopped = engine.run(toml="[teacher]\nmax_attempts = 1\n")  # which count no connection that was never there
    assert stopped.code == 3
    assert "connection" in stopped.err
    assert "Traceback" not in stopped.err
    server.come_up()
    engine.run()
    engine.check_complete()
    assert server.num_requests == engine.num_images
