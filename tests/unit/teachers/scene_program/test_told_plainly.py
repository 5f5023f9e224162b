"""Descriptions and answers say what somebody would say: no cup beside its coffee, no pole that fills the picture."""

import pytest

from instructgen.records import Box
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.rules import find_matches
from tests.support.make import make_record
from tests.unit.scenegraph.pictures import make_picture, read

_SEEDS = range(8)


def describe(captions: str, boxes: str, seed: int) -> str:
    return write(Task("detail", make_picture(captions, boxes)), seed).text.lower()


@pytest.mark.parametrize("seed", _SEEDS)
def test_coffee_is_in_the_cup_that_was_told(seed: int) -> None:
    captions = "A cup on a table. | A cup next to a laptop. | Coffee is on a table. | Coffee on a table. | A cup."
    text = describe(captions, "cup, dining table, laptop", seed)
    assert "cup" in text
    assert "coffee" not in text


@pytest.mark.parametrize("seed", _SEEDS)
def test_broccoli_is_on_the_plate_of_food(seed: int) -> None:
    captions = "Broccoli. | A plate of food. | A plate of food. | A plate of food. | Broccoli."
    text = describe(captions, "broccoli", seed)
    assert "a plate of food with broccoli" in text


@pytest.mark.parametrize("seed", _SEEDS)
def test_oven_of_stainless_steel_is_not_silver_steel(seed: int) -> None:
    captions = "A stainless steel oven. | A silver oven. | A stainless steel oven and a chair. | A silver oven."
    text = describe(captions, "oven, chair", seed)
    assert "steel oven" in text
    assert "silver" not in text


@pytest.mark.parametrize("seed", _SEEDS)
def test_everyday_clothes_alone_are_not_told(seed: int) -> None:
    captions = "A man in orange pants holding a kite. | A man in red pants with a kite. | A man holding a kite."
    assert "pants" not in describe(captions, "person, kite", seed)


@pytest.mark.parametrize(("x1", "fills"), [(0.2, False), (0.7, True)])
def test_narrow_thing_fills_no_picture(x1: float, *, fills: bool) -> None:
    captions = ("A knife next to a plate.", "A knife.", "A knife.")
    record = make_record(captions=captions, boxes=(Box("knife", 0.05, 0.02, x1, 0.99),))
    told = [write(Task("detail", record), seed).text.lower() for seed in _SEEDS]
    assert any("height of" in text or "top to bottom" in text for text in told) is fills


@pytest.mark.parametrize("seed", _SEEDS)
def test_nobody_asks_which_person_looks_largest(seed: int) -> None:
    boxes = (Box("person", 0.02, 0.1, 0.4, 0.9), Box("person", 0.7, 0.3, 0.75, 0.4), Box("sheep", 0.5, 0.5, 0.6, 0.6))
    record = make_record(captions=("People and a sheep.", "People near a sheep."), boxes=boxes)
    assert "larg" not in write(Task("detail", record), seed).text.lower()


@pytest.mark.parametrize("seed", _SEEDS)
def test_where_the_first_thing_lies_goes_before_a_list(seed: int) -> None:
    captions = "A slice of pizza with cheese and sauce on a plate. | A large slice of pizza on a plate."
    text = describe(f"{captions} | A big slice of pizza on a plate next to a glass of beverage.", "pizza, cup", seed)
    assert "on a plate" in text.split(".")[0]


def test_rule_is_about_what_captions_name() -> None:
    named = "A bicycle on a bridge. | A bicycle by a rail. | A bicycle and cars. | A bicycle. | A bicycle."
    wanted = [one.rule.when.named for one in find_matches(read(named, "bicycle, car"))]
    assert any("bicycle" in names for names in wanted)
    assert not any("car" in names and "bicycle" not in names for names in wanted)


@pytest.mark.parametrize("seed", _SEEDS)
def test_skier_need_not_be_told_to_ski(seed: int) -> None:
    captions = "A skier is skiing. | A skier skiing fast. | A skier is crouched and skiing. | A skier. | A skier."
    told = write(Task("reasoning", make_picture(captions, "person, skis")), seed).turns
    assert told
    assert "skier is skiing" not in told[0].answer
