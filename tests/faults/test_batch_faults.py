"""kill -9 between any two steps of a batch, and a server that fails: nothing is submitted or bought twice.

What was asked is counted by the server, in its own books.
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from instructgen.batch.files import BatchLimits, count_open
from instructgen.generate.asked import Asked
from instructgen.ledger.ledger import Ledger
from tests.support.batch_child import QUICK, Outcome, make_asked, run_batches, start_child
from tests.support.batch_server import BatchServer, Ending
from tests.support.chat_server import Act
from tests.support.cli import finish, kill

NUM_UNITS = 5
LIMITS = {"max_requests": 3}
SETTINGS = msgspec.structs.replace(QUICK, limits=BatchLimits(max_requests=3))
# Two batches go up, both are refused a part of their requests, and come back: every step that there is.
STEPS = [
    *2 * ["planned", "uploaded_unnoted", "uploaded", "marked", "submitted_unnoted", "submitted"],
    *2 * ["ended", "downloaded", "downloaded", "stored", "collected"],
]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def units() -> Iterator[Asked]:
    return (make_asked(number) for number in range(NUM_UNITS))


REFUSED = {make_asked(number).request.request_id for number in (1, 4)}


def refuse_two(_: int, ids: list[str]) -> Ending:
    error = {"message": "no", "type": "invalid_request_error", "code": None}
    return Ending(refuse=lambda number: (400, error) if ids[number] in REFUSED else None)


def start_and_kill_at(server: BatchServer, out: Path, step: int) -> None:
    process = start_child(server.base_url, out, NUM_UNITS, limits=LIMITS, kill_at=step)
    assert finish(process).code == -signal.SIGKILL


def run(server: BatchServer, out: Path, **more: object) -> Outcome:
    return run_batches(server.base_url, out, units, **{"settings": SETTINGS, **more})  # type: ignore[arg-type]


def check_books(server: BatchServer) -> None:
    assert server.mistakes == []
    assert server.asked_again_without_need() == []
    assert set(server.batched.values()) == {1}
    assert max(server.bought.values()) == 1


def test_these_are_the_steps(tmp_path: Path) -> None:
    with BatchServer(end=refuse_two) as server:
        assert run(server, tmp_path).steps == STEPS


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[f"{number}-{step}" for number, step in enumerate(STEPS)])
def test_killed_at_any_step_it_goes_on_without_submitting_twice(tmp_path: Path, step: int) -> None:
    with BatchServer(end=refuse_two) as server:
        start_and_kill_at(server, tmp_path / "run", step)
        resumed = run(server, tmp_path / "run")
        with Ledger(tmp_path / "run") as ledger:
            answered = {one.request.request_id for one in units() if ledger.find_reply(one.request.request_id)}
    assert server.mistakes == []
    assert server.asked_again_without_need() == []
    assert set(server.bought.values()) == {1}
    # What was refused is asked again by a later run than that which heard so; all others enter one batch.
    assert {custom_id for custom_id, num in server.batched.items() if num > 1} <= REFUSED
    sent_files = {file_id for file_id, file in server.files.items() if file["purpose"] == "batch"}
    assert {batch.file_id for batch in server.batches.values()} == sent_files, "a file was sent twice"
    assert resumed.code == 0, resumed.raised
    assert set(server.bought) == answered
    assert len(answered) == NUM_UNITS - len(REFUSED)
    assert len(resumed.answers) == NUM_UNITS
    assert count_open(tmp_path / "run" / "batches").num_batches == 0


@pytest.mark.parametrize("call", ["POST /files", "POST /batches", "GET /batches/ID", "GET /files/ID/content"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_the_server_works_on_a_call(tmp_path: Path, call: str, moment: str) -> None:
    with BatchServer() as server:
        process = None

        def strike(made: str) -> None:
            if made == call and process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)

        setattr(server, moment, strike)
        process = start_child(server.base_url, tmp_path, NUM_UNITS, limits=LIMITS)
        assert finish(process).code == -signal.SIGKILL
        setattr(server, moment, lambda _: None)
        resumed = run(server, tmp_path)
    check_books(server)
    assert resumed.code == 0, resumed.raised
    assert len(resumed.answers) == NUM_UNITS
    assert server.calls.count("POST /batches") <= len(server.batches) + (moment == "before")


def test_killed_again_and_again(tmp_path: Path) -> None:
    """Three steps of a run, then the next: the last one finds all that the others did."""
    with BatchServer() as server:
        for step in (3, 4, 9, 9, 2, 6):
            process = start_child(server.base_url, tmp_path, NUM_UNITS, limits=LIMITS, kill_at=step)
            process.communicate(timeout=60)
        resumed = run(server, tmp_path)
    check_books(server)
    assert len(resumed.answers) == NUM_UNITS


def test_killed_while_a_batch_is_halved(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.max_enqueued = 2
        whole = run(server, tmp_path / "whole", settings=QUICK)
        first = whole.steps.index("split")
    for step in (first, first + 1, first + 2):
        with BatchServer() as server:
            server.max_enqueued = 2
            out = tmp_path / str(step)
            assert finish(start_child(server.base_url, out, NUM_UNITS, kill_at=step)).code == -signal.SIGKILL
            resumed = run(server, out, settings=QUICK)
        assert server.mistakes == []
        assert server.asked_again_without_need() == []
        assert set(server.bought.values()) == {1}
        assert len(resumed.answers) == NUM_UNITS


def test_ctrl_c_leaves_the_batches_running_and_the_next_run_collects(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.hold = True
        process = start_child(server.base_url, tmp_path, NUM_UNITS, limits=LIMITS)
        deadline_s = time.monotonic() + 60
        while server.calls.count("GET /batches/ID") < 4:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stopped = json.loads(finish(process).out)
        server.hold = False
        resumed = run(server, tmp_path)
    assert stopped["code"] == 3
    assert "2 batches with 5 requests go on at the server: run the same command again to collect" in stopped["raised"]
    check_books(server)
    assert len(resumed.new) == NUM_UNITS


@pytest.mark.parametrize("call", ["POST /files", "POST /batches", "GET /batches/ID", "GET /files/ID/content"])
@pytest.mark.parametrize(
    "act",
    [
        Act(500, body=b'{"error": {"message": "oops"}}'),
        Act(429, {"retry-after": "0"}, b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}'),
        Act(503, {"content-type": "text/html"}, b"<html>busy</html>"),
        Act(cut_at=0, then="reset"),
        Act(cut_at=-5, then="reset"),
    ],
    ids=["500", "429", "html", "lost answer", "cut answer"],
)
def test_a_call_that_fails_twice_is_made_again_and_nothing_is_done_twice(tmp_path: Path, call: str, act: Act) -> None:
    num_left = 2

    def fail(number: int, made: str) -> Act | None:
        nonlocal num_left
        if made == call and num_left:
            num_left -= 1
            return act
        return None

    with BatchServer() as server:
        server.act = fail
        outcome = run(server, tmp_path)
    assert outcome.code == 0, outcome.raised
    check_books(server)
    assert len(server.batches) == 2
    assert sum(file["purpose"] == "batch" for file in server.files.values()) == 2
    assert len(outcome.answers) == NUM_UNITS


def test_a_server_that_only_fails_ends_the_run_and_the_batches_are_collected_later(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.act = lambda number, call: Act(503, body=b"{}") if call == "GET /batches/ID" else None
        outcome = run(server, tmp_path, settings=msgspec.structs.replace(SETTINGS, patience_s=0.1))
        server.act = lambda number, call: None
        again = run(server, tmp_path)
    assert outcome.code == 3
    assert "run the same command again to collect" in outcome.raised
    assert again.code == 0
    check_books(server)


def test_a_key_that_is_refused_ends_the_run_at_once(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.act = lambda number, call: Act(401, body=b'{"error": {"message": "Incorrect API key provided"}}')
        outcome = run(server, tmp_path)
    assert outcome.code == 3
    assert "unauthorized" in outcome.raised
    assert len(server.calls) == 1


def test_a_download_that_always_breaks_keeps_what_came_and_is_fetched_again_by_the_next_run(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.act = lambda number, call: Act(cut_at=-700, then="close") if call.endswith("content") else None
        broken = run(server, tmp_path)
        with Ledger(tmp_path) as ledger:
            num_kept = sum(1 for _ in ledger.replies())
        server.act = lambda number, call: None
        again = run(server, tmp_path)
    assert broken.code == 3
    assert "could not be fetched whole" in broken.raised
    assert 0 < num_kept < 3
    assert again.code == 0
    assert len(again.answers) == NUM_UNITS
    check_books(server)


def test_an_answer_file_that_is_gone_is_said_and_its_requests_are_asked_again(tmp_path: Path) -> None:
    with BatchServer() as server:
        lost: list[str] = []

        def lose(number: int, call: str) -> Act | None:
            if call.endswith("content") and not lost:
                batch = next(batch for batch in server.batches.values() if batch.output_file_id)
                lost.extend(batch.ids)
                batch.answered.clear()
                return Act(404, body=b'{"error": {"message": "No such File object"}}')
            return None

        server.act = lose
        outcome = run(server, tmp_path)
        again = run(server, tmp_path)
    assert outcome.code == 3
    assert any("1 answer files that are gone" in text for text in outcome.said)
    assert (again.code, sorted(again.new)) == (0, sorted(lost))
    assert server.asked_again_without_need() == []


def test_a_batch_that_the_server_forgot_is_told_with_the_way_out(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.hold = True
        process = start_child(server.base_url, tmp_path, NUM_UNITS, limits=LIMITS)
        deadline_s = time.monotonic() + 60
        while "GET /batches/ID" not in server.calls:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        kill(process)
        server.batches.clear()
        outcome = run(server, tmp_path)
    assert outcome.code == 2
    assert "does not know the batch batch-000" in outcome.raised
    assert ".* to ask its requests again" in outcome.raised


def test_a_file_that_the_batches_do_not_know_yet_is_tried_again(tmp_path: Path) -> None:
    with BatchServer() as server:

        def hide(number: int, call: str) -> Act | None:
            if call != "POST /batches" or server.calls.count(call) > 3:
                return None
            message = f"Cannot find file {list(server.files)[-1]}, or the project does not have access to it."
            return Act(400, body=json.dumps({"error": {"message": message, "code": None}}).encode())

        server.act = hide
        outcome = run(server, tmp_path)
    assert outcome.code == 0, outcome.raised
    check_books(server)


@pytest.mark.parametrize("step", range(6))
def test_what_was_never_submitted_is_not_bought_after_an_edit(tmp_path: Path, step: int) -> None:
    """Of a first batch that was not submitted, a run that wants units 1 to 5 buys no unit 0."""
    with BatchServer() as server:
        start_and_kill_at(server, tmp_path, step)
        was_submitted = bool(server.batches)
        resumed = run_batches(
            server.base_url, tmp_path, lambda: (make_asked(number) for number in range(1, 6)), settings=SETTINGS
        )
        with Ledger(tmp_path) as ledger:
            assert ledger.num_in_doubt() == 0
    check_books(server)
    assert resumed.code == 0, resumed.raised
    assert len(resumed.answers) == 5
    assert was_submitted == (make_asked(0).request.request_id in server.bought)
