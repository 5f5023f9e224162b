"""Reads replies out of the pages of a SQLite file that SQLite itself gives up on.

Each page is judged alone (sqlite.org/fileformat2.html); a reply counts only if its own checksum holds, or for
format 1 if it is a valid reply to the request beside it. So nothing wrong comes out, whatever the damage is.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from instructgen.ledger.books import DamagedBlobError, read_reply

_PAGE_BYTES = 4096  # SQLite's default, where the header does not tell
_LEAF = 13
_KEY_TYPE = 12 + 2 * 32  # a blob of 32 bytes
_REAL_TYPE = 7
_WAL_HEAD, _WAL_FRAME_HEAD = 32, 24
_MAX_PAYLOAD = 1 << 28

Row = tuple[bytes, bytes, float]


def salvage(path: Path) -> Iterator[Row]:
    """Yield request id, blob and time of every reply that the file and its WAL still hold; some come twice."""
    wal = path.with_name(f"{path.name}-wal")
    if not path.exists():
        return
    with path.open("rb") as file, (wal if wal.exists() else Path(os.devnull)).open("rb") as wal_file:
        pages = _Pages(file, wal_file)
        for page, is_first in pages.all():
            if len(page) == pages.size:
                yield from _read_leaf(page, 100 if is_first else 0, pages)


class _Pages:
    """The pages of a file and its WAL, whatever their checksums say."""

    def __init__(self, file: BinaryIO, wal: BinaryIO) -> None:
        self._file, self._wal = file, wal
        head = file.read(100).ljust(100, b"\0")
        self.size = int.from_bytes(head[16:18], "big")
        self.size = 65536 if self.size == 1 else self.size
        if not head.startswith(b"SQLite format 3") or self.size < 512 or self.size & (self.size - 1):
            self.size = _PAGE_BYTES
        self.num_usable = self.size - (head[20] if head[20] <= 32 else 0)
        self._num_pages = -(-os.fstat(file.fileno()).st_size // self.size)
        num_wal_bytes = os.fstat(wal.fileno()).st_size
        self._wal_starts = range(_WAL_HEAD, max(num_wal_bytes - self.size, 0), _WAL_FRAME_HEAD + self.size)
        self._in_wal: dict[int, int] = {}
        for start in self._wal_starts:
            wal.seek(start)
            self._in_wal[int.from_bytes(wal.read(4), "big")] = start + _WAL_FRAME_HEAD

    def all(self) -> Iterator[tuple[bytes, bool]]:
        """Yield each page and whether it is the file's first, which begins with the file's header."""
        for number in range(1, self._num_pages + 1):
            self._file.seek((number - 1) * self.size)
            yield self._file.read(self.size), number == 1
        for start in self._wal_starts:
            self._wal.seek(start)
            number = int.from_bytes(self._wal.read(4), "big")
            self._wal.seek(start + _WAL_FRAME_HEAD)
            yield self._wal.read(self.size), number == 1

    def read(self, number: int) -> bytes:
        if number in self._in_wal:
            self._wal.seek(self._in_wal[number])
            return self._wal.read(self.size)
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size)


def _read_leaf(page: bytes, head: int, pages: _Pages) -> Iterator[Row]:
    if page[head] != _LEAF:
        return
    (num_cells,) = struct.unpack_from(">H", page, head + 3)
    for at in range(head + 8, min(head + 8 + 2 * num_cells, len(page) - 1), 2):
        (start,) = struct.unpack_from(">H", page, at)
        try:
            row = _read_row(_read_payload(page, start, pages))
        except (IndexError, ValueError, struct.error, OSError):
            continue
        if row is not None:
            yield row


def _read_payload(page: bytes, start: int, pages: _Pages) -> bytes:
    num_bytes, at = _read_varint(page, start)
    _, at = _read_varint(page, at)
    if num_bytes > _MAX_PAYLOAD:
        raise ValueError("no reply is as large")
    usable = pages.num_usable
    if num_bytes <= usable - 35:
        return page[at : at + num_bytes]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (num_bytes - least) % (usable - 4)
    local = local if local <= usable - 35 else least
    parts, num_left = [page[at : at + local]], num_bytes - local
    (following,) = struct.unpack_from(">I", page, at + local)
    while num_left > 0 and following:
        overflow = pages.read(following)
        (following,) = struct.unpack_from(">I", overflow)
        parts.append(overflow[4 : 4 + min(num_left, usable - 4)])
        num_left -= usable - 4
    return b"".join(parts)


def _read_row(record: bytes) -> Row | None:
    num_head, at = _read_varint(record, 0)
    kinds = []
    while at < num_head:
        kind, at = _read_varint(record, at)
        kinds.append(kind)
    if len(kinds) != 3 or kinds[0] != _KEY_TYPE or kinds[1] < 12:
        return None
    key, rest = record[num_head : num_head + 32], record[num_head + 32 :]
    num_blob = (kinds[1] - 12) // 2
    blob, rest = rest[:num_blob], rest[num_blob:]
    try:
        read_reply(key, blob)
    except DamagedBlobError:
        return None
    stored_at = struct.unpack_from(">d", rest)[0] if kinds[2] == _REAL_TYPE else 0.0
    return key, blob, stored_at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return SQLite's variable-length number and where it ends."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9
