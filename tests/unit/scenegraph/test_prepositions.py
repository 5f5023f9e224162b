"""Prepositions of one place that exclude one another: who is near a fence is not on it."""

import pytest

from instructgen.scenegraph.prepositions import find_placings, is_misplaced
from instructgen.scenegraph.reading import read_captions
from tests.unit.scenegraph.pictures import circumstances, make_picture, read
from tests.unit.scenegraph.test_corroboration import told
from tests.unit.scenegraph.test_graph_statements import said

ON, BY, OVER = "A boy on a fence.", "A boy by wrought iron fence.", "A boy looks over a fence."


@pytest.mark.parametrize(
    ("preposition", "captions", "misplaced"),
    [
        ("on", [ON], False),
        ("on", [ON, BY], True),
        ("on", [ON, ON, BY], False),
        ("on", [ON, OVER], False),
        ("near", [ON, BY], True),
        ("on", ["A cart on a fence.", "A boy painted by a fence."], False),
        ("over", [ON, BY], False),
    ],
)
def test_place_that_as_many_captions_tell_otherwise_is_misplaced(
    preposition: str, captions: list[str], *, misplaced: bool
) -> None:
    placings = find_placings(read_captions(make_picture("|".join(captions))))
    assert is_misplaced(preposition, "fence", placings) is misplaced


@pytest.mark.parametrize(
    ("preposition", "key", "captions", "misplaced"),
    [
        ("near", "baseball field", ["Players near the baseball field.", "Players in a field."], True),
        ("on", "dirt road", ["Zebras on a dirt road.", "Zebras on the side of a road."], True),
        ("on", "building", ["A clock on a building.", "A clock on the side of a building."], False),
    ],
)
def test_one_place_under_two_names_is_one(
    preposition: str, key: str, captions: list[str], *, misplaced: bool
) -> None:
    placings = find_placings(read_captions(make_picture("|".join(captions))))
    assert is_misplaced(preposition, key, placings) is misplaced


def test_second_place_of_a_clause_is_left_out_where_others_have_it_otherwise() -> None:
    graph = read(
        "People standing by a bus under an airplane. | People standing near a plane. | A bus next to a jetliner.",
        "2 person, bus, airplane",
    )
    assert "people are standing by a bus" in said(graph)


def test_beach_that_others_are_on_their_way_to_is_not_where_it_was_taken() -> None:
    on, to, by = "A man rides a horse on the beach.", "A man rides a horse to the beach.", "A horse next to a beach."
    assert circumstances(read(f"{on} | {on} | {to}", "person, horse")) == {"place beach"}
    graph = read(f"{on} | {to} | {by}", "person, horse")
    assert circumstances(graph) == set()
    assert told(graph) == {"man riding a horse"}
