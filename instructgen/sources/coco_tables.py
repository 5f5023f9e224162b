"""COCO's annotation files as columns: images in memory, boxes and captions on disk (instructgen.sources.spool)."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.sources.coco_credits import CreditColumns, Credits
from instructgen.sources.coco_schema import (
    CocoBox,
    CocoCaption,
    CocoCategory,
    CocoImage,
    explain_box,
    explain_caption,
    explain_category,
    explain_image,
)
from instructgen.sources.json_stream import Member, read_members
from instructgen.sources.spool import Int64s, Rows, Spool
from instructgen.surrogate.captions import clean_caption

Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROW = [("id", np.int64), ("image_id", np.int64), ("row", np.int64)]
_BOX = np.dtype([*_ROW, ("category_id", np.int64), ("xywh_px", np.float64, (4,)), ("is_crowd", np.bool_)])
_CAPTION = np.dtype([*_ROW, ("num_chars", np.int64)])


@dataclass(frozen=True)
class ImageTable:
    """The images of one file, in its order. `odd_names` has, by row, file names that may not follow from the id."""

    ids: Int64s
    sizes_px: Int32s
    """[images, 2]: width and height."""
    odd_names: dict[int, str]
    credits: Credits
    """Of the captions file, only those of images that the instances file does not list."""


def usual_names(coco_ids: Iterable[int]) -> list[str]:
    """Return the names that COCO gives the files of images."""
    return [f"{coco_id:012d}.jpg" for coco_id in coco_ids]


def read_instances(path: Path) -> tuple[ImageTable, dict[int, str], Spool]:
    """Return images, category names by id, and boxes."""
    images, categories, licences = _ImageColumns(), list[CocoCategory](), list[Any]()
    boxes = BoxSpool(images)
    members = (
        Member("images", "image", CocoImage, images.add, explain_image),
        Member("categories", "category", CocoCategory, categories.extend, explain_category),
        Member("annotations", "annotation", CocoBox, boxes.add, explain_box),
        Member("licenses", "licence", Any, licences.extend, is_optional=True),
    )
    read_members(path, members)
    return images.table(licences), _category_names(path, categories), boxes.finish()


def read_captions(path: Path, image_ids: Int64s) -> tuple[ImageTable, Spool]:
    """Return images and captions, these cleaned and in ranges of the ids that the instances file lists."""
    images, licences = _ImageColumns(np.sort(image_ids)), list[Any]()
    captions = CaptionSpool(image_ids)
    members = (
        Member("images", "image", CocoImage, images.add, explain_image),
        Member("annotations", "annotation", CocoCaption, captions.add, explain_caption),
        Member("licenses", "licence", Any, licences.extend, is_optional=True),
    )
    read_members(path, members)
    return images.table(licences), captions.finish()


def _category_names(path: Path, categories: list[CocoCategory]) -> dict[int, str]:
    names: dict[int, str] = {}
    for category in categories:
        name = clean_caption(category.name)
        if not name:
            raise InstructgenError(f"{path}: category {category.id} has a blank name; give it one")
        if names.setdefault(category.id, name) != name:
            raise InstructgenError(f"{path}: category {category.id} is both '{names[category.id]}' and '{name}'")
    return names


class _ImageColumns:
    def __init__(self, credited_ids: Int64s | None = None) -> None:
        self._credits = CreditColumns(credited_ids)
        self._ids: list[Int64s] = [np.empty(0, np.int64)]
        self._sizes_px: list[Int32s] = [np.empty((0, 2), np.int32)]
        self.odd_names: dict[int, str] = {}
        self.num_images = 0

    def add(self, images: list[CocoImage]) -> None:
        self._ids.append(np.fromiter([image.id for image in images], np.int64, len(images)))
        flat = chain.from_iterable([(image.width, image.height) for image in images])
        self._sizes_px.append(np.fromiter(flat, np.int32, 2 * len(images)).reshape(-1, 2))
        names = [image.file_name for image in images]
        if names != usual_names([image.id for image in images]):
            self.odd_names.update(enumerate(names, self.num_images))
        self.num_images += len(images)
        self._credits.add(images, self._ids[-1])

    def ids(self) -> Int64s:
        return np.concatenate(self._ids)

    def table(self, licences: list[Any]) -> ImageTable:
        sizes_px = np.concatenate(self._sizes_px)
        return ImageTable(self.ids(), sizes_px, self.odd_names, self._credits.finish(licences))


class BoxSpool:
    """Boxes on their way to disk. Most files list their images first, so that the ranges are known in time."""

    def __init__(self, images: _ImageColumns) -> None:
        self._images = images
        self._spool = Spool(_BOX)

    def add(self, boxes: list[CocoBox]) -> None:
        if not self._spool.has_ranges and self._images.num_images:
            self._spool.set_ranges(self._images.ids())
        rows = np.empty(len(boxes), _BOX)
        rows["id"] = np.fromiter([box.id for box in boxes], np.int64, len(boxes))
        rows["image_id"] = np.fromiter([box.image_id for box in boxes], np.int64, len(boxes))
        rows["category_id"] = np.fromiter([box.category_id for box in boxes], np.int64, len(boxes))
        rows["is_crowd"] = np.fromiter([box.iscrowd for box in boxes], np.bool_, len(boxes))
        flat = chain.from_iterable([box.bbox for box in boxes])
        rows["xywh_px"] = np.fromiter(flat, np.float64, 4 * len(boxes)).reshape(-1, 4)
        self._spool.add(rows)

    def finish(self) -> Spool:
        if not self._spool.has_ranges:
            self._spool.set_ranges(self._images.ids())
        self._spool.store()
        return self._spool


class CaptionSpool:
    def __init__(self, image_ids: Int64s) -> None:
        self._spool = Spool(_CAPTION)
        self._spool.set_ranges(image_ids)

    def add(self, captions: list[CocoCaption]) -> None:
        texts = [caption.caption.strip() for caption in captions]
        if not "".join(texts).isprintable():
            texts = [clean_caption(text) for text in texts]
        rows = np.empty(len(captions), _CAPTION)
        rows["id"] = np.fromiter([caption.id for caption in captions], np.int64, len(captions))
        rows["image_id"] = np.fromiter([caption.image_id for caption in captions], np.int64, len(captions))
        rows["num_chars"] = np.fromiter(map(len, texts), np.int64, len(texts))
        self._spool.add(rows, texts)

    def finish(self) -> Spool:
        self._spool.store()
        return self._spool


def read_texts(spool: Spool, number: int, rows: Rows) -> list[str]:
    """Return the captions of a range, whose rows are given."""
    text, ends = spool.read_text(number), np.cumsum(rows["num_chars"]).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
