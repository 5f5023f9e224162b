"""Pictures of a request: in a data URL, or, where the server allows a folder, a file below it. Nothing is fetched."""

import base64
import binascii
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from instructgen.student.serving.refusals import Refusal

_SHOWN_CHARS = 80


class PictureRules(Struct, frozen=True):
    """`folder` None allows no files. Pixels are bounded where a picture is decoded."""

    folder: Path | None = None
    max_pictures: int = 8
    max_bytes: int = 20_000_000  # OpenAI's own bound on a picture


class RequestPictures:
    """Reads the pictures of one request."""

    def __init__(self, rules: PictureRules) -> None:
        self._rules = rules
        self._num_read = 0

    def read(self, url: str) -> bytes:
        """Raises Refusal for an address of anything else, one that is not allowed, and for too much of it."""
        self._num_read += 1
        if self._num_read > self._rules.max_pictures:
            raise _refuse(f"more than {self._rules.max_pictures} pictures")
        scheme = url.partition(":")[0].lower()
        if scheme == "data":
            found = _read_data(url)
        elif scheme in ("http", "https"):
            raise _refuse("this server fetches no pictures; send the bytes as data:image/jpeg;base64,...")
        else:
            found = self._read_file(url)
        if len(found) > self._rules.max_bytes:
            raise _refuse(f"a picture of {len(found):,} bytes, at most {self._rules.max_bytes:,}")
        return found

    def _read_file(self, url: str) -> bytes:
        folder = self._rules.folder
        if folder is None:
            raise _refuse("no picture files are allowed here (--allow-files DIR does); send a data: URL")
        name = url
        try:
            if url.lower().startswith("file:"):
                name = unquote(urlsplit(url).path)
            root = folder.resolve()
            path = (root / name).resolve()
            # One answer for what is outside and what is not there: who asks learns nothing about other folders.
            if not path.is_relative_to(root) or not path.is_file():
                raise _refuse(f"there is no picture '{name[:_SHOWN_CHARS]}' in the folder that is allowed")
            if path.stat().st_size > self._rules.max_bytes:
                raise _refuse(f"a picture of more than {self._rules.max_bytes:,} bytes")
            return path.read_bytes()
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle, not to be read
            raise _refuse(f"there is no picture '{name[:_SHOWN_CHARS]}' in the folder that is allowed") from None


def _read_data(url: str) -> bytes:
    head, comma, body = url.partition(",")
    kind = head[len("data:") :].lower()
    if not comma or not kind.startswith("image/") or not kind.endswith(";base64"):
        raise _refuse(f"a picture's data URL begins with data:image/...;base64, and this one with {head[:40]}")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _refuse("the picture is no base64") from None


def _refuse(message: str) -> Refusal:
    return Refusal(400, message, code="invalid_image", param="image_url")
