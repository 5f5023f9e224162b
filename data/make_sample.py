"""Makes the bundled sample again: `python data/make_sample.py` writes data/sample from the renderer.

The sample is a COCO folder: sample/*.jpg, annotations/captions_sample.json, annotations/instances_sample.json.
"""

import json
from pathlib import Path

import numpy as np
import PIL
from pycocotools import mask as coco_mask

from instructgen.scenes.categories import list_categories
from instructgen.scenes.render import Drawing
from instructgen.sources.scenes import SceneImage, encode_jpeg, make_scene

NUM_IMAGES = 64
SEED = 3
SIZE_PX = (480, 360)
SPLIT = "sample"

_INFO = {
    "description": "instructgen sample: drawn scenes with captions, boxes and masks taken from their pixels",
    "version": "1.0",
    "year": 2026,
    "contributor": "the instructgen authors",
    "drawn_with": f"Pillow {PIL.__version__}",
}
_LICENCES = [
    {"id": 1, "name": "CC0 1.0 Universal", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
]


def make_sample(folder: Path) -> None:
    """Write the whole sample into the folder, replacing what it holds of the same names."""
    pictures = folder / SPLIT
    pictures.mkdir(parents=True, exist_ok=True)
    images = {number: make_scene(SEED, number, SIZE_PX) for number in range(1, NUM_IMAGES + 1)}
    for number, image in images.items():
        (pictures / _file_name(number)).write_bytes(encode_jpeg(image.drawing))
    write_annotations(folder / "annotations", images)


def write_annotations(folder: Path, images: dict[int, SceneImage]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_image_row(number) for number in images]
    shared = {"info": _INFO, "licenses": _LICENCES, "images": rows}
    captions = [(number, caption) for number, image in images.items() for caption in image.captions]
    caption_rows = [
        {"id": position, "image_id": number, "caption": caption}
        for position, (number, caption) in enumerate(captions, start=1)
    ]
    _write_json(folder / f"captions_{SPLIT}.json", {**shared, "annotations": caption_rows})
    category_rows = [
        {"id": category.category_id, "name": category.name, "supercategory": category.supercategory}
        for category in list_categories()
    ]
    instance_rows = [row for number, image in images.items() for row in _instance_rows(number, image.drawing)]
    _write_json(
        folder / f"instances_{SPLIT}.json",
        {**shared, "annotations": instance_rows, "categories": category_rows},
    )


def _file_name(number: int) -> str:
    return f"{number:012d}.jpg"


def _image_row(number: int) -> dict[str, object]:
    return {"id": number, "file_name": _file_name(number), "width": SIZE_PX[0], "height": SIZE_PX[1], "license": 1}


def _instance_rows(number: int, drawing: Drawing) -> list[dict[str, object]]:
    category_ids = {category.name: category.category_id for category in list_categories()}
    rows: list[dict[str, object]] = []
    for position, sighting in enumerate(drawing.sightings, start=1):
        x0, y0, x1, y1 = sighting.box_px
        run_lengths = coco_mask.encode(np.asfortranarray(drawing.mask == position, dtype=np.uint8))
        rows.append(
            {
                "id": number * 100 + position,
                "image_id": number,
                "category_id": category_ids[sighting.thing.kind],
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": sighting.area_px,
                "iscrowd": 0,
                "segmentation": {"size": list(run_lengths["size"]), "counts": run_lengths["counts"].decode()},
            }
        )
    return rows


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make_sample(Path(__file__).resolve().parent / "sample")
