"""Tables of image-caption pairs: the forms that people have them in, and what becomes of bad rows."""

import json
from pathlib import Path

import pytest

from instructgen.config import ColumnsConfig, SourceConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.sources import open_source
from instructgen.sources.pairs import PairsSource
from tests.support.pair_tables import captions_of, read_pairs, reasons_of, write_tsv


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_cc3m_row_is_a_pair_named_by_file_and_line(tmp_path: Path) -> None:
    found = read_pairs(write(tmp_path / "Train_GCC.tsv", "a very  odd dog \thttp://a.example/1.jpg\n"))
    url = "http://a.example/1.jpg"
    assert found == [ImageRecord("pairs/Train_GCC-000000001", url, 0, 0, ("a very  odd dog",), (), url=url)]


def test_cc12m_has_the_address_first(tmp_path: Path) -> None:
    root = write(tmp_path / "cc12m.tsv", "http://a.example/1.jpg\ta dog\nhttp://a.example/2.jpg\ta cat\n")
    assert captions_of(read_pairs(root)) == ["a dog", "a cat"]


def test_line_of_names_is_no_pair_and_names_the_columns(tmp_path: Path) -> None:
    root = write(tmp_path / "cc3m.tsv", "URL\tSAMPLE_ID\tTEXT\r\nhttp://a.example/1.jpg\t77\ta dog\r\n")
    found = read_pairs(root)
    assert captions_of(found) == ["a dog"]
    assert [one.image_id for one in found if isinstance(one, ImageRecord)] == ["pairs/77"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\thttp://a.example/2.jpg", "no_caption"),
        (b" \thttp://a.example/2.jpg", "no_caption"),
        (b"a cat\t", "no_url"),
        (b"a cat\tftp://a.example/2.jpg", "bad_url"),
        (b"a cat", "bad_column"),
        (b"", "bad_column"),
        (b"a\tcat\thttp://a.example/2.jpg", "bad_column"),
        (b"a caf\xe9\thttp://a.example/2.jpg", "not_utf8"),
        (b"x" * 2_001 + b"\thttp://a.example/2.jpg", "too_long"),
        (b"a cat\thttp://a.example/" + b"x" * 2_000, "too_long"),
        (b"x" * 200_000 + b"\thttp://a.example/2.jpg", "too_long"),
    ],
)
def test_bad_line_is_rejected_by_file_and_line_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    root = write(
        tmp_path / "cc3m.tsv", b"a dog\thttp://a.example/1.jpg\n" + line + b"\na fox\thttp://a.example/3.jpg\n"
    )
    found = read_pairs(root)
    assert captions_of(found) == ["a dog", "a fox"]
    rejected = found[1]
    assert isinstance(rejected, Rejected)
    assert (rejected.record_id, rejected.stage, rejected.reason) == ("pairs/cc3m-000000002", "source", reason)
    assert rejected.detail.startswith("cc3m.tsv line 2: ")


def test_sbus_two_files_are_one_table(tmp_path: Path) -> None:
    write(tmp_path / "SBU_captioned_photo_dataset_captions.txt", "a dog\na cat\n")
    write(tmp_path / "SBU_captioned_photo_dataset_urls.txt", "http://a.example/1\nhttp://a.example/2\n")
    assert captions_of(read_pairs(tmp_path)) == ["a dog", "a cat"]


@pytest.mark.parametrize(("captions", "urls", "reason"), [(2, 1, "no_url"), (1, 2, "no_caption")])
def test_sbus_files_of_different_length_leave_no_row_untold(
    tmp_path: Path, captions: int, urls: int, reason: str
) -> None:
    write(tmp_path / "captions.txt", "a dog\n" * captions)
    write(tmp_path / "urls.txt", "http://a.example/1\n" * urls)
    assert reasons_of(read_pairs(tmp_path)) == [reason]


@pytest.mark.parametrize("captions_first", [True, False])
def test_sbus_json_has_two_lists_in_either_order(tmp_path: Path, captions_first: bool) -> None:
    lists = {
        "image_urls": ["http://a.example/1", "http://a.example/2"],
        "user_ids": [[1], 2],
        "captions": ["a", None],
    }
    if captions_first:
        lists = dict(reversed(lists.items()))
    found = read_pairs(write(tmp_path / "sbu-captions-all.json", json.dumps(lists)))
    assert captions_of(found) == ["a"]
    assert reasons_of(found) == ["no_caption"]


