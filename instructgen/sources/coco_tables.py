"""COCO's annotation files as compact columns: about 60 bytes a box and 80 a caption, whatever the files' size."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
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
from instructgen.surrogate.captions import clean_caption

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ImageTable:
    """The images of one file, in its order."""

    ids: Int64s
    width_px: Int64s
    height_px: Int64s
    file_names: list[str]


@dataclass(frozen=True)
class BoxTable:
    """The boxes of one file, in its order; `xywh_px` is [boxes, 4]."""

    ids: Int64s
    image_ids: Int64s
    category_ids: Int64s
    is_crowd: Bools
    xywh_px: Floats


@dataclass(frozen=True)
class CaptionTable:
    """The captions of one file, in its order, cleaned; those of one block of the file are in one text."""

    ids: Int64s
    image_ids: Int64s
    blocks: list[str]
    block_index: Int64s
    starts: Int64s
    num_chars: Int64s

    def texts(self, rows: Int64s) -> list[str]:
        blocks = self.blocks
        starts = self.starts[rows]
        places = (self.block_index[rows], starts, starts + self.num_chars[rows])
        return [blocks[i][low:high] for i, low, high in zip(*(place.tolist() for place in places), strict=True)]


class Annotations(Protocol):
    """What boxes and captions have in common."""

    @property
    def ids(self) -> Int64s: ...
    @property
    def image_ids(self) -> Int64s: ...


def read_instances(path: Path) -> tuple[ImageTable, dict[int, str], BoxTable]:
    """Return images, category names by id, and boxes."""
    images, boxes, categories = _ImageColumns(), _BoxColumns(), list[CocoCategory]()
    members = (
        Member("images", "image", CocoImage, images.add, explain_image),
        Member("categories", "category", CocoCategory, categories.extend, explain_category),
        Member("annotations", "annotation", CocoBox, boxes.add, explain_box),
    )
    read_members(path, members)
    return images.table(), _category_names(path, categories), boxes.table()


def read_captions(path: Path) -> tuple[ImageTable, CaptionTable]:
    images, captions = _ImageColumns(), _CaptionColumns()
    members = (
        Member("images", "image", CocoImage, images.add, explain_image),
        Member("annotations", "annotation", CocoCaption, captions.add, explain_caption),
    )
    read_members(path, members)
    return images.table(), captions.table()


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
    def __init__(self) -> None:
        self.numbers: list[Int64s] = []
        self.file_names: list[str] = []

    def add(self, images: list[CocoImage]) -> None:
        flat = chain.from_iterable([(image.id, image.width, image.height) for image in images])
        self.numbers.append(np.fromiter(flat, np.int64, 3 * len(images)).reshape(-1, 3))
        self.file_names += [image.file_name for image in images]

    def table(self) -> ImageTable:
        numbers = np.concatenate(self.numbers) if self.numbers else np.empty((0, 3), np.int64)
        ids, width_px, height_px = (np.ascontiguousarray(column) for column in numbers.T)
        return ImageTable(ids, width_px, height_px, self.file_names)


class _BoxColumns:
    def __init__(self) -> None:
        self.ids: list[Int64s] = [np.empty(0, np.int64)]
        self.image_ids: list[Int64s] = [np.empty(0, np.int64)]
        self.category_ids: list[Int64s] = [np.empty(0, np.int64)]
        self.is_crowd: list[Bools] = [np.empty(0, np.bool_)]
        self.xywh_px: list[Floats] = [np.empty((0, 4), np.float64)]

    def add(self, boxes: list[CocoBox]) -> None:
        self.ids.append(np.fromiter([box.id for box in boxes], np.int64, len(boxes)))
        self.image_ids.append(np.fromiter([box.image_id for box in boxes], np.int64, len(boxes)))
        self.category_ids.append(np.fromiter([box.category_id for box in boxes], np.int64, len(boxes)))
        self.is_crowd.append(np.fromiter([box.iscrowd for box in boxes], np.bool_, len(boxes)))
        flat = chain.from_iterable([box.bbox for box in boxes])
        self.xywh_px.append(np.fromiter(flat, np.float64, 4 * len(boxes)).reshape(-1, 4))

    def table(self) -> BoxTable:
        return BoxTable(
            ids=np.concatenate(self.ids),
            image_ids=np.concatenate(self.image_ids),
            category_ids=np.concatenate(self.category_ids),
            is_crowd=np.concatenate(self.is_crowd),
            xywh_px=np.concatenate(self.xywh_px),
        )


class _CaptionColumns:
    def __init__(self) -> None:
        self.ids: list[Int64s] = [np.empty(0, np.int64)]
        self.image_ids: list[Int64s] = [np.empty(0, np.int64)]
        self.starts: list[Int64s] = [np.empty(0, np.int64)]
        self.num_chars: list[Int64s] = [np.empty(0, np.int64)]
        self.blocks: list[str] = []

    def add(self, captions: list[CocoCaption]) -> None:
        texts = [caption.caption.strip() for caption in captions]
        block = "".join(texts)
        if not block.isprintable():
            texts = [clean_caption(text) for text in texts]
            block = "".join(texts)
        num_chars = np.fromiter(map(len, texts), np.int64, len(texts))
        self.ids.append(np.fromiter([caption.id for caption in captions], np.int64, len(captions)))
        self.image_ids.append(np.fromiter([caption.image_id for caption in captions], np.int64, len(captions)))
        self.starts.append(np.cumsum(num_chars) - num_chars)
        self.num_chars.append(num_chars)
        self.blocks.append(block)

    def table(self) -> CaptionTable:
        num_captions = [len(block_ids) for block_ids in self.ids[1:]]
        return CaptionTable(
            ids=np.concatenate(self.ids),
            image_ids=np.concatenate(self.image_ids),
            blocks=self.blocks,
            block_index=np.repeat(np.arange(len(self.blocks)), num_captions),
            starts=np.concatenate(self.starts),
            num_chars=np.concatenate(self.num_chars),
        )
