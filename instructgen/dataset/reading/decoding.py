"""Stored pictures as Pillow images, as training loops want them."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.pictures import PICTURE_FORMATS
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from PIL.Image import Image

_KEPT_BLOCKS = 32  # of 16 MB at most; without them each picture of a batch costs some 200 page faults
_MAX_PIXELS = 100_000_000  # as a build has it ([dataset] max_image_pixels)


def keep_memory() -> None:
    """Let Pillow keep the memory of some pictures for the next ones, unless somebody has told it how much to keep.

    This is of the whole process, as PILLOW_BLOCKS_MAX is; it changes nothing but the time.
    """
    from PIL.Image import core  # type: ignore[attr-defined]  # Pillow's documented allocator has no other name

    if "PILLOW_BLOCKS_MAX" not in os.environ and core.get_blocks_max() == 0:
        core.set_blocks_max(_KEPT_BLOCKS)


def open_picture(picture: bytes) -> "Image":
    """Return the picture with its header read; pixels are decoded when they are first asked for.

    So `draft` can still choose a smaller scale. What EXIF says of turning is left to the caller.
    Raises ValueError for bytes that are no picture, or one of more than 100 million pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"no picture that can be read: {error}") from None
    if image.width * image.height > _MAX_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels, at most {_MAX_PIXELS}")
    return image


def load_picture(picture: bytes) -> "Image":
    """Return the picture decoded, and turned where its EXIF says so: the image that `datasets` gives.

    Raises ValueError for what cannot be decoded, a picture that is cut off for one.
    """
    from PIL import ExifTags, ImageOps

    image = open_picture(picture)
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise ValueError(f"a picture that cannot be decoded: {error}") from None
    if image.getexif().get(ExifTags.Base.Orientation) is not None:
        return ImageOps.exif_transpose(image)
    return image


def read_picture_file(folder: Path, path: str) -> bytes:
    """Return the file of a picture that a row names by its path; raises InstructgenError without it in the folder."""
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise InstructgenError(f"picture {path} lies outside of the image folder {folder}")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InstructgenError(f"picture {path} cannot be read: {error}; image_folder is wrong?") from None
