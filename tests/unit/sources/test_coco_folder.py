"""What is found in a COCO folder: splits, annotation files and pictures."""

from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord
from instructgen.sources.coco import CocoSource, find_splits
from tests.unit.sources.coco_tables import image, only_record, write


def add_split(root: Path, split: str, *kinds: str) -> None:
    (root / "annotations").mkdir(exist_ok=True)
    for kind in kinds:
        (root / "annotations" / f"{kind}_{split}.json").write_text(
            '{"images": [], "categories": [], "annotations": []}'
        )


def test_only_split_is_found_by_itself_and_other_files_are_left_alone(tmp_path: Path) -> None:
    add_split(tmp_path, "val2017", "captions", "instances", "person_keypoints")
    add_split(tmp_path, "test2017", "image_info")
    source = CocoSource(tmp_path)
    assert source.split == "val2017"
    assert source.title == "COCO val2017"
    assert [files.split for files in find_splits(tmp_path)] == ["val2017"]
    assert CocoSource(tmp_path / "annotations").split == "val2017"


def test_several_splits_want_a_choice(tmp_path: Path) -> None:
    add_split(tmp_path, "val2017", "captions", "instances")
    add_split(tmp_path, "train2017", "captions", "instances")
    with pytest.raises(InstructgenError, match="several splits, choose one: train2017, val2017"):
        CocoSource(tmp_path)
    assert CocoSource(tmp_path, "train2017").split == "train2017"
    with pytest.raises(InstructgenError, match="no split 'test'; there are: train2017, val2017"):
        CocoSource(tmp_path, "test")


@pytest.mark.parametrize(("there", "missing"), [("captions", "instances"), ("instances", "captions")])
def test_half_a_split_is_an_error_that_names_the_missing_file(tmp_path: Path, there: str, missing: str) -> None:
    add_split(tmp_path, "val2017", there)
    message = f"{there}_val2017.json without {missing}_val2017.json"
    with pytest.raises(InstructgenError, match=message):
        CocoSource(tmp_path)
    add_split(tmp_path, "train2017", "captions", "instances")
    with pytest.raises(InstructgenError, match=message):
        CocoSource(tmp_path, "val2017")


def test_folder_without_annotations_and_file_in_its_place_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"wants annotations/captions_<split>\.json"):
        find_splits(tmp_path)
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(InstructgenError, match="is not a folder"):
            CocoSource(place)


@pytest.mark.parametrize("folder", ["val", "images/val"])
def test_picture_is_read_as_it_is_stored(tmp_path: Path, folder: str) -> None:
    write(tmp_path, [image(7), image(8)], [], [])
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "000000000007.jpg").write_bytes(b"\xff\xd8 picture")
    source = CocoSource(tmp_path)
    first, second = (record for record in source.records() if isinstance(record, ImageRecord))
    assert source.image_bytes(first) == b"\xff\xd8 picture"
    assert source.image_bytes(second) is None


def test_source_without_pictures_has_none(tmp_path: Path) -> None:
    source = write(tmp_path, [image(7)], [], [])
    assert source.image_bytes(only_record(source)) is None


def test_picture_folder_may_be_a_link_but_nothing_in_it_may_lead_out(tmp_path: Path) -> None:
    pictures = tmp_path / "elsewhere"
    pictures.mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (pictures / "000000000007.jpg").write_bytes(b"fine")
    (pictures / "000000000008.jpg").symlink_to(tmp_path / "secret.jpg")
    (pictures / "000000000009.jpg").symlink_to(pictures / "000000000007.jpg")
    write(tmp_path, [image(n) for n in (7, 8, 9)], [], [])
    (tmp_path / "val").symlink_to(pictures)
    source = CocoSource(tmp_path)
    fine, leads_out, inside = (record for record in source.records() if isinstance(record, ImageRecord))
    assert source.image_bytes(fine) == source.image_bytes(inside) == b"fine"
    with pytest.raises(InstructgenError, match="leads out of that folder"):
        source.image_bytes(leads_out)
    for file_name in ("../secret.jpg", str(tmp_path / "secret.jpg")):
        with pytest.raises(InstructgenError, match="leads out of that folder"):
            source.image_bytes(ImageRecord("coco/1", file_name, 1, 1, (), ()))
