"""Batches against a real local server: what is asked once, what is kept, and what a run ends with."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from instructgen.batch.files import BatchLimits, count_open
from instructgen.generate.asked import Asked
from instructgen.generate.budget import Budget
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.records import Reply
from tests.support.batch_child import QUICK, Outcome, make_asked, run_batches
from tests.support.batch_server import BatchServer, Ending
from tests.support.make import make_reply

NUM_UNITS = 10
SMALL = msgspec.structs.replace(QUICK, limits=BatchLimits(max_requests=4))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def units(num: int = NUM_UNITS, prompt: str = "Describe:", model: str = "m") -> Iterator[Asked]:
    return (make_asked(number, prompt, model) for number in range(num))


def run(server: BatchServer, out: Path, **more: object) -> Outcome:
    outcome = run_batches(server.base_url, out, units, **{"settings": SMALL, **more})  # type: ignore[arg-type]
    assert server.mistakes == []
    assert server.asked_again_without_need() == []
    return outcome


def test_every_unit_is_answered_through_batches_within_the_limits(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.max_requests = 4
        outcome = run(server, tmp_path)
    assert (outcome.code, len(outcome.answers), len(outcome.new)) == (0, NUM_UNITS, NUM_UNITS)
    assert [len(batch.ids) for batch in server.batches.values()] == [4, 4, 2]
    assert set(server.batched.values()) == set(server.bought.values()) == {1}
    assert server.num_requests == 0, "nothing is asked live"
    assert len(set(outcome.answers.values())) == NUM_UNITS


def test_batches_are_cut_at_the_limit_of_bytes(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.max_bytes = 1000
        run(server, tmp_path, settings=msgspec.structs.replace(QUICK, limits=BatchLimits(max_bytes=1000)))
        sizes = [server.files[batch.file_id]["bytes"] for batch in server.batches.values()]
    assert len(sizes) > 1
    assert max(sizes) <= 1000 < sizes[0] + sizes[1]


def test_second_run_finds_everything_in_the_ledger(tmp_path: Path) -> None:
    with BatchServer() as server:
        first = run(server, tmp_path)
        num_calls = len(server.calls)
        again = run(server, tmp_path)
    assert again.answers == first.answers
    assert again.new == []
    assert len(server.calls) == num_calls


def test_two_units_with_the_same_request_enter_once(tmp_path: Path) -> None:
    def twins() -> Iterator[Asked]:
        for one in units(4):
            yield one
            yield Asked(make_asked(100 + int(one.unit.record.image_id[-3:])).unit, one.request)

    with BatchServer() as server:
        outcome = run_batches(server.base_url, tmp_path, twins, settings=SMALL)
    assert set(server.batched.values()) == {1}
    assert len(server.batched) == 4
    assert len(outcome.answers) == 8
    assert sorted(outcome.new) == sorted(server.batched), "a request is bought for one of its units"


def test_answers_of_the_shared_cache_enter_no_batch(tmp_path: Path) -> None:
    shared = [make_asked(number).request.request_id for number in (2, 5)]
    with AnswerCache(tmp_path / "cache", lambda _: None) as cache, BatchServer() as server:
        cache.put_many([make_reply(int(request_id, 16), text="shared") for request_id in shared])
        outcome = run(server, tmp_path / "run", cache=cache)
    assert not set(shared) & set(server.batched)
    assert [text for text in outcome.answers.values() if text == "shared"] == ["shared", "shared"]
    assert len(outcome.answers) == NUM_UNITS


def test_a_run_mixes_live_answers_and_batches_in_one_ledger(tmp_path: Path) -> None:
    import asyncio

    live = make_asked(3).request.request_id
    with Ledger(tmp_path) as ledger:
        asyncio.run(ledger.store_reply(make_reply(int(live, 16), text="live")))
    with BatchServer() as server:
        outcome = run(server, tmp_path)
    assert live not in server.batched
    assert len(server.batched) == NUM_UNITS - 1
    assert outcome.answers[make_asked(3).unit.unit_id] == "live"
    with Ledger(tmp_path) as ledger:
        assert sum(1 for _ in ledger.replies()) == NUM_UNITS


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_a_batch_that_ends_early_keeps_its_answers_and_the_next_run_asks_the_rest(
    tmp_path: Path, status: str
) -> None:
    with BatchServer(end=lambda number, _: Ending(status, num_answered=3) if number == 0 else Ending()) as server:
        first = run(server, tmp_path)
        again = run(server, tmp_path)
    assert first.code == 3
    assert "1 requests have no answer" in first.raised
    assert len(first.answers) == NUM_UNITS - 1
    assert any(f"batch_{status} 1" in text for text in first.said)
    assert again.code == 0
    assert len(again.new) == 1
    assert set(server.bought.values()) == {1}
    assert [len(batch.ids) for batch in server.batches.values()] == [4, 4, 2, 1]


def test_what_a_batch_ends_without_is_given_back_to_be_asked_live(tmp_path: Path) -> None:
    with BatchServer(end=lambda *_: Ending("expired", num_answered=1)) as server:
        outcome = run(server, tmp_path, settings=msgspec.structs.replace(SMALL, live_rest=True))
    assert outcome.code == 0
    assert len(outcome.answers) == 3
    answered = {request_id for batch in server.batches.values() for request_id in batch.answered}
    assert sorted(outcome.left) == sorted(set(server.batched) - answered)
    assert len(outcome.left) == NUM_UNITS - 3


def test_what_on_answer_wants_instead_is_given_back_too(tmp_path: Path) -> None:
    fallback = make_asked(77, model="other")
    with BatchServer() as server:
        outcome = run(
            server,
            tmp_path,
            on_answer=lambda answered: fallback if answered.asked.unit == make_asked(4).unit else None,
        )
    assert outcome.left == [fallback.request.request_id]


def test_refused_requests_are_failures_and_overload_is_asked_again(tmp_path: Path) -> None:
    refusals = {
        0: (400, {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}),
        1: (429, {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}),
        2: (500, {"message": "oops", "type": "server_error", "code": None}),
    }
    with BatchServer(end=lambda number, _: Ending(refuse=refusals.get) if number == 0 else Ending()) as server:
        first = run(server, tmp_path)
        with Ledger(tmp_path) as ledger:
            ids = next(iter(server.batches.values())).ids
            failures = [ledger.find_failure(request_id) for request_id in ids[:3]]
        again = run(server, tmp_path)
    assert first.code == 3
    assert "2 requests" in first.raised
    assert [failure.reason for failure in failures if failure] == ["bad_request", "rate_limited", "server_error"]
    assert failures[0] is not None
    assert "too long" in failures[0].detail
    assert first.answers[make_asked(0).unit.unit_id] == "!bad_request"
    assert again.code == 0
    assert server.batched[ids[0]] == 2, "a failure is asked again by the next run, as a live one is"


def test_lines_come_in_any_order(tmp_path: Path) -> None:
    with BatchServer(end=lambda *_: Ending(mend_output=lambda lines: lines[::-1])) as server:
        outcome = run(server, tmp_path)
        expected = {
            line["custom_id"]: server.complete(line["body"])["choices"][0]["message"]["content"]
            for batch in server.batches.values()
            for line in batch.lines
        }
    assert {one.unit.unit_id: expected[one.request.request_id] for one in units()} == outcome.answers


def test_odd_lines_are_counted_and_named_and_the_good_ones_kept(tmp_path: Path) -> None:
    stranger = "f" * 64

    def spoil(lines: list[bytes]) -> list[bytes]:
        second = json.loads(lines[0])
        second["response"]["body"]["choices"][0]["message"]["content"] = "another answer"
        unknown = lines[1].replace(json.loads(lines[1])["custom_id"].encode(), stranger.encode())
        return [
            b"\n",
            lines[0],
            json.dumps(second).encode() + b"\n",
            unknown,
            b"not json\n",
            b"\xff\xfe{}\n",
            b"[" * 5000 + b"\n",
            b'{"custom_id": 7}\n',
            *lines[1:-1],
            lines[-1][:-40],  # the file ends in the middle of a line
        ]

    settings = msgspec.structs.replace(QUICK, limits=BatchLimits())
    with BatchServer(end=lambda number, _: Ending(mend_output=spoil) if number == 0 else Ending()) as server:
        first = run(server, tmp_path, settings=settings)
        last = next(iter(server.batches.values())).ids[-1]
        next(iter(server.batches.values())).answered.discard(last)  # it was lost on its way, so asking again is right
        again = run(server, tmp_path, settings=settings)
    told = next(text for text in first.said if "answered; not" in text)
    assert f"{NUM_UNITS - 1} of {NUM_UNITS} answered; not no_answer 1" in told
    assert "1 second answers to a request" in told
    assert "1 answers to no request of it" in told
    assert "5 broken lines" in told
    assert stranger in told
    assert "another answer" not in first.answers.values()
    assert (first.code, again.code) == (3, 0)
    assert len(again.new) == 1


def test_an_answer_without_choices_fails_and_counts_as_spent(tmp_path: Path) -> None:
    def empty_first(lines: list[bytes]) -> list[bytes]:
        row = json.loads(lines[0])
        row["response"]["body"]["choices"] = []
        return [json.dumps(row).encode() + b"\n", *lines[1:]]

    with BatchServer(end=lambda *_: Ending(mend_output=empty_first)) as server:
        outcome = run_batches(
            server.base_url, tmp_path, lambda: units(4), settings=msgspec.structs.replace(QUICK, live_rest=True)
        )
        with Ledger(tmp_path) as ledger:
            spent, failure = ledger.spent(), ledger.find_failure(outcome.left[0])
    assert failure is not None
    assert failure.reason == "no_choices"
    assert spent.maybe.nano_usd > 0
    assert outcome.spent_nano_usd == spent.nano_usd + spent.maybe.nano_usd
    assert outcome.aside_nano_usd == 0


def test_a_batch_that_fails_its_check_ends_the_run_with_the_servers_words(tmp_path: Path) -> None:
    fault = {"code": "invalid_json_line", "message": "This line is not valid JSON.", "line": 2}
    with BatchServer(end=lambda number, _: Ending("failed", num_answered=0, errors=(fault,))) as server:
        outcome = run(server, tmp_path)
    assert outcome.code == 2
    assert re.search(r"refused the batch batch-0000 \(invalid_json_line in line 2: This line", outcome.raised)
    assert count_open(tmp_path / "batches").num_batches == 2, "the others are collected by the next run"


def test_a_batch_waits_for_room_at_the_server_and_goes_again(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.max_enqueued = 4
        outcome = run(server, tmp_path)
    refused = [batch for batch in server.batches.values() if batch.status == "failed"]
    assert outcome.code == 0
    assert refused
    assert len(outcome.answers) == NUM_UNITS
    assert set(server.bought.values()) == {1}
    assert any("no room for a batch of 4 requests yet" in text for text in outcome.said)
    assert len(server.files) == 3 + 3, "the file of a refused batch is used again"


def test_a_batch_larger_than_the_servers_room_is_halved_until_it_fits(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.max_enqueued = 3
        outcome = run(server, tmp_path, settings=QUICK)
    done = [len(batch.ids) for batch in server.batches.values() if batch.status == "completed"]
    assert outcome.code == 0
    assert sum(done) == NUM_UNITS
    assert max(done) <= 3
    assert set(server.bought.values()) == {1}
    assert len(outcome.answers) == NUM_UNITS


def test_budget_lets_in_what_it_covers_and_ends_with_its_own_code(tmp_path: Path) -> None:
    with BatchServer() as server:
        most = 1_000_000
        outcome = run(server, tmp_path, budget=Budget(max_nano_usd=most))
        num_first = len(server.batched)
        rest = run(server, tmp_path, budget=Budget(max_nano_usd=10 * most))
    assert outcome.code == 5
    assert 0 < num_first < NUM_UNITS
    assert len(outcome.answers) == num_first, "what was submitted is collected first"
    assert outcome.spent_nano_usd == outcome.ledger_nano_usd <= most
    assert outcome.aside_nano_usd == 0
    assert rest.code == 0
    assert set(server.bought.values()) == {1}


def test_a_budget_without_room_for_one_request_submits_nothing(tmp_path: Path) -> None:
    with BatchServer() as server:
        outcome = run(server, tmp_path, budget=Budget(max_tokens=10))
    assert outcome.code == 5
    assert "--budget-tokens" in outcome.raised
    assert server.calls == []


def test_the_batch_price_is_what_answers_cost(tmp_path: Path) -> None:
    with BatchServer() as server:
        outcome = run(server, tmp_path)
    # 100 prompt and 20 completion tokens at 1 and 4 dollars a million, half of it through a batch.
    assert outcome.ledger_nano_usd == NUM_UNITS * (100 * 1000 + 20 * 4000) // 2


def test_edited_prompts_go_into_a_new_batch_and_the_old_one_is_collected(tmp_path: Path) -> None:
    with BatchServer() as server:
        stopped = stop_while_out(server, tmp_path)
        server.hold = False
        outcome = run_batches(server.base_url, tmp_path, lambda: units(prompt="Tell:"), settings=SMALL)
        with Ledger(tmp_path) as ledger:
            old = [ledger.find_reply(one.request.request_id) for one in units()]
    assert stopped.code == 3
    assert outcome.code == 0
    assert len(outcome.answers) == len(outcome.new) == NUM_UNITS
    assert all(isinstance(reply, Reply) for reply in old)
    assert set(server.bought.values()) == {1}
    assert len(server.bought) == 2 * NUM_UNITS


def test_an_edited_model_does_not_make_the_old_batch_answers_wrong(tmp_path: Path) -> None:
    with BatchServer() as server:
        stop_while_out(server, tmp_path)
        server.hold = False
        run_batches(server.base_url, tmp_path, lambda: units(model="n"), settings=SMALL, model="n")
        with Ledger(tmp_path) as ledger:
            old = [ledger.find_reply(one.request.request_id) for one in units()]
    assert [(reply.model, reply.notes) for reply in old if reply] == [("m", ())] * NUM_UNITS


def test_a_stop_leaves_the_batches_running_and_says_how_to_collect(tmp_path: Path) -> None:
    with BatchServer() as server:
        stopped = stop_while_out(server, tmp_path)
        opened = count_open(tmp_path / "batches")
        server.hold = False
        again = run(server, tmp_path)
    assert "3 batches with 10 requests go on at the server: run the same command again to collect" in stopped.raised
    assert (opened.num_batches, opened.num_requests) == (3, NUM_UNITS)
    assert opened.most.nano_usd > 0
    assert again.code == 0
    assert len(again.new) == NUM_UNITS
    assert set(server.batched.values()) == {1}


def test_what_is_out_counts_against_the_budget_of_the_next_run(tmp_path: Path) -> None:
    with BatchServer() as server:
        stop_while_out(server, tmp_path)
        most = count_open(tmp_path / "batches").most
        server.hold = False
        outcome = run_batches(
            server.base_url,
            tmp_path,
            lambda: units(NUM_UNITS + 1),
            settings=SMALL,
            budget=Budget(max_nano_usd=most.nano_usd),
        )
    assert outcome.code == 5
    assert "the same command can ask for more now" in outcome.raised
    assert len(server.batched) == NUM_UNITS


def test_a_server_without_a_batch_api_is_said_so(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.has_batch_api = False
        outcome = run(server, tmp_path)
    assert outcome.code == 2
    assert "has no batch API" in outcome.raised
    assert "leave out --batch" in outcome.raised
    assert len(server.calls) == 1


def test_batches_at_another_server_are_not_left_behind_unsaid(tmp_path: Path) -> None:
    with BatchServer() as server:
        stop_while_out(server, tmp_path)
        with BatchServer() as other:
            outcome = run(other, tmp_path)
    assert outcome.code == 2
    assert f"is at {server.base_url} and not collected" in outcome.raised
    assert other.calls == []


@pytest.mark.parametrize("delete", [False, True])
def test_files_at_the_server_are_kept_unless_asked(tmp_path: Path, delete: bool) -> None:
    with BatchServer() as server:
        run(server, tmp_path, settings=msgspec.structs.replace(SMALL, delete_remote=delete))
    assert len(server.deleted) == (6 if delete else 0)
    assert [path.suffix for path in (tmp_path / "batches").iterdir()] == [".json"] * 3


def stop_while_out(server: BatchServer, out: Path) -> Outcome:
    """Run until everything is submitted, then stop as Ctrl-C does."""
    from instructgen.generate.asked import Stop

    server.hold = True
    stop = Stop()
    server.before = lambda call: stop.ask("stopped by a signal") if call == "GET /batches/ID" else None
    stopped = run_batches(server.base_url, out, units, settings=SMALL, stop=stop)
    server.before = lambda call: None
    return stopped