def test_blips_json_is_a_list_of_objects_larger_than_one_block(tmp_path: Path) -> None:
    rows = [{"caption": f"dog {k} " + "x" * 900, "url": f"http://a.example/{k}"} for k in range(3_000)]
    root = write(tmp_path / "ccs_synthetic_filtered_large.json", json.dumps([*rows, 5, {"caption": "a", "url": 1}]))
    assert root.stat().st_size > 2 << 20
    found = read_pairs(root)
    assert captions_of(found) == [row["caption"] for row in rows]
    assert reasons_of(found) == ["bad_column", "bad_column"]


def test_json_with_bytes_that_are_no_text_rejects_that_record(tmp_path: Path) -> None:
    data = (
        b'[{"caption": "a caf\xe9", "url": "http://a.example/1"}, {"caption": "a dog", "url": "http://a.example/2"}]'
    )
    found = read_pairs(write(tmp_path / "a.json", data))
    assert captions_of(found) == ["a dog"]
    assert reasons_of(found) == ["not_utf8"]


@pytest.mark.parametrize(
    "text", ["[{", '[{"caption": "a", "url": "http://a/1"}', '{"captions": ["a"]}', "", "[1 2]", "[" * 100_000]
)
def test_json_that_is_broken_or_something_else_stops_the_build(tmp_path: Path, text: str) -> None:
    with pytest.raises(InstructgenError, match=r"a\.json"):
        read_pairs(write(tmp_path / "a.json", text))


def test_json_lines_are_rows_with_their_own_keys(tmp_path: Path) -> None:
    lines = '{"uid": "k1", "text": "a dog", "url": "http://a.example/1"}\n{"text": 3, "url": "u"}\nno json\n'
    found = read_pairs(write(tmp_path / "a.jsonl", lines))
    assert [one.image_id for one in found if isinstance(one, ImageRecord)] == ["pairs/k1"]
    assert reasons_of(found) == ["bad_column", "bad_column"]


@pytest.mark.parametrize("names", [("URL", "TEXT", "SAMPLE_ID"), ("url", "caption", "key")])
def test_laions_parquet_is_read_whatever_the_case_of_its_columns(tmp_path: Path, names: tuple[str, ...]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    url, text, key = names
    table = pa.table(
        {
            url: ["http://a.example/1", None, "http://a.example/3"],
            text: ["a dog", "a cat", None],
            key: [7.0, None, 9.0],
            "WIDTH": [640, 1, 1],
            "HEIGHT": [480, 1, 1],
        }
    )
    parquet.write_table(table, tmp_path / "part-00000.parquet")
    found = read_pairs(tmp_path)
    first = found[0]
    assert isinstance(first, ImageRecord)
    assert (first.image_id, first.width_px, first.height_px) == ("pairs/7", 640, 480)
    assert [(one.record_id, one.reason) for one in found[1:] if isinstance(one, Rejected)] == [
        ("pairs/part-00000-000000002", "no_url"),
        ("pairs/9", "no_caption"),
    ]


def test_bytes_in_a_parquet_that_are_no_text_reject_their_row_alone(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    captions = pa.array([b"a dog", b"a caf\xe9"]).view(pa.string())
    table = pa.table({"url": ["http://a.example/1", "http://a.example/2"], "caption": captions})
    parquet.write_table(table, tmp_path / "a.parquet")
    found = read_pairs(tmp_path / "a.parquet")
    assert captions_of(found) == ["a dog"]
    assert reasons_of(found) == ["not_utf8"]


def test_cut_parquet_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"a\.parquet is no Parquet file"):
        read_pairs(write(tmp_path / "a.parquet", b"PAR1xxxx"))


def test_row_with_a_key_that_was_there_is_told_and_left_out(tmp_path: Path) -> None:
    lines = [f'{{"key": "k{k % 3}", "caption": "dog {k}", "url": "http://a.example/{k}"}}\n' for k in range(5)]
    found = read_pairs(write(tmp_path / "a.jsonl", "".join(lines)))
    assert captions_of(found) == ["dog 0", "dog 1", "dog 2"]
    assert [type(one) for one in found[3:]] == [SourceIssue, SourceIssue]
    assert reasons_of(found) == ["duplicate_key", "duplicate_key"]


def test_keys_are_compared_over_more_rows_than_are_held_at_once(tmp_path: Path) -> None:
    numbers = [*range(70_000), 3, *range(70_000, 140_000), 69_999, 0]
    lines = [f'{{"key": "{k}", "caption": "dog", "url": "http://a.example/1"}}\n' for k in numbers]
    found = read_pairs(write(tmp_path / "a.jsonl", "".join(lines)))
    issues = [one.record_id for one in found if isinstance(one, SourceIssue)]
    assert issues == ["pairs/3", "pairs/69999", "pairs/0"]


def test_columns_can_be_named_and_a_key_left_out(tmp_path: Path) -> None:
    root = write(tmp_path / "a.jsonl", '{"id": 1, "alt": "a dog", "link": "http://a.example/1"}\n' * 2)
    with pytest.raises(InstructgenError, match=r"no column .*captions; it has: id, alt, link.*source\.columns"):
        read_pairs(root)
    found = read_pairs(root, columns=ColumnsConfig(caption="ALT", url="link", key=""))
    assert [one.image_id for one in found if isinstance(one, ImageRecord)] == [
        "pairs/a-000000001",
        "pairs/a-000000002",
    ]
    with pytest.raises(InstructgenError, match="no column 'alf'"):
        read_pairs(root, columns=ColumnsConfig(caption="alf"))


def test_reading_twice_yields_the_same_and_tells_how_many_beforehand(tmp_path: Path) -> None:
    source = PairsSource(SourceConfig("pairs", str(write_tsv(tmp_path / "a.tsv", 5))), 0)
    assert source.num_images is None
    first = list(source.records())
    assert source.num_images == 5
    assert list(source.records()) == first


def test_limit_counts_kept_pairs_and_stops_reading_there(tmp_path: Path) -> None:
    path = write_tsv(tmp_path / "a.tsv", 3)
    path.write_bytes(b"\thttp://a.example/0\n" + path.read_bytes() + b"\xff\n")
    source = PairsSource(SourceConfig("pairs", str(path), limit=2), 0)
    found = list(source.records())
    assert captions_of(found) == ["a dog called rex1", "a dog called rex2"]
    assert reasons_of(found) == ["no_caption"]
    assert source.num_images == 3


def test_limit_does_not_change_a_pairs_id(tmp_path: Path) -> None:
    path = write_tsv(tmp_path / "a.tsv", 6)
    assert read_pairs(path)[:4] == read_pairs(path, limit=4)


def test_two_files_of_one_name_give_different_ids(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write_tsv(tmp_path / folder / "part.tsv", 2, folder)
    ids = [one.image_id for one in read_pairs(tmp_path) if isinstance(one, ImageRecord)]
    assert ids == [f"pairs/part-{file}-{row:09d}" for file in (1, 2) for row in (1, 2)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "--root PATH"),
        ({"root": "nowhere"}, "no file or folder nowhere"),
        ({"root": ".", "split": "val"}, "no --split"),
    ],
)
def test_settings_that_name_no_table_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InstructgenError, match=message):
        PairsSource(SourceConfig("pairs", **settings), 0)  # type: ignore[arg-type]


