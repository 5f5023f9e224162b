"""Columns as numbers that are equal where the values are: nothing of a text or picture is kept.

A number stands for itself; anything else for 128 bits of blake2b over its bytes. So two versions can be compared
in memory that grows with their rows, and not with their texts.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    # Two arrays, a place for each row. A null is zero in both.
    Fingerprints = tuple[NDArray[np.generic], NDArray[np.generic]]
    _Places = NDArray[np.int64]

_DIGEST_BYTES = 16
_MAX_SHAPE_BYTES = 16  # of blake2b's personal string
_MIN_REPEATS = 4  # a column whose values come so often is hashed by its different values


def fingerprint(array: "pa.Array") -> "Fingerprints":
    """Return two arrays that are equal in a place where the values are; floats are compared by their bits."""
    import numpy as np

    array = _plain(array)
    if array.null_count == len(array) and not _is_number(array.type):
        return np.zeros(len(array), dtype=np.uint64), np.zeros(len(array), dtype=np.uint64)
    if _is_number(array.type):
        valid = _validity(array)
        return np.where(valid, _number_bits(array), np.uint64(0)), valid
    if _is_text(array.type):
        encoded = array.dictionary_encode()
        if len(encoded.dictionary) * _MIN_REPEATS <= len(array):
            high, low = _hash_rows(encoded.dictionary)
            places = encoded.indices.fill_null(len(high)).to_numpy(zero_copy_only=False)
            return np.append(high, np.uint64(0))[places], np.append(low, np.uint64(0))[places]
    high, low = _hash_rows(array)
    valid = _validity(array)
    return np.where(valid, high, np.uint64(0)), np.where(valid, low, np.uint64(0))


def fingerprint_text(text: str, num: int) -> "Fingerprints":
    """Return the fingerprints of a column that holds one text throughout."""
    import numpy as np
    import pyarrow as pa

    high, low = fingerprint(pa.array([text], pa.string()))
    return np.repeat(high, num), np.repeat(low, num)


def make_nulls(like: "Fingerprints", num: int) -> "Fingerprints":
    import numpy as np

    return np.zeros(num, like[0].dtype), np.zeros(num, like[1].dtype)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One buffer of a column, and where each row's part of it begins and ends (bytes)."""

    data: memoryview
    starts: "_Places"
    ends: "_Places"

    def parts(self) -> Iterator[memoryview]:
        data = self.data
        return (data[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True))


def _hash_rows(array: "pa.Array") -> "tuple[NDArray[np.uint64], NDArray[np.uint64]]":
    import numpy as np

    if _is_known(array.type):
        rows = np.arange(len(array) + 1, dtype=np.int64)
        leaves = list(_find_leaves(array, rows[:-1], rows[1:]))
        if _is_text(array.type):
            leaves = leaves[-1:]  # alone it needs no length
        shape = hashlib.blake2b(_describe(array.type).encode(), digest_size=_MAX_SHAPE_BYTES).digest()
        rows_of_parts = zip(*(leaf.parts() for leaf in leaves), strict=True)
        hashed, join = hashlib.blake2b, b"".join
        digests = (hashed(join(parts), digest_size=_DIGEST_BYTES, person=shape) for parts in rows_of_parts)
        joined = join([digest.digest() for digest in digests])
    else:
        joined = b"".join(_hash_value(value) for value in array.to_pylist())
    both = np.frombuffer(joined, dtype=np.uint64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _hash_value(value: object) -> bytes:
    """Hash what no column of ours holds: a map, say."""
    text = msgspec.json.encode(value, order="deterministic", enc_hook=repr)
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()


def _find_leaves(array: "pa.Array", starts: "_Places", ends: "_Places") -> Iterator[_Leaf]:
    """Yield the buffers below an array; the places are the elements that each row has of it.

    Lengths come before what they measure, so that no two values have the same bytes.
    """
    import pyarrow as pa

    array = _plain(array)
    if _is_number(array.type):
        yield _make_leaf(_validity(array), starts, ends)
        yield _make_leaf(_number_bits(array), starts, ends)
    elif _is_text(array.type):
        valid = _validity(array)
        if array.null_count:  # what lies below a null may be anything
            array = array.fill_null(b"" if pa.types.is_large_binary(array.type) else "")
        offsets = _read_offsets(array)
        yield _make_leaf(_lengths(offsets, valid), starts, ends)
        yield _Leaf(memoryview(array.buffers()[2] or b"").cast("B"), offsets[starts], offsets[ends])
    elif pa.types.is_large_list(array.type):
        offsets = _read_offsets(array)
        yield _make_leaf(_lengths(offsets, _validity(array)), starts, ends)
        yield from _find_leaves(array.values, offsets[starts], offsets[ends])
    else:
        yield _make_leaf(_validity(array), starts, ends)
        for name in _child_names(array.type):
            yield from _find_leaves(array.field(name), starts, ends)


def _make_leaf(values: "NDArray[np.generic]", starts: "_Places", ends: "_Places") -> _Leaf:
    import numpy as np

    width = values.dtype.itemsize
    # An empty array's memory cannot be cast.
    data = np.ascontiguousarray(values).data.cast("B") if len(values) else memoryview(b"")
    return _Leaf(data, starts * width, ends * width)


def _read_offsets(array: "pa.Array") -> "_Places":
    import numpy as np

    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]


