"""COCO's segmentations as pictures; everything else in instructgen leaves them unparsed."""

from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.sources.coco_schema import CocoImage, explain_image
from instructgen.sources.json_stream import Member, read_members

_MAX_MASK_PIXELS = 100_000_000
Polygon = Annotated[list[float], Meta(min_length=6)]


class RunLengths(Struct, frozen=True):
    """A mask as runs in column order, of 0s first: a list or COCO's compressed text; `size` is height, width."""

    size: tuple[int, int]
    counts: list[int] | str


Segmentation = list[Polygon] | RunLengths


class _Annotation(Struct, gc=False):
    id: int
    image_id: int
    segmentation: Segmentation


def read_mask(instances: Path, annotation_id: int) -> NDArray[np.uint8]:
    """Return the annotation's mask, [height, width] of 0 and 1; reads the file once, in bounded memory."""
    found: list[_Annotation] = []
    sizes_px: dict[int, tuple[int, int]] = {}

    def take_annotations(annotations: list[_Annotation]) -> None:
        found.extend(annotation for annotation in annotations if annotation.id == annotation_id)

    def take_images(images: list[CocoImage]) -> None:
        sizes_px.update((image.id, (image.height, image.width)) for image in images)

    members = (
        Member("images", "image", CocoImage, take_images, explain_image),
        Member("annotations", "annotation", _Annotation, take_annotations),
    )
    read_members(instances, members)
    if not found:
        raise InstructgenError(f"{instances} has no annotation with id {annotation_id}")
    annotation = found[0]
    if annotation.image_id not in sizes_px:
        raise InstructgenError(
            f"{instances} annotation id {annotation_id}: image {annotation.image_id} is not listed"
        )
    height_px, width_px = sizes_px[annotation.image_id]
    return decode_mask(annotation.segmentation, height_px, width_px)


def decode_mask(segmentation: Segmentation, height_px: int, width_px: int) -> NDArray[np.uint8]:
    """Return a mask of 0 and 1, [height, width]; several polygons are parts of one thing."""
    from pycocotools import mask as coco_mask

    if min(height_px, width_px) < 1 or height_px * width_px > _MAX_MASK_PIXELS:
        raise InstructgenError(f"a mask of {width_px}x{height_px} pixels; wants 1 to {_MAX_MASK_PIXELS} pixels")
    if not segmentation:
        return np.zeros((height_px, width_px), np.uint8)
    try:
        if isinstance(segmentation, RunLengths):
            runs = _run_lengths(segmentation, height_px, width_px)
        else:
            runs = coco_mask.merge(coco_mask.frPyObjects(segmentation, height_px, width_px))
        mask: NDArray[np.uint8] = coco_mask.decode(runs)
    except ValueError as error:
        raise InstructgenError(f"a mask's run lengths do not fill {width_px}x{height_px} pixels") from error
    return mask


def _run_lengths(segmentation: RunLengths, height_px: int, width_px: int) -> dict[str, object]:
    """Return pycocotools' form; raises ValueError where the runs are not of the image's size."""
    from pycocotools import mask as coco_mask

    size = [height_px, width_px]
    if list(segmentation.size) != size:
        raise ValueError("another size")
    if isinstance(segmentation.counts, str):
        # pycocotools would take no runs at all for a mask, and return what lay in memory.
        if not segmentation.counts:
            raise ValueError("no runs")
        return {"size": size, "counts": segmentation.counts.encode()}
    if min(segmentation.counts, default=-1) < 0 or sum(segmentation.counts) != height_px * width_px:
        raise ValueError("too few or too many pixels")
    runs: dict[str, object] = coco_mask.frPyObjects({"size": size, "counts": segmentation.counts}, *size)
    return runs
