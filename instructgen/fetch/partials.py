"""Downloads that have begun: kept in .fetch/partial, so that a killed run asks only for what is missing.

`<name>.json` says of what the bytes in `<name>.part` are the beginning. It is written first: bytes without it are
nothing that can be gone on with.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

_SPILL_BYTES = 256 << 10  # smaller pictures, which are most, never touch the disk before they are whole
_FLUSH_EVERY_S = 1.0


class Origin(Struct, frozen=True):
    """What an answer was: the row's address, its validators and, where told, its whole size (else -1)."""

    url: str
    etag: str = ""
    last_modified: str = ""
    total_bytes: int = -1

    @property
    def validator(self) -> str:
        """What If-Range takes: a strong ETag, else the date; "" where nothing can be gone on with."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


class Partial:
    """One download: in memory first, in a file once it is large or slow. Not for use by several threads."""

    def __init__(self, folder: Path, key: str, url: str) -> None:
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        self.path = folder / f"{name}.part"
        self._told = folder / f"{name}.json"
        self._url = url
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self._flushed_at_s = 0.0
        self._is_stored = False
        self.num_bytes = 0
        self.origin = self._read_origin()

    def _read_origin(self) -> Origin:
        """Take up what an earlier try or run left, where it is of the same address."""
        try:
            told = self._told.read_bytes()
        except OSError:
            return Origin(self._url)
        self._is_stored = True
        try:
            origin = msgspec.json.decode(told, type=Origin)
            self.num_bytes = self.path.stat().st_size
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            origin = Origin("")
        fits = origin.total_bytes < 0 or self.num_bytes <= origin.total_bytes
        if origin.url == self._url and origin.validator and self.num_bytes and fits:
            return origin
        self.discard()
        return Origin(self._url)

    @property
    def is_whole(self) -> bool:
        return 0 < self.num_bytes == self.origin.total_bytes

    def restart(self, origin: Origin, now_s: float) -> None:
        """Begin anew with another answer."""
        self.discard()
        self.origin = origin
        self._flushed_at_s = now_s

    def go_on(self, now_s: float) -> None:
        """Append to what is there."""
        self._flushed_at_s = now_s

    def write(self, data: bytes, now_s: float) -> None:
        self._buffer += data
        self.num_bytes += len(data)
        is_slow = now_s - self._flushed_at_s >= _FLUSH_EVERY_S and self.origin.validator
        if len(self._buffer) >= _SPILL_BYTES or is_slow:
            self.flush()
            self._flushed_at_s = now_s

    def flush(self) -> None:
        """Write what is in memory to the file, where a reader of a later run finds it."""
        if not self._buffer:
            return
        if self._file is None:
            if not self._is_stored:
                self._is_stored = True
                self._told.parent.mkdir(parents=True, exist_ok=True)
                new = self._told.with_suffix(".new")
                new.write_bytes(msgspec.json.encode(self.origin))
                new.replace(self._told)
            self._file = self.path.open("ab")
        self._file.write(self._buffer)
        self._file.flush()
        self._buffer.clear()

    def pause(self) -> None:
        """Keep what came for the next try; what cannot be gone on with is dropped."""
        if self.origin.validator:
            self.flush()
            self._close()
        else:
            self.discard()

    def take(self) -> bytes | Path:
        """Return the whole: its bytes, or its file where it did not stay in memory."""
        if not self._is_stored:
            return bytes(self._buffer)
        self.flush()
        self._close()
        return self.path

    def discard(self) -> None:
        """Forget what came."""
        self._close()
        self._buffer.clear()
        self.num_bytes = 0
        if self._is_stored:
            self.path.unlink(missing_ok=True)
            self._told.unlink(missing_ok=True)
            self._is_stored = False

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
