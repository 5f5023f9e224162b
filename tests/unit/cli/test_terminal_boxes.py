import pytest
from rich.cells import cell_len

from instructgen.cli.terminal_boxes import draw_boxes
from instructgen.records import Box
from tests.support.make import make_record


def test_boxes_stand_where_they_are_with_their_names() -> None:
    assert draw_boxes(make_record(), 40, 12, is_ascii=True) == [
        "+------------------------------+",
        "|                              |",
        "|                              |",
        "|                              |",
        "|                              |",
        "|   +dog------+                |",
        "|   |         |                |",
        "|   |         |                |",
        "|   |         |     sports ball|",
        "|   +---------+      +--+      |",
        "|                              |",
        "+------------------------------+",
    ]


@pytest.mark.parametrize("columns", [1, 12, 40, 72])
@pytest.mark.parametrize("shape", [(640, 480), (4000, 100), (100, 4000), (0, 0)])
def test_drawing_keeps_its_room_whatever_the_image(columns: int, shape: tuple[int, int]) -> None:
    record = make_record(width_px=shape[0], height_px=shape[1])
    lines = draw_boxes(record, columns, 20)
    assert max(map(cell_len, lines)) <= max(12, columns)
    assert 5 <= len(lines) <= 20


def test_boxes_that_leave_the_image_or_are_nothing_are_drawn_inside() -> None:
    boxes = (Box("far", -0.5, -0.5, 1.5, 1.5), Box("dot", 1.0, 1.0, 1.0, 1.0), Box("line", 0.2, 0.0, 0.2, 1.0))
    lines = draw_boxes(make_record(boxes=boxes), 40, 12)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert any("far" in line for line in lines)


def test_crossing_lines_meet() -> None:
    boxes = (Box("a", 0.1, 0.4, 0.9, 0.6), Box("b", 0.4, 0.1, 0.6, 0.9))
    assert sum(line.count("┼") for line in draw_boxes(make_record(boxes=boxes), 60, 20)) == 4


def test_no_label_is_written_over_another() -> None:
    boxes = tuple(Box(f"thing{number}", 0.1, 0.1, 0.5, 0.5) for number in range(9))
    text = "\n".join(draw_boxes(make_record(boxes=boxes), 60, 20))
    found = [f"thing{number}" for number in range(9) if f"thing{number}" in text]
    assert len(found) >= 5
    assert text.count("thing") == len(found)


def test_crowd_says_so_and_a_name_cannot_steer_the_terminal() -> None:
    boxes = (Box("person", 0.1, 0.1, 0.9, 0.5, is_crowd=True), Box("\x1b[2J\x9bx犬", 0.1, 0.6, 0.9, 0.9))
    text = "\n".join(draw_boxes(make_record(boxes=boxes), 60, 20))
    assert "person (crowd)" in text
    assert "?[2J?x犬" in text
    assert "\x1b" not in text


def test_wide_letters_push_nothing_out_of_line() -> None:
    lines = draw_boxes(make_record(boxes=(Box("二匹の猫", 0.1, 0.1, 0.9, 0.9),)), 60, 20)
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
