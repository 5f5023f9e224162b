"""The bytes of pictures by their keys, for whoever turns them into pixels."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from instructgen.dataset.reading.decoding import read_picture_file
from instructgen.dataset.reading.row_groups import IMAGES, GroupReader
from instructgen.dataset.reading.row_order import Group
from instructgen.dataset.reading.shard_cache import CachedVersion, ShardCache
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from instructgen.train.example_rows import ParquetFiles, PicturePlace

_KEPT_GROUPS = 16  # what the loader keeps: text alone, where the file is on this machine
_KEPT_GROUPS_ELSEWHERE = 4  # with their pictures


class PictureStore:
    """Reads pictures where they lie; threads share one reader, processes have their own.

    Memory is that of a few row groups. Safe to pickle and to fork: a child opens the files again.
    """

    def __init__(
        self,
        keys: Sequence[str],
        places: Sequence[PicturePlace],
        files: ParquetFiles | None,
        folder: Path | None,
    ) -> None:
        self.keys = list(keys)
        self.places = list(places)
        self.folder = folder
        self._files = files
        self._start()

    def _start(self) -> None:
        self._at = {key: at for at, key in enumerate(self.keys)}
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._reader: GroupReader | None = None
        if self._files is not None:
            is_here = isinstance(self._files.version, LocalVersion | CachedVersion)
            kept = _KEPT_GROUPS if is_here else _KEPT_GROUPS_ELSEWHERE
            self._reader = GroupReader(self._files.version, self._files.shards, [IMAGES], kept)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_at", "_lock", "_reader")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def read(self, key: str) -> bytes:
        """Return a picture as it is stored; raises InstructgenError where it is not there any more."""
        if key not in self._at:
            raise InstructgenError(f"no picture with the key {key!r} in this data")
        place = self.places[self._at[key]]
        if place.shard < 0 or self._reader is None:
            return self._read_file(place.path)
        self.fetch(place.shard)  # not under the lock: other threads go on with the shards that are here
        if self._process != os.getpid():  # a fork: one of the parent's threads may hold its lock for ever
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            _, pictures = self._reader.read_row(Group(place.shard, place.group, 0, ""), place.row)
            stored = pictures[place.position][0] if place.position < len(pictures) else None
        return self._read_file(place.path) if stored is None else bytes(stored)

    @cached_property
    def shard_cache(self) -> ShardCache | None:
        """Where the shards of an object store are kept; None for files of this machine."""
        version = None if self._files is None else self._files.version
        return version.cache if isinstance(version, CachedVersion) else None

    @property
    def shards(self) -> Sequence[Shard]:
        return () if self._files is None else self._files.shards

    def far_shards(self, numbers: Iterable[int]) -> Iterator[tuple["PictureStore", int]]:
        """Yield the shards of an object store that these pictures, by their places, lie in; some of them again."""
        if self.shard_cache is None:
            return
        for number in numbers:
            shard = self.places[number].shard
            if shard >= 0:
                yield self, shard

    def fetch(self, shard: int) -> None:
        """Have a shard here before a picture of it is read, where it lies in an object store."""
        if self._files is not None and isinstance(self._files.version, CachedVersion):
            self._files.version.open(self._files.shards[shard].path).close()

    def _read_file(self, path: str) -> bytes:
        if self.folder is None:
            raise InstructgenError(f"picture {path} is not in the data; image_folder says where pictures are")
        return read_picture_file(self.folder, path)
