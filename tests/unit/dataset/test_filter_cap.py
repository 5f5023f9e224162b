"""MiniGPT-4's file from a published version."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, make_row
from instructgen.dataset.exports.base import Exported
from instructgen.dataset.exports.filter_cap import write_filter_cap
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from tests.support.cli import run_cli
from tests.support.make import make_record, make_reply, make_sample
from tests.support.versions import make_row_of, write_version

# Given an image's number: its id, its file, what the row embeds of it, and the sample's type.
Image = tuple[str, str, bytes | None, str]


def write_images(folder: Path, images: list[Image]) -> LocalVersion:
    rows = []
    for number, (image_id, file_name, picture, sample_type) in enumerate(images):
        record = make_record(image_id=image_id, file_name=file_name)
        sample = replace(make_sample(1, sample_type, f"Caption {number}."), image_id=image_id)
        rows.append(make_row(sample, record, Provenance("coco", "", make_reply()), picture))
    return write_version(folder, rows)


def export(
    version: LocalVersion, out: Path, pictures: dict[str, bytes] | None = None
) -> tuple[Exported, dict[str, str]]:
    """Return what was exported, and each caption by its image id."""
    exported = write_filter_cap(version, out, lambda image_id, file_name: (pictures or {}).get(file_name))
    written = json.loads((out / "filter_cap.json").read_text(encoding="utf-8"))
    assert written.keys() == {"annotations"}
    assert all(one.keys() == {"image_id", "caption"} for one in written["annotations"])
    return exported, {one["image_id"]: one["caption"] for one in written["annotations"]}


def test_every_listed_image_lies_beside_the_file_as_it_is_stored(tmp_path: Path) -> None:
    version = write_images(
        tmp_path / "v", [("coco/7", "7.png", b"seven", "caption"), ("coco/8", "8.jpg", b"8", "caption")]
    )
    exported, captions = export(version, tmp_path / "out")
    assert exported == Exported(tmp_path / "out", 2, {})
    assert captions == {"7": "Caption 0.", "8": "Caption 1."}
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "image").iterdir()} == {
        "7.jpg": b"seven",
        "8.jpg": b"8",
    }


def test_ids_that_end_alike_get_names_of_their_own(tmp_path: Path) -> None:
    ids = ["coco/7", "sbu/7", "sbu/7", "../..", "a b/ü?"]
    version = write_images(tmp_path / "v", [(one, "x.jpg", b"x", "caption") for one in ids])
    _, captions = export(version, tmp_path / "out")
    assert len(captions) == len(ids)
    assert {path.stem for path in (tmp_path / "out" / "image").iterdir()} == captions.keys()
    assert all("/" not in name and ".." not in name for name in captions)


def test_descriptions_of_one_type_are_written_and_other_types_left(tmp_path: Path) -> None:
    images: list[Image] = [("coco/1", "1.jpg", b"1", "conv"), ("coco/1", "1.jpg", b"1", "detail")]
    exported, captions = export(write_images(tmp_path / "a", images), tmp_path / "out-a")
    assert captions == {"1": "Caption 1."}
    assert exported.left_out == {"other_type": 1}
    images.append(("coco/2", "2.jpg", b"2", "caption"))
    exported, captions = export(write_images(tmp_path / "b", images), tmp_path / "out-b")
    assert exported.left_out == {"other_type": 2}
    assert captions == {"2": "Caption 2."}


def test_picture_that_is_nowhere_is_left_out_and_counted(tmp_path: Path) -> None:
    images: list[Image] = [("coco/1", "1.jpg", None, "caption"), ("coco/2", "2.jpg", None, "caption")]
    exported, captions = export(write_images(tmp_path / "v", images), tmp_path / "out", {"2.jpg": b"two"})
    assert exported.left_out == {"image_missing": 1}
    assert captions == {"2": "Caption 1."}


def test_row_that_is_no_description_of_one_picture_is_counted_by_its_reason(tmp_path: Path) -> None:
    rows = [make_row_of(number, "detail", picture=b"x") for number in range(8)]
    rows[0]["sample_type"] = "conv"
    rows[1]["images"] = []
    rows[2]["images"] = rows[2]["images"] * 2
    rows[3]["messages"] = rows[3]["messages"][:1]
    rows[4]["messages"] = []
    rows[5]["messages"] = rows[5]["messages"] * 2
    rows[6]["images"] = [{"bytes": None, "path": None}]
    exported, captions = export(write_version(tmp_path / "v", rows), tmp_path / "out")
    assert captions == {"000000000007": "A dog."}
    assert exported.left_out == {
        "other_type": 1,
        "image_missing": 2,
        "several_images": 1,
        "no_answer": 2,
        "several_turns": 1,
    }


def test_no_picture_at_all_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    version = write_images(tmp_path / "v", [("coco/1", "1.jpg", None, "caption")])
    with pytest.raises(InstructgenError, match="--images FOLDER"):
        export(version, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_version_without_descriptions_is_refused(tmp_path: Path) -> None:
    version = write_images(tmp_path / "v", [("coco/1", "1.jpg", b"1", "conv")])
    with pytest.raises(InstructgenError, match="no sample of the types caption or detail"):
        export(version, tmp_path / "out")


def test_older_export_is_replaced_as_a_whole(tmp_path: Path) -> None:
    export(write_images(tmp_path / "a", [("coco/1", "1.jpg", b"1", "caption")]), tmp_path / "out")
    export(write_images(tmp_path / "b", [("coco/2", "2.jpg", b"2", "caption")]), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "image").iterdir()] == ["2.jpg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "out"]


def test_command_exports_a_build_with_the_pictures_of_a_folder(tmp_path: Path) -> None:
    built = run_cli(
        "build", "--types", "detail", "--limit", "3", "--images", "reference", "--out", tmp_path / "ds", "--json"
    )
    assert built.code == 0, built.err
    flags = ("export", "filter-cap", tmp_path / "ds", "--out", tmp_path / "out", "--json")
    assert "--images FOLDER" in run_cli(*flags).err
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "000000000001.jpg").write_bytes(b"one")
    done = run_cli(*flags, "--images", tmp_path / "pictures")
    assert done.code == 0, done.err
    assert done.result == {"out": str(tmp_path / "out"), "samples": 1, "left_out": {"image_missing": 2}}
    again = run_cli(*flags, "--images", tmp_path / "pictures")
    assert again.code == 2
    assert "is there already" in again.err
