import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert

from instructgen.config import BuildConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.estimate import PlanParts, make_estimate, make_plan_parts
from instructgen.jobs.forecast import Estimate, add_limits
from instructgen.jobs.forecast_budget import plan_budget
from instructgen.ledger.cache import AnswerCache
from instructgen.ledger.ledger import Ledger
from instructgen.prompting.requests import make_request_id
from instructgen.records import Cost, Reply, Unit
from tests.support.coco_folder import make_coco, make_tables, write_coco

NUM_IMAGES = 30


@pytest.fixture(autouse=True)
def _no_openai_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "no-vocabulary"))


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


def make_config(coco: Path, **changes: Any) -> BuildConfig:
    teacher = {"model": "gpt-4o-mini", **changes.pop("teacher", {})}
    return convert({"source": {"root": str(coco)}, "teacher": teacher, **changes}, BuildConfig)


def estimate(config: BuildConfig, out: Path) -> Estimate:
    return make_estimate(make_plan_parts(config), out, lambda done, of: None)


def each_request(parts: PlanParts) -> Iterator[tuple[str, str]]:
    """Yield sample type and request id of every unit."""
    for image in parts.planner.images():
        for name, unit in image.units:
            if isinstance(unit, Unit):
                messages = parts.teacher.messages(unit)
                yield name, make_request_id(messages, parts.teacher.model, parts.teacher.decoding)


def make_replies(config: BuildConfig, num: int, **fields: object) -> list[Reply]:
    """Answer the first `num` requests of each type."""
    seen: dict[str, int] = {}
    replies: list[Reply] = []
    usage: dict[str, object] = {"prompt_tokens": 3000, "completion_tokens": 100, "cost_usd": 0.001, **fields}
    for name, request_id in each_request(make_plan_parts(config)):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= num:
            replies.append(
                Reply(
                    request_id=request_id,
                    text="An answer.",
                    finish_reason="stop",
                    model="gpt-4o-mini",
                    teacher="openai",
                    **usage,  # type: ignore[arg-type]
                )
            )
    return replies


def fill_ledger(out: Path, replies: list[Reply]) -> None:
    async def store_all(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.store_reply(reply) for reply in replies))

    with Ledger(out / "run") as ledger:
        asyncio.run(store_all(ledger))


def list_files(folder: Path) -> list[tuple[Path, int, int]]:
    return [(path, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))]


def test_every_unit_is_a_request_that_is_to_be_sent_where_nothing_is_known(coco: Path, tmp_path: Path) -> None:
    found = estimate(make_config(coco), tmp_path / "ds")
    assert list(found.types) == ["conv", "detail", "reasoning"]
    for of_type in found.types.values():
        assert of_type.units == of_type.requests == of_type.to_send == NUM_IMAGES
        assert of_type.answered == {}
    assert found.total.to_send == 3 * NUM_IMAGES
    assert found.num_images == NUM_IMAGES


def test_cost_is_tokens_times_price_and_at_most_takes_every_answer_at_its_longest(coco: Path, tmp_path: Path) -> None:
    total = estimate(make_config(coco), tmp_path / "ds").total
    assert total.most_completion_tokens == 1024 * 3 * NUM_IMAGES
    assert total.cost_usd == pytest.approx((total.prompt_tokens * 0.15 + total.completion_tokens * 0.60) / 1e6)
    assert total.most_cost_usd == pytest.approx((total.prompt_tokens * 0.15 + 1024 * 3 * NUM_IMAGES * 0.60) / 1e6)
    assert total.cached_cost_usd is not None
    assert total.cost_usd is not None
    saved = total.shared_prompt_tokens * (0.15 - 0.075) / 1e6
    assert total.cached_cost_usd == pytest.approx(total.cost_usd - saved)


def test_images_that_are_written_down_alike_share_one_request(tmp_path: Path) -> None:
    captions, instances = make_tables(4)
    for annotation in captions["annotations"]:
        annotation["caption"] = "A brown dog plays with a red ball."
    coco = write_coco(tmp_path / "coco", captions, instances)
    for of_type in estimate(make_config(coco), tmp_path / "ds").types.values():
        assert (of_type.units, of_type.requests, of_type.to_send) == (4, 1, 1)


def test_units_that_cannot_be_asked_are_counted_by_their_reason(tmp_path: Path) -> None:
    captions, instances = make_tables(4)
    captions["annotations"] = [one for one in captions["annotations"] if one["image_id"] != 11]
    coco = write_coco(tmp_path / "coco", captions, instances)
    found = estimate(make_config(coco), tmp_path / "ds")
    for of_type in found.types.values():
        assert of_type.units == 4
        assert of_type.requests == 3
        assert sum(of_type.rejected.values()) == 1
    assert sum(found.total.rejected.values()) == 3


