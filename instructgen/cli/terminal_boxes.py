"""Annotated boxes drawn with characters: where in the image what is, for a terminal without pictures."""

from collections.abc import Sequence

from instructgen.cli.terminal_text import clean_text
from instructgen.records import Box, ImageRecord

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " │││─┘┐┤─└┌├─┴┬┼"  # by the sum of the directions in which a line leaves the cell
_ASCII_LINES = " |||-+++-+++-+++"
_CELL_HEIGHT = 2.0  # in widths of a cell
_MIN_COLUMNS, _MIN_ROWS = 12, 5
_MAX_BOXES = 40


class _Canvas:
    """Cells with the lines that cross them, and labels over them."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._lines = [[0] * columns for _ in range(rows)]
        self._labels: list[list[str | None]] = [[None] * columns for _ in range(rows)]

    def add_box(self, x0: int, y0: int, x1: int, y1: int) -> None:
        for x in range(x0, x1):
            for y in (y0, y1):
                self._lines[y][x] |= _RIGHT
                self._lines[y][x + 1] |= _LEFT
        for y in range(y0, y1):
            for x in (x0, x1):
                self._lines[y][x] |= _DOWN
                self._lines[y + 1][x] |= _UP

    def add_label(self, label: str, x: int, y: int) -> bool:
        """Write a label if it keeps inside the frame and off other labels, with a cell between them."""
        from rich.cells import cell_len

        end = x + cell_len(label)
        if not (x > 0 and end < self.columns and 0 < y < self.rows - 1):
            return False
        if any(cell is not None for cell in self._labels[y][max(0, x - 1) : end + 1]):
            return False
        for character in label:
            cells = cell_len(character)
            if cells:
                self._labels[y][x : x + cells] = [character, *[""] * (cells - 1)]
                x += cells
        return True

    def draw(self, signs: str) -> list[str]:
        return [
            "".join(
                signs[line] if label is None else label for line, label in zip(lines, labels, strict=True)
            ).rstrip()
            for lines, labels in zip(self._lines, self._labels, strict=True)
        ]


def draw_boxes(record: ImageRecord, max_columns: int, max_rows: int, *, is_ascii: bool = False) -> list[str]:
    """Return the image's frame with its boxes in their places, the largest labelled first.

    A label that finds no room is left out.
    """
    columns, rows = _fit(record, max_columns, max_rows)
    canvas = _Canvas(columns, rows)
    canvas.add_box(0, 0, columns - 1, rows - 1)
    boxes = sorted(record.boxes, key=lambda box: -box.area)[:_MAX_BOXES]
    places = [_place(box, columns, rows) for box in boxes]
    for place in places:
        canvas.add_box(*place)
    for box, place in zip(boxes, places, strict=True):
        _label(canvas, box, place)
    return canvas.draw(_ASCII_LINES if is_ascii else _LINES)


def _fit(record: ImageRecord, max_columns: int, max_rows: int) -> tuple[int, int]:
    """Return the columns and rows of the frame; an image of unknown size counts as 4 to 3."""
    shape = record.height_px / record.width_px if record.width_px and record.height_px else 3 / 4
    columns = max(_MIN_COLUMNS, min(max_columns, int(max_rows * _CELL_HEIGHT / shape)))
    return columns, max(_MIN_ROWS, min(max_rows, round(columns * shape / _CELL_HEIGHT)))


def _place(box: Box, columns: int, rows: int) -> tuple[int, int, int, int]:
    """Return the cells of a box's corners, inside the frame; the smallest box takes two by two."""
    x0, x1 = _place_sides(box.x0, box.x1, columns)
    y0, y1 = _place_sides(box.y0, box.y1, rows)
    return x0, y0, x1, y1


def _place_sides(low: float, high: float, num_cells: int) -> tuple[int, int]:
    last = num_cells - 2
    first, second = (1 + round(min(1.0, max(0.0, side)) * (last - 1)) for side in (low, high))
    return (first, second) if second > first else (min(first, last - 1), min(first, last - 1) + 1)


def _label(canvas: _Canvas, box: Box, place: tuple[int, int, int, int]) -> None:
    """Write what a box is on its upper side, else on another line of it, else just above."""
    from rich.cells import cell_len

    x0, y0, x1, y1 = place
    name = clean_text(f"{box.category} (crowd)" if box.is_crowd else box.category)
    rows: Sequence[int] = (y0, y1, *range(y0 + 1, y1), y0 - 1)
    for label in (name, name[: max(3, x1 - x0 - 1)]):
        # A name that would pass the frame begins before its box instead.
        x = min(x0 + 1, canvas.columns - 1 - cell_len(label))
        if any(canvas.add_label(label, x, y) for y in rows):
            return
