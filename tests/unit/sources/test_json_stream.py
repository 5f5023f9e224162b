"""The streaming reader against json.load, at every block size, and against files as they should not be."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructgen.errors import InstructgenError
from instructgen.sources.json_stream import Member, read_members
from instructgen.sources.json_window import MAX_VALUE_BYTES

# What a wrong cut could be fooled by, in names and texts.
TRICKY = st.sampled_from(["},{", '}, {"id": 1', "]", '"', "\\", '\\"', "{}", "é", "犬", "\u2028", "}\n]", ""])
TEXTS = st.one_of(TRICKY, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=10
)
RECORDS = st.dictionaries(TEXTS, VALUES, max_size=4)
ARRAYS = st.lists(RECORDS, max_size=8) | st.lists(VALUES, max_size=6)
LAYOUTS = st.sampled_from(
    [
        {},
        {"indent": 2},
        {"indent": "\t"},
        {"separators": (",", ":")},
        {"separators": ("\r\n , ", " :\n")},
        {"ensure_ascii": False},
    ]
)


def read(path: Path, names: tuple[str, ...], block_bytes: int, record_type: Any = Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: [] for name in names}
    members = [Member(name, "record", record_type, found[name].extend) for name in names]
    read_members(path, members, block_bytes)
    return found


def refusal(path: Path, text: bytes | str, record_type: Any = Any, block_bytes: int = 64) -> str:
    """What is said of a file with this text when 'a' is wanted."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InstructgenError) as caught:
        read(path, ("a",), block_bytes, record_type)
    assert str(path) in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "annotations.json"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), layout=LAYOUTS, has_mark=st.booleans(), block_bytes=st.integers(1, 200))
def test_any_document_reads_as_json_load_reads_it(
    path: Path, data: st.DataObject, layout: dict[str, Any], has_mark: bool, block_bytes: int
) -> None:
    wanted = {"images": data.draw(ARRAYS), "annotations": data.draw(ARRAYS)}
    others = data.draw(st.dictionaries(TEXTS.filter(lambda name: name not in wanted), VALUES, max_size=4))
    names = data.draw(st.permutations([*wanted, *others]))
    document = {name: {**wanted, **others}[name] for name in names}
    path.write_bytes(b"\xef\xbb\xbf" * has_mark + json.dumps(document, **layout).encode())
    assert read(path, ("images", "annotations"), block_bytes) == wanted


@pytest.mark.parametrize("block_bytes", [1, 7, 24, 33, 64, 1000, 1 << 20])
def test_text_that_looks_like_the_end_of_a_record_is_not_cut(path: Path, block_bytes: int) -> None:
    records = [{"id": n, "text": '"}, {"id": 0}]}, {' * n, "inner": [{"x": 1}, {"x": 2}]} for n in range(30)]
    path.write_text(json.dumps({"a": records, "b": [{"id": 1}]}))
    assert read(path, ("a",), block_bytes) == {"a": records}


def test_record_larger_than_the_block_is_read_whole(path: Path) -> None:
    records = [{"id": 1, "text": "x" * 5000}, {"id": 2, "text": ""}, {"id": 3, "text": "y" * 3000}]
    path.write_text(json.dumps({"a": records}))
    assert read(path, ("a",), 50) == {"a": records}


def test_unwanted_members_are_passed_over_without_being_checked(path: Path) -> None:
    path.write_text(
        '{"info": {"broken": [1, 2 3, nul], "text": "]}"}, "a": [{"id": 1}], "n": -1.5e3, "t": "x\\"", "z": null}'
    )
    assert read(path, ("a",), 16) == {"a": [{"id": 1}]}


def test_memory_does_not_grow_with_the_file(path: Path) -> None:
    import tracemalloc

    peaks = []
    for num_records in (2_000, 40_000):
        with path.open("w") as file:
            file.write('{"skipped": [' + ",".join(["[1, 2, 3]"] * num_records) + '], "a": [')
            file.write(", ".join(f'{{"id": {n}, "other": [1, 2, 3]}}' for n in range(num_records)) + "]}")
        seen: list[int] = []
        tracemalloc.start()
        read_members(path, [Member("a", "record", Any, lambda records, seen=seen: seen.append(len(records)))], 4096)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sum(seen) == num_records
    assert peaks[1] < 1.5 * peaks[0]


class Point(msgspec.Struct):
    id: int
    xy: tuple[float, float]


def test_nan_and_infinity_are_read_as_python_writes_them(path: Path) -> None:
    path.write_text(
        '{"a": [{"id": 1, "xy": [1, NaN]}, {"id": 2, "xy": [-Infinity, 1e999]}, {"id": 3, "xy": [0, 0]}]}'
    )
    points = read(path, ("a",), 1000, Point)["a"]
    assert [point.id for point in points] == [1, 2, 3]
    assert str(points[0].xy) == "(1.0, nan)"
    assert points[1].xy == (float("-inf"), float("inf"))


def test_record_that_does_not_fit_is_named_by_its_number_and_place(path: Path) -> None:
    records = [{"id": n, "xy": [0, 0]} for n in range(100)]
    records[71] = {"id": 71, "xy": [0]}
    text = json.dumps({"a": records})
    message = refusal(path, text, Point)
    assert message.startswith("FILE record 72: Expected `array` of length 2")
    assert f"at byte {text.index(json.dumps(records[71]))}" in message.replace("]", "")