def test_folder_without_pairs_and_one_with_two_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no pairs"):
        read_pairs(tmp_path)
    write_tsv(tmp_path / "a.tsv", 1)
    write(tmp_path / "a.json", "[]")
    with pytest.raises(InstructgenError, match=r"several kinds \(\.tsv, \.json\)"):
        read_pairs(tmp_path)
    with pytest.raises(InstructgenError, match=r"not read from '\.csv'"):
        read_pairs(write(tmp_path / "a.csv", "x"))


def test_table_without_a_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="which column holds the captions"):
        read_pairs(write(tmp_path / "a.tsv", "one column\n"))
    with pytest.raises(InstructgenError, match="has no pairs"):
        read_pairs(write(tmp_path / "a.json", "[]"))


def test_settings_of_pairs_are_refused_for_another_source() -> None:
    with pytest.raises(InstructgenError, match="are of the source 'pairs'"):
        open_source(SourceConfig("coco", columns=ColumnsConfig(key="")), 0)


def test_address_in_a_column_for_files_is_an_address(tmp_path: Path) -> None:
    (found,) = read_pairs(write(tmp_path / "a.jsonl", '{"image": "http://a.example/1.jpg", "caption": "a dog"}\n'))
    assert isinstance(found, ImageRecord)
    assert found.file_name == found.url == "http://a.example/1.jpg"


def test_picture_named_in_a_table_is_read_from_beside_it_and_from_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    folder = tmp_path / "table"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "1.jpg").write_bytes(b"picture")
    (folder / "images" / "2.jpg").symlink_to(tmp_path / "secret.jpg")
    names = ["images/1.jpg", "../secret.jpg", "images/2.jpg"]
    lines = [json.dumps({"image": name, "caption": "a dog"}) + "\n" for name in names]
    source = PairsSource(SourceConfig("pairs", str(write(folder / "a.jsonl", "".join(lines)))), 0)
    one, two, three = source.records()
    assert isinstance(one, ImageRecord)
    assert source.image_bytes(one) == b"picture"
    assert isinstance(two, Rejected)
    assert two.reason == "bad_file_name"
    assert isinstance(three, ImageRecord)
    with pytest.raises(InstructgenError, match="leads out of that folder"):
        source.image_bytes(three)
