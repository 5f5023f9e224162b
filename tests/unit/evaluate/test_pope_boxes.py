"""Which boxes make a question whose answer is yes."""

from instructgen.evaluate.pope import count_categories, find_clear, make_questions
from instructgen.records import Box, ImageRecord
from tests.support.grounded import make_record

TINY, LARGE = (0.1, 0.1, 0.11, 0.11), (0.1, 0.1, 0.5, 0.5)
RECORD = ImageRecord(
    "coco/1",
    "1.jpg",
    640,
    480,
    ("A dog beside a bench.",),
    (
        Box("dog", *LARGE),
        Box("bench", *LARGE),
        Box("car", *LARGE),
        Box("kite", *TINY),
        Box("person", *LARGE, is_crowd=True),
    ),
)
COUNTS = count_categories([RECORD, make_record("cat", "bus", "bird"), make_record("zebra")])


def test_crowds_and_specks_are_neither_asked_as_there_nor_as_absent() -> None:
    assert find_clear(RECORD, 1 / 300) == ["dog", "bench", "car"]
    for seed in range(20):
        questions = make_questions(RECORD, COUNTS, "random", seed, 1 / 300)
        assert {one.category for one in questions if one.answer == "yes"} == {"dog", "bench", "car"}
        assert not {"kite", "person"} & {one.category for one in questions}


def test_image_with_two_clear_things_is_not_asked_about() -> None:
    assert make_questions(RECORD, COUNTS, "random", 0, 0.5) == ()
