"""Which boxes are written down, and in which order."""

from collections.abc import Sequence

from instructgen.config import SurrogateConfig
from instructgen.records import Box


def select_boxes(boxes: Sequence[Box], config: SurrogateConfig) -> Sequence[Box]:
    """Return the boxes to write: crowds, then small ones, then doubles are left out, then all but the largest."""
    if config.crowd == "drop":
        boxes = [box for box in boxes if not box.is_crowd]
    if config.min_area > 0:
        boxes = [box for box in boxes if box.area >= config.min_area]
    if config.merge_iou is not None:
        boxes = merge_doubles(boxes, config.merge_iou)
    if config.max_boxes is not None and len(boxes) > config.max_boxes:
        boxes = keep_largest(boxes, config.max_boxes)
    if config.order == "area":
        return sorted(boxes, key=lambda box: -box.area)
    if config.order == "left_to_right":
        return sorted(boxes, key=lambda box: (box.x0 + box.x1, box.y0 + box.y1))
    return boxes


def merge_doubles(boxes: Sequence[Box], merge_iou: float) -> list[Box]:
    """Return the boxes without those that overlap an earlier, kept one of their category by more than `merge_iou`.

    A crowd and a single thing are never doubles: a crowd's box covers the things in it.
    """
    kept: list[Box] = []
    for box in boxes:
        rivals = (one for one in kept if one.category == box.category and one.is_crowd == box.is_crowd)
        if not any(overlap(box, one) > merge_iou for one in rivals):
            kept.append(box)
    return kept


def overlap(a: Box, b: Box) -> float:
    """Return intersection over union, 0 to 1; 0 where neither box has an area."""
    shared = shared_area(a, b)
    return shared / (a.area + b.area - shared) if shared > 0 else 0.0


def shared_area(a: Box, b: Box) -> float:
    """Return the share of the image that lies in both boxes."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)


def keep_largest(boxes: Sequence[Box], num_boxes: int) -> list[Box]:
    """Return the largest boxes in their old order; of equal ones the earlier."""
    by_area = sorted(range(len(boxes)), key=lambda index: -boxes[index].area)
    return [boxes[index] for index in sorted(by_area[:num_boxes])]
