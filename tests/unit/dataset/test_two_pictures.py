"""Rows of two pictures: written in order, read back by their own, and left out of what holds one picture only."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, Row, hash_row, make_row
from instructgen.dataset.exports.filter_cap import write_filter_cap
from instructgen.dataset.imports.parse import Unusable, parse_record
from instructgen.dataset.read import read_rows
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from tests.support.make import make_record, make_reply, make_sample
from tests.support.versions import write_version


def pair_row(first: bytes | None = b"one", second: bytes | None = b"two", sample_type: str = "multi-image") -> Row:
    sample = replace(make_sample(2, sample_type, "Both show a dog."), partner=make_record(1))
    return make_row(
        sample, make_record(2), Provenance("coco", "", make_reply()), second, {make_record(1).image_id: first}
    )


def single_row(number: int, sample_type: str) -> Row:
    return make_row(
        make_sample(number, sample_type), make_record(number), Provenance("coco", "", make_reply()), b"one"
    )


def write(folder: Path, *rows: Row) -> LocalVersion:
    return write_version(folder, rows)


def test_partner_comes_first_and_its_own_picture_last() -> None:
    row = pair_row()
    names = [make_record(number).file_name for number in (1, 2)]
    assert row["images"] == [{"bytes": b"one", "path": names[0]}, {"bytes": b"two", "path": names[1]}]
    assert row["image_id"] == make_record(2).image_id
    assert [picture["path"] for picture in pair_row(None, None)["images"]] == names


def test_digest_of_a_row_covers_both_pictures() -> None:
    rows = (pair_row(), pair_row(b"other"), pair_row(second=b"other"), pair_row(b"two", b"one"))
    assert len({hash_row(row) for row in rows}) == len(rows)


def test_row_is_shown_by_its_own_picture(tmp_path: Path) -> None:
    (shown,) = read_rows(write(tmp_path / "v", pair_row()), None, None, 5)
    assert shown["image_path"] == make_record(2).file_name


def test_export_of_single_pictures_leaves_other_types_alone(tmp_path: Path) -> None:
    version = write(tmp_path / "v", pair_row(), single_row(2, "detail"))
    exported = write_filter_cap(version, tmp_path / "out", lambda *_: None)
    assert (exported.num_rows, exported.left_out) == (1, {"other_type": 1})
    written = json.loads((tmp_path / "out" / "filter_cap.json").read_text(encoding="utf-8"))
    assert [one["caption"] for one in written["annotations"]] == [make_sample().turns[-1].content]


def test_export_counts_a_description_of_two_pictures(tmp_path: Path) -> None:
    version = write(tmp_path / "v", pair_row(sample_type="detail"), single_row(3, "detail"))
    exported = write_filter_cap(version, tmp_path / "out", lambda *_: None)
    assert (exported.num_rows, exported.left_out) == (1, {"several_images": 1})
    assert [path.stem for path in (tmp_path / "out" / "image").iterdir()] == ["000000000003"]


def test_export_refuses_what_holds_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="no sample of the types caption or detail"):
        write_filter_cap(write(tmp_path / "v", pair_row()), tmp_path / "out", lambda *_: None)


def test_audit_does_not_hold_two_pictures_against_one() -> None:
    names = [make_record(number).file_name for number in (1, 2)]
    row = {**pair_row(), "images": [{"path": one} for one in names]}
    found = parse_record(row, 1)
    assert isinstance(found, Unusable)
    assert found.reason == "several_images"
    assert all(name in found.detail for name in names)
    assert not isinstance(parse_record({**row, "images": row["images"][1:]}, 1), Unusable)
