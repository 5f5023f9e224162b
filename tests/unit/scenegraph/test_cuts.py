"""Where a clause is cut: never so that what is left means something else, nor with a number that others dispute."""

import pytest

from tests.unit.scenegraph.pictures import actions, read
from tests.unit.scenegraph.test_graph_statements import said
from tests.unit.scenegraph.test_quotes import quote
from tests.unit.scenegraph.test_whole import tell, tell_early


@pytest.mark.parametrize(
    ("captions", "boxes", "wrong"),
    [
        ("Elephants holding their trunks together like friends.", "2 elephant", "holding their trunks"),
        ("A man has his face up to a screen.", "person", "with his face"),
        ("A person feeding a zorb a whole carrot.", "person, carrot", "feeding"),
        ("A man holding a book open while sitting.", "person, book", "holding a book"),
    ],
)
def test_what_becomes_of_a_thing_is_not_cut_off(captions: str, boxes: str, wrong: str) -> None:
    graph = read(f"{captions} | {captions} | {captions} | A zorb. | A zorb.", boxes)
    assert not [one for one in (*said(graph), *actions(graph)) if wrong in one]


def test_place_behind_a_thing_is_no_change_of_it() -> None:
    graph = read("A man riding a skateboard down a zorb. | A man.", "person, skateboard")
    assert "man riding a skateboard" in actions(graph)


def test_half_is_no_part_of_a_thing() -> None:
    captions = (
        "A cut in half sandwich on a plate. | A cut sandwich. | A sandwich is cut. | A sandwich on a plate. | A."
    )
    assert "cut in" not in quote(captions, "sandwich")
    assert "cut in" not in tell(captions, "sandwich")


def test_who_is_behind_is_told_to_be_there() -> None:
    graph = read("A man riding a bicycle with a boy on the back of it. | A man and a boy.", "2 person, bicycle")
    assert said(graph)[0] == "a man is riding a bicycle with a boy on the back"


def test_camera_is_the_one_that_the_picture_was_taken_with() -> None:
    assert "child reaching for the camera" in actions(read("A child reaching for the camera. | A child.", "person"))


def test_nobody_walks_on_people() -> None:
    walking = "Cows walking on a beach. | Cows on a beach. | People in water. | Cows. | Cows walking on a beach"
    assert tell_early(f"{walking} and a wave.", "3 cow, 4 person")
    assert "people" not in tell_early(f"{walking} and people in the water.", "3 cow, 4 person")


@pytest.mark.parametrize(("words", "told"), [("A number", "several newspapers"), ("A bunch", "several newspapers")])
def test_things_are_no_group(words: str, told: str) -> None:
    graph = read(f"{words} of newspapers lying on a bed. | Newspapers on a bed. | Newspapers.", "bed")
    assert f"{told} are lying on a bed" in said(graph)


_ONE_TIRE = "A man on a tire. | A man sitting on the tire of a truck. | A truck."


@pytest.mark.parametrize(("others", "is_told"), [(_ONE_TIRE, False), ("A man on tires. | A truck. | A truck.", True)])
def test_several_are_told_only_where_more_captions_have_several(others: str, *, is_told: bool) -> None:
    graph = read(f"A man sits on the tires of a car. | A man sits on tires. | {others}", "person")
    assert ("man sitting on tires" in actions(graph)) is is_told


@pytest.mark.parametrize(("others", "is_told"), [("A zorb by a kiosk", False), ("A zorb by kiosks", True)])
def test_number_of_an_unknown_thing_is_that_of_most(others: str, *, is_told: bool) -> None:
    captions = f"A zorb rolling by kiosks. | {others}. | A zorb rolling by kiosks. | {others}. | A zorb."
    assert ("kiosks" in quote(captions)) is is_told
    assert ("kiosks" in tell_early(captions, "")) is is_told
