"""What refinement may cost at most: who is asked for what, at whose price."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import convert

from instructgen.config import BuildConfig
from instructgen.jobs.estimate import make_estimate, make_plan_parts
from instructgen.jobs.forecast import Estimate
from instructgen.jobs.forecast_refine import RefinementPlan
from tests.support.coco_folder import make_coco

NUM_IMAGES = 4
DEAR = {"model": "gpt-4o", "decoding": {"max_tokens": 500}}
CHEAP = {"model": "gpt-4o-mini", "decoding": {"max_tokens": 100}}
FREE = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "decoding": {"max_tokens": 100}}
DEAR_ANSWER_USD = 10.0 / 1e6  # gpt-4o's, a token; gpt-4o-mini's costs 0.6


@pytest.fixture(autouse=True)
def _no_openai_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "no-vocabulary"))


def estimate(folder: Path, teacher: dict[str, Any], refine: dict[str, Any]) -> Estimate:
    coco = folder / "coco"
    if not coco.exists():
        make_coco(coco, NUM_IMAGES)
    settings = {"source": {"root": str(coco)}, "types": ["detail"], "teacher": teacher, "refine": refine}
    return make_estimate(make_plan_parts(convert(settings, BuildConfig)), folder / "ds", lambda done, of: None)


def plan(folder: Path, teacher: dict[str, Any], refine: dict[str, Any]) -> RefinementPlan:
    found = estimate(folder, teacher, refine).refinement
    assert found is not None
    return found


def most_usd(folder: Path, teacher: dict[str, Any], refine: dict[str, Any]) -> float:
    most = plan(folder, teacher, refine).most_cost_usd
    assert most is not None
    return most


@pytest.mark.parametrize("refiner", [CHEAP, FREE])
def test_going_on_costs_what_the_one_who_writes_costs(refiner: dict[str, Any], tmp_path: Path) -> None:
    whole = estimate(tmp_path, DEAR, {"continue_below_tokens": 80, "teacher": refiner})
    assert whole.refinement is not None
    assert whole.refinement.most_cost_usd is not None
    assert whole.total.most_cost_usd is not None
    assert whole.refinement.most_cost_usd > whole.total.most_cost_usd  # the same again, and the answer shown
    assert whole.refinement.most_tokens is not None
    assert whole.refinement.most_tokens > NUM_IMAGES * 2 * 500


def test_rewriting_costs_what_the_refiner_costs(tmp_path: Path) -> None:
    assert most_usd(tmp_path, DEAR, {"rewrite": True, "repair_rounds": 1, "teacher": FREE}) == 0.0
    cheap = most_usd(tmp_path, DEAR, {"rewrite": True, "teacher": CHEAP})
    assert 0 < cheap < most_usd(tmp_path, DEAR, {"rewrite": True, "teacher": DEAR}) / 10


def test_answers_of_the_fallback_are_refined_too(tmp_path: Path) -> None:
    rewrite = {"rewrite": True, "teacher": CHEAP}
    alone = most_usd(tmp_path, FREE, rewrite)
    assert most_usd(tmp_path, FREE | {"fallback": FREE}, rewrite) == pytest.approx(2 * alone)
    assert most_usd(tmp_path, FREE | {"fallback": {"name": "scene-program"}}, rewrite) > alone


def test_fallback_goes_on_at_its_own_price_and_is_shown_its_own_prompt(tmp_path: Path) -> None:
    go_on = {"continue_below_tokens": 80}
    assert most_usd(tmp_path, FREE | {"fallback": {"name": "scene-program"}}, go_on) == 0.0
    dear = most_usd(tmp_path, DEAR, go_on)
    assert dear > NUM_IMAGES * 500 * DEAR_ANSWER_USD
    assert most_usd(tmp_path, FREE | {"fallback": DEAR}, go_on) == pytest.approx(dear, rel=0.01)
    assert most_usd(tmp_path, {"name": "scene-program", "fallback": DEAR}, {**go_on}) == pytest.approx(dear, rel=0.01)


def test_fallback_without_a_longest_answer_leaves_the_most_unknown(tmp_path: Path) -> None:
    endless = {"model": "gpt-4o", "decoding": {"temperature": 0.0}}
    found = plan(tmp_path, CHEAP | {"fallback": endless}, {"rewrite": True})
    assert (found.most_tokens, found.most_cost_usd) == (None, None)


def test_limit_of_a_refiner_who_is_asked_nothing_does_not_matter(tmp_path: Path) -> None:
    endless = {"model": "gpt-4o", "decoding": {"temperature": 0.0}}
    assert most_usd(tmp_path, CHEAP, {"continue_below_tokens": 80, "teacher": endless}) > 0
