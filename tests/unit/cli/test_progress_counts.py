"""Rates, what is left, and what a run will have cost at its end."""

import pytest

from instructgen.cli.progress_counts import BuildCounts, project
from instructgen.generate.budget import NANO, Budget
from instructgen.jobs.generate import Gauges
from instructgen.observe.stats import RunStats
from instructgen.records import Cost, Failed, Rejected
from tests.support.make import make_reply, make_sample


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make_counts(num_units: int | None = 100) -> tuple[BuildCounts, Clock]:
    clock = Clock()
    counts = BuildCounts(now=clock)
    counts.begin("generate", num_units)
    return counts, clock


def buy(counts: BuildCounts, num: int, usd: float | None = 0.01) -> None:
    for _ in range(num):
        reply = make_reply(cost_usd=usd)
        counts.bought.add(reply)
        counts.answered(reply, None)


def test_whole_is_what_is_spent_and_the_rest_at_the_same_price() -> None:
    found = project(2.0, 2.0, num_paid=20, num_done=20, num_units=100, limit=None)
    assert found.whole == pytest.approx(10.0)
    assert found.fits_units is None


def test_budget_that_is_too_small_says_for_how_many_units_it_is_enough() -> None:
    found = project(2.0, 2.0, num_paid=20, num_done=20, num_units=100, limit=5.0)
    assert found.whole == pytest.approx(10.0)
    assert found.fits_units == 50


def test_budget_that_is_enough_says_nothing_more() -> None:
    assert project(2.0, 2.0, 20, 20, 100, limit=10.0).fits_units is None


def test_nothing_is_projected_before_the_first_purchase_or_of_an_unknown_number() -> None:
    assert project(0.0, 0.0, 0, 50, 100, None).whole is None
    assert project(2.0, 2.0, 20, 20, None, None).whole is None


def test_units_that_were_answered_before_make_the_rest_no_cheaper() -> None:
    """Fifty of a hundred come out of the ledger, for nothing; the others cost a cent each."""
    counts, _ = make_counts()
    for _ in range(50):
        counts.answered(make_reply(), None)
    buy(counts, 10)
    found = counts.project_usd()
    assert found is not None
    assert found.so_far == pytest.approx(0.10)
    assert found.whole == pytest.approx(0.50)


def test_budget_counts_what_earlier_runs_spent() -> None:
    counts, _ = make_counts()
    budget = Budget(max_nano_usd=2 * NANO, max_tokens=5000, spent=Cost(NANO, 1000))
    counts.gauges = Gauges(RunStats(), budget, ())
    buy(counts, 10)
    budget.reserve(Cost(NANO // 10, 150))
    budget.settle(Cost(NANO // 10, 150), Cost(NANO // 10, 150))
    usd, tokens = counts.project_usd(), counts.project_tokens()
    assert usd is not None
    assert usd.so_far == pytest.approx(1.1)
    assert usd.limit == 2.0
    assert usd.whole == pytest.approx(2.0)
    assert (tokens.so_far, tokens.limit) == (1150, 5000)
    assert tokens.whole == pytest.approx(1150 + 90 * 15)


def test_unknown_price_projects_no_money_but_tokens() -> None:
    counts, _ = make_counts()
    buy(counts, 10, usd=None)
    assert counts.project_usd() is None
    assert counts.project_tokens().whole == pytest.approx(100 * 15)


def test_cost_is_final_once_nothing_is_asked_any_more() -> None:
    counts, _ = make_counts()
    buy(counts, 40)
    counts.end()
    counts.begin("write", 100)
    found = counts.project_usd()
    assert found is not None
    assert found.whole == pytest.approx(found.so_far)


def test_rate_is_of_the_last_seconds_and_so_is_the_time_left() -> None:
    counts, clock = make_counts(10_000)
    stage = counts.stage
    stage.num_done = 5000  # found in the ledger at once
    for _ in range(60):
        clock.now_s += 1
        stage.num_done += 10
        rate = stage.rate(clock.now_s)
    assert rate == pytest.approx(10, rel=0.01)
    assert stage.left_s(rate) == pytest.approx(440, rel=0.01)


def test_time_left_is_unknown_at_a_standstill_and_without_a_number() -> None:
    counts, clock = make_counts()
    clock.now_s += 5
    assert counts.stage.left_s(counts.stage.rate(clock.now_s)) is None
    counts, clock = make_counts(None)
    counts.stage.num_done = 5
    clock.now_s += 5
    assert counts.stage.left_s(counts.stage.rate(clock.now_s)) is None


def test_rate_of_a_finished_stage_is_that_of_all_of_it() -> None:
    counts, clock = make_counts()
    counts.stage.num_done = 100
    clock.now_s += 50
    counts.end()
    clock.now_s += 1000
    assert counts.stage.rate(clock.now_s) == pytest.approx(2.0)
    assert counts.stage.seconds(clock.now_s) == pytest.approx(50)


def test_every_outcome_is_counted_once_and_the_latest_sample_kept() -> None:
    counts, _ = make_counts()
    counts.answered(make_reply(), make_sample(1))
    counts.answered(make_reply(), Rejected("a/conv", "filter", "too_short"))
    counts.answered(Failed("b/conv", "teacher", "timeout", ""), Failed("b/conv", "teacher", "timeout", ""))
    assert (counts.num_answered, counts.num_judged, counts.stage.num_done) == (2, 2, 3)
    assert (counts.num_rejected, counts.num_failed) == (1, 1)
    assert counts.latest == make_sample(1)
    counts.begin("write", 3)
    counts.outcome(make_sample(2))
    counts.outcome(Rejected("a/conv", "filter", "too_short"))
    counts.outcome(Failed("b/conv", "teacher", "timeout", ""))
    assert (counts.num_accepted, counts.num_rejected, counts.num_failed) == (1, 1, 1)
    assert counts.latest == make_sample(2)


def test_top_reasons_are_the_most_frequent_and_the_others_together() -> None:
    counts, _ = make_counts()
    counts.rejected.update({"a": 5, "b": 9, "c": 1, "d": 2})
    counts.failed.update({"timeout": 3})
    assert counts.top_reasons(4) == [
        ("b", 9, False),
        ("a", 5, False),
        ("timeout", 3, True),
        ("2 other reasons", 3, False),
    ]
    assert len(counts.top_reasons(5)) == 5
