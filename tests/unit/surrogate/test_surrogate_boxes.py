"""Which boxes a surrogate shows, option by option."""

from typing import Any

import pytest

from instructgen.config import SurrogateConfig
from instructgen.records import Box, ImageRecord, Surrogate
from instructgen.surrogate.boxes import keep_largest, merge_doubles, overlap, select_boxes
from instructgen.surrogate.render import make_surrogate

SMALL = Box("dog", 0.9, 0.9, 0.92, 0.95)  # 0.001 of the image
LARGE = Box("bench", 0.3, 0.1, 0.8, 0.9)
MIDDLE = Box("cat", 0.0, 0.0, 0.2, 0.5)
CROWD = Box("person", 0.1, 0.1, 0.5, 0.6, is_crowd=True)
BOXES = (SMALL, LARGE, MIDDLE, CROWD)


def select(**options: Any) -> tuple[Box, ...]:
    return tuple(select_boxes(BOXES, SurrogateConfig(**options)))


def test_all_boxes_are_kept_in_annotation_order_by_default() -> None:
    assert select() == BOXES


def test_largest_boxes_are_kept_in_their_old_order() -> None:
    assert select(max_boxes=2) == (LARGE, CROWD)
    assert select(max_boxes=3) == (LARGE, MIDDLE, CROWD)
    assert select(max_boxes=4) == BOXES


def test_of_equally_large_boxes_the_earlier_are_kept() -> None:
    same = [Box(str(n), 0.0, 0.0, 0.5, 0.5) for n in range(5)]
    assert keep_largest(same, 3) == same[:3]


def test_boxes_below_the_least_area_are_left_out() -> None:
    assert select(min_area=0.01) == (LARGE, MIDDLE, CROWD)
    assert select(min_area=LARGE.area) == (LARGE,)


def test_crowds_can_be_left_out() -> None:
    assert select(crowd="drop") == (SMALL, LARGE, MIDDLE)


def test_boxes_can_be_ordered_by_area_or_from_left_to_right() -> None:
    assert select(order="area") == (LARGE, CROWD, MIDDLE, SMALL)
    assert select(order="left_to_right") == (MIDDLE, CROWD, LARGE, SMALL)


def test_order_is_applied_to_the_boxes_that_are_kept() -> None:
    assert select(order="left_to_right", max_boxes=2) == (CROWD, LARGE)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Box("a", 0, 0, 0.5, 1), Box("a", 0, 0, 0.5, 1), 1.0),
        (Box("a", 0, 0, 0.5, 1), Box("a", 0.25, 0, 0.75, 1), 1 / 3),
        (Box("a", 0, 0, 0.5, 1), Box("a", 0.5, 0, 1, 1), 0.0),
        (Box("a", 0, 0, 0.5, 0.5), Box("a", 0.6, 0.6, 1, 1), 0.0),
        (Box("a", 0.5, 0.5, 0.5, 0.5), Box("a", 0.5, 0.5, 0.5, 0.5), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(first: Box, second: Box, expected: float) -> None:
    assert overlap(first, second) == pytest.approx(expected)
    assert overlap(second, first) == pytest.approx(expected)


def test_near_identical_boxes_of_one_category_are_written_once() -> None:
    first, double = Box("bag", 0.1, 0.1, 0.5, 0.5), Box("bag", 0.1, 0.1, 0.5, 0.51)
    apart = Box("bag", 0.6, 0.1, 0.9, 0.5)
    assert merge_doubles([first, double, apart], 0.9) == [first, apart]
    assert merge_doubles([first, double, apart], 0.99) == [first, double, apart]


def test_near_identical_boxes_of_two_categories_are_both_written() -> None:
    backpack, suitcase = Box("backpack", 0.1, 0.1, 0.5, 0.5), Box("suitcase", 0.1, 0.1, 0.5, 0.5)
    assert merge_doubles([backpack, suitcase], 0.5) == [backpack, suitcase]


def test_crowd_does_not_swallow_a_thing_of_its_category() -> None:
    crowd, one = Box("person", 0.1, 0.1, 0.5, 0.5, is_crowd=True), Box("person", 0.1, 0.1, 0.5, 0.5)
    assert merge_doubles([crowd, one], 0.5) == [crowd, one]


def test_doubles_do_not_use_up_the_places_of_other_boxes() -> None:
    boxes = (LARGE, LARGE, MIDDLE)
    assert tuple(select_boxes(boxes, SurrogateConfig(max_boxes=2, merge_iou=0.9))) == (LARGE, MIDDLE)


def test_surrogate_counts_the_boxes_that_it_shows() -> None:
    record = ImageRecord("coco/1", "1.jpg", 9, 9, ("A dog.",), BOXES)
    surrogate = make_surrogate(record, SurrogateConfig(max_boxes=1), with_boxes=True)
    assert surrogate == Surrogate("coco/1", "A dog.\n\nbench: [0.3, 0.1, 0.8, 0.9]", 1, 1)