def test_answers_of_the_ledger_and_of_the_cache_are_not_sent_again(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco, run={"cache_dir": str(tmp_path / "cache")})
    replies = make_replies(config, NUM_IMAGES)
    fill_ledger(tmp_path / "ds", replies[:40])
    with AnswerCache(tmp_path / "cache", print) as cache:
        cache.put_many(replies[30:60])
    total = estimate(config, tmp_path / "ds").total
    assert total.answered == {"ledger": 40, "cache": 20}
    assert total.to_send == 3 * NUM_IMAGES - 60


def test_a_ledger_for_another_model_answers_nothing(coco: Path, tmp_path: Path) -> None:
    fill_ledger(tmp_path / "ds", make_replies(make_config(coco), NUM_IMAGES))
    total = estimate(make_config(coco, teacher={"model": "gpt-4o"}), tmp_path / "ds").total
    assert total.answered == {"ledger": 0}
    assert total.to_send == 3 * NUM_IMAGES


def test_earlier_answers_set_what_is_expected_of_the_next(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco)
    before = estimate(config, tmp_path / "ds")
    fill_ledger(tmp_path / "ds", make_replies(config, 20))
    after = estimate(config, tmp_path / "ds")
    for name, of_type in after.types.items():
        assert of_type.to_send == NUM_IMAGES - 20
        assert of_type.completion_tokens == 100 * of_type.to_send
        assert of_type.prompt_tokens == pytest.approx(3000 * of_type.to_send, rel=0.02)
        assert of_type.completion_from == "the mean of 20 earlier answers"
        assert before.types[name].completion_from == "the mean of the answers that the prompt shows"
    assert "60 earlier answers" in after.tokens_from


def test_too_few_earlier_answers_and_those_without_usage_set_nothing(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco)
    before = estimate(config, tmp_path / "none")
    fill_ledger(tmp_path / "few", make_replies(config, 3))
    fill_ledger(tmp_path / "bare", make_replies(config, 25, prompt_tokens=0, notes=("usage_missing",)))
    for folder in ("few", "bare"):
        found = estimate(config, tmp_path / folder)
        assert "earlier" not in found.tokens_from
        for name, of_type in found.types.items():
            assert of_type.completion_from == before.types[name].completion_from


def test_expected_answers_are_no_longer_than_max_tokens(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco, teacher={"decoding": {"temperature": 0.7, "max_tokens": 10}})
    total = estimate(config, tmp_path / "ds").total
    assert total.completion_tokens == total.most_completion_tokens == 10 * 3 * NUM_IMAGES


def test_without_max_tokens_nothing_bounds_the_cost(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco, teacher={"decoding": {"temperature": 0.7}}, run={"budget_usd": 50})
    found = estimate(config, tmp_path / "ds")
    assert found.total.most_completion_tokens is None
    assert found.total.most_cost_usd is None
    assert found.budget_usd is not None
    assert found.budget_usd.is_surely_enough is None


def test_batches_take_half_the_price_and_no_known_time(coco: Path, tmp_path: Path) -> None:
    live = estimate(make_config(coco), tmp_path / "ds")
    batch = estimate(make_config(coco, run={"batch": True}), tmp_path / "ds")
    assert live.total.cost_usd is not None
    assert batch.total.cost_usd == pytest.approx(live.total.cost_usd / 2)
    assert batch.time is not None
    assert batch.time.seconds is None


def test_unknown_price_is_told_as_unknown_and_a_price_table_ends_that(coco: Path, tmp_path: Path) -> None:
    away = {"base_url": "http://example.org/v1"}
    unknown = estimate(make_config(coco, teacher=away, run={"budget_usd": 1.0}), tmp_path / "ds")
    assert unknown.total.cost_usd is None
    assert unknown.budget_usd is not None
    assert unknown.budget_usd.is_enough is None
    table = tmp_path / "prices.toml"
    table.write_text('[models."gpt-*"]\nprompt = 1\ncompletion = 0\n')
    known = estimate(make_config(coco, teacher={**away, "prices": str(table)}), tmp_path / "ds").total
    assert known.cost_usd == pytest.approx(known.prompt_tokens / 1e6)


