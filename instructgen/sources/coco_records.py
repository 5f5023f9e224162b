"""Builds image records out of COCO's columns, some hundred images at a time."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from instructgen.records import Box, ImageRecord, Rejected, SourceIssue
from instructgen.sources.coco_rules import (
    DROP_REASONS,
    BoxBatch,
    ImageIndex,
    JudgedBoxes,
    RowsByImage,
    are_sound_images,
    group_by_image,
    image_fault,
    judge_boxes,
    merge_images,
)
from instructgen.sources.coco_tables import Annotations, Int64s, read_captions, read_instances

T = TypeVar("T")
Issues = defaultdict[int, list[SourceIssue]]  # by index of the image

_IMAGES_PER_BATCH = 2048  # 128, 512 and 2,048 took 4.9, 5.1 and 4.6 CPU s at train2017 size: noise


class RecordReader:
    """Both annotation files of a split, read into memory as columns."""

    def __init__(self, captions: Path, instances: Path, image_id_prefix: str) -> None:
        instance_images, category_names, self.boxes = read_instances(instances)
        caption_images, self.captions = read_captions(captions)
        self.prefix = image_id_prefix
        self.images: ImageIndex = merge_images(instance_images, caption_images)
        self.box_rows: RowsByImage = group_by_image(self.boxes, self.images.ids)
        self.caption_rows: RowsByImage = group_by_image(self.captions, self.images.ids)
        self.category_ids: Int64s = np.array(sorted(category_names), np.int64)
        # The last name is met through the index -1, of boxes that are dropped for it.
        self.category_names = np.array([*(category_names[i] for i in sorted(category_names)), ""], object)

    def records(self, num_images: int) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        """Yield the images with the lowest ids, each after its own issues; issues of no known image come first."""
        yield from self._unknown_images("box", self.boxes, self.box_rows)
        yield from self._unknown_images("caption", self.captions, self.caption_rows)
        for low in range(0, num_images, _IMAGES_PER_BATCH):
            yield from self._records_between(low, min(low + _IMAGES_PER_BATCH, num_images))

    def _image_id(self, coco_id: int) -> str:
        return f"{self.prefix}/{coco_id:012d}"

    def _unknown_images(self, kind: str, table: Annotations, rows: RowsByImage) -> Iterator[SourceIssue]:
        for row in rows.unknown_rows.tolist():
            image_id = self._image_id(table.image_ids[row])
            yield SourceIssue(f"{image_id}/{kind}/{table.ids[row]}", "unknown_image", "neither file lists the image")

    def _records_between(self, low: int, high: int) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        images = self.images
        issues: Issues = defaultdict(list)
        self._add_image_issues(issues, low, high)
        boxes = self._boxes_between(low, high, issues)
        captions = self._captions_between(low, high, issues)
        columns = (
            [self._image_id(coco_id) for coco_id in images.ids[low:high].tolist()],
            images.file_names[low:high],
            images.width_px[low:high].tolist(),
            images.height_px[low:high].tolist(),
            captions,
            boxes,
        )
        are_sound = are_sound_images(
            images.file_names[low:high], images.width_px[low:high], images.height_px[low:high]
        )
        for index, (image_id, file_name, width_px, height_px, lines, things) in enumerate(
            zip(*columns, strict=True), low
        ):
            if index in issues:
                yield from issues[index]
            fault = None if are_sound else image_fault(file_name, width_px, height_px)
            if fault:
                yield Rejected(image_id, "source", fault.reason, fault.detail)
            else:
                yield ImageRecord(image_id, file_name, width_px, height_px, lines, things)

    def _add_image_issues(self, issues: Issues, low: int, high: int) -> None:
        images = self.images
        in_one_file = images.in_instances[low:high] ^ images.in_captions[low:high]
        is_odd = in_one_file | images.size_differs[low:high] | (images.num_copies[low:high] > 0)
        for index in (np.flatnonzero(is_odd) + low).tolist():
            image_id = self._image_id(images.ids[index])
            for _ in range(images.num_copies[index]):
                issues[index].append(SourceIssue(image_id, "duplicate_image_id", "the first is kept"))
            if in_one_file[index - low]:
                file = "instances" if images.in_instances[index] else "captions"
                issues[index].append(SourceIssue(image_id, "image_in_one_file", f"only the {file} file lists it"))
            if images.size_differs[index]:
                detail = f"the instances file's {images.width_px[index]}x{images.height_px[index]} px is kept"
                issues[index].append(SourceIssue(image_id, "image_size_differs", detail))

    def _boxes_between(self, low: int, high: int, issues: Issues) -> list[tuple[Box, ...]]:
        rows, image_index = _rows_between(self.box_rows, low, high)
        batch = BoxBatch(
            xywh_px=self.boxes.xywh_px[rows],
            width_px=self.images.width_px[image_index],
            height_px=self.images.height_px[image_index],
            image_index=image_index,
            category_index=self._category_index(self.boxes.category_ids[rows]),
            is_copy=self.box_rows.is_copy[rows],
        )
        judged = judge_boxes(batch)
        is_crowd = self.boxes.is_crowd[rows]
        self._add_box_issues(issues, rows, image_index, judged)
        kept = judged.drop_reason == 0
        categories = self.category_names[batch.category_index[kept]].tolist()
        boxes = list(map(Box, categories, *judged.xyxy[kept].T.tolist(), is_crowd[kept].tolist()))
        return _split_by_image(boxes, image_index[kept], low, high)

    def _category_index(self, category_ids: Int64s) -> Int64s:
        if not len(self.category_ids):
            return np.full(len(category_ids), -1)
        index = np.searchsorted(self.category_ids, category_ids)
        index = np.minimum(index, len(self.category_ids) - 1)
        return np.where(self.category_ids[index] == category_ids, index, -1)

    def _add_box_issues(self, issues: Issues, rows: Int64s, image_index: Int64s, judged: JudgedBoxes) -> None:
        is_crowd = self.boxes.is_crowd[rows] & (judged.drop_reason == 0)
        for place in np.flatnonzero((judged.drop_reason > 0) | is_crowd | judged.is_clipped).tolist():
            row = rows[place]
            record_id = f"{self._image_id(self.boxes.image_ids[row])}/box/{self.boxes.ids[row]}"
            x, y, width, height = self.boxes.xywh_px[row].tolist()
            detail = f"category {self.boxes.category_ids[row]}, x {x}, y {y}, width {width}, height {height} px"
            reasons = [DROP_REASONS[judged.drop_reason[place]]] if judged.drop_reason[place] else []
            reasons += ["crowd_box"] if is_crowd[place] else []
            reasons += ["clipped_box"] if judged.is_clipped[place] else []
            issues[int(image_index[place])] += [SourceIssue(record_id, reason, detail) for reason in reasons]

    def _captions_between(self, low: int, high: int, issues: Issues) -> list[tuple[str, ...]]:
        rows, image_index = _rows_between(self.caption_rows, low, high)
        is_copy, is_blank = self.caption_rows.is_copy[rows], self.captions.num_chars[rows] == 0
        is_dropped = is_copy | is_blank
        for place in np.flatnonzero(is_dropped).tolist():
            row = rows[place]
            record_id = f"{self._image_id(self.captions.image_ids[row])}/caption/{self.captions.ids[row]}"
            reason = "duplicate_annotation_id" if is_copy[place] else "empty_caption"
            issues[int(image_index[place])].append(SourceIssue(record_id, reason, "the caption is left out"))
        return _split_by_image(self.captions.texts(rows[~is_dropped]), image_index[~is_dropped], low, high)


def _rows_between(grouped: RowsByImage, low: int, high: int) -> tuple[Int64s, Int64s]:
    """Return the rows of some images' annotations and, for each, the index of its image."""
    starts = grouped.starts[low : high + 1]
    return grouped.rows[starts[0] : starts[-1]], np.repeat(np.arange(low, high), np.diff(starts))


def _split_by_image(values: list[T], image_index: Int64s, low: int, high: int) -> list[tuple[T, ...]]:
    """Return each image's values; `image_index` is sorted and names the image of each value."""
    ends = np.cumsum(np.bincount(image_index - low, minlength=high - low)).tolist()
    return [tuple(values[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
