"""The rules for what COCO annotation files hold wrong or oddly: each has one fixed word (docs/coco.md)."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructgen.records import Fault
from instructgen.sources.coco_tables import Bools, Floats, ImageTable, Int32s, usual_names
from instructgen.sources.spool import Int64s, is_among

# Reasons for which a box is dropped, in the order in which they are asked; 0 stands for kept.
DROP_REASONS = (
    "",
    "duplicate_annotation_id",
    "unknown_category",
    "box_not_finite",
    "degenerate_box",
    "box_outside_image",
    "duplicate_box",
)
_CLIPPED_SILENTLY_PX = 1.0  # genuine COCO boxes leave the image by rounding alone

_PLAIN_NAME = re.compile(r"\w[\w.-]*")
_PLAIN_NAMES = re.compile(rf"{_PLAIN_NAME.pattern}(?:\n{_PLAIN_NAME.pattern})*")
_DRIVE = re.compile(r"[A-Za-z]:")


def are_sound_images(file_names: list[str], width_px: Int32s, height_px: Int32s) -> bool:
    """Whether none of the images has a fault, told at once for many; False where some must be looked at."""
    names = "\n".join(file_names)
    is_plain = names.count("\n") == len(file_names) - 1 and _PLAIN_NAMES.fullmatch(names) is not None
    return is_plain and bool((width_px > 0).all() and (height_px > 0).all())


def image_fault(file_name: str, width_px: int, height_px: int) -> Fault | None:
    """Return why the whole image must be turned away, if it must."""
    if not is_safe_file_name(file_name):
        return Fault("unsafe_file_name", repr(file_name)[:80])
    if width_px <= 0 or height_px <= 0:
        return Fault("bad_image_size", f"{width_px}x{height_px} px")
    return None


def is_safe_file_name(file_name: str) -> bool:
    """Whether the name stays inside the image folder on any system; links are looked at when reading."""
    if _PLAIN_NAME.fullmatch(file_name):
        return True
    if "\\" in file_name or "\0" in file_name or _DRIVE.match(file_name):
        return False
    return not any(part in ("", ".", "..") for part in file_name.split("/"))


@dataclass(frozen=True)
class ImageIndex:
    """The images of both files, in the order of their ids; where both know one, the instances file's word counts."""

    ids: Int64s
    width_px: Int32s
    height_px: Int32s
    odd_names: dict[int, str]
    """By place, the file names that may not follow from the id."""
    in_instances: Bools
    in_captions: Bools
    size_differs: Bools
    num_copies: Int32s
    """How often an id was repeated within a file."""

    def file_names(self, low: int, high: int) -> list[str]:
        names = usual_names(self.ids[low:high].tolist())
        if self.odd_names:
            names = [self.odd_names.get(place, name) for place, name in enumerate(names, low)]
        return names


def merge_images(instances: ImageTable, captions: ImageTable) -> ImageIndex:
    """Put the images of both files together; of a repeated id the first stands."""
    ids = np.union1d(instances.ids, captions.ids)
    sizes_px, num_copies = np.zeros((len(ids), 2), np.int32), np.zeros(len(ids), np.int32)
    odd_names: dict[int, str] = {}
    size_differs = np.zeros(len(ids), np.bool_)
    found: list[Bools] = []
    for table in (captions, instances):
        places = np.searchsorted(ids, table.ids)
        firsts = _find_firsts(places, len(ids))
        is_here = firsts >= 0
        own_px = table.sizes_px[firsts[is_here]]
        if found:
            size_differs[is_here] = (sizes_px[is_here] != own_px).any(axis=1) & found[0][is_here]
        sizes_px[is_here] = own_px
        num_copies += np.bincount(places, minlength=len(ids)).astype(np.int32) - is_here
        if table.odd_names or odd_names:
            here = np.flatnonzero(is_here)
            usual = usual_names(ids[here].tolist())
            for place, row, name in zip(here.tolist(), firsts[here].tolist(), usual, strict=True):
                odd_names[place] = table.odd_names.get(row, name)
        found.append(is_here)
    in_captions, in_instances = found
    width_px, height_px = sizes_px.T
    return ImageIndex(ids, width_px, height_px, odd_names, in_instances, in_captions, size_differs, num_copies)


