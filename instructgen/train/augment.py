"""Random crops and mirror images, a function of seed, epoch and picture (Inception's crop, 1409.4842)."""

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from instructgen.draws import make_generator
from instructgen.models.pictures import PictureReader, open_picture
from instructgen.train.representation_recipe import AugmentConfig

if TYPE_CHECKING:
    from PIL import Image

_TRIES = 10


class AugmentedReader:
    """Reads pictures as `reader` does, but another part of them in each epoch."""

    def __init__(self, reader: PictureReader, config: AugmentConfig, seed: int) -> None:
        self._reader = reader
        # What a crop shows is resized to the square as it is; its sides were drawn for that.
        self._crops = reader if config.area is None else replace(reader, aspect="squash")
        self._config = config
        self._seed = seed

    def read(self, picture: bytes, key: str, epoch: int) -> Tensor:
        """Return [3, image_px, image_px]; raises InstructgenError for bytes that are no picture."""
        config = self._config
        if config.area is None and not config.flip:
            return self._reader(picture)
        draw = make_generator(self._seed, f"augment {epoch}", key)
        image = open_picture(picture)
        if config.area is not None:
            image = image.crop(draw_box(image.size, config.area, config.ratio, draw))
        if config.flip and draw.random() < 0.5:
            image = _mirror(image)
        return self._crops(image)


def draw_box(
    size_px: tuple[int, int], area: tuple[float, float], ratio: tuple[float, float], draw: random.Random
) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 in pixels; where nothing of that ratio fits, the largest middle that does."""
    width, height = size_px
    for _ in range(_TRIES):
        pixels = width * height * draw.uniform(*area)
        shape = math.exp(draw.uniform(math.log(ratio[0]), math.log(ratio[1])))
        wide, high = max(1, round(math.sqrt(pixels * shape))), max(1, round(math.sqrt(pixels / shape)))
        if wide <= width and high <= height:
            x, y = draw.randint(0, width - wide), draw.randint(0, height - high)
            return x, y, x + wide, y + high
    wide, high = min(width, round(height * ratio[1])), min(height, round(width / ratio[0]))
    x, y = (width - wide) // 2, (height - high) // 2
    return x, y, x + max(1, wide), y + max(1, high)


def _mirror(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
