"""What a plan for many images says, against values that are worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from instructgen.config import BuildConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.forecast import Estimate, ServerPlan, TimePlan, TypePlan, add_up
from instructgen.jobs.forecast_judge import JudgingPlan
from instructgen.jobs.plan_costs import Line, UnitCosts, fit, read_unit_costs
from instructgen.jobs.plan_loads import parse_count
from instructgen.jobs.plan_run import MeasuredRun
from instructgen.jobs.plan_scale import ScalePlan, ScaleWishes, scale_up
from tests.support.unit_costs import make_figures, write_figures

CONFIG = BuildConfig(types=("conv", "detail"))
SERVER = ServerPlan("http://a/v1", "m", None, "nobody told", 1.0, 10, None, None)


@pytest.fixture
def costs(tmp_path: Path) -> UnitCosts:
    return read_unit_costs(write_figures(tmp_path / "figures.json"))


def make_type(units: int, rejected: int) -> TypePlan:
    """Prompts of 1,000 tokens and answers of 100, for a dollar each."""
    num = units - rejected
    return TypePlan(
        units=units,
        rejected={"no_captions": rejected} if rejected else {},
        requests=num,
        answered={},
        to_send=num,
        prompt_tokens=1000 * num,
        shared_prompt_tokens=0,
        completion_tokens=100 * num,
        most_completion_tokens=1024 * num,
        cached_cost_usd=None,
        cost_usd=float(num),
        most_cost_usd=2.0 * num,
        completion_from="the mean of 20 earlier answers",
    )


def make_estimate(*servers: ServerPlan, **changes: Any) -> Estimate:
    """Of 100 images, two types and 10 units that are rejected; 2 s an answer."""
    types = {"conv": make_type(100, 10), "detail": make_type(100, 0)}
    made = Estimate(
        teacher="openai",
        model="m",
        is_remote=True,
        is_batch=False,
        types=types,
        total=add_up(list(types.values())),
        servers=servers or (SERVER,),
        tokens_from="counted",
        budget_usd=None,
        budget_tokens=None,
        time=TimePlan(38.0, "10 requests in flight", 2.0, "assumed: by hand"),
        fallback=None,
        num_images=100,
        issues={},
        num_not_recorded=0,
    )
    return replace(made, **changes)


def make_local() -> Estimate:
    free = {"teacher": "scene-program", "is_remote": False, "servers": (), "time": None}
    types = {name: replace(one, prompt_tokens=0, completion_tokens=0) for name, one in make_estimate().types.items()}
    return make_estimate(**free, types=types, total=add_up(list(types.values())))


def plan(costs: UnitCosts, estimate: Estimate, run: MeasuredRun | None = None, **wishes: Any) -> ScalePlan:
    return scale_up(estimate, CONFIG, costs, run, ScaleWishes(**{"num_images": 1_000_000, **wishes}))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("100e6", 100_000_000),
        ("1M", 1_000_000),
        ("250000", 250_000),
        ("2.5k", 2_500),
        ("1_000,000", 1_000_000),
        ("1b", 10**9),
    ],
)
def test_number_of_images_is_read_as_people_write_it(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "0", "1.5", "-3", "many", "1e99", "1Mk", "nan", "0.5k0"])
def test_what_is_no_number_of_images_is_refused(text: str) -> None:
    with pytest.raises(InstructgenError, match="no number of images"):
        parse_count(text)


def test_figures_give_what_a_unit_and_a_request_take(costs: UnitCosts) -> None:
    assert costs.start_s == pytest.approx(2)
    assert costs.server_s == pytest.approx(0.0034)
    assert costs.program_s == pytest.approx(0.004)
    assert costs.free_s == pytest.approx(0.003)
    assert costs.ask_s == pytest.approx(0.0005)
    assert costs.merge.at(10_000) == pytest.approx(2)
    assert (costs.process_mb, costs.merge_mb) == (103, 100)
    assert (costs.row_bytes, costs.ledger_bytes) == (pytest.approx(200), pytest.approx(300))
    assert costs.server_ledger_bytes == pytest.approx(900)


def test_line_through_points_falls_below_nothing() -> None:
    assert fit([(2.0, 8.0)]) == Line(0.0, 4.0)
    assert fit([(1.0, 3.0), (3.0, 7.0)]) == Line(1.0, 2.0)
    assert fit([(1.0, 5.0), (3.0, 1.0)]).unit == 0.0
    assert fit([(2.0, 1.0), (3.0, 4.0)]) == Line(0.0, 3.0)


def test_shipped_figures_can_be_used() -> None:
    costs = read_unit_costs(None)
    assert 0 < costs.ask_s < costs.server_s < 0.1
    assert 0 < costs.free_s < costs.program_s < 0.1
    assert costs.row_bytes > 0
    assert costs.origin.startswith("the shipped figures of ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "scale_units"),
        ('{"as_of": "x", "how": "y", "figures": [{"teacher": "program"}]}', "engine"),
        ('{"as_of": "x", "how": "y", "figures": []}', "no figure of teacher program"),
    ],
)
def test_figures_that_are_none_say_how_to_make_them(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)
    with pytest.raises(InstructgenError, match=said):
        read_unit_costs(path)
    with pytest.raises(InstructgenError, match="cannot be read"):
        read_unit_costs(tmp_path / "none.json")


def test_loads_grow_with_the_images(costs: UnitCosts) -> None:
    found = plan(costs, make_estimate())
    assert found.types["conv"].units == 1_000_000
    assert found.types["conv"].rejected == 100_000
    assert found.total.requests == 1_900_000
    assert found.total.prompt_tokens == 1_900_000_000
    assert found.total.completion_tokens == 190_000_000
    assert found.total.cost_usd == pytest.approx(1_900_000)
    assert found.total.most_cost_usd == pytest.approx(3_800_000)
    assert (found.num_images, found.sample_images) == (1_000_000, 100)


def test_judge_adds_requests_but_no_units(costs: UnitCosts) -> None:
    judging = JudgingPlan("openai", "j", 190, 19_000, 1_900, None, 1.9, None)
    found = plan(costs, make_estimate(judging=judging))
    assert found.total.units == 2_000_000
    assert found.total.requests == 3_800_000
    assert found.total.prompt_tokens == 1_900_000_000 + 190_000_000
    assert found.work.building_hours == pytest.approx((2_000_000 * 0.0034 + 1_900_000 * 0.0005) / 3600)
    assert found.total.cost_usd == pytest.approx(1_900_000 + 19_000)
    assert found.total.most_cost_usd is None


def test_time_is_that_of_the_tightest_limit_and_of_the_merge(costs: UnitCosts) -> None:
    limited = replace(SERVER, requests_per_minute=1000.0, tokens_per_minute=2_000_000.0)
    found = plan(costs, make_estimate(limited), tokens_per_second=1000.0)
    assert found.clock.bounds["1,000 requests a minute"] == pytest.approx(1900 / 60)
    assert found.clock.bounds["2,000,000 tokens a minute"] == pytest.approx(2090 / 2 / 60)
    assert found.clock.bounds["1,000 answer tokens a second"] == pytest.approx(190_000 / 3600)
    assert found.clock.bounds["10 requests in flight"] == pytest.approx(1_900_000 * 2 / 10 / 3600)
    assert found.clock.bound_by == "10 requests in flight"
    # One process: the asking takes 380,000 s, our own work 2,000,000 x 3.4 ms = 6,800 s.
    assert found.parts.num_at_once == 1
    assert found.clock.merge_hours == pytest.approx((1 + 200) / 3600)
    assert found.clock.hours == pytest.approx(380_000 / 3600 + 201 / 3600)


def test_servers_that_are_quick_get_as_many_processes_as_keep_up(costs: UnitCosts) -> None:
    quick = replace(SERVER, concurrency=2000)
    found = plan(costs, make_estimate(quick))
    # 1,900 s of asking, 6,800 s of our own at half a core each: 7.2 processes.
    assert found.parts.num_at_once == 8
    assert found.parts.concurrency == 250
    assert found.parts.num_nodes == 1
    assert found.parts.num_parts == 24  # 1 + 0.1 x 6,800 / 30: reading over is not to take more than a twentieth


def test_nodes_bring_their_own_requests_in_flight(costs: UnitCosts) -> None:
    found = plan(costs, make_estimate(), nodes=4, cores_per_node=8)
    assert found.parts.num_at_once == 32
    assert found.parts.concurrency == 10
    assert found.clock.bounds["320 requests in flight"] == pytest.approx(1_900_000 * 2 / 320 / 3600)
    assert found.memory.node_mb == pytest.approx(8 * found.memory.process_mb)
    assert (found.memory.process_mb, found.memory.merge_mb) == (103, 100)


def test_tokens_a_second_are_each_servers(costs: UnitCosts) -> None:
    found = plan(costs, make_estimate(SERVER, SERVER), tokens_per_second=1000.0)
    assert found.clock.bounds["2,000 answer tokens a second"] == pytest.approx(190_000 / 2 / 3600)


def test_teacher_in_the_process_takes_the_cores_of_a_node(costs: UnitCosts) -> None:
    found = plan(costs, make_local(), cores_per_node=4)
    # 2,000,000 x 4 ms; 28 parts, which read over half of a million images each, a million in 30 s.
    assert found.work.building_hours == pytest.approx(8_000 / 3600)
    assert found.parts.num_parts == 28
    assert found.work.starting_hours == pytest.approx(56 / 3600)
    assert found.work.reading_over_hours == pytest.approx(13.5 * 30 / 3600)
    assert found.clock.hours == pytest.approx((8_000 + 56 + 405) / 4 / 3600 + 201 / 3600)
    assert found.clock.bound_by == "4 processes of ours"
    assert found.parts.concurrency is None
    assert found.stores.dataset_bytes == 1_900_000 * 200
    assert found.stores.ledger_bytes == 1_900_000 * 300
    assert found.stores.sent_bytes == found.stores.received_bytes == 0


def test_few_images_are_not_divided(costs: UnitCosts) -> None:
    found = plan(costs, make_estimate(), num_images=1000)
    assert found.parts.num_parts == 1
    assert found.work.merging_hours == found.memory.merge_mb == 0


def test_dataset_ledger_and_network_are_weighed(costs: UnitCosts) -> None:
    stores = plan(costs, make_estimate()).stores
    assert stores.num_rows == 1_900_000
    assert stores.dataset_bytes == 1_900_000 * (100 + 160)  # 40% of 100 tokens of 4 bytes
    assert stores.ledger_bytes == 1_900_000 * 900
    assert stores.num_shards == 428 + 23 + 475 + 25  # 95% and 5% of 900,000 and of 1,000,000, in 2,000
    assert stores.better_rows_per_shard is None
    assert stores.sent_bytes == 4 * 1_900_000_000 + 1_900_000 * 1000
    assert stores.received_bytes == 4 * 190_000_000 + 1_900_000 * 1000


def test_very_many_shards_are_told_with_a_better_size(costs: UnitCosts) -> None:
    stores = plan(costs, make_estimate(), num_images=100_000_000).stores
    assert stores.num_shards > 90_000
    assert stores.better_rows_per_shard == 100_000
    heavy = MeasuredRun("0" * 12, 1000, 1000, 20_000.0, 300.0, None)
    assert plan(costs, make_estimate(), heavy, num_images=100_000_000).stores.better_rows_per_shard == 10_000


def test_run_that_is_there_comes_before_the_figures(costs: UnitCosts) -> None:
    run = MeasuredRun("0" * 12, num_units=400, num_rows=300, row_bytes=1000.0, ledger_bytes=50.0, cpu_s=4.0)
    found = plan(costs, make_estimate(), run)
    assert found.stores.num_rows == 1_500_000
    assert found.stores.dataset_bytes == 1_500_000_000
    assert found.stores.ledger_bytes == 100_000_000
    assert found.work.building_hours == pytest.approx(2_000_000 * 0.01 / 3600)
    assert any("version 000000000000, 400 units" in line for line in found.measured)
    assert not any("every answer is kept" in line for line in found.assumed)
    assert any("every answer is kept" in line for line in plan(costs, make_estimate()).assumed)


def test_what_is_kept_of_each_sample_is_counted_where_they_come_together(costs: UnitCosts) -> None:
    config = convert({"types": ["conv", "detail"], "filters": {"use": ["default", "diversity"]}}, BuildConfig)
    found = scale_up(make_estimate(), config, costs, None, ScaleWishes(1_000_000, nodes=1))
    assert found.memory.process_mb == 103
    assert found.memory.merge_mb == pytest.approx(100 + 2_000_000 * 512 / 1e6)


def test_batches_have_no_known_time(costs: UnitCosts) -> None:
    clock = plan(costs, make_estimate(is_batch=True)).clock
    assert clock.hours is None
    assert clock.bound_by == "the batch API"


def test_budget_covers_so_many_images(costs: UnitCosts) -> None:
    run = {"budget_usd": 19.0, "budget_tokens": 20_900_000}
    config = convert({"types": ["conv", "detail"], "run": run}, BuildConfig)
    found = scale_up(make_estimate(), config, costs, None, ScaleWishes(1_000_000))
    assert found.budget_images == 10  # $1.90 an image; the tokens would do for 10,000
    assert plan(costs, make_estimate()).budget_images is None


def test_a_source_without_an_image_is_no_sample(costs: UnitCosts) -> None:
    with pytest.raises(InstructgenError, match="nothing to extrapolate from"):
        plan(costs, make_estimate(num_images=0))


def test_one_figure_of_a_kind_goes_through_the_origin(tmp_path: Path) -> None:
    alone = [one for one in make_figures() if one["units"] == 1000]
    costs = read_unit_costs(write_figures(tmp_path / "one.json", alone))
    assert costs.free_s == pytest.approx(0.005)
    assert json.loads((tmp_path / "one.json").read_text())["how"] in costs.origin
