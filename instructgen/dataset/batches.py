"""Rows as Arrow record batches, put together from buffers.

pyarrow's own way from Python objects imports pandas where it is installed, which takes 50 MB.
"""

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from instructgen.dataset.columns import Row

if TYPE_CHECKING:
    import pyarrow as pa


def make_batches(rows: Sequence[Row], schema: "pa.Schema") -> "list[pa.RecordBatch]":
    """Return the rows in the schema's columns; None is null. More than one batch where a column passes 2 GiB.

    Raises TypeError or AttributeError for a value of another type, and KeyError for a column that a row lacks.
    """
    import pyarrow as pa

    try:
        columns = [make_array([row[field.name] for row in rows], field.type) for field in schema]
    except OverflowError:  # Arrow's offsets have 32 bits
        if len(rows) == 1:
            raise
        middle = len(rows) // 2
        return [*make_batches(rows[:middle], schema), *make_batches(rows[middle:], schema)]
    return [pa.RecordBatch.from_arrays(columns, schema=schema)]


def make_array(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    """Return an array of one of the types that a dataset's columns have: text, bytes, numbers, lists, structs."""
    import pyarrow as pa

    make = next((make for is_kind, make in _makers() if is_kind(kind)), None)
    assert make is not None, f"no column has the type {kind}"
    num_nulls = values.count(None)
    validity = _pack_bits([value is not None for value in values]) if num_nulls else None
    buffers, children = make(values, kind)
    return pa.Array.from_buffers(kind, len(values), [validity, *buffers], num_nulls, children=children)


_OFFSET_CODE = "i"
_Made = tuple[list[Any], list[Any] | None]


def _makers() -> tuple[tuple[Callable[["pa.DataType"], bool], Callable[[Sequence[Any], "pa.DataType"], _Made]], ...]:
    import pyarrow.types as is_type

    return (
        (is_type.is_string, _make_text),
        (is_type.is_binary, _make_bytes),
        (is_type.is_int64, lambda values, _: _make_numbers("q", values)),
        (is_type.is_float64, lambda values, _: _make_numbers("d", values)),
        (is_type.is_list, _make_lists),
        (is_type.is_struct, _make_structs),
    )


def _make_text(values: Sequence[str | None], kind: "pa.DataType") -> _Made:
    return _make_bytes([None if value is None else value.encode() for value in values], kind)


def _make_bytes(values: Sequence[bytes | None], _: "pa.DataType") -> _Made:
    import pyarrow as pa

    parts = [value or b"" for value in values]
    return [_make_offsets(map(len, parts)), pa.py_buffer(b"".join(parts))], None


def _make_numbers(code: str, values: Sequence[float | None]) -> _Made:
    import pyarrow as pa

    return [pa.py_buffer(array(code, [0 if value is None else value for value in values]))], None


def _make_lists(values: Sequence[Sequence[Any] | None], kind: "pa.ListType") -> _Made:
    lists = [value or () for value in values]
    children = [make_array(list(chain.from_iterable(lists)), kind.value_type)]
    return [_make_offsets(map(len, lists))], children


def _make_structs(values: Sequence[dict[str, Any] | None], kind: "pa.StructType") -> _Made:
    structs = [value or {} for value in values]
    return [], [make_array([struct.get(child.name) for struct in structs], child.type) for child in kind]


def _make_offsets(lengths: Any) -> "pa.Buffer":
    import pyarrow as pa

    return pa.py_buffer(array(_OFFSET_CODE, accumulate(lengths, initial=0)))


def _pack_bits(bits: Sequence[bool]) -> "pa.Buffer":
    """Return one bit a value, the first lowest."""
    import pyarrow as pa

    number = int("".join("1" if bit else "0" for bit in reversed(bits)), 2)
    return pa.py_buffer(number.to_bytes((len(bits) + 7) // 8, "little"))
