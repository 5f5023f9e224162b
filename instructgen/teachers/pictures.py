"""Makes a picture ready to be sent: read from the source, no larger than asked, as JPEG in a data URL.

It is read when its request is sent and forgotten after that: what waits, is stored or is counted holds a digest.
"""

import base64
import hashlib
import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from instructgen.attempts import AttemptError
from instructgen.errors import InstructgenError
from instructgen.pictures import flatten_picture
from instructgen.records import ImageRecord, Picture

if TYPE_CHECKING:
    pass

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_JPEG_QUALITY = 90
# What OpenAI counts for a picture in high detail: so many tokens, and so many for each tile of 512 x 512 pixels.
# gpt-4o-mini counts most of all known models; gpt-4o's figures are near what open models take.
_TILE_PX = 512
_USUAL_TOKENS = (85, 170)
_MOST_TOKENS = (2833, 5667)
_GREEDY_MODEL = "gpt-4o-mini"


def most_tokens(picture: Picture) -> int:
    """Return a number of tokens that a picture of this size takes at most, with whatever model."""
    return _count_tokens(picture.max_side_px, _MOST_TOKENS)


def estimate_picture_tokens(model: str, max_side_px: int) -> int:
    """Return about how many tokens a square picture of this size takes."""
    return _count_tokens(max_side_px, _MOST_TOKENS if _GREEDY_MODEL in model else _USUAL_TOKENS)


def _count_tokens(max_side_px: int, tokens: tuple[int, int]) -> int:
    return tokens[0] + tokens[1] * math.ceil(max_side_px / _TILE_PX) ** 2


class PictureReader:
    """Reads pictures of one source; `read` is its `image_bytes`, `max_pixels` what may be decoded."""

    def __init__(self, read: Callable[[ImageRecord], bytes | None], max_pixels: int) -> None:
        self._read = read
        self._max_pixels = max_pixels

    def data_url(self, record: ImageRecord, picture: Picture) -> str:
        """Return the picture to send. Raises AttemptError where it is gone, another one by now, or cannot be read."""
        try:
            stored = self._read(record)
        except InstructgenError as error:
            raise AttemptError("image_unreadable", str(error)) from None
        if stored is None:
            raise AttemptError("image_missing", f"{record.file_name} is not there any more")
        if hashlib.sha256(stored).hexdigest() != picture.sha256:
            raise AttemptError("image_changed", f"{record.file_name} changed while the build ran; run it again")
        encoded = encode_small(stored, picture.max_side_px, self._max_pixels, record.file_name)
        return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def encode_small(stored: bytes, max_side_px: int, max_pixels: int, name: str) -> bytes:
    """Return the picture as JPEG whose longer side has at most so many pixels; it is never made larger.

    What a camera wrote into the file beside the picture stays behind. The pixels stay as they lie in the file, as
    the boxes do, also where the file says that they are to be turned. Raises AttemptError for what is no picture,
    or has more than `max_pixels` pixels.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(stored), formats=_FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise AttemptError("image_too_large", f"{name}: {image.width} x {image.height} pixels")
            image.draft("RGB", (max_side_px, max_side_px))
            small = flatten_picture(image)
            small.thumbnail((max_side_px, max_side_px))
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    except (OSError, TypeError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise AttemptError("image_unreadable", f"{name}: {error}") from None
    return buffer.getvalue()
