"""What `fetch images` wrote, read as pairs."""

from pathlib import Path

import pytest

from instructgen.config import SourceConfig, TableConfig
from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected
from instructgen.sources.pairs import PairsSource
from tests.support.pair_tables import make_jpeg, read_pairs, reasons_of

URL = "http://a.example/{}.jpg"


def write_fetched(root: Path) -> Path:
    """Write a folder of three pictures of which one came, as a fetch does."""
    import pyarrow as pa
    from pyarrow import parquet

    (root / "images" / "0a").mkdir(parents=True)
    (root / "images" / "0a" / "k1.jpg").write_bytes(make_jpeg((40, 30)))
    (root / ".fetch").mkdir()
    (root / "report.json").write_text('{"rows": 3}\n')
    there = {"path": "images/0a/k1.jpg", "width_px": 40, "height_px": 30, "status": "there", "reason": ""}
    gone = {"path": "", "width_px": 0, "height_px": 0, "status": "gone", "reason": "gone_404"}
    failed = {**gone, "status": "failed", "reason": "timeout"}
    rows = [
        {"key": f"k{k}", "url": URL.format(k), "caption": f"dog {k}", "fetched_sha256": "", **facts}
        for k, facts in enumerate((there, gone, failed), 1)
    ]
    parquet.write_table(pa.Table.from_pylist(rows), root / "index.parquet")
    return root


@pytest.mark.parametrize("name", ["", "index.parquet"])
def test_row_that_came_is_a_pair_with_its_file_size_and_address(tmp_path: Path, name: str) -> None:
    source = PairsSource(SourceConfig("pairs", str(write_fetched(tmp_path) / name)), 0)
    first, *_ = source.records()
    assert first == ImageRecord("pairs/k1", "images/0a/k1.jpg", 40, 30, ("dog 1",), (), url=URL.format(1))
    assert source.image_bytes(first) == make_jpeg((40, 30))


@pytest.mark.parametrize("name", ["", "index.parquet"])
def test_rows_whose_picture_did_not_come_are_rejected_with_the_reason(tmp_path: Path, name: str) -> None:
    found = read_pairs(write_fetched(tmp_path) / name)
    assert [(one.record_id, one.reason, one.detail) for one in found if isinstance(one, Rejected)] == [
        ("pairs/k2", "not_fetched", f"index.parquet row 2: gone, gone_404: {URL.format(2)}"),
        ("pairs/k3", "not_fetched", f"index.parquet row 3: failed, timeout: {URL.format(3)}"),
    ]


def test_address_of_a_page_is_not_told_whole(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    row = {"key": "k", "url": "x" * 9_000, "caption": "a dog", "path": "", "fetched_sha256": ""}
    rows = [{**row, "status": "rejected", "reason": "bad_url"}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "index.parquet")
    (one,) = read_pairs(tmp_path / "index.parquet")
    assert isinstance(one, Rejected)
    assert one.detail.startswith("index.parquet row 1: rejected, bad_url: xxx")
    assert len(one.detail) < 300


@pytest.mark.parametrize("lost", [".fetch", "report.json"])
def test_folder_is_known_by_its_state_or_its_report(tmp_path: Path, lost: str) -> None:
    path = write_fetched(tmp_path) / lost
    path.rmdir() if path.is_dir() else path.unlink()
    assert reasons_of(read_pairs(tmp_path)) == ["not_fetched", "not_fetched"]


def test_fetched_folder_is_one_of_several_tables(tmp_path: Path) -> None:
    write_fetched(tmp_path / "web")
    found = read_pairs(None, tables=(TableConfig(str(tmp_path / "web")),))
    assert [one.file_name for one in found if isinstance(one, ImageRecord)] == ["web/images/0a/k1.jpg"]


def test_fetch_that_was_stopped_has_no_index_and_says_so(tmp_path: Path) -> None:
    (write_fetched(tmp_path) / "index.parquet").unlink()
    with pytest.raises(InstructgenError, match=r"has no index\.parquet yet"):
        read_pairs(tmp_path)


def test_other_parquet_with_a_status_is_no_index(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [{"key": "1", "url": URL.format(1), "caption": "a dog", "status": "success"}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "00000.parquet")
    assert reasons_of(read_pairs(tmp_path)) == []
