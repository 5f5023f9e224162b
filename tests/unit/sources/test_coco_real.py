"""The COCO source on real annotations, against pycocotools."""

import contextlib
import io
import json
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, SourceIssue
from instructgen.sources.coco import CocoSource
from instructgen.sources.coco_masks import RunLengths, Segmentation, decode_mask, read_mask

pytestmark = pytest.mark.coco


def open_coco(path: Path):  # type: ignore[no-untyped-def]
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_all_captions_and_boxes_of_val2017_equal_those_of_pycocotools(coco_root: Path) -> None:
    boxes_by_image = open_coco(coco_root / "annotations" / "instances_val2017.json")
    captions_by_image = open_coco(coco_root / "annotations" / "captions_val2017.json")
    names = {category["id"]: category["name"] for category in boxes_by_image.dataset["categories"]}
    num_boxes = num_captions = 0
    records = [record for record in CocoSource(coco_root, "val2017").records() if isinstance(record, ImageRecord)]
    assert [int(record.image_id[5:]) for record in records] == sorted(boxes_by_image.imgs)
    for record in records:
        coco_id = int(record.image_id[5:])
        image = boxes_by_image.imgs[coco_id]
        assert (record.file_name, record.width_px, record.height_px) == (
            image["file_name"],
            image["width"],
            image["height"],
        )
        expected_captions = [annotation["caption"] for annotation in captions_by_image.imgToAnns[coco_id]]
        assert [" ".join(caption.split()) for caption in record.captions] == [
            " ".join(caption.split()) for caption in expected_captions
        ]
        for box, annotation in zip(record.boxes, boxes_by_image.imgToAnns[coco_id], strict=True):
            x, y, width, height = annotation["bbox"]
            assert box.category == names[annotation["category_id"]]
            assert box.x0 == max(x, 0) / image["width"]
            assert box.y0 == max(y, 0) / image["height"]
            assert box.x1 == min((x + width) / image["width"], 1.0)
            assert box.y1 == min((y + height) / image["height"], 1.0)
        num_boxes += len(record.boxes)
        num_captions += len(record.captions)
    assert (len(records), num_boxes, num_captions) == (5000, 36335, 25014)


def test_outer_blanks_and_inner_newlines_are_all_that_changes_in_val2017(coco_root: Path) -> None:
    raw = json.loads((coco_root / "annotations" / "captions_val2017.json").read_bytes())["annotations"]
    texts = Counter(annotation["caption"].strip() for annotation in raw)
    kept = Counter(
        caption
        for record in CocoSource(coco_root).records()
        if isinstance(record, ImageRecord)
        for caption in record.captions
    )
    assert [text.count("\n") for text in texts - kept] == [1]
    assert not [text for text in kept if text != text.strip() or not text or len(text.splitlines()) > 1]


def test_crowds_of_the_genuine_subset_are_kept_and_counted(coco_subset_root: Path) -> None:
    for split, num_images, num_boxes, num_crowds in (("val2017", 188, 1692, 20), ("train2017", 294, 2519, 25)):
        found = list(CocoSource(coco_subset_root, split).records())
        records = [record for record in found if isinstance(record, ImageRecord)]
        boxes = [box for record in records for box in record.boxes]
        assert (len(records), len(boxes), sum(box.is_crowd for box in boxes)) == (num_images, num_boxes, num_crowds)
        reasons = Counter(issue.reason for issue in found if isinstance(issue, SourceIssue))
        assert reasons["crowd_box"] == num_crowds
        assert set(reasons) <= {"crowd_box", "image_in_one_file"}


def test_images_of_the_subset_that_have_no_captions_are_counted(coco_subset_root: Path) -> None:
    found = list(CocoSource(coco_subset_root, "train2017").records())
    in_one_file = [one for one in found if isinstance(one, SourceIssue) and one.reason == "image_in_one_file"]
    without = [one for one in found if isinstance(one, ImageRecord) and not one.captions]
    assert len(in_one_file) == len(without) == 204


@pytest.mark.parametrize(("split", "num_masks"), [("val2017", 1692), ("train2017", 2519)])
def test_boxes_of_genuine_masks_are_the_annotations_boxes(coco_subset_root: Path, split: str, num_masks: int) -> None:
    table = json.loads((coco_subset_root / "annotations" / f"instances_{split}.json").read_bytes())
    images = {image["id"]: image for image in table["images"]}
    offsets_px = []
    for annotation in table["annotations"]:
        image = images[annotation["image_id"]]
        segmentation = msgspec.convert(annotation["segmentation"], Segmentation)
        mask = decode_mask(segmentation, image["height"], image["width"])
        assert mask.shape == (image["height"], image["width"])
        x, y, width, height = annotation["bbox"]
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        edges = (columns[0] - x, rows[0] - y, columns[-1] + 1 - x - width, rows[-1] + 1 - y - height)
        offsets_px.append(max(map(abs, edges)))
    # A polygon's tip that is thinner than a pixel is in the box and not in the mask.
    assert len(offsets_px) == num_masks
    assert np.mean(np.array(offsets_px) <= 2) > 0.98
    assert max(offsets_px) < 10


def test_mask_is_found_by_its_annotation_id_and_equals_pycocotools_own(coco_subset_root: Path) -> None:
    path = coco_subset_root / "annotations" / "instances_val2017.json"
    coco = open_coco(path)
    crowds = [annotation for annotation in coco.dataset["annotations"] if annotation["iscrowd"]]
    for annotation in [*crowds[:4], *coco.dataset["annotations"][:4]]:
        mask = read_mask(path, annotation["id"])
        assert np.array_equal(mask, coco.annToMask(annotation))


def test_unknown_annotation_has_no_mask(coco_subset_root: Path) -> None:
    with pytest.raises(InstructgenError, match=r"no annotation with id 1$"):
        read_mask(coco_subset_root / "annotations" / "instances_val2017.json", 1)


@pytest.mark.parametrize(
    "segmentation",
    [
        RunLengths((4, 4), [3, 2]),
        RunLengths((4, 4), [1 << 40]),
        RunLengths((4, 4), [-1, 17]),
        RunLengths((4, 4), []),
        RunLengths((4, 4), ""),
        RunLengths((4, 4), "zzzzzzzz"),
        RunLengths((4, 5), [20]),
    ],
)
def test_run_lengths_that_do_not_fill_the_image_are_refused(segmentation: RunLengths) -> None:
    with pytest.raises(InstructgenError, match="run lengths do not fill 4x4 pixels"):
        decode_mask(segmentation, 4, 4)


def test_mask_of_an_absurd_size_is_refused_before_it_is_made() -> None:
    with pytest.raises(InstructgenError, match="wants 1 to 100000000 pixels"):
        decode_mask([[0, 0, 9, 0, 9, 9]], 1_000_000, 1_000_000)


def test_annotation_without_a_segmentation_has_an_empty_mask() -> None:
    mask = decode_mask([], 3, 5)
    assert mask.shape == (3, 5)
    assert not mask.any()
