"""COCO files that do not fit the format stop with the file, the record and what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.errors import InstructgenError
from tests.unit.sources.coco_tables import Table, box, image, write

NAN = float("nan")

BAD_RECORDS = [
    ({"bbox": [1, 2, 3]}, "annotation 2: bbox has 3 numbers, wants 4 (x, y, width, height in pixels)"),
    ({"bbox": [1, 2, 3, 4, 5]}, "annotation 2: bbox has 5 numbers, wants 4 (x, y, width, height in pixels)"),
    ({"bbox": {"x": 1}}, "annotation 2: bbox is an object, wants 4"),
    ({"bbox": [1, 2, "3", 4]}, "annotation 2: bbox holds the text '3', wants 4"),
    ({"bbox": [1, 2, None, 4]}, "annotation 2: bbox holds null, wants 4"),
    ({"bbox": None}, "annotation 2: has no bbox, wants 4"),
    ({"image_id": None}, "annotation 2: has no image_id"),
    ({"id": None}, "annotation 2: has no id"),
    ({"category_id": "dog"}, "annotation 2: category_id is the text 'dog', wants a whole number"),
    ({"image_id": 7.5}, "annotation 2: image_id is 7.5, wants a whole number"),
    ({"image_id": True}, "annotation 2: image_id is True, wants a whole number"),
    ({"image_id": -7}, "annotation 2: image_id is -7, wants no negative number"),
    ({"image_id": 10**30}, "annotation 2: image_id is 1000000000000000000000000000000, which is too large"),
    ({"iscrowd": "no"}, "annotation 2: iscrowd is the text 'no', wants 0 or 1"),
]


@pytest.mark.parametrize(("change", "message"), BAD_RECORDS)
def test_box_that_does_not_fit_the_format_is_an_error_with_its_number(
    tmp_path: Path, change: Table, message: str
) -> None:
    bad = {name: value for name, value in {**box(2, 7, [1, 1, 5, 5]), **change}.items() if value is not None}
    source = write(tmp_path, [image(7)], [], [box(1, 7, [0, 0, 5, 5]), bad, box(3, 7, [1, NAN, 5, 5])])
    with pytest.raises(InstructgenError) as caught:
        list(source.records())
    assert f"instances_val.json {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"id": 1, "image_id": 7, "caption": 12}, "annotation 1: caption is 12, wants text"),
        ({"id": 1, "image_id": 7}, "annotation 1: has no caption"),
        ({"id": 1, "caption": "A dog."}, "annotation 1: has no image_id"),
        ([1, 7, "A dog."], "annotation 1: is a list, wants an object with id, image_id, caption"),
    ],
)
def test_caption_that_does_not_fit_the_format_is_an_error_with_its_number(
    tmp_path: Path, bad: Any, message: str
) -> None:
    with pytest.raises(InstructgenError) as caught:
        list(write(tmp_path, [image(7)], [bad], []).records())
    assert f"captions_val.json {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"id": 7, "file_name": "a.jpg", "width": 5}, "image 1: has no height"),
        ({"id": 7, "file_name": 7, "width": 5, "height": 5}, "image 1: file_name is 7, wants text"),
        ({"id": 7, "file_name": "a.jpg", "width": 5.5, "height": 5}, "image 1: width is 5.5, wants a whole number"),
    ],
)
def test_image_that_does_not_fit_the_format_is_an_error_with_its_number(
    tmp_path: Path, bad: Table, message: str
) -> None:
    with pytest.raises(InstructgenError) as caught:
        list(write(tmp_path, [bad], [], []).records())
    assert f"instances_val.json {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        ([{"id": 1, "name": "dog"}, {"id": 1, "name": "cat"}], "category 1 is both 'dog' and 'cat'"),
        ([{"id": 1, "name": " "}], "category 1 has a blank name"),
        ([{"id": 1}], "category 1: has no name"),
    ],
)
def test_categories_that_cannot_be_told_apart_are_an_error(
    tmp_path: Path, categories: list[Table], message: str
) -> None:
    source = write(tmp_path, [image(7)], [], [])
    path = tmp_path / "annotations" / "instances_val.json"
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": categories}))
    with pytest.raises(InstructgenError) as caught:
        list(source.records())
    assert message in str(caught.value)


def test_captions_file_given_as_instances_is_an_error_that_names_what_is_missing(tmp_path: Path) -> None:
    source = write(tmp_path, [image(7)], [], [])
    path = tmp_path / "annotations" / "instances_val.json"
    path.write_bytes((tmp_path / "annotations" / "captions_val.json").read_bytes())
    with pytest.raises(
        InstructgenError, match=r"instances_val.json has no 'categories'; it has: images, annotations"
    ):
        list(source.records())