def test_several_servers_share_the_cost_by_weight_and_the_dearest_bounds_it(coco: Path, tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text("[models.a]\nprompt = 10\ncompletion = 10\n[models.b]\nprompt = 0\ncompletion = 0\n")
    servers = [
        {"base_url": "http://a.example.org/v1", "model": "a", "weight": 1},
        {"base_url": "http://b.example.org/v1", "model": "b", "weight": 3},
    ]
    found = estimate(make_config(coco, teacher={"servers": servers, "prices": str(table)}), tmp_path / "ds")
    total = found.total
    assert [server.share for server in found.servers] == [0.25, 0.75]
    assert total.cost_usd == pytest.approx(
        (total.prompt_tokens + total.completion_tokens) * 0.25 * 10 / 1e6, rel=1e-3
    )
    assert total.most_completion_tokens is not None
    most = (total.prompt_tokens + total.most_completion_tokens) * 10 / 1e6
    assert total.most_cost_usd == pytest.approx(most)


def test_budget_counts_what_earlier_runs_spent_or_may_have(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco, run={"budget_usd": 1.0, "budget_tokens": 1_000_000})
    replies = make_replies(config, 1)
    fill_ledger(tmp_path / "ds", replies)
    with Ledger(tmp_path / "ds" / "run") as ledger:
        asyncio.run(ledger.mark_sent("ab" * 32, Cost(500_000_000, 4000)))
    found = estimate(config, tmp_path / "ds")
    assert found.budget_usd is not None
    assert found.budget_tokens is not None
    assert found.budget_usd.spent == pytest.approx(3 * 0.001 + 0.5)
    assert found.budget_tokens.spent == 3 * 3100 + 4000


def test_budget_covers_the_requests_that_what_is_left_pays_for() -> None:
    plan = plan_budget(10.0, 4.0, 12.0, 20.0, 100)
    assert (plan.is_enough, plan.is_surely_enough, plan.num_requests) == (False, False, 50)
    plan = plan_budget(20.0, 4.0, 12.0, 20.0, 100)
    assert (plan.is_enough, plan.is_surely_enough, plan.num_requests) == (True, False, 100)
    plan = plan_budget(3.0, 4.0, 12.0, 20.0, 100)
    assert (plan.is_enough, plan.num_requests) == (False, 0)
    plan = plan_budget(1.0, 0.0, 0.0, 0.0, 0)
    assert (plan.is_enough, plan.is_surely_enough, plan.num_requests) == (True, True, 0)


def test_time_is_bound_by_the_tightest_limit(coco: Path, tmp_path: Path) -> None:
    loose = estimate(make_config(coco, teacher={"concurrency": 1}), tmp_path / "ds").time
    tight = estimate(make_config(coco, teacher={"requests_per_minute": 2}), tmp_path / "ds").time
    found = estimate(make_config(coco, teacher={"tokens_per_minute": 1000}), tmp_path / "ds")
    assert loose is not None
    assert loose.seconds == pytest.approx(3 * NUM_IMAGES * loose.latency_s)
    assert tight is not None
    assert (tight.seconds, tight.bound_by) == (3 * NUM_IMAGES * 30, "2 requests a minute")
    assert found.time is not None
    num_tokens = found.total.prompt_tokens + found.total.completion_tokens
    assert found.time.seconds == pytest.approx(num_tokens * 60 / 1000)


def test_limits_of_several_servers_add_up_where_all_are_known() -> None:
    assert add_limits([60.0, 40.0]) == 100.0
    assert add_limits([60.0, None]) is None
    assert add_limits([]) is None


def test_latency_comes_from_the_latest_run_where_it_tells_one(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco)
    fill_ledger(tmp_path / "ds", make_replies(config, 1))
    told = estimate(config, tmp_path / "ds").time
    assert told is not None
    assert told.latency_from.startswith("assumed")
    run = tmp_path / "ds" / "run" / "run.json"
    run.write_text(json.dumps({"stats": {"latency_s": {"mean": 2.5}}}))
    told = estimate(config, tmp_path / "ds").time
    assert told is not None
    assert told.latency_s == 2.5
    for text in ("{", '{"stats": {"latency_s": null}}', "[]", '{"stats": {"latency_s": {"mean": "x"}}}'):
        run.write_text(text)
        told = estimate(config, tmp_path / "ds").time
        assert told is not None
        assert told.latency_from.startswith("assumed")


def test_fallback_is_priced_by_the_thousand_for_its_share_is_not_known(coco: Path, tmp_path: Path) -> None:
    fallback = {"model": "gpt-4o", "decoding": {"max_tokens": 100, "output_format": "json"}}
    found = estimate(make_config(coco, teacher={"fallback": fallback}), tmp_path / "ds").fallback
    assert found is not None
    assert found.model == "gpt-4o"
    assert found.usd_per_1000_units == pytest.approx(
        (found.prompt_tokens * 2.5 + found.completion_tokens * 10) * 1000 / 1e6, rel=1e-3
    )
    assert found.completion_tokens <= 100
    free = estimate(make_config(coco, teacher={"fallback": {"name": "scene-program"}}), tmp_path / "ds").fallback
    assert free is not None
    assert free.usd_per_1000_units == 0.0


def test_fallback_of_a_fallback_is_refused_as_by_a_build(coco: Path) -> None:
    nested = {"fallback": {"model": "a", "fallback": {"model": "b"}}}
    with pytest.raises(InstructgenError, match="no fallback of its own"):
        make_plan_parts(make_config(coco, teacher=nested))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gates": {"total": {"chairs": {"max": 0.1}}}}, "no measure called 'chairs'"),
        ({"gates": {"types": {"caption": {"chair_i": {"max": 0.1}}}}}, "the build makes conv, detail, reasoning"),
        ({"filters": {"options": {"contamination": {"against": ["no.jsonl"]}}}}, "no.jsonl"),
        ({"filters": {"options": {"near_duplicate": {"threshold": 7}}}}, "near_duplicate"),
    ],
)
def test_what_a_build_refuses_is_refused(settings: dict[str, Any], said: str, coco: Path) -> None:
    with pytest.raises(InstructgenError, match=said):
        make_plan_parts(make_config(coco, **settings))


