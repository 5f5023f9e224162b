"""Where the pictures and clips of documents lie: in a folder, in a tar shard, with a pair."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from instructgen.sources.pairs_rows import Pair, PairFile, leads_out

_MAX_PICTURE_BYTES = 64 << 20


class FolderMedia:
    """Pictures and clips of a folder; without one there is none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()

    def read(self, name: str) -> bytes | None:
        path = self._find(name)
        if path is None or path.stat().st_size > _MAX_PICTURE_BYTES:
            return None
        return path.read_bytes()

    def open(self, name: str) -> BinaryIO | None:
        path = self._find(name)
        return None if path is None else path.open("rb")

    def _find(self, name: str) -> Path | None:
        """Return the file, or None where it is not there, or where its name or a link leads out of the folder."""
        if self._folder is None or leads_out(name) or "\0" in name:
            return None
        path = (self._folder / name).resolve()
        return path if path.is_relative_to(self._folder) and path.is_file() else None


class PairMedia:
    """The picture that came with a pair."""

    def __init__(self, file: PairFile, pair: Pair) -> None:
        self._file, self._pair = file, pair

    def read(self, name: str) -> bytes | None:
        return self._pair.picture if self._pair.picture is not None else self._file.read_picture(name)

    def open(self, name: str) -> BinaryIO | None:  # noqa: ARG002
        return None


class TarMedia:
    """The files of a tar shard that have one name up to the first dot."""

    def __init__(self, path: Path, places: Mapping[str, tuple[int, int]]) -> None:
        self._path, self._places = path, places

    def read(self, name: str) -> bytes | None:
        part = self.open(name)
        if part is None or self._places[name][1] > _MAX_PICTURE_BYTES:
            return None
        with part:
            return part.read()

    def open(self, name: str) -> BinaryIO | None:
        if name not in self._places:
            return None
        return io.BufferedReader(_Part(self._path.open("rb"), *self._places[name]))


class _Part(io.RawIOBase):
    """Some bytes of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, num_bytes: int) -> None:
        super().__init__()
        self._file, self._start, self._num_bytes, self._at = file, start, num_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._num_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._num_bytes - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
