"""The journal: every event of a ledger in the order in which it came, synchronised before it is acknowledged.

The file is a row of frames, each found and judged by itself, so that damage costs the frames it touches:

    magic (4 bytes) | body's length (u32) | crc32 of the body (u32) | body: number (u64), kind (u8), payload

Little-endian. Numbers rise by one from frame to frame. They tell what SQLite has of the journal and what it has
not, wherever the bytes lie.
"""

import contextlib
import errno
import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

# 0xff never occurs in UTF-8: no text of a teacher can look like the start of a frame.
MAGIC = b"\xffIGJ"
_START = struct.Struct("<4sII")
_BODY = struct.Struct("<QB")
_MAX_BODY = 1 << 28
_CHUNK = 1 << 20

# Kinds of events; books.py says what each does.
HEAD, META, SENT, BOUGHT, ADOPTED, FAILED, SWEPT, UNSENT = range(1, 9)
KINDS = frozenset(range(HEAD, UNSENT + 1))

NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Event(NamedTuple):
    kind: int
    payload: bytes


class Frame(NamedTuple):
    """An event as it lies in a file: bytes `start` to `end`."""

    number: int
    kind: int
    payload: bytes
    start: int
    end: int


class Gap(NamedTuple):
    """Bytes that are no whole frame."""

    start: int
    end: int


def encode_frame(number: int, event: Event) -> bytes:
    body = _BODY.pack(number, event.kind) + event.payload
    return _START.pack(MAGIC, len(body), zlib.crc32(body)) + body


def scan(path: Path, start: int = 0) -> Iterator[Frame | Gap]:
    """Yield the frames from `start` on, and where none can be read the gap up to the next one.

    A file that is not there has none. Memory does not grow with the file.
    """
    if not path.exists():
        return
    with path.open("rb", buffering=_CHUNK) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(start)
        while start < size:
            frame = _read_frame(file, start, size)
            if frame is None:
                found = _find_frame(file, start + 1, size)
                yield Gap(start, size if found is None else found.start)
                if found is None:
                    return
                frame = found
            yield frame
            start = frame.end


def read_frame_at(path: Path, start: int) -> Frame | None:
    """Return the frame that begins at `start`, or None where no whole one does."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return _read_frame(file, start, os.fstat(file.fileno()).st_size)
    except OSError:
        return None


def is_journal(path: Path) -> bool:
    """Tell whether a file begins as a journal does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read_frame(file: BinaryIO, start: int, size: int) -> Frame | None:
    """Read at the file's position, which is `start`."""
    head = file.read(_START.size)
    if len(head) < _START.size:
        return None
    magic, length, crc = _START.unpack(head)
    end = start + _START.size + length
    if magic != MAGIC or not _BODY.size <= length <= _MAX_BODY or end > size:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body) != crc:
        return None
    number, kind = _BODY.unpack_from(body)
    if kind not in KINDS:
        return None
    return Frame(number, kind, body[_BODY.size :], start, end)


def _find_frame(file: BinaryIO, start: int, size: int) -> Frame | None:
    """Return the first whole frame that begins at `start` or later; the file's position is its end then."""
    while start < size:
        file.seek(start)
        chunk = file.read(_CHUNK)
        at = chunk.find(MAGIC)
        while at >= 0:
            file.seek(start + at)
            frame = _read_frame(file, start + at, size)
            if frame is not None:
                return frame
            at = chunk.find(MAGIC, at + 1)
        start += max(len(chunk) - len(MAGIC) + 1, 1)
    return None


@dataclass(slots=True)
class Survey:
    """What a journal still is, from a pass over all of it. `is_whole` bears with a torn end, which is cut off."""

    num_frames: int = 0
    num_gaps: int = 0
    num_bad_bytes: int = 0
    is_whole: bool = False
    number: int = -1
    last: int = 0
    end: int = 0


def survey(path: Path) -> Survey:
    """Read all of a journal."""
    found = Survey()
    is_rising = starts_well = True
    ends_in_gap = False
    for piece in scan(path):
        ends_in_gap = isinstance(piece, Gap)
        if isinstance(piece, Gap):
            found.num_gaps += 1
            found.num_bad_bytes += piece.end - piece.start
            continue
        if found.num_frames == 0:
            starts_well = piece.kind == HEAD and piece.start == 0
        elif piece.number != found.number + 1:
            is_rising = False
        found.num_frames += 1
        found.number = max(piece.number, found.number)
        found.last, found.end = piece.start, piece.end
    found.is_whole = bool(found.num_frames) and starts_well and is_rising and found.num_gaps == int(ends_in_gap)
    return found


class Journal:
    """An open journal to append to. `end` is its length in bytes, `last` the start of its last frame.

    `next_number` is what the next event gets.
    """

    def __init__(self, path: Path, end: int, last: int, next_number: int) -> None:
        self.path = path
        self.end = end
        self.last = last
        self.next_number = next_number
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o666)

    def append(self, events: Iterable[Event]) -> None:
        """Return once the events are on disk. Raises OSError; none of them is in the journal then."""
        number, last, end = self.next_number, self.last, self.end
        frames = []
        for event in events:
            frame = encode_frame(number, event)
            frames.append(frame)
            number, last, end = number + 1, end, end + len(frame)
        try:
            write_all(self._file, b"".join(frames))
            synchronise(self._file)
        except OSError:
            # What was half written is cut off, so that the journal stays whole; a reader would skip it, too.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.end)
            raise
        self.next_number, self.last, self.end = number, last, end

    def close(self) -> None:
        """Close the file; a second time does nothing, and what is appended later raises OSError."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_all(file: int, data: bytes) -> None:
    """Write all of it, whatever the system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def synchronise(file: int) -> None:
    """Wait until what was written is on disk, and not only in the drive's own memory where that can be asked for."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(file, fcntl.F_FULLFSYNC)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(file)
    else:
        os.fsync(file)


def synchronise_folder(folder: Path) -> None:
    """Wait until the folder's list of names is on disk. Windows writes names through and opens no folder."""
    if os.name == "nt":
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
