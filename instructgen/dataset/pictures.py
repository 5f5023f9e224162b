"""Looks at an encoded picture before its bytes are published; nothing is decoded past its header."""

import io

from instructgen.records import Fault, ImageRecord

# Of what Pillow reads, what a version may hold; some of its other readers start programs.
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def find_picture_fault(picture: bytes | None, record: ImageRecord, max_pixels: int) -> Fault | None:
    """Return why the picture cannot be embedded, or None.

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
