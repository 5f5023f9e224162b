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


def test_what_lies_all_within_a_screen_that_shows_something_is_on_it() -> None:
    tv, man = ("tv", 0.1, 0.1, 0.9, 0.9), ("person", 0.3, 0.3, 0.6, 0.6)
    assert things_in("A TV showing a movie. | A person and a TV.", tv, man) == {"television"}
    assert things_in("A person and a TV. | A TV.", tv, man) == {"television", "person"}


@pytest.mark.parametrize(
    ("captions", "boxes", "expected"),
    [
        ("A slice of an orange. | A drink with an orange slice.", "orange", set()),
        ("An orange on a plate. | An orange by orange slices.", "orange", {"orange"}),
        ("A glass of milk. | A glass by a plate.", "cup", set()),
        ("A glass of milk. | A cup by a plate.", "cup", set()),
        ("A glass of milk. | A cup by a plate. | A cup.", "cup", {"cup"}),
        ("A television. | A monitor on a desk.", "tv", set()),
        ("A television. | A television. | A monitor.", "tv", {"television"}),
        ("A desk with a lamp. | A table.", "dining table", set()),
        ("A desk with a lamp. | A table. | A table.", "dining table", {"table"}),
        ("A slice of pizza. | A piece of cheese pizza on a plate.", "pizza", set()),
        ("A glass table. | A room with a glass table.", "cup", {"cup"}),
        ("A glass of wine. | A glass.", "cup, wine glass", {"cup", "wine glass"}),
        ("A bucket in the sand. | People.", "cup", set()),
    ],
)
def test_box_that_captions_call_otherwise_is_not_told(captions: str, boxes: str, expected: set[str]) -> None:
    assert things(read(captions, boxes)) == expected


def test_one_pizza_with_its_slice_boxed_apart_is_one() -> None:
    graph = read("A slice of pizza from a pizza. | A pizza. | A man by a pizza.", "2 pizza, person")
    pizza = graph.find("pizza")
    assert pizza is not None
    assert (pizza.said, pizza.boxes) == ("pizza", ())


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ("A man by a couch. | A man in front of a photo of an orange couch. | A man near a picture.", {"man"}),
        ("A man by a couch. | A man in front of a photo of an orange couch. | A man.", {"man", "couch"}),
        ("A picture of a man and a couch. | A man taking a picture of a couch.", {"man", "couch"}),
    ],
)
def test_thing_on_a_picture_in_the_picture_is_not_there(captions: str, expected: set[str]) -> None:
    assert things(read(captions, "person, couch")) == expected


@pytest.mark.parametrize(("word", "expected"), [("mantle", {"teddy bear"}), ("rug", {"teddy bear", "bench"})])
def test_bench_that_captions_call_a_mantle_is_none(word: str, expected: set[str]) -> None:
    assert things(read(f"A teddy bear on a {word}. | A teddy bear.", "teddy bear, bench")) == expected


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ("A vase with a reflection in it. | A vase.", {"vase"}),
        ("A vase. | A vase.", {"vase", "couch"}),
        ("A vase with a reflection in it. | A vase by a couch.", {"vase", "couch"}),
    ],
)
def test_what_no_caption_names_within_a_shiny_thing_is_mirrored(captions: str, expected: set[str]) -> None:
    boxes = (("vase", 0.1, 0.1, 0.9, 0.9), ("couch", 0.3, 0.3, 0.6, 0.6))
    assert things_in(captions, *boxes) == expected
