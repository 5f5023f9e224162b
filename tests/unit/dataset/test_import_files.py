"""Files are told apart by what they hold, and a broken record costs itself alone."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructgen.dataset.imports.json_pieces import read_list
from instructgen.dataset.imports.read import DataFiles, find_data
from instructgen.errors import InstructgenError

RECORDS = [
    {"id": str(number), "image": "139.jpg", "conversations": [{"from": "gpt", "value": f"{number}] {{"}] * 3}
    for number in range(200)
]


def pieces_of(path: Path) -> list[tuple[int, bytes]]:
    return [tuple(piece) for piece in find_data(path).pieces()]


def numbers_and_ids(path: Path) -> list[tuple[int, object]]:
    return [(number, json.loads(text)["id"]) for number, text in pieces_of(path)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("block_bytes", [64, 1000, 1 << 20])
def test_a_list_gives_its_records_however_it_is_written_and_read(
    tmp_path: Path, indent: int | None, block_bytes: int
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RECORDS, indent=indent))
    found = list(read_list(path, block_bytes))
    assert [piece.number for piece in found] == list(range(1, 201))
    assert [json.loads(piece.text) for piece in found] == RECORDS


def test_records_that_begin_with_different_keys_are_all_found(tmp_path: Path) -> None:
    records = [record if number % 3 else dict(reversed(record.items())) for number, record in enumerate(RECORDS)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records))
    assert [json.loads(piece.text) for piece in read_list(path, 1000)] == records


def test_text_that_looks_like_a_records_start_cuts_nothing(tmp_path: Path) -> None:
    records = [{"id": "1", "text": 'so: }, {"id": "9"}, {"id": 8}'}, {"id": "2", "parts": [{"id": 1}, {"id": 2}]}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records))
    assert [json.loads(piece.text) for piece in read_list(path, 16)] == records


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_a_broken_record_in_a_list_costs_itself_alone(tmp_path: Path, block_bytes: int) -> None:
    texts = [json.dumps(record) for record in RECORDS]
    texts[4] = texts[4].replace('"gpt"', '"gpt', 1)
    path = tmp_path / "a.json"
    path.write_text(f"[{', '.join(texts)}]")
    found = list(read_list(path, block_bytes))
    assert [piece.text.decode().strip() for piece in found] == texts


def test_a_list_that_ends_too_early_gives_all_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RECORDS)[:-100])
    found = list(read_list(path, 1000))
    assert [json.loads(piece.text) for piece in found[:-1]] == RECORDS[:199]
    assert found[-1].number == 200


def test_an_empty_list_has_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[ ]\n")
    assert pieces_of(path) == []


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.txt"])
def test_lines_and_lists_are_told_apart_by_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("\ufeff\n\n" + json.dumps(RECORDS[:2]), encoding="utf-8")
    assert find_data(path).layout == "JSON list"
    path.write_text("\ufeff" + "\n\n".join(json.dumps(record) for record in RECORDS[:2]), encoding="utf-8")
    assert find_data(path).layout == "JSON lines"
    assert numbers_and_ids(path) == [(1, "0"), (3, "1")]


def test_a_broken_line_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "0"}\n{"id": \xff\n{"id": "2"}\n')
    assert [number for number, _ in pieces_of(path)] == [1, 2, 3]


def write_parquet(path: Path, num_rows: int) -> Path:
    picture = {"bytes": b"\xff" * 50_000, "path": "139.jpg"}
    rows = [
        {"id": number, "images": [picture], "messages": [{"role": "assistant", "content": "É"}]}
        for number in range(num_rows)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_parquet_rows_come_without_their_pictures(tmp_path: Path) -> None:
    ((number, text),) = pieces_of(write_parquet(tmp_path / "a.bin", 1))
    assert number == 1
    assert json.loads(text) == {
        "id": 0,
        "images": [{"path": "139.jpg"}],
        "messages": [{"role": "assistant", "content": "É"}],
    }


def test_a_folder_of_parquet_is_read_in_order_of_its_names(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data" / "train-00001.parquet", 1)
    write_parquet(tmp_path / "data" / "train-00000.parquet", 2)
    assert numbers_and_ids(tmp_path) == [(1, 0), (2, 1), (3, 0)]


def test_parquet_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", 1)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InstructgenError, match=r"a\.parquet cannot be read"):
        pieces_of(path)


@pytest.mark.parametrize(
    ("content", "said"), [(b"\x1f\x8b\x08\x00", r"packed \(gzip\); unpack"), (b"", "empty"), (None, "cannot be read")]
)
def test_a_file_that_is_no_data_is_an_error_with_its_cure(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InstructgenError, match=said):
        find_data(path)


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no dataset"):
        find_data(tmp_path)


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="cannot be read"):
        list(DataFiles("JSON lines", (tmp_path / "gone.jsonl",)).pieces())
