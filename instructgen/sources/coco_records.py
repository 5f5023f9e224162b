"""Builds image records out of COCO's columns, some thousand images at a time."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from instructgen.records import Box, ImageRecord, Rejected, SourceIssue
from instructgen.sources.coco_rules import (
    DROP_REASONS,
    BoxBatch,
    ImageIndex,
    JudgedBoxes,
    are_sound_images,
    image_fault,
    judge_boxes,
    merge_images,
    order_by_image,
)
from instructgen.sources.coco_tables import read_captions, read_instances, read_texts
from instructgen.sources.spool import Int64s, Rows, Spool

T = TypeVar("T")
Issues = defaultdict[int, list[SourceIssue]]  # by index of the image


class RecordReader:
    """Both annotation files of a split. Use it as a context manager, so that its temporary files are closed."""

    def __init__(self, captions: Path, instances: Path, image_id_prefix: str) -> None:
        instance_images, category_names, self.boxes = read_instances(instances)
        caption_images, self.captions = read_captions(captions, instance_images.ids)
        self.prefix = image_id_prefix
        self.images: ImageIndex = merge_images(instance_images, caption_images)
        self.credits = instance_images.credits.append(caption_images.credits)
        # Its rows in the order of `images`; of an image that is listed twice the first stands.
        self.credit_rows = np.unique(self.credits.ids, return_index=True)[1]
        self.box_copies = self.boxes.find_copies()
        self.caption_copies = self.captions.find_copies()
        self.category_ids: Int64s = np.array(sorted(category_names), np.int64)
        # The last name is met through the index -1, of boxes that are dropped for it.
        self.category_names = np.array([*(category_names[i] for i in sorted(category_names)), ""], object)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.boxes.close()
        self.captions.close()

    def records(self, num_images: int) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        """Yield the images with the lowest ids, each after its own issues; issues of no known image come first."""
        yield from self._unknown_images("box", self.boxes)
        yield from self._unknown_images("caption", self.captions)
        bounds = self.boxes.bounds(self.images.ids).tolist()
        for number, (low, high) in enumerate(pairwise(bounds)):
            if low >= num_images:
                break
            yield from self._records_of(number, low, min(high, num_images))

    def _image_id(self, coco_id: int) -> str:
        return f"{self.prefix}/{coco_id:012d}"

    def _unknown_images(self, kind: str, spool: Spool) -> Iterator[SourceIssue]:
        for row in spool.find_unknown(self.images.ids):
            record_id = f"{self._image_id(row['image_id'])}/{kind}/{row['id']}"
            yield SourceIssue(record_id, "unknown_image", "neither file lists the image")

    def _records_of(self, number: int, low: int, high: int) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        """Yield the images from `low` to before `high`, which are those of a range."""
        images = self.images
        issues: Issues = defaultdict(list)
        self._add_image_issues(issues, low, high)
        boxes = self._boxes_of(number, low, high, issues)
        captions = self._captions_of(number, low, high, issues)
        file_names = images.file_names(low, high)
        columns = (
            [self._image_id(coco_id) for coco_id in images.ids[low:high].tolist()],
            file_names,
            images.width_px[low:high].tolist(),
            images.height_px[low:high].tolist(),
            captions,
            boxes,
            *self.credits.of(self.credit_rows[low:high]),
        )
        are_sound = are_sound_images(file_names, images.width_px[low:high], images.height_px[low:high])
        for index, fields in enumerate(zip(*columns, strict=True), low):
            if index in issues:
                yield from issues[index]
            image_id, file_name, width_px, height_px = fields[:4]
            fault = None if are_sound else image_fault(file_name, width_px, height_px)
            if fault:
                yield Rejected(image_id, "source", fault.reason, fault.detail)
            else:
                yield ImageRecord(*fields)

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

    def _boxes_of(self, number: int, low: int, high: int, issues: Issues) -> list[tuple[Box, ...]]:
        found = self.boxes.read_rows(number)
        order, places = order_by_image(found["image_id"], self.images.ids[low:high])
        rows, image_index = found[order], places + low
        batch = BoxBatch(
            xywh_px=np.ascontiguousarray(rows["xywh_px"]),
            width_px=self.images.width_px[image_index],
            height_px=self.images.height_px[image_index],
            image_index=image_index,
            category_index=self._category_index(rows["category_id"]),
            is_copy=np.isin(rows["row"], self.box_copies),
        )
        judged = judge_boxes(batch)
        self._add_box_issues(issues, rows, image_index, judged)
        kept = judged.drop_reason == 0
        categories = self.category_names[batch.category_index[kept]].tolist()
        boxes = list(map(Box, categories, *judged.xyxy[kept].T.tolist(), rows["is_crowd"][kept].tolist()))
        return _split_by_image(boxes, places[kept], high - low)

    def _category_index(self, category_ids: Int64s) -> Int64s:
        if not len(self.category_ids):
            return np.full(len(category_ids), -1)
        index = np.searchsorted(self.category_ids, category_ids)
        index = np.minimum(index, len(self.category_ids) - 1)
        return np.where(self.category_ids[index] == category_ids, index, -1)

    def _add_box_issues(self, issues: Issues, rows: Rows, image_index: Int64s, judged: JudgedBoxes) -> None:
        is_crowd = rows["is_crowd"] & (judged.drop_reason == 0)
        for place in np.flatnonzero((judged.drop_reason > 0) | is_crowd | judged.is_clipped).tolist():
            row = rows[place]
            record_id = f"{self._image_id(row['image_id'])}/box/{row['id']}"
            x, y, width, height = row["xywh_px"].tolist()
            detail = f"category {row['category_id']}, x {x}, y {y}, width {width}, height {height} px"
            reasons = [DROP_REASONS[judged.drop_reason[place]]] if judged.drop_reason[place] else []
            reasons += ["crowd_box"] if is_crowd[place] else []
            reasons += ["clipped_box"] if judged.is_clipped[place] else []
            issues[int(image_index[place])] += [SourceIssue(record_id, reason, detail) for reason in reasons]

    def _captions_of(self, number: int, low: int, high: int, issues: Issues) -> list[tuple[str, ...]]:
        rows = self.captions.read_rows(number)
        texts = read_texts(self.captions, number, rows)
        order, places = order_by_image(rows["image_id"], self.images.ids[low:high])
        is_copy, is_blank = np.isin(rows["row"][order], self.caption_copies), rows["num_chars"][order] == 0
        is_dropped = is_copy | is_blank
        for place in np.flatnonzero(is_dropped).tolist():
            row = rows[order[place]]
            record_id = f"{self._image_id(row['image_id'])}/caption/{row['id']}"
            reason = "duplicate_annotation_id" if is_copy[place] else "empty_caption"
            issues[int(places[place]) + low].append(SourceIssue(record_id, reason, "the caption is left out"))
        kept = [texts[index] for index in order[~is_dropped].tolist()]
        return _split_by_image(kept, places[~is_dropped], high - low)


def _split_by_image(values: list[T], places: Int64s, num_images: int) -> list[tuple[T, ...]]:
    """Return each image's values; `places` is sorted and names the image of each value."""
    ends = np.cumsum(np.bincount(places, minlength=num_images)).tolist()
    return [tuple(values[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
