"""Shards of an object store on this machine's disk, as many as a limit in bytes allows: those used last.

    FOLDER/<sha256>.parquet         a shard, whole and held against its digest before it gets this name
    FOLDER/.new/<sha256>            one that is being fetched; it has its full size from the start, so that it counts
    FOLDER/.locks/<sha256>          taken by whoever fetches the shard; `room` by whoever counts and removes

Processes share a folder, each shard is fetched by one of them. All of it may be deleted at any time. What is removed
while somebody reads it takes its room until it is closed.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import BinaryIO

from filelock import FileLock, Timeout

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.stores.base import copy_file
from instructgen.dataset.stores.retry import keep_trying
from instructgen.disk import sync
from instructgen.errors import InstructgenError

_SUFFIX = ".parquet"
_NEW, _LOCKS, _ROOM = ".new", ".locks", "room"
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class ShardCache:
    """A folder and how many bytes of shards it may hold."""

    folder: Path
    max_bytes: int
    is_over: Event = field(default_factory=Event, compare=False)
    """Set where nobody waits for shards any more: a fetch that fails is not tried again."""

    def open(self, version: StoredVersion, shard: Shard) -> BinaryIO:
        """Open a shard, which is fetched first where it is not here.

        Raises InstructgenError where the store cannot be reached, has another file, or the shard is larger than the
        limit; OSError for a full disk.
        """
        path = self.folder / f"{shard.sha256}{_SUFFIX}"
        if (file := _open_whole(path, shard.num_bytes)) is not None:
            return file
        if shard.num_bytes > self.max_bytes:
            raise InstructgenError(
                f"{version.place}: {shard.path} has {shard.num_bytes:,} bytes, and the shard cache may hold"
                f" {self.max_bytes:,}; raise its limit"
            )
        for folder in (_NEW, _LOCKS):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        with self._lock(shard.sha256):
            return _open_whole(path, shard.num_bytes) or self._fetch(version, shard, path)

    def __getstate__(self) -> tuple[Path, int]:
        return self.folder, self.max_bytes

    def __setstate__(self, state: tuple[Path, int]) -> None:
        for name, value in zip(("folder", "max_bytes", "is_over"), (*state, Event()), strict=True):
            object.__setattr__(self, name, value)

    def _fetch(self, version: StoredVersion, shard: Shard, path: Path) -> BinaryIO:
        new = self.folder / _NEW / shard.sha256
        new.unlink(missing_ok=True)  # of a process that died
        where = f"{version.place}: {shard.path}"
        try:
            while not self._make_room(new, shard.num_bytes):
                self._check(where, self.is_over.wait(_POLL_S))
            keep_trying(where, lambda: self._copy(version, shard, new), self.is_over)
            _note_use(new)
            file = new.open("rb")  # before others can remove it
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)
        return file

    def _copy(self, version: StoredVersion, shard: Shard, new: Path) -> None:
        with new.open("r+b") as file:

            def write(block: bytes) -> None:
                self._check(version.place, self.is_over.is_set())
                file.write(block)

            copy_file(version, shard.path, shard.sha256, write)
        sync(new)

    def _check(self, where: str, is_over: bool) -> None:
        if is_over:
            raise InstructgenError(f"{where} is not fetched: nobody waits for it any more")

    def _make_room(self, new: Path, num_bytes: int) -> bool:
        """Remove what was used longest ago, and write a file of the size that is to come; False without room.

        Then all of it is taken by shards that others fetch right now.
        """
        with self._lock(_ROOM):
            here = sorted(list_files(self.folder), key=lambda file: file[0])
            used = sum(size for _, size, _ in here)
            for _, size, path in here:
                if used + num_bytes <= self.max_bytes:
                    break
                if path.parent.name != _NEW or self._is_left(path):
                    path.unlink(missing_ok=True)
                    used -= size
            if used + num_bytes > self.max_bytes:
                return False
            with new.open("wb") as file:
                file.truncate(num_bytes)
            return True

    def _is_left(self, path: Path) -> bool:
        """Return whether a process died that fetched this."""
        lock = FileLock(self.folder / _LOCKS / path.name, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return False
        lock.release()
        return True

    def _lock(self, name: str) -> FileLock:
        return FileLock(self.folder / _LOCKS / name)


def make_shard_cache(folder: Path | None = None, max_bytes: int | None = None) -> ShardCache:
    """Return the cache of the folder, the user's own by default, of at most half of what its disk has left for it."""
    if folder is None:
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        folder = (Path(home) if home else Path.home() / ".cache") / "instructgen" / "shards"
    return ShardCache(folder, _half_of_disk(folder) if max_bytes is None else max_bytes)


def _half_of_disk(folder: Path) -> int:
    used = sum(size for _, size, _ in list_files(folder))
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return (shutil.disk_usage(there).free + used) // 2


@dataclass(frozen=True)
class CachedVersion:
    """A version in an object store, with a cache for its shards."""

    stored: StoredVersion
    cache: ShardCache

    @property
    def manifest(self) -> Manifest:
        return self.stored.manifest

    @property
    def place(self) -> str:
        return self.stored.place

    def open(self, path: str) -> BinaryIO:
        shard = self._shards.get(path)
        return self.stored.open(path) if shard is None else self.cache.open(self.stored, shard)

    def paths(self) -> Iterator[str]:
        return self.stored.paths()

    @cached_property
    def _shards(self) -> dict[str, Shard]:
        return {shard.path: shard for shard in self.manifest.shards}


def list_files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Yield when each shard was used last, in ns, its size, and its path; also of those that are being fetched.

    These are listed first: one that arrives meanwhile is then seen at one place or at both, and never at none.
    """
    found: dict[str, tuple[int, int, Path]] = {}
    for path in (*(folder / _NEW).glob("*"), *folder.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError):
            facts = path.stat()
            found[path.name.removesuffix(_SUFFIX)] = facts.st_mtime_ns, facts.st_size, path
    yield from found.values()


def _open_whole(path: Path, num_bytes: int) -> BinaryIO | None:
    """Open a shard that is here, and note that it is used; None without one, or for one that is cut off."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    if os.fstat(file.fileno()).st_size != num_bytes:
        file.close()
        path.unlink(missing_ok=True)
        return None
    _note_use(path)
    return file


def _note_use(path: Path) -> None:
    now = time.time_ns()  # what the system writes by itself may be some milliseconds old
    with suppress(FileNotFoundError):
        os.utime(path, ns=(now, now))
