"""Rendered scenes: images with known truth, at any number, from nothing but a seed."""

import io
from collections.abc import Callable, Iterator

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.records import Box, ImageRecord
from instructgen.scenes.captions import write_captions
from instructgen.scenes.layout import lay_out
from instructgen.scenes.render import Drawing, draw_scene
from instructgen.scenes.scene import Scene
from instructgen.scenes.simple import lay_out_simply

_JPEG_QUALITY = 90
_MIN_SIDE_PX = 48  # below it the smallest things are a few pixels
_MAX_SIDE_PX = 4096


class SceneImage(Struct, frozen=True):
    """One image with its truth and its captions."""

    drawing: Drawing
    captions: tuple[str, ...]


LayOut = Callable[[int, int, float], Scene]
"""From a seed, the image's number and its width in heights to what stands where."""


def make_scene(seed: int, number: int, size_px: tuple[int, int], lay_out: LayOut = lay_out) -> SceneImage:
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
    _told = "rendered scenes"

    def __init__(self, limit: int, seed: int = 0, size_px: tuple[int, int] = (320, 240)) -> None:
        if limit < 1:
            raise InstructgenError(f"{self.name}: limit is {limit}, wants 1 or more")
        if (
            not all(_MIN_SIDE_PX <= side <= _MAX_SIDE_PX for side in size_px)
            or not 1 / 2 <= size_px[0] / size_px[1] <= 3
        ):
            raise InstructgenError(
                f"{self.name}: size is {size_px[0]}x{size_px[1]} pixels, wants sides of {_MIN_SIDE_PX} to "
                f"{_MAX_SIDE_PX} and a width of half to three times the height"
            )
        self.num_images: int | None = limit
        self._limit = limit
        self._seed = seed
        self._size_px = size_px
        self._latest: tuple[int, Drawing] | None = None
        self.title = f"{limit} {self._told} (seed {seed}, {size_px[0]}x{size_px[1]} pixels)"

    def draw(self, number: int) -> SceneImage:
        """Return image `number`; nothing is kept of it."""
        return make_scene(self._seed, number, self._size_px)

    def records(self) -> Iterator[ImageRecord]:
        """Yield images 1 to limit; none is ever rejected."""
        for number in range(1, self._limit + 1):
            image = self.draw(number)
            self._latest = number, image.drawing
            yield self.make_record(number, image)

    def image_bytes(self, record: ImageRecord) -> bytes:
        """Return the image as a JPEG; any but the latest of `records` is drawn again, for nothing is stored."""
        number = int(record.image_id.removeprefix(f"{self.name}/"))
        if self._latest is not None and self._latest[0] == number:
            return encode_jpeg(self._latest[1])
        return encode_jpeg(self.draw(number).drawing)

    def make_record(self, number: int, image: SceneImage) -> ImageRecord:
        """Return what a source says of an image that make_scene returned for this number."""
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


class SimpleScenesSource(ScenesSource):
    """Few kinds, clear colours, no thing in front of another (scenes.simple)."""

    name = "simple-scenes"
    _told = "simple rendered scenes"

    def __init__(self, limit: int, seed: int = 0, size_px: tuple[int, int] = (160, 120)) -> None:
        super().__init__(limit, seed, size_px)

    def draw(self, number: int) -> SceneImage:
        return make_scene(self._seed, number, self._size_px, lay_out_simply)