def test_scene_program_costs_nothing(coco: Path, tmp_path: Path) -> None:
    config = convert({"source": {"root": str(coco)}}, BuildConfig)
    found = estimate(config, tmp_path / "ds")
    assert not found.is_remote
    assert (found.total.cost_usd, found.total.most_cost_usd, found.total.prompt_tokens) == (0.0, 0.0, 0)
    assert found.total.to_send == 3 * NUM_IMAGES
    assert found.time is None


def test_json_answers_send_their_schema_along(coco: Path, tmp_path: Path) -> None:
    decoding = {"temperature": 0.7, "max_tokens": 1024}
    parts = make_plan_parts(make_config(coco, teacher={"decoding": {**decoding, "output_format": "json"}}))
    assert all(tokens > 20 for tokens in parts.teacher.schema_tokens.values())
    assert make_plan_parts(make_config(coco, teacher={"decoding": decoding})).teacher.schema_tokens == {}


def test_nothing_is_written_and_no_lock_is_taken(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco, run={"cache_dir": str(tmp_path / "cache")})
    replies = make_replies(config, 5)
    fill_ledger(tmp_path / "ds", replies)
    with AnswerCache(tmp_path / "cache", print) as cache:
        cache.put_many(replies)
    before = list_files(tmp_path)
    with Ledger(tmp_path / "other" / "run"):
        estimate(config, tmp_path / "none")
    estimate(config, tmp_path / "ds")
    assert [one for one in list_files(tmp_path) if "other" not in one[0].parts and one[0] != tmp_path] == before


def test_a_plan_reads_a_folder_in_which_a_build_is_running(coco: Path, tmp_path: Path) -> None:
    config = make_config(coco)
    replies = make_replies(config, 5)
    with Ledger(tmp_path / "ds" / "run") as ledger:
        for reply in replies:
            asyncio.run(ledger.store_reply(reply))
        assert estimate(config, tmp_path / "ds").total.answered == {"ledger": 15}


