"""Who is asked, and which settings ask for what cannot be done."""

from typing import Any

import pytest
from msgspec import convert

from instructgen.config import BuildConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.lanes import check_teachers, describe_refinement, find_lanes, list_teachers

MODEL = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}


def make_config(**tables: Any) -> BuildConfig:
    return convert(tables, BuildConfig)


@pytest.mark.parametrize(
    ("tables", "models", "fallback", "refine"),
    [
        ({"teacher": MODEL}, ["m"], None, 0),
        ({"teacher": {**MODEL, "fallback": {"model": "f"}}}, ["m", "f"], 1, 0),
        ({"teacher": MODEL, "refine": {"rewrite": True, "teacher": {"model": "r"}}}, ["m", "r"], None, 1),
        (
            {
                "teacher": {**MODEL, "fallback": {"model": "f"}},
                "refine": {"rewrite": True, "teacher": {"model": "r"}},
            },
            ["m", "f", "r"],
            1,
            2,
        ),
        ({"teacher": MODEL, "refine": {"clean": True, "teacher": {"model": "r"}}}, ["m"], None, 0),
        ({"teacher": MODEL, "judge": {"teacher": {"model": "j"}}}, ["m", "j"], None, 0),
    ],
)
def test_lanes_are_the_places_among_the_teachers(
    tables: dict[str, Any], models: list[str], fallback: int | None, refine: int
) -> None:
    config = make_config(**tables)
    assert [one.model for one in list_teachers(config)] == models
    assert (find_lanes(config).fallback, find_lanes(config).refine) == (fallback, refine)


@pytest.mark.parametrize(
    ("others", "judge"),
    [
        ({}, 1),
        ({"teacher": {**MODEL, "fallback": {"model": "f"}}}, 2),
        ({"teacher": {**MODEL, "fallback": {"model": "f"}}, "refine": {"rewrite": True, "teacher": MODEL}}, 3),
        ({"refine": {"clean": True, "teacher": MODEL}}, 1),
    ],
)
def test_judge_comes_after_all_other_teachers(others: dict[str, Any], judge: int) -> None:
    config = make_config(**{"teacher": MODEL, **others}, judge={"teacher": {"model": "j"}})
    assert find_lanes(config).judge == judge
    assert list_teachers(config)[judge].model == "j"
    assert len(list_teachers(config)) == judge + 1


def test_recorded_run_answers_for_the_judge_too() -> None:
    judge = {"teacher": {**MODEL, "model": "j"}}
    assert list_teachers(make_config(teacher={"replay": "ds/run"}, judge=judge))[1].replay == "ds/run"
    own = {"teacher": {"model": "j", "replay": "other/run"}}
    assert list_teachers(make_config(teacher={"replay": "ds/run"}, judge=own))[1].replay == "other/run"
    assert list_teachers(make_config(teacher=MODEL, judge=judge))[1].base_url == MODEL["base_url"]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"types": ["caption"]}, "'caption' is written by a model that sees .* --see-image"),
        ({"types": ["conv", "caption"], "teacher": MODEL}, "'caption' is written by a model that sees"),
        ({"types": ["caption"], "teacher": {**MODEL, "see_image": "only", "fallback": MODEL}}, "teacher.fallback"),
        ({"teacher": {"see_image": "only"}}, "the scene program sees no picture"),
        ({"teacher": {**MODEL, "see_image": "beside"}, "run": {"batch": True}}, "--batch sends no pictures"),
        ({"refine": {"rewrite": True}}, r"want a language model.*\[refine.teacher\]"),
        ({"refine": {"repair_rounds": 1}}, "want a language model"),
        (
            {"teacher": {**MODEL, "decoding": {"output_format": "json"}}, "refine": {"continue_below_tokens": 80}},
            "two JSON objects do not join",
        ),
        ({"refine": {"rewrite": True, "teacher": {**MODEL, "see_image": "only"}}}, "refine.teacher mends texts"),
        ({"refine": {"rewrite": True, "teacher": {**MODEL, "fallback": MODEL}}}, "refine.teacher mends texts"),
        (
            {"judge": {"teacher": {"name": "scene-program"}}},
            r"judge.teacher wants a language model.*\[judge.teacher\]",
        ),
        ({"judge": {"teacher": {}}}, "judge.teacher wants a language model"),
        ({"judge": {"teacher": {**MODEL, "see_image": "beside"}}}, "judge.teacher goes by what is written"),
        ({"judge": {"teacher": {**MODEL, "fallback": MODEL}}}, "judge.teacher goes by what is written"),
        ({"judge": {"teacher": {**MODEL, "decoding": {"output_format": "json"}}}}, "leave out output_format"),
        ({"judge": {"min_accuracy": 8.0}}, r"\[judge\] names nobody who judges"),
    ],
)
def test_what_a_teacher_cannot_do_is_refused_before_anything_is_asked(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(InstructgenError, match=message):
        check_teachers(make_config(**tables))


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"refine": {"clean": True}},
        {"refine": {"rewrite": True, "teacher": MODEL}},
        {"judge": {"min_accuracy": 8.0, "teacher": MODEL}},
        {"types": ["caption"], "teacher": {**MODEL, "see_image": "beside"}},
        {"teacher": {**MODEL, "fallback": {"name": "scene-program"}}, "refine": {"rewrite": True}},
    ],
)
def test_what_a_teacher_can_do_is_not_refused(tables: dict[str, Any]) -> None:
    check_teachers(make_config(**tables))


def test_user_hears_how_many_requests_refinement_may_add() -> None:
    config = make_config(refine={"continue_below_tokens": 80, "clean": True, "rewrite": True, "repair_rounds": 2})
    said = describe_refinement(config.refine, "m")
    assert "up to 4 more requests for each answer" in said
    assert describe_refinement(make_config(refine={"clean": True}).refine, "m") == (
        "answers are refined: cleaned by rules"
    )


def test_recorded_run_answers_for_the_refiner_too() -> None:
    teacher, refine = {"replay": "out/run"}, {"rewrite": True, "teacher": MODEL}
    _, refiner = list_teachers(make_config(teacher=teacher, refine=refine))
    assert (refiner.name, refiner.replay, refiner.model, refiner.base_url) == ("replay", "out/run", "m", None)
    own = {**refine, "teacher": {"replay": "other/run"}}
    assert list_teachers(make_config(teacher=teacher, refine=own))[1].replay == "other/run"
