"""Values of Arrow arrays as Python objects, one cell at a time and straight from the buffers.

`array[i].as_py()` makes a Scalar for every value of every nested list, which takes ten times as long.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Cell = Callable[[int], Any]


def make_cell(array: "pa.Array") -> Cell:
    """Return a function from a row's number to its value, as `array.to_pylist()` has it there."""
    import pyarrow.types as is_type

    makers: tuple[tuple[Callable[[Any], bool], Callable[[pa.Array], Cell]], ...] = (
        (is_type.is_string, _make_text),
        (is_type.is_binary, _make_bytes),
        (is_type.is_int64, lambda array: _make_number(array, "q")),
        (is_type.is_float64, lambda array: _make_number(array, "d")),
        (is_type.is_list, _make_list),
        (is_type.is_struct, _make_struct),
    )
    make = next((make for is_kind, make in makers if is_kind(array.type)), None)
    if make is None:  # a column that this version of instructgen does not write
        return lambda row: array[row].as_py()
    cell = make(array)
    if array.null_count == 0:
        return cell
    is_valid = array.is_valid().to_pylist()
    return lambda row: cell(row) if is_valid[row] else None


def make_offsets(array: "pa.Array") -> memoryview:
    """Return where each value of a text, bytes or list array begins among its parts, and where the last one ends."""
    buffer = array.buffers()[1]
    if not len(array) or buffer is None:
        return memoryview(bytes(4)).cast("i")
    return memoryview(buffer).cast("i")[array.offset : array.offset + len(array) + 1]


def _make_text(array: "pa.Array") -> Cell:
    offsets, data = make_offsets(array), _data(array, 2)
    first, last = offsets[0], offsets[-1]
    try:
        text = str(data[first:last], "ascii")  # then a character is a byte, and one slice is a value
    except UnicodeDecodeError:
        return lambda row: str(data[offsets[row] : offsets[row + 1]], "utf-8")
    return lambda row: text[offsets[row] - first : offsets[row + 1] - first]


def _make_bytes(array: "pa.Array") -> Cell:
    offsets, data = make_offsets(array), _data(array, 2)
    return lambda row: bytes(data[offsets[row] : offsets[row + 1]])


def _make_number(array: "pa.Array", code: Literal["q", "d"]) -> Cell:
    first, data = array.offset, _data(array, 1).cast("B")
    numbers: memoryview[int] | memoryview[float] = data.cast("q") if code == "q" else data.cast("d")
    return lambda row: numbers[first + row]


def _make_list(array: "pa.Array") -> Cell:
    offsets, cell = make_offsets(array), make_cell(array.values)
    return lambda row: [cell(part) for part in range(offsets[row], offsets[row + 1])]


def _make_struct(array: "pa.Array") -> Cell:
    children = [(child.name, make_cell(array.field(place))) for place, child in enumerate(array.type)]
    return lambda row: {name: cell(row) for name, cell in children}


def _data(array: "pa.Array", place: int) -> memoryview:
    buffer = array.buffers()[place]
    return memoryview(b"") if buffer is None else memoryview(buffer)