def test_explanation_in_the_words_of_the_format_comes_before_the_decoders(path: Path) -> None:
    path.write_text('{"a": [{"id": "one"}]}')
    member = Member("a", "point", Point, list[Point]().extend, lambda value: "id is text")
    with pytest.raises(InstructgenError, match="point 1: id is text"):
        read_members(path, [member])


def test_half_of_a_surrogate_pair_is_refused(path: Path) -> None:
    assert "half of a \\u pair" in refusal(path, '{"a": [{"t": "ok"}, {"t": "\\ud83d"}]}', dict[str, str])


def test_bytes_that_are_not_utf8_are_refused(path: Path) -> None:
    message = refusal(path, b'{"a": [{"t": "ok"}, {"t": "caf\xe9"}]}', dict[str, str])
    assert message.startswith("FILE record 2: not JSON: 'utf-8' codec")


def test_record_nested_too_deeply_is_refused(path: Path) -> None:
    message = refusal(path, '{"a": [{"t": ' + "[" * 100_000 + "]" * 100_000 + "}]}")
    assert message.startswith("FILE record 1: not JSON: ")


DOCUMENT = json.dumps({"info": {"year": 1}, "a": [{"id": n, "text": "word"} for n in range(4)], "b": 7})


@pytest.mark.parametrize("num_bytes", range(1, len(DOCUMENT)))
@pytest.mark.parametrize("block_bytes", [10, 4096])
def test_file_that_ends_too_early_is_refused_wherever_it_ends(path: Path, num_bytes: int, block_bytes: int) -> None:
    assert f"FILE ends too early, at byte {num_bytes}" in refusal(path, DOCUMENT[:num_bytes], block_bytes=block_bytes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "FILE is empty; copy or download it again"),
        (b" \n ", "FILE is empty; copy or download it again"),
        (b'[{"id": 1}]', "FILE byte 0: the file is a list, wants an object"),
        (b"<!DOCTYPE html><html></html>", "FILE byte 0: the file is a web page, not JSON"),
        (gzip.compress(b'{"a": []}', mtime=0), "FILE is compressed; unpack it first"),
        (b"PK\x03\x04\x14\x00", "FILE is compressed; unpack it first"),
        ('{"a": []}'.encode("utf-16"), "FILE is in UTF-16; save it as UTF-8"),
        (b"\x00" * 300, "FILE byte 0: not JSON: wants { at the start, found '\\x00"),
        (b"hello", "FILE byte 0: not JSON: wants { at the start, found 'hello'"),
        (b"{}", "FILE has no 'a'; it has: nothing"),
        (b'{"info": 1, "b": []}', "FILE has no 'a'; it has: info, b"),
        (b'{"a": [], "a": []}', "FILE byte 14: 'a' occurs twice"),
        (b'{"a": {"id": 1}}', "FILE byte 6: 'a' is not a list; found '{"),
        (b'{"a": null}', "FILE byte 6: 'a' is not a list; found 'null}'"),
        (b"{a: []}", "FILE byte 1: not JSON: wants a name in quotes, found 'a: []}'"),
        (b'{"a" []}', "FILE byte 5: not JSON: wants : after 'a', found '[]}'"),
        (b'{"a": [] "b": 1}', "FILE byte 9: not JSON: wants , or } after 'a'"),
        (b'{"a": [],}', "FILE byte 9: not JSON: wants a name in quotes, found '}'"),
        (b'{"a": []} {', "FILE byte 10: something follows the end of the JSON: '{'"),
        (b'{"b": nul, "a": []}', "FILE byte 6: not JSON: b'nul' is no value"),
        (b'{"b": , "a": []}', "FILE byte 6: not JSON: wants a value, found ', "),
        (b'{"b": [1}, "a": []}', "FILE byte 8: not JSON: a bracket is closed by the wrong one"),
        (b'{"a": [{"id": 1}}', "FILE byte 16: not JSON: 'a' is closed by the wrong bracket"),
        (b'{"a": [{"id": 1},]}', "FILE record 2: not JSON: a comma too many"),
        (b'{"a": [{"id": 1},, {"id": 2}]}', "FILE record 2: not JSON: a comma too many"),
        (b'{"a": [{"id": 1} {"id": 2}]}', "FILE record 1: not JSON: Extra data"),
        (b'{"a": [{"id": 1}, {"id" 2}, {"id": 3}]}', "FILE record 2: not JSON: Expecting ':' delimiter"),
        (b'{"a": [{"id": 1}, {"id": 1]}', "FILE record 2: not JSON: Expecting ',' delimiter"),
        (b'{"\\x": 1, "a": []}', "FILE byte 1: not JSON: Invalid \\escape"),
    ],
)
@pytest.mark.parametrize("block_bytes", [5, 4096])
def test_broken_file_is_refused_with_the_place(path: Path, text: bytes, message: str, block_bytes: int) -> None:
    assert refusal(path, text, block_bytes=block_bytes).startswith(message)


def test_value_without_an_end_is_refused_before_it_fills_the_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"a": [{"id": "')
        file.truncate(4 * MAX_VALUE_BYTES)
    with pytest.raises(InstructgenError, match="byte 7: one value is longer than 64 MB; a quote is missing or lost"):
        read(path, ("a",), 1 << 20)


def test_folder_and_missing_file_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere.json"):
        with pytest.raises(InstructgenError, match="cannot be read: "):
            read(place, ("a",), 64)
