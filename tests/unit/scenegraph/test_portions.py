"""A slice is told as a slice, and what was partly eaten as that."""

import pytest

from tests.unit.scenegraph.pictures import attributes, read, things


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A slice of pizza on a plate. | A large slice of pizza. | A pizza.", "pizza", {"slice of pizza"}),
        ("A piece of cake on a plate. | A piece of chocolate cake. | A cake.", "cake", {"piece of cake"}),
        ("A slice of pizza on a plate. | A pizza. | A pizza on a table.", "pizza", {"pizza"}),
        ("A slice of pizza. | A pizza with a slice missing. | A slice of pizza.", "pizza", {"pizza"}),
        ("Two slices of pizza. | Slices of pizza. | Slices of pizza.", "pizza", {"pizza"}),
    ],
)
def test_what_most_captions_call_a_slice_is_told_as_one(captions: str, boxes: str, said: set[str]) -> None:
    assert things(read(captions, boxes)) == said


def test_no_slice_is_told_of_a_slice() -> None:
    graph = read("A piece of a chocolate cake on a plate. | A piece of cake. | A piece of cake on a plate.", "cake")
    assert not any("piece of piece" in part.text for one in graph.statements for part in one.subject)


def test_two_captions_tell_that_a_part_was_eaten() -> None:
    assert "sandwich state partly eaten" in attributes(
        read("A half-eaten sandwich on a plate. | A partially eaten sandwich. | A sandwich.", "sandwich")
    )
    assert attributes(read("A half-eaten sandwich on a plate. | A sandwich. | A sandwich.", "sandwich")) == set()
