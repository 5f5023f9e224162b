"""A row says whose its pictures are."""

from pathlib import Path

from instructgen.dataset.columns import Provenance, make_row
from instructgen.records import Message, Sample
from tests.support.cli import run_cli
from tests.support.make import make_record, make_reply

TURNS = (Message("user", "What is there?"), Message("assistant", "A dog."))


def test_credits_are_in_the_order_of_the_pictures_and_null_where_nobody_told() -> None:
    partner = make_record(1, licence="CC-BY-2.0", url="http://example.org/1.jpg")
    sample = Sample("coco/2/multi-image/0", "coco/2", "multi-image", TURNS, (), {}, partner)
    row = make_row(
        sample, make_record(2), Provenance("coco", "", make_reply()), b"second", {partner.image_id: b"first"}
    )
    assert [image["bytes"] for image in row["images"]] == [b"first", b"second"]
    assert row["image_licences"] == ["CC-BY-2.0", None]
    assert row["image_urls"] == ["http://example.org/1.jpg", None]


def test_build_carries_the_licences_of_the_annotation_file_into_the_rows(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    done = run_cli("build", "--types", "conv,multi-image", "--limit", "4", "--out", tmp_path / "ds", "--json")
    assert done.code == 0, done.err
    rows = [
        row
        for path in sorted((tmp_path / "ds").rglob("*.parquet"))
        for row in pq.read_table(path, columns=["images", "image_licences", "image_urls"]).to_pylist()
    ]
    assert {len(row["images"]) for row in rows} == {1, 2}
    for row in rows:
        assert row["image_licences"] == ["CC0-1.0"] * len(row["images"])
        assert row["image_urls"] == [None] * len(row["images"])
