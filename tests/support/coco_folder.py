"""Writes COCO folders for tests: right ones, and ones that are wrong in one named way."""

import json
from pathlib import Path
from typing import Any

CATEGORIES = [
    {"supercategory": "person", "id": 1, "name": "person"},
    {"supercategory": "animal", "id": 18, "name": "dog"},
    {"supercategory": "sports", "id": 37, "name": "sports ball"},
]
SCENES = ("park", "yard", "garden", "street", "field")


def make_tables(num_images: int = 4) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (captions, instances) as COCO has them; image k has a dog, a ball and five captions."""
    images = [
        {"id": 10 + k, "file_name": f"{10 + k:012d}.jpg", "width": 640, "height": 480, "license": 4}
        for k in range(num_images)
    ]
    captions, boxes = [], []
    for k, image in enumerate(images):
        place = f"{SCENES[k % len(SCENES)]} number {k}"
        texts = [
            f"A brown dog plays with a red ball in the {place}.",
            f"The brown dog is running after a ball in the {place}.",
            f"A dog and a red ball on the grass of the {place}.",
            f"One brown dog in the {place} beside a ball.",
            f"A small dog playing with a ball in the {place}.",
        ]
        captions += [{"id": 100 * k + n, "image_id": image["id"], "caption": text} for n, text in enumerate(texts)]
        boxes += [
            {
                "id": 10 * k + 1,
                "image_id": image["id"],
                "category_id": 18,
                "bbox": [40.0, 200.0, 200.0, 150.5],
                "area": 30100.0,
                "iscrowd": 0,
                "segmentation": [[40, 200, 240, 200, 240, 350]],
            },
            {
                "id": 10 * k + 2,
                "image_id": image["id"],
                "category_id": 37,
                "bbox": [500.25, 400.0, 60.0, 60.0],
                "area": 3600.0,
                "iscrowd": 0,
                "segmentation": [[500, 400, 560, 400, 560, 460]],
            },
        ]
    head = {"info": {"year": 2026}, "licenses": [{"id": 4, "name": "test", "url": ""}]}
    return (
        {**head, "images": images, "annotations": captions},
        {**head, "images": images, "annotations": boxes, "categories": CATEGORIES},
    )


def write_coco(
    root: Path, captions: dict[str, Any] | None, instances: dict[str, Any] | None, split: str = "val2017"
) -> Path:
    """Write annotations/; None leaves a file out."""
    folder = root / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("captions", captions), ("instances", instances)):
        if table is not None:
            (folder / f"{name}_{split}.json").write_text(json.dumps(table))
    return root


def make_coco(root: Path, num_images: int = 4, split: str = "val2017") -> Path:
    return write_coco(root, *make_tables(num_images), split=split)