def _find_firsts(places: Int64s, num_places: int) -> Int32s:
    """Return for each place the first row that names it, or -1."""
    firsts = np.full(num_places, -1, np.int32)
    # Of several values for one place the last is kept.
    firsts[places[::-1]] = np.arange(len(places) - 1, -1, -1, dtype=np.int32)
    return firsts


def order_by_image(image_ids: Int64s, places_of: Int64s) -> tuple[Int64s, Int64s]:
    """Return the annotations of known images in the order of these, and the place of each one's image.

    Within an image the order stays as it is; `places_of` are the sorted ids of the images.
    """
    rows = np.flatnonzero(is_among(image_ids, places_of))
    places = np.searchsorted(places_of, image_ids[rows])
    order = np.argsort(places, kind="stable")
    return rows[order], places[order]


@dataclass(frozen=True)
class BoxBatch:
    """Some images' boxes as the file has them; all columns are by box, `image_index` only has to tell images apart.

    `category_index` is -1 for a category that the file does not list.
    """

    xywh_px: Floats
    width_px: Int32s
    height_px: Int32s
    image_index: Int64s
    category_index: Int64s
    is_copy: Bools


@dataclass(frozen=True)
class JudgedBoxes:
    """`xyxy` is [boxes, 4] in fractions of the image; `drop_reason` is an index of DROP_REASONS."""

    xyxy: Floats
    drop_reason: NDArray[np.uint8]
    is_clipped: Bools


def judge_boxes(batch: BoxBatch) -> JudgedBoxes:
    """Turn boxes into corners in fractions, inside the image, and say which are to be dropped and why."""
    with np.errstate(all="ignore"):
        x0, y0, width, height = batch.xywh_px.T
        x1, y1 = x0 + width, y0 + height
        is_outside = (x0 >= batch.width_px) | (y0 >= batch.height_px) | (x1 <= 0) | (y1 <= 0)
        overhang_px = np.maximum.reduce([-x0, -y0, x1 - batch.width_px, y1 - batch.height_px])
        corners = [np.clip(x0, 0, batch.width_px) / batch.width_px]
        corners.append(np.clip(y0, 0, batch.height_px) / batch.height_px)
        corners.append(np.clip(x1, 0, batch.width_px) / batch.width_px)
        corners.append(np.clip(y1, 0, batch.height_px) / batch.height_px)
    drop_reason = np.select(
        [
            batch.is_copy,
            batch.category_index < 0,
            ~np.isfinite(batch.xywh_px).all(axis=1),
            (width <= 0) | (height <= 0),
            is_outside,
        ],
        [np.uint8(code) for code in range(1, 6)],
        default=np.uint8(0),
    )
    repeats = _find_repeats(batch, np.flatnonzero(drop_reason == 0))
    drop_reason[repeats] = DROP_REASONS.index("duplicate_box")
    is_clipped = (overhang_px > _CLIPPED_SILENTLY_PX) & (drop_reason == 0)
    return JudgedBoxes(np.stack(corners, axis=1), drop_reason, is_clipped)


def _find_repeats(batch: BoxBatch, rows: Int64s) -> list[int]:
    """Return those of the rows whose image, category and box an earlier one has."""
    # Equal boxes have equal mixed bits, so only rows that share theirs are compared. Adding 0.0 makes -0.0 0.0.
    bits = (batch.xywh_px[rows] + 0.0).view(np.uint64)
    mixed = batch.image_index[rows].astype(np.uint64)
    for column in (batch.category_index[rows].astype(np.uint64), *bits.T):
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + column
    order = np.argsort(mixed)
    is_same = mixed[order[1:]] == mixed[order[:-1]]
    suspects = np.zeros(len(rows), np.bool_)
    suspects[order[1:][is_same]] = True
    suspects[order[:-1][is_same]] = True
    repeats: list[int] = []
    seen: set[tuple[float, ...]] = set()
    for row in rows[suspects].tolist():
        key = (batch.image_index[row], batch.category_index[row], *batch.xywh_px[row].tolist())
        if key in seen:
            repeats.append(row)
        seen.add(key)
    return repeats
