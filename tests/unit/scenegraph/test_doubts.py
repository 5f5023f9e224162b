"""Boxes that captions outvote, that are printed on a book, or that hold what another category's box holds too."""

import pytest

from instructgen.records import Box
from instructgen.scenegraph.read import read_graph
from tests.support.make import make_record
from tests.unit.scenegraph.pictures import read, things


def things_in(captions: str, *boxes: tuple[str, float, float, float, float]) -> set[str]:
    record = make_record(captions=tuple(captions.split(" | ")), boxes=tuple(Box(*one) for one in boxes))
    return things(read_graph(record))


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ("A clock on a wall. | A gauge on a wall.", set()),
        ("A clock on a wall. | A clock. | A gauge on a wall.", {"clock"}),
        ("A clock on a wall. | A wall.", {"clock"}),
    ],
)
def test_clock_that_as_many_captions_call_a_gauge_is_none(captions: str, expected: set[str]) -> None:
    assert things(read(captions, "clock")) == expected


def test_box_within_a_large_book_is_printed_there() -> None:
    book = ("book", 0.1, 0.1, 0.9, 0.9)
    captions = "A book with a dog. | A dog on a book."
    assert things_in(captions, book, ("dog", 0.3, 0.3, 0.6, 0.6)) == {"book"}
    assert things_in(captions, book, ("dog", 0.3, 0.3, 1.0, 0.6)) == {"book", "dog"}


def test_one_place_boxed_as_two_things_holds_what_most_captions_name() -> None:
    boxes = (("truck", 0.1, 0.1, 0.9, 0.9), ("bus", 0.1, 0.1, 0.9, 0.88))
    assert things_in("A bus. | A bus. | A truck.", *boxes) == {"bus"}
    assert things_in("A bus. | A truck.", *boxes) == {"bus", "truck"}
