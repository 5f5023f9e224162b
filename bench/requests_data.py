"""Made-up annotations in COCO's format, any number of images, for benchmarks: no two images are written down alike.

An image has 5 captions of about 52 characters and 7 boxes, as COCO's have, so that the shipped `conv` prompt has
about 7 KB with it. Image k depends on k alone.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

SPLIT = "bench"
_WIDTH_PX, _HEIGHT_PX = 640, 480
_NUM_CAPTIONS = 5
_NUM_BOXES = 7
_CATEGORIES = (
    "person",
    "bicycle",
    "car",
    "bus",
    "boat",
    "bench",
    "bird",
    "dog",
    "horse",
    "umbrella",
    "kite",
    "chair",
)
_LOOKS = ("red", "blue", "green", "small", "large", "old", "wooden", "white", "black", "striped", "bright", "dusty")
_VERBS = ("stands near", "is next to", "is behind", "leans on", "lies in front of", "is seen above", "rests by")
_PLACES = ("on a street", "at the beach", "in a park", "by the river", "in a yard", "on the grass", "under a bridge")


def make_folder(folder: Path, num_images: int) -> None:
    """Write captions_bench.json and instances_bench.json, in pieces, so that memory stays small."""
    folder.mkdir(parents=True, exist_ok=True)
    categories = [{"id": number, "name": name} for number, name in enumerate(_CATEGORIES, 1)]
    _write(folder / f"captions_{SPLIT}.json", {}, num_images, _captions(num_images))
    _write(folder / f"instances_{SPLIT}.json", {"categories": categories}, num_images, _boxes(num_images))


def _images(num: int) -> Iterator[dict[str, object]]:
    for number in range(1, num + 1):
        yield {"id": number, "file_name": f"{number:012d}.jpg", "width": _WIDTH_PX, "height": _HEIGHT_PX}


def _captions(num: int) -> Iterator[dict[str, object]]:
    for number in range(1, num + 1):
        draw = random.Random(number)
        for part in range(_NUM_CAPTIONS):
            caption = (
                f"A {draw.choice(_LOOKS)} {draw.choice(_CATEGORIES)} {draw.choice(_VERBS)} a {draw.choice(_LOOKS)} "
                f"{draw.choice(_CATEGORIES)} {draw.choice(_PLACES)}."
            )
            yield {"id": number * _NUM_CAPTIONS + part, "image_id": number, "caption": caption}


def _boxes(num: int) -> Iterator[dict[str, object]]:
    for number in range(1, num + 1):
        draw = random.Random(-number)
        for part in range(_NUM_BOXES):
            x, y = draw.randrange(_WIDTH_PX - 64), draw.randrange(_HEIGHT_PX - 64)
            box = [x, y, draw.randrange(8, _WIDTH_PX - x), draw.randrange(8, _HEIGHT_PX - y)]
            yield {
                "id": number * _NUM_BOXES + part,
                "image_id": number,
                "category_id": draw.randrange(len(_CATEGORIES)) + 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }


def _write(path: Path, head: dict[str, object], num_images: int, annotations: Iterator[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(json.dumps(head)[:-1] + (", " if head else ""))
        for name, records in (("images", _images(num_images)), ("annotations", annotations)):
            out.write(f'"{name}": [')
            for number, record in enumerate(records):
                out.write((",\n" if number else "") + json.dumps(record))
            out.write("]" if name == "annotations" else "], ")
        out.write("}")