def test_damaged_cache_is_left_alone_and_answers_nothing(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    path = tmp_path / "cache" / "answers.sqlite"
    path.write_bytes(b"no database" * 1000)
    config = make_config(coco, run={"cache_dir": str(tmp_path / "cache")})
    assert estimate(config, tmp_path / "ds").total.answered == {"cache": 0}
    assert path.read_bytes() == b"no database" * 1000
    assert list((tmp_path / "cache").iterdir()) == [path]


def test_damaged_ledger_stops_a_plan_with_the_cure(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "ds" / "run").mkdir(parents=True)
    (tmp_path / "ds" / "run" / "ledger.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(InstructgenError, match="verify --repair"):
        estimate(make_config(coco), tmp_path / "ds")


def test_progress_tells_how_many_images_of_how_many(coco: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    make_estimate(make_plan_parts(make_config(coco)), tmp_path / "ds", lambda done, of: told.append((done, of)))
    assert told[-1] == (NUM_IMAGES, NUM_IMAGES)


REWRITE = {"rewrite": True, "continue_below_tokens": 80, "repair_rounds": 2}


def test_refinement_adds_one_rewriting_each_and_at_most_every_request(coco: Path, tmp_path: Path) -> None:
    whole = estimate(make_config(coco, refine=REWRITE), tmp_path / "ds")
    plain = estimate(make_config(coco), tmp_path / "ds")
    found = whole.refinement
    assert found is not None
    assert plain.refinement is None
    assert whole.total == plain.total
    assert (found.most_requests_per_answer, found.requests) == (4, whole.total.to_send)
    assert found.completion_tokens == pytest.approx(whole.total.completion_tokens, rel=0.01)
    assert found.cost_usd == pytest.approx((0.15 * found.prompt_tokens + 0.6 * found.completion_tokens) / 1e6)
    assert found.most_cost_usd is not None
    assert found.cost_usd is not None
    assert found.most_cost_usd > 4 * found.cost_usd


def test_budget_is_held_against_refinement_too(coco: Path, tmp_path: Path) -> None:
    plain = estimate(make_config(coco), tmp_path / "ds").total.cost_usd
    assert plain is not None
    tight = {"run": {"budget_usd": plain * 1.01}}
    without = estimate(make_config(coco, **tight), tmp_path / "ds").budget_usd
    refined = estimate(make_config(coco, **tight, refine=REWRITE), tmp_path / "ds").budget_usd
    assert without is not None
    assert refined is not None
    assert (without.is_enough, refined.is_enough) == (True, False)
    assert refined.num_requests is not None
    assert refined.num_requests < NUM_IMAGES * 3


def test_most_of_a_refinement_without_a_longest_answer_is_not_known(coco: Path, tmp_path: Path) -> None:
    refine = {**REWRITE, "teacher": {"model": "gpt-4o", "decoding": {"temperature": 0.0}}}
    found = estimate(make_config(coco, refine=refine), tmp_path / "ds").refinement
    assert found is not None
    assert (found.most_tokens, found.most_cost_usd) == (None, None)


JUDGE = {"teacher": {"model": "gpt-4o-mini", "decoding": {"max_tokens": 200}}}


def test_judge_adds_one_request_for_each_answer_with_its_text_and_what_is_known(coco: Path, tmp_path: Path) -> None:
    whole = estimate(make_config(coco, judge=JUDGE), tmp_path / "ds")
    found, plain = whole.judging, estimate(make_config(coco), tmp_path / "ds")
    assert found is not None
    assert plain.judging is None
    assert whole.total == plain.total
    assert found.requests == whole.total.to_send
    assert found.prompt_tokens > whole.total.completion_tokens + 200 * found.requests
    assert found.cost_usd == pytest.approx((0.15 * found.prompt_tokens + 0.6 * found.completion_tokens) / 1e6)
    assert found.most_cost_usd is not None
    assert found.most_cost_usd > 0.6e-6 * 200 * found.requests + 0.15e-6 * 1024 * found.requests


def test_fallback_doubles_what_the_judge_may_be_asked_at_most(coco: Path, tmp_path: Path) -> None:
    fallback = {"fallback": {"model": "gpt-4o-mini", "decoding": {"max_tokens": 1024}}}
    one = estimate(make_config(coco, judge=JUDGE), tmp_path / "ds").judging
    two = estimate(make_config(coco, judge=JUDGE, teacher=fallback), tmp_path / "ds").judging
    assert one is not None
    assert two is not None
    assert one.most_cost_usd is not None
    assert two.cost_usd == one.cost_usd
    assert two.most_cost_usd == pytest.approx(2 * one.most_cost_usd)


def test_budget_is_held_against_the_judge_too(coco: Path, tmp_path: Path) -> None:
    plain = estimate(make_config(coco), tmp_path / "ds").total.cost_usd
    assert plain is not None
    found = estimate(make_config(coco, run={"budget_usd": plain * 1.01}, judge=JUDGE), tmp_path / "ds").budget_usd
    assert found is not None
    assert found.is_enough is False


def test_picture_is_counted_with_its_prompt(coco: Path, tmp_path: Path) -> None:
    seen = convert(
        {"teacher": {"model": "m", "see_image": "only"}, "types": ["caption"], "source": {"limit": 4}}, BuildConfig
    )
    found = estimate(seen, tmp_path / "ds").total
    assert found.to_send == 4
    assert 4 * (85 + 4 * 170) < found.prompt_tokens < 4 * (85 + 4 * 170 + 600)
