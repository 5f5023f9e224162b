"""Looks at an encoded picture before its bytes are published, and makes small ones of them to show."""

import io

from msgspec import Struct

from instructgen.pictures import flatten_picture
from instructgen.records import Fault, ImageRecord

# Of what Pillow reads, what a version may hold; some of its other readers start programs.
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_THUMBNAIL_QUALITY = 70
_MAX_THUMBNAIL_PIXELS = 50_000_000  # of the original; a small file can hold far more


class Thumbnail(Struct, frozen=True):
    """A JPEG; it is empty where `missing` says why."""

    jpeg: bytes = b""
    width_px: int = 0
    height_px: int = 0
    missing: str = ""


def make_thumbnail(picture: bytes, side_px: int) -> Thumbnail:
    """Return the picture encoded anew, at most `side_px` wide and high: no byte of the original is in it."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            if image.width * image.height > _MAX_THUMBNAIL_PIXELS:
                return Thumbnail(missing=f"the picture has {image.width} x {image.height} pixels: not decoded")
            image.draft("RGB", (2 * side_px, 2 * side_px))
            small = flatten_picture(image)
            small.thumbnail((side_px, side_px))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Thumbnail(missing=f"the picture cannot be read: {error}")
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    return Thumbnail(encoded.getvalue(), small.width, small.height)


def find_picture_fault(picture: bytes | None, record: ImageRecord, max_pixels: int) -> Fault | None:
    """Return why the picture cannot be embedded, or None; nothing is decoded past its header.

    `max_pixels` bounds width x height: a 20 KB PNG can otherwise take 800 MB of its reader. A width or height of 0 in
    the record is not known: tables of pairs seldom tell them.
    """
    from PIL import Image, UnidentifiedImageError

    if picture is None:
        return Fault("image_missing", f"no file {record.file_name} in the image folder")
    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            width_px, height_px = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Fault("image_unreadable", f"{record.file_name}: {error}")
    if width_px * height_px > max_pixels:
        return Fault("image_too_large", f"{record.file_name}: {width_px} x {height_px} pixels, at most {max_pixels}")
    if (record.width_px or width_px, record.height_px or height_px) != (width_px, height_px):
        annotated = f"{record.width_px} x {record.height_px}"
        return Fault("image_size_differs", f"{record.file_name}: {width_px} x {height_px}, annotated {annotated}")
    return None
