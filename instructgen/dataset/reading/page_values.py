"""Where the values of a Parquet column lie in its file, for a column that is stored as it is.

Pictures are neither compressed nor put in a dictionary, so each lies in the file as 4 bytes of length and then its
own. Whoever knows where can take one picture of a row group without reading the other 99.

Format: https://parquet.apache.org/docs/file-format/, page headers in Thrift's compact protocol.
"""

import struct

_DATA_PAGE, _DATA_PAGE_V2 = 0, 3
_PLAIN = 0
_LENGTH = struct.Struct("<I")
# Field numbers of PageHeader, DataPageHeader and DataPageHeaderV2.
_TYPE, _PAGE_BYTES, _STORED_BYTES, _HEADER, _HEADER_V2 = 1, 2, 3, 5, 8
_ENCODING, _ENCODING_V2, _DEFINITION_BYTES_V2, _REPETITION_BYTES_V2 = 2, 4, 5, 6


def find_values(chunk: memoryview) -> list[tuple[int, int]] | None:
    """Return (first byte, number of bytes) of each value that is there, in order; None if pages are of another kind.

    `chunk` holds the pages of an uncompressed BYTE_ARRAY column with both kinds of levels (a list's elements).
    """
    found: list[tuple[int, int]] = []
    at = 0
    try:
        while at < len(chunk):
            fields, first = _read_struct(chunk, at)
            at = first + _number(fields, _STORED_BYTES)
            if fields.get(_STORED_BYTES) != fields.get(_PAGE_BYTES) or at > len(chunk):
                return None
            values = _skip_levels(chunk, fields, first)
            if values is None:
                return None
            _add_values(found, chunk, values, at)
    except (IndexError, KeyError, ValueError, RecursionError, struct.error):
        return None
    return found


def _skip_levels(chunk: memoryview, fields: "_Fields", at: int) -> int | None:
    """Return where the values of a data page begin, or None where they are not stored as they are."""
    kind = _number(fields, _TYPE)
    header = fields.get(_HEADER if kind == _DATA_PAGE else _HEADER_V2)
    if kind not in (_DATA_PAGE, _DATA_PAGE_V2) or not isinstance(header, dict):
        return None
    if _number(header, _ENCODING if kind == _DATA_PAGE else _ENCODING_V2) != _PLAIN:
        return None
    if kind == _DATA_PAGE_V2:
        return at + _number(header, _DEFINITION_BYTES_V2) + _number(header, _REPETITION_BYTES_V2)
    for _ in ("repetition", "definition"):
        at += _LENGTH.size + _LENGTH.unpack_from(chunk, at)[0]
    return at


def _add_values(found: list[tuple[int, int]], chunk: memoryview, at: int, end: int) -> None:
    unpack = _LENGTH.unpack_from
    while at < end:
        (num_bytes,) = unpack(chunk, at)
        at += _LENGTH.size
        found.append((at, num_bytes))
        at += num_bytes
    if at != end:
        raise ValueError("a value does not end with its page")


_MAX_SHIFT = 63
_Fields = dict[int, "int | _Fields"]
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 12


def _read_struct(data: memoryview, at: int) -> tuple[_Fields, int]:
    """Return the numbers and structs of a Thrift struct by field number, and where it ends; text is passed over."""
    fields: _Fields = {}
    number = 0
    while head := data[at]:
        at += 1
        kind = head & 0x0F
        if head >> 4:
            number += head >> 4
        else:
            number, at = _read_integer(data, at)
        if kind == _STRUCT:
            fields[number], at = _read_struct(data, at)
        elif kind in (_I16, _I32, _I64):
            fields[number], at = _read_integer(data, at)
        elif kind == _BINARY:
            num_bytes, at = _read_varint(data, at)
            at += num_bytes
        elif kind in (_TRUE, _FALSE, _BYTE, _DOUBLE):
            at += {_BYTE: 1, _DOUBLE: 8}.get(kind, 0)
        else:
            raise ValueError(f"no page header has a field of type {kind}")
    return fields, at + 1


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := data[at]) & 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if shift > _MAX_SHIFT:
            raise ValueError("a number of more than 64 bits")
    return value | byte << shift, at + 1


def _read_integer(data: memoryview, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _number(fields: _Fields, number: int) -> int:
    value = fields[number]
    if not isinstance(value, int) or value < 0:
        raise ValueError("a page header has a struct where a number is wanted")
    return value
