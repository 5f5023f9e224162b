"""A picture as the tower takes it: square, normalised, a float tensor. Pillow and numpy only."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.spec import Aspect
from instructgen.pictures import flatten_picture

if TYPE_CHECKING:
    from PIL import Image

# C channels, H height, W width

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # some of Pillow's other readers start programs
_MAX_PIXELS = 100_000_000  # as a build has it ([dataset] max_image_pixels)
_MOST_SIDES = 64  # a picture of more times its shorter side loses its ends before it is resized, not after
_NARROWED = 8  # times the square that the tower sees: a side of which nothing is lost
Colour = tuple[float, float, float]
Colours = tuple[Colour, Colour]

_HALF: Colours = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_CLIP: Colours = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_IMAGENET: Colours = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_LITE: Colours = ((127 / 255,) * 3, (128 / 255,) * 3)  # as TensorFlow trained EfficientNet-Lite
_COLOURS: tuple[tuple[str, Colours], ...] = (
    ("clip", _CLIP),
    ("blip", _CLIP),
    ("siglip", _HALF),
    ("vit", _HALF),
    ("efficientnet-lite", _LITE),
    ("", _IMAGENET),
)


def usual_colours(model_type: str) -> Colours:
    """Return the mean and the deviation that towers of this type were trained with, of R, G, B in 0 to 1."""
    return next(colours for start, colours in _COLOURS if model_type.startswith(start))


@dataclass(frozen=True, slots=True)
class PictureReader:
    """Makes [3, image_px, image_px] of an encoded picture or a Pillow image; of None all zeros, after normalising.

    A value and nothing else: worker processes can be given it.
    """

    image_px: int
    aspect: Aspect
    mean: Colour
    std: Colour

    def __call__(self, picture: "bytes | Image.Image | None") -> Tensor:
        """Raises InstructgenError for bytes that are no picture, or of more than 100 million pixels."""
        if picture is None:
            return torch.zeros(3, self.image_px, self.image_px)
        image = flatten_picture(open_picture(picture) if isinstance(picture, bytes) else picture)
        square_hwc = np.asarray(self._make_square(image), dtype=np.float32) / np.float32(255)
        normal_hwc = (square_hwc - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return torch.from_numpy(np.ascontiguousarray(normal_hwc.transpose(2, 0, 1)))

    def _make_square(self, image: "Image.Image") -> "Image.Image":
        from PIL import Image

        side = (self.image_px, self.image_px)
        if self.aspect == "crop":
            return _crop_middle(image, self.image_px)
        if self.aspect == "pad" and image.width != image.height:
            image = _narrow(image, self.image_px)
            longer = max(image.size)
            padded = Image.new("RGB", (longer, longer), self.pad_colour)
            padded.paste(image, ((longer - image.width) // 2, (longer - image.height) // 2))
            image = padded
        return image.resize(side, Image.Resampling.BICUBIC)

    @property
    def pad_colour(self) -> tuple[int, int, int]:
        """The mean colour in 0 to 255; (122, 116, 104) for CLIP, as LLaVA-1.5 pads."""
        red, green, blue = (int(value * 255) for value in self.mean)
        return red, green, blue


def open_picture(picture: bytes) -> "Image.Image":
    """Decode a picture whose header says that it is not too large."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(picture), formats=_FORMATS)
        if image.width * image.height > _MAX_PIXELS:
            raise InstructgenError(
                f"a picture of {image.width} x {image.height} pixels; at most {_MAX_PIXELS} are read"
            )
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InstructgenError(f"a picture that cannot be read: {error}") from None
    return image


def _cut_ends(image: "Image.Image") -> "Image.Image":
    """Take off what a crop of the middle never shows: a line of 60,000 x 1 pixels would be resized to gigabytes."""
    shorter, longer = sorted(image.size)
    if longer <= _MOST_SIDES * shorter:
        return image
    cut = (longer - _MOST_SIDES * shorter) // 2
    box = (cut, 0, longer - cut, shorter) if image.width > image.height else (0, cut, shorter, longer - cut)
    return image.crop(box)


def _narrow(image: "Image.Image", image_px: int) -> "Image.Image":
    """Make a picture smaller whose square, with the padding, would have more pixels than may be read."""
    from PIL import Image

    longer = max(image.size)
    if longer * longer <= _MAX_PIXELS:
        return image
    share = min(1.0, _NARROWED * image_px / longer)
    width, height = (max(1, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _crop_middle(image: "Image.Image", image_px: int) -> "Image.Image":
    """Resize the shorter side to `image_px` and cut the middle out, rounding as CLIP's own processor does."""
    from PIL import Image

    image = _cut_ends(image)
    shorter, longer = sorted(image.size)
    resized_longer = int(image_px * longer / shorter)
    is_wide = image.width >= image.height
    size = (resized_longer, image_px) if is_wide else (image_px, resized_longer)
    resized = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - image_px) // 2, (size[1] - image_px) // 2
    return resized.crop((left, top, left + image_px, top + image_px))
