"""Tables in the forms in which CC3M, CC12M, LAION and others come."""

import json
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.fetch.tables import BadRow, Columns, TableRow, make_key, read_table

URL = "http://example.org/{}.jpg"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path, columns: Columns = Columns()) -> list[TableRow]:  # noqa: B008
    rows = list(read_table(path, columns))
    assert all(isinstance(row, TableRow) for row in rows), rows
    return rows  # type: ignore[return-value]


def reasons(path: Path) -> list[str]:
    return [row.reason if isinstance(row, BadRow) else "" for row in read_table(path)]


def test_cc3m_has_the_caption_first_and_no_names(tmp_path: Path) -> None:
    path = write(tmp_path / "cc3m.tsv", f'a "quoted dog\t{URL.format(1)}\na cat\t{URL.format(2)}\n')
    assert [(row.caption, row.url) for row in read(path)] == [
        ('a "quoted dog', URL.format(1)),
        ("a cat", URL.format(2)),
    ]


def test_cc12m_has_the_address_first(tmp_path: Path) -> None:
    path = write(tmp_path / "cc12m.tsv", f"{URL.format(1)}\ta dog\n")
    assert [(row.caption, row.url, row.number) for row in read(path)] == [("a dog", URL.format(1), 1)]


def test_list_of_addresses_may_hold_commas(tmp_path: Path) -> None:
    path = write(tmp_path / "urls.txt", "http://example.org/a,b.jpg\nhttp://example.org/c.jpg\n\n")
    assert [row.url for row in read(path)] == ["http://example.org/a,b.jpg", "http://example.org/c.jpg"]


def test_csv_with_names_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = f'\ufeffID,Caption,URL\r\n7,"a ""big"" dog,\nasleep",{URL.format(1)}\r\n8,,{URL.format(2)}\r\n'
    found = read(write(tmp_path / "a.csv", text))
    assert [(row.key, row.caption) for row in found] == [("7", 'a "big" dog,\nasleep'), ("8", "")]


def test_laion_parquet_is_read_by_its_own_names(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "SAMPLE_ID": pa.array([1.0, None, 3.0]),
        "URL": [URL.format(1), URL.format(2), None],
        "TEXT": ["a dog", None, "a cat"],
        "NSFW": ["UNLIKELY"] * 3,
    }
    pq.write_table(pa.table(columns), tmp_path / "part.parquet")
    for path in (tmp_path / "part.parquet", tmp_path):
        rows = list(read_table(path))
        assert [row.key for row in rows[:2]] == ["1", make_key(URL.format(2))]
        assert [row.caption for row in rows] == ["a dog", "", "a cat"]
        assert isinstance(rows[2], BadRow)
        assert rows[2].reason == "no_url"


def test_json_lines_and_lists_are_read_and_broken_records_rejected(tmp_path: Path) -> None:
    records = [
        {"image_url": URL.format(1), "file_name": "GCC_1.jpg", "sha256": "A" * 64},
        {"image_url": URL.format(2)},
    ]
    lines = "\n".join(map(json.dumps, records)) + "\n{broken\n"
    rows = list(read_table(write(tmp_path / "a.jsonl", lines)))
    assert isinstance(rows[0], TableRow)
    assert (rows[0].key, rows[0].sha256) == ("GCC_1", "a" * 64)
    assert [row.reason for row in rows if isinstance(row, BadRow)] == ["bad_row"]
    assert [row.url for row in read(write(tmp_path / "a.json", json.dumps(records)))] == [
        URL.format(1),
        URL.format(2),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *(("a-1_b.c", ""), ("x.JPG", ""), ("../x", "bad_id"), ("a/b", "bad_id"), (".hidden", "bad_id")),
        *(("a" * 129, "bad_id"), ("con", "bad_id"), ("nul.txt", "bad_id"), ("a\u0301", "bad_id"), ("x.", "bad_id")),
    ],
)
def test_id_that_cannot_name_a_file_is_rejected(tmp_path: Path, name: str, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"url": URL.format(1), "id": name}))
    assert reasons(path) == [reason]


def test_rows_that_cannot_be_used_are_rejected_not_dropped(tmp_path: Path) -> None:
    good = URL.format(1)
    lines = [
        "url\tcaption",
        f"{good}\tok",
        "only one",
        f"\t{good}",
        f"{good}\t{'x' * 70_000}",
        "y" * 3_000_000,
        f"{good}\tok",
    ]
    path = write(tmp_path / "a.tsv", "\n".join(lines) + "\n")
    assert reasons(path) == ["", "bad_row", "no_url", "bad_row", "bad_row", ""]


def test_quote_that_is_never_closed_costs_its_own_row(tmp_path: Path) -> None:
    lines = ["url,caption", f'{URL.format(1)},"open'] + [f"{URL.format(n)},{'word ' * 40}" for n in range(2000)]
    found = reasons(write(tmp_path / "a.csv", "\n".join(lines)))
    assert "bad_row" in found
    assert found.count("") > 1000


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"url,best,say\nx,{URL.format(1)},hello\n")
    found = read(path, Columns(url="best", caption="SAY"))
    assert [(row.url, row.caption) for row in found] == [(URL.format(1), "hello")]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "name,place\na,b\n", "has no column url; it has name, place; give --url-column"),
        ("a.tsv", "", "is empty"),
        ("a.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0", "packed"),
        ("a.jsonl", '{"name": 1}\n', "has no column url"),
    ],
)
def test_file_that_is_no_table_is_told(tmp_path: Path, name: str, text: str | bytes, told: str) -> None:
    with pytest.raises(InstructgenError, match=told):
        list(read_table(write(tmp_path / name, text)))


def test_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="no table"):
        list(read_table(tmp_path / "none.tsv"))
