"""What of the limits a build of one share gets."""

import pytest

from instructgen.config import BuildConfig, JudgeConfig, RefineConfig, RunConfig, ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.shares import WantedShare, divide_limits
from instructgen.sources.shares import Share


def make_config() -> BuildConfig:
    teacher = TeacherConfig(
        requests_per_minute=100.0,
        tokens_per_minute=1000.0,
        servers=(ServerConfig(requests_per_minute=40.0), ServerConfig()),
        fallback=TeacherConfig(requests_per_minute=20.0),
    )
    return BuildConfig(
        teacher=teacher,
        refine=RefineConfig(teacher=TeacherConfig(tokens_per_minute=8.0)),
        judge=JudgeConfig(teacher=TeacherConfig(requests_per_minute=12.0)),
        run=RunConfig(budget_usd=2.0, budget_tokens=1001),
    )


def test_four_shares_together_have_the_budget_and_every_rate() -> None:
    divided = divide_limits(make_config(), 4)
    assert (divided.run.budget_usd, divided.run.budget_tokens) == (0.5, 250)
    assert (divided.teacher.requests_per_minute, divided.teacher.tokens_per_minute) == (25.0, 250.0)
    assert [server.requests_per_minute for server in divided.teacher.servers] == [10.0, None]
    assert divided.teacher.fallback is not None
    assert divided.teacher.fallback.requests_per_minute == 5.0
    assert divided.refine.teacher is not None
    assert divided.refine.teacher.tokens_per_minute == 2.0
    assert divided.judge.teacher is not None
    assert divided.judge.teacher.requests_per_minute == 3.0


def test_what_has_no_limit_gets_none() -> None:
    assert divide_limits(BuildConfig(), 4) == BuildConfig()


def test_budget_that_is_no_token_a_share_is_refused() -> None:
    with pytest.raises(InstructgenError, match="not a token for each of 4 shares"):
        divide_limits(BuildConfig(run=RunConfig(budget_tokens=3)), 4)


def test_build_of_a_share_says_what_it_gets_unless_told_otherwise() -> None:
    config = BuildConfig(run=RunConfig(budget_usd=2.0))
    parts = WantedShare(Share(1, 4)).make_parts(config)
    assert parts.config.run.budget_usd == 0.5
    assert "share 1/4, with 1/4 of the budget" in parts.notes[-1]
    whole = WantedShare(Share(1, 4), has_whole_limits=True).make_parts(config)
    assert whole.config.run.budget_usd == 2.0
    assert whole.notes[-1] == "building share 1/4"
