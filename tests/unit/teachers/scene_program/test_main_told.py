"""What conversations tell of a whole, and what they leave out as it says nothing."""

import random

import pytest

from instructgen.teachers.scene_program.conversation import make_conversation
from instructgen.teachers.scene_program.firmness import Firmness
from instructgen.teachers.scene_program.generators.outdone import tells_itself
from instructgen.teachers.scene_program.phrasing import told_claim
from instructgen.teachers.scene_program.talk import is_looked_into
from tests.unit.scenegraph.pictures import read

_DOOR = "A man holding an oven door open. | A man holds down an oven door. | A man holding open an oven door."


def test_doing_of_three_captions_is_firm_in_the_words_of_one() -> None:
    graph = read(_DOOR, "person, oven")
    told = [one for one in (*graph.statements, *graph.quotes) if one.verb == "hold"]
    assert told
    assert Firmness(graph).is_firm([told_claim(told[0])], 3)


@pytest.mark.parametrize(
    ("captions", "is_told"),
    [("A surfer is riding a surfboard.", True), ("A surfer is riding a surfboard on a wave.", False)],
)
def test_a_doing_that_is_in_the_name_says_itself(captions: str, *, is_told: bool) -> None:
    (one,) = [found for found in read(f"{captions} | {captions}", "person, surfboard").statements if found.verb][:1]
    assert tells_itself(one) == is_told


@pytest.mark.parametrize(("captions", "is_shown"), [("Sheep look at the camera.", False), ("A camera.", True)])
def test_camera_that_is_looked_into_is_not_shown(captions: str, *, is_shown: bool) -> None:
    graph = read(f"{captions} | {captions}", "sheep")
    camera = graph.find("camera")
    assert camera is not None
    assert is_looked_into(camera, graph) != is_shown


def test_several_are_counted_where_one_asks_whether_they_are_there() -> None:
    graph = read("Three cows in a field. | Three cows. | A field.", "3 cow")
    turns = [one for seed in range(40) for one in make_conversation(graph, random.Random(seed), "plain")]
    affirmed = [one.answer for one in turns if one.family == "present_counted"]
    assert affirmed
    assert all("three" in answer for answer in affirmed)