def _lengths(offsets: "_Places", valid: "NDArray[np.bool_]") -> "_Places":
    """Return the lengths, -1 for a null."""
    import numpy as np

    return np.where(valid, offsets[1:] - offsets[:-1], -1)


def _validity(array: "pa.Array") -> "NDArray[np.bool_]":
    import numpy as np

    if not array.null_count:
        return np.ones(len(array), dtype=np.bool_)
    found: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return found


def _number_bits(array: "pa.Array") -> "NDArray[np.uint64]":
    import numpy as np

    filled = array.fill_null(0) if array.null_count else array
    bits: NDArray[np.uint64] = np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).view(np.uint64)
    return bits


def _plain(array: "pa.Array") -> "pa.Array":
    """Return the array in the one type that stands for all alike, so that another writer makes no difference."""
    import pyarrow as pa

    kind, is_type = array.type, pa.types
    if isinstance(array, pa.ExtensionArray):
        return _plain(array.storage)
    if is_type.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if is_type.is_list(kind):
        return array.cast(pa.large_list(kind.value_field))
    for is_kind, target in (
        (is_type.is_null, pa.large_string()),
        (is_type.is_string, pa.large_string()),
        (is_type.is_string_view, pa.large_string()),
        (is_type.is_binary, pa.large_binary()),
        (is_type.is_binary_view, pa.large_binary()),
        (is_type.is_boolean, pa.int64()),
        (is_type.is_integer, pa.int64()),
        (is_type.is_floating, pa.float64()),
    ):
        if is_kind(kind) and kind != target:
            return array.cast(target, safe=False)
    return array


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_int64(kind) or pa.types.is_float64(kind))


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))


def _is_known(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_struct(kind):
        return all(_is_known(kind.field(name).type) for name in _child_names(kind))
    if is_type.is_list(kind) or is_type.is_large_list(kind):
        return _is_known(kind.value_type)
    texts = (is_type.is_string, is_type.is_large_string, is_type.is_binary, is_type.is_large_binary)
    numbers = (is_type.is_integer, is_type.is_floating, is_type.is_boolean, is_type.is_null)
    return any(is_kind(kind) for is_kind in (*texts, *numbers))


def _describe(kind: "pa.DataType") -> str:
    import pyarrow as pa

    is_type = pa.types
    if is_type.is_struct(kind):
        return "{" + ",".join(f"{name}:{_describe(kind.field(name).type)}" for name in _child_names(kind)) + "}"
    if is_type.is_list(kind) or is_type.is_large_list(kind):
        return f"[{_describe(kind.value_type)}]"
    if is_type.is_floating(kind):
        return "float"
    return "integer" if is_type.is_integer(kind) or is_type.is_boolean(kind) else "text"


def _child_names(kind: "pa.DataType") -> Sequence[str]:
    return sorted(kind.field(place).name for place in range(kind.num_fields))
