"""The scheduler with servers of the tests' own: what is sent, what is stored, and when it ends."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from instructgen.attempts import AttemptError
from instructgen.errors import BudgetSpentError, InstructgenError, RunStoppedError
from instructgen.generate.asked import Answered, Asked
from instructgen.generate.budget import Budget
from instructgen.generate.lanes import make_lane
from instructgen.generate.scheduler import Scheduler
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.observe.runlog import RunLog
from instructgen.records import Cost, Failed, Message, Reply, Request
from tests.support.make import make_unit
from tests.support.teachers import TestServer, TestTeacher, fail_always


def make_asked(number: int, lane: int = 0) -> Asked:
    unit = make_unit(number)
    return Asked(unit, Request(f"{number:064x}", "conv", unit.record.image_id, (Message("user", "x"),)), lane)


def run(
    folder: Path,
    asked: Iterator[Asked],
    *servers: TestServer,
    budget: Budget | None = None,
    max_attempts: int = 5,
    cache: Path | None = None,
    on_answer: Callable[[Answered], Asked | None] | None = None,
    fallback: TestTeacher | None = None,
) -> list[Answered]:
    answered: list[Answered] = []

    def take(one: Answered) -> Asked | None:
        answered.append(one)
        return on_answer(one) if on_answer else None

    async def answer_all(ledger: Ledger) -> None:
        log = RunLog(folder / "log.jsonl")
        teachers = [TestTeacher(*servers), *([fallback] if fallback else [])]
        lanes = [make_lane(teacher, max_attempts, log) for teacher in teachers]
        scheduler = Scheduler(lanes, ledger, take, log, budget or Budget())
        await asyncio.wait_for(scheduler.answer_all(asked), 60)

    with Ledger(folder, AnswerCache(cache, print) if cache else None) as ledger:
        asyncio.run(answer_all(ledger))
    return answered


def stored(folder: Path) -> set[str]:
    with Ledger(folder) as ledger:
        return {reply.request_id for reply in ledger.replies()}


def test_every_unit_is_answered_once(tmp_path: Path) -> None:
    server = TestServer(delay_s=0.01)
    answered = run(tmp_path, map(make_asked, range(1, 101)), server)
    assert sorted(one.asked.request.request_id for one in answered) == sorted(server.asked)
    assert len(set(server.asked)) == 100
    assert stored(tmp_path) == set(server.asked)
    assert all(one.is_new for one in answered)
    assert server.max_in_flight == 4


def test_what_is_stored_is_not_asked_again(tmp_path: Path) -> None:
    run(tmp_path, map(make_asked, range(1, 31)), TestServer())
    server = TestServer()
    answered = run(tmp_path, map(make_asked, range(1, 41)), server)
    assert len(server.asked) == 10
    assert Counter(one.is_new for one in answered) == {False: 30, True: 10}


def test_units_with_one_prompt_share_one_request_also_while_it_is_in_flight(tmp_path: Path) -> None:
    server = TestServer(delay_s=0.01)
    answered = run(tmp_path, (make_asked(1 + number % 3) for number in range(60)), server)
    assert len(server.asked) == 3
    assert len(answered) == 60
    assert sum(one.is_new for one in answered) == 3


def test_error_among_the_units_comes_out_after_what_is_in_flight_is_stored(tmp_path: Path) -> None:
    def break_late() -> Iterator[Asked]:
        yield from map(make_asked, range(1, 81))
        raise InstructgenError("annotations.json: broken at record 81")

    server = TestServer(delay_s=0.01)
    with pytest.raises(InstructgenError, match="record 81"):
        run(tmp_path, break_late(), server)
    assert 8 <= len(server.asked) < 80
    assert stored(tmp_path) == set(server.asked)


def test_error_of_who_is_told_comes_out_after_what_is_in_flight_is_stored(tmp_path: Path) -> None:
    def complain(one: Answered) -> None:
        raise ZeroDivisionError

    server = TestServer(delay_s=0.01)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, map(make_asked, range(1, 100)), server, on_answer=complain)
    assert 0 < len(server.asked) < 20
    assert stored(tmp_path) == set(server.asked)


@pytest.mark.parametrize("reason", ["unauthorized", "unknown_model", "quota_exhausted"])
def test_a_server_that_refuses_everything_ends_the_run_after_a_few_requests(tmp_path: Path, reason: str) -> None:
    num_pulled = 0

    def count() -> Iterator[Asked]:
        nonlocal num_pulled
        for number in range(1, 10_000):
            num_pulled += 1
            yield make_asked(number)

    server = TestServer(fault=fail_always(reason))
    with pytest.raises(RunStoppedError, match=f"s0 refuses every request \\({reason}\\)"):
        run(tmp_path, count(), server)
    assert len(server.asked) < 10
    assert num_pulled < 200


def test_failures_of_single_requests_stop_nothing(tmp_path: Path) -> None:
    server = TestServer(fault=fail_always("bad_request"))
    answered = run(tmp_path, map(make_asked, range(1, 61)), server)
    assert len(answered) == len(server.asked) == 60
    assert {one.reply.reason for one in answered if isinstance(one.reply, Failed)} == {"bad_request"}


def test_a_prompt_that_failed_is_not_asked_again_for_a_later_unit_of_the_run(tmp_path: Path) -> None:
    server = TestServer(fault=lambda number, _: AttemptError("bad_request", "no") if number == 0 else None)
    asked = [make_asked(number) for number in (1, *range(2, 200), 1)]
    answered = run(tmp_path, iter(asked), server)
    failed = [one for one in answered if isinstance(one.reply, Failed)]
    assert len(answered) == 200
    assert len(failed) == 2
    assert server.asked.count(asked[0].request.request_id) == 1


def test_another_attempt_follows_where_it_may_help(tmp_path: Path) -> None:
    def fail_first(number: int, request: Request) -> AttemptError | None:
        again = server.asked.count(request.request_id) > 1
        return None if again else AttemptError("server_error", "HTTP 500", is_worth_retry=True)

    server = TestServer(fault=fail_first)
    answered = run(tmp_path, map(make_asked, range(1, 6)), server)
    assert all(isinstance(one.reply, Reply) for one in answered)
    assert len(server.asked) == 10


def test_the_last_failure_is_kept_with_its_reason(tmp_path: Path) -> None:
    server = TestServer(fault=fail_always("no_choices", is_worth_retry=True, may_have_cost=True))
    answered = run(tmp_path, iter([make_asked(1)]), server, max_attempts=2)
    assert [one.reply for one in answered] == [Failed(f"{1:064x}", "teacher", "no_choices", "HTTP: no_choices")]
    assert len(server.asked) == 2
    with Ledger(tmp_path) as ledger:
        failure = ledger.find_failure(f"{1:064x}")
        assert failure is not None
        assert failure.reason == "no_choices"
        assert ledger.num_in_doubt() == 0
        assert ledger.spent().maybe == Cost(2000, 30)


def test_budget_is_never_passed_and_what_was_answered_is_kept(tmp_path: Path) -> None:
    server = TestServer(delay_s=0.002, concurrency=16)
    with pytest.raises(BudgetSpentError, match="--budget-tokens"):
        run(tmp_path, map(make_asked, range(1, 200)), server, budget=Budget(max_tokens=15 * 40 + 7))
    assert len(server.answered) == 40
    assert stored(tmp_path) == set(server.answered)


def test_answers_that_were_lost_count_as_spent(tmp_path: Path) -> None:
    def lose_some(number: int, request: Request) -> AttemptError | None:
        lost = number % 4 == 0
        return AttemptError("timeout", "late", is_worth_retry=True, may_have_cost=True) if lost else None

    server = TestServer(fault=lose_some, concurrency=8)
    with pytest.raises(BudgetSpentError):
        run(tmp_path, map(make_asked, range(1, 500)), server, budget=Budget(max_tokens=15 * 40))
    assert len(server.asked) == 40
    with Ledger(tmp_path) as ledger:
        spent = ledger.spent()
    assert spent.num_replies == len(server.answered)
    assert spent.maybe.tokens + spent.in_doubt.tokens == 15 * (40 - len(server.answered))


def test_answers_are_shared_through_a_cache_folder(tmp_path: Path) -> None:
    first = TestServer()
    run(tmp_path / "a", map(make_asked, range(1, 21)), first, cache=tmp_path / "cache")
    second = TestServer()
    answered = run(tmp_path / "b", map(make_asked, range(1, 26)), second, cache=tmp_path / "cache")
    assert len(second.asked) == 5
    assert Counter(one.is_new for one in answered) == {False: 20, True: 5}
    with Ledger(tmp_path / "b") as ledger:
        assert ledger.spent().num_replies == 5  # the rest was bought by another run
        assert len(list(ledger.replies())) == 25


def test_a_second_request_for_a_unit_goes_to_the_fallback(tmp_path: Path) -> None:
    def ask_another(one: Answered) -> Asked | None:
        number = int(one.asked.request.request_id, 16)
        return make_asked(number + 1000, lane=1) if one.asked.lane == 0 and number % 2 else None

    first, second = TestServer(), TestServer("s1")
    answered = run(
        tmp_path, map(make_asked, range(1, 41)), first, on_answer=ask_another, fallback=TestTeacher(second)
    )
    assert len(first.asked) == 40
    assert len(second.asked) == 20
    assert len(answered) == 60


def test_two_servers_share_the_work_and_one_that_dies_is_drained(tmp_path: Path) -> None:
    def die(number: int, request: Request) -> AttemptError | None:
        return AttemptError("connection", "refused", is_worth_retry=True) if number >= 10 else None

    dying, healthy = TestServer("dying", 0.001, die), TestServer("healthy", 0.001)
    answered = run(tmp_path, map(make_asked, range(1, 301)), dying, healthy)
    assert len(answered) == 300
    assert all(isinstance(one.reply, Reply) for one in answered)
    assert len(dying.answered) == 10
    assert len(dying.asked) < 40


def test_stopping_awaits_what_is_in_flight_and_sends_nothing_more(tmp_path: Path) -> None:
    def stop_at_once(one: Answered) -> Asked | None:
        raise RunStoppedError("enough")

    server = TestServer(delay_s=0.01, concurrency=8)
    with pytest.raises(RunStoppedError, match="enough"):
        run(tmp_path, map(make_asked, range(1, 500)), server, on_answer=stop_at_once)
    assert stored(tmp_path) == set(server.asked)
    assert len(server.asked) <= 24
    with Ledger(tmp_path) as ledger:
        assert ledger.num_in_doubt() == 0


def test_memory_holds_a_window_of_units_whatever_their_number(tmp_path: Path) -> None:
    num_pulled = num_told = widest = 0

    def count() -> Iterator[Asked]:
        nonlocal num_pulled, widest
        for number in range(1, 2000):
            num_pulled += 1
            widest = max(widest, num_pulled - num_told)
            yield make_asked(number)

    def tell(one: Answered) -> None:
        nonlocal num_told
        num_told += 1

    run(tmp_path, count(), TestServer(concurrency=8), on_answer=tell)
    assert num_told == 1999
    assert widest <= 8 + 64 + 1


def test_a_request_that_alone_is_turned_away_for_ever_fails_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructgen.generate.retry._FIRST_WAIT_S", 0.001)

    def refuse_one(number: int, request: Request) -> AttemptError | None:
        is_one = request.request_id == f"{7:064x}"
        return AttemptError("rate_limited", "too large", is_worth_retry=True) if is_one else None

    def ask_on(one: Answered) -> Asked | None:
        # Others are answered all the while, or it would be the server's load.
        number = int(one.asked.request.request_id, 16)
        return make_asked(number + 1000) if isinstance(one.reply, Reply) and number < 400_000 else None

    server = TestServer(fault=refuse_one)
    answered = run(tmp_path, map(make_asked, range(1, 11)), server, on_answer=ask_on)
    failures = [one.reply for one in answered if isinstance(one.reply, Failed)]
    assert [failure.reason for failure in failures] == ["rate_limited"]
    assert server.asked.count(f"{7:064x}") <= 16


def test_what_both_servers_refuse_is_not_asked_for_ever(tmp_path: Path) -> None:
    def refuse_one(number: int, request: Request) -> AttemptError | None:
        return AttemptError("unauthorized", "HTTP 403") if request.request_id == f"{7:064x}" else None

    servers = TestServer("s0", fault=refuse_one), TestServer("s1", fault=refuse_one)
    answered = run(tmp_path, map(make_asked, range(1, 101)), *servers)
    assert len(answered) == 100
    assert sum(server.asked.count(f"{7:064x}") for server in servers) == 2
