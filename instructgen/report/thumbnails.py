"""Pictures made small enough to lie in a page."""

import io

from msgspec import Struct

from instructgen.dataset.pictures import PICTURE_FORMATS
from instructgen.pages.figures import make_data_uri
from instructgen.pictures import flatten_picture

MAX_SIDE_PX = 480
_QUALITY = 68
_MAX_PIXELS = 50_000_000  # a small file can hold far more


class Thumbnail(Struct, frozen=True):
    """`source` holds the picture; it is None where `missing` says why."""

    source: str | None
    width_px: int
    height_px: int
    missing: str = ""


def make_thumbnail(picture: bytes) -> Thumbnail:
    """Return the picture encoded anew, at most MAX_SIDE_PX wide and high: no byte of the original is in the page."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return Thumbnail(None, 4, 3, f"the picture has {image.width} x {image.height} pixels: not decoded")
            image.draft("RGB", (2 * MAX_SIDE_PX, 2 * MAX_SIDE_PX))
            small = flatten_picture(image)
            if max(small.size) > MAX_SIDE_PX:
                small = ImageOps.contain(small, (MAX_SIDE_PX, MAX_SIDE_PX))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Thumbnail(None, 4, 3, f"the picture cannot be read: {error}")
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return Thumbnail(make_data_uri(buffer.getvalue()), small.width, small.height)
