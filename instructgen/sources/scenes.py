"""Rendered scenes: images with known truth, at any number, from nothing but a seed."""

import io
from collections.abc import Iterator

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.records import Box, ImageRecord
from instructgen.scenes.captions import write_captions
from instructgen.scenes.layout import lay_out
from instructgen.scenes.render import Drawing, draw_scene

_JPEG_QUALITY = 90
_MIN_SIDE_PX = 48  # below it the smallest things are a few pixels
_MAX_SIDE_PX = 4096


class SceneImage(Struct, frozen=True):
    """One image with its truth and its captions."""

    drawing: Drawing
    captions: tuple[str, ...]


def make_scene(seed: int, number: int, size_px: tuple[int, int]) -> SceneImage:
    """Return image `number` of the seed; its captions are drawn apart from its layout."""
    drawing = draw_scene(lay_out(seed, number, size_px[0] / size_px[1]), size_px)
    return SceneImage(drawing, write_captions(drawing, make_generator(seed, "captions", f"{number:012d}")))


def encode_jpeg(drawing: Drawing) -> bytes:
    buffer = io.BytesIO()
    drawing.picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


class ScenesSource:
    """Image k depends on (seed, k, size) alone, so that a larger limit adds images and changes none."""

    name = "scenes"
    split: str | None = None

    def __init__(self, limit: int, seed: int = 0, size_px: tuple[int, int] = (320, 240)) -> None:
        if limit < 1:
            raise InstructgenError(f"scenes: limit is {limit}, wants 1 or more")
        if (
            not all(_MIN_SIDE_PX <= side <= _MAX_SIDE_PX for side in size_px)
            or not 1 / 2 <= size_px[0] / size_px[1] <= 3
        ):
            raise InstructgenError(
                f"scenes: size is {size_px[0]}x{size_px[1]} pixels, wants sides of {_MIN_SIDE_PX} to {_MAX_SIDE_PX} "
                "and a width of half to three times the height"
            )
        self.num_images: int | None = limit
        self._limit = limit
        self._seed = seed
        self._size_px = size_px
        self._latest: tuple[int, Drawing] | None = None
        self.title = f"{limit} rendered scenes (seed {seed}, {size_px[0]}x{size_px[1]} pixels)"

    def records(self) -> Iterator[ImageRecord]:
        """Yield images 1 to limit; none is ever rejected."""
        for number in range(1, self._limit + 1):
            image = make_scene(self._seed, number, self._size_px)
            self._latest = number, image.drawing
            yield self._make_record(number, image)

    def image_bytes(self, record: ImageRecord) -> bytes:
        """Return the image as a JPEG; any but the latest of `records` is drawn again, for nothing is stored."""
        number = int(record.image_id.removeprefix(f"{self.name}/"))
        if self._latest is not None and self._latest[0] == number:
            return encode_jpeg(self._latest[1])
        return encode_jpeg(make_scene(self._seed, number, self._size_px).drawing)

    def _make_record(self, number: int, image: SceneImage) -> ImageRecord:
        width_px, height_px = self._size_px
        boxes = []
        for sighting in image.drawing.sightings:
            x0, y0, x1, y1 = sighting.box_px
            boxes.append(Box(sighting.thing.kind, x0 / width_px, y0 / height_px, x1 / width_px, y1 / height_px))
        return ImageRecord(
            image_id=f"{self.name}/{number:012d}",
            file_name=f"{number:012d}.jpg",
            width_px=width_px,
            height_px=height_px,
            captions=image.captions,
            boxes=tuple(boxes),
        )
