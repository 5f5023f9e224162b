"""Writes small COCO folders for tests, and reads them back."""

import json
from pathlib import Path
from typing import Any

from instructgen.records import ImageRecord, SourceIssue
from instructgen.sources.coco import CocoSource

Table = dict[str, Any]


def image(image_id: int, **other: object) -> Table:
    return {"id": image_id, "file_name": f"{image_id:012d}.jpg", "width": 640, "height": 480, **other}


def caption(annotation_id: int, image_id: int, text: str) -> Table:
    return {"id": annotation_id, "image_id": image_id, "caption": text}


def box(annotation_id: int, image_id: int, bbox: list[float], **other: object) -> Table:
    return {"id": annotation_id, "image_id": image_id, "category_id": 18, "bbox": bbox, "iscrowd": 0, **other}


def write(
    root: Path,
    images: list[Table],
    captions: list[Table],
    boxes: list[Table],
    caption_images: list[Table] | None = None,
) -> CocoSource:
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
    folder = root / "annotations"
    folder.mkdir()
    captions_file = {"images": images if caption_images is None else caption_images, "annotations": captions}
    instances_file = {"annotations": boxes, "images": images, "categories": categories}
    (folder / "captions_val.json").write_text(json.dumps(captions_file))
    (folder / "instances_val.json").write_text(json.dumps(instances_file))
    return CocoSource(root)


def only_record(source: CocoSource) -> ImageRecord:
    (record,) = [found for found in source.records() if isinstance(found, ImageRecord)]
    return record


def issues(source: CocoSource) -> list[tuple[str, str]]:
    return [(found.record_id, found.reason) for found in source.records() if isinstance(found, SourceIssue)]
