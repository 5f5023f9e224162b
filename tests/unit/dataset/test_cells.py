from typing import Any

import pyarrow as pa
import pytest

from instructgen.dataset.reading.cells import make_cell

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
COLUMNS: list[tuple[Any, list[Any]]] = [
    (pa.string(), ["plain", "", None, "last"]),
    (pa.string(), ["café", "", None, "日本 \U0001f600", "x"]),
    (pa.binary(), [b"\xff\x00", None, b""]),
    (pa.int64(), [1, None, -5]),
    (pa.float64(), [0.5, None, float("inf")]),
    (pa.list_(pa.string()), [["a", "b"], [], None, ["c", None]]),
    (MESSAGES, [[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}], None, [], [None]]),
    (pa.struct([("length", pa.float64()), ("judge", pa.float64())]), [{"length": 1.0, "judge": None}, None]),
    (pa.list_(pa.string()), [[], []]),
    (pa.large_string(), ["of a kind that no build writes", None]),
    (pa.dictionary(pa.int32(), pa.string()), ["a", "a", None]),
]


@pytest.mark.parametrize(("kind", "values"), COLUMNS, ids=lambda value: str(value)[:40])
def test_cells_are_what_pyarrow_says(kind: Any, values: list[Any]) -> None:
    array = pa.array(values, kind)
    cell = make_cell(array)
    assert [cell(row) for row in range(len(array))] == array.to_pylist()


@pytest.mark.parametrize(("kind", "values"), COLUMNS, ids=lambda value: str(value)[:40])
def test_slice_of_an_array_has_its_own_rows(kind: Any, values: list[Any]) -> None:
    array = pa.array([*values, *values], kind)[1:-1]
    cell = make_cell(array)
    assert [cell(row) for row in range(len(array))] == array.to_pylist()
