"""A published version as the rows that a training loop reads: shuffled, resumable, split over ranks.

    from instructgen.dataset.loader import open_rows

    rows = open_rows("out/coco-sample", "train", seed=7, columns=["messages", "images"])
    for row in rows.in_epoch(2).share(rank, num_ranks).skip(num_rows_seen):
        row["messages"], row["images"]

`Rows` is what `torch.utils.data.DataLoader` takes as a map-style dataset (torch is not imported): leave its `shuffle`
off, for row `i` is the i-th of the shuffled epoch already. What holds:

- Row i of an epoch is a pure function of the version's files, the seed, the epoch and the number of groups in a
  window. It does not depend on batches, on workers, or on what was read before.
- So to resume is to begin at another row, by `skip` or by the sampler's indices: nothing is saved, and nothing is
  read to get there.
- The epoch has each row of the split once. Of N rows, rank r of R has those from floor(r N / R) to before
  floor((r + 1) N / R): no row twice, none lost, and no rank more than one row ahead of another.
- The shuffle is a block shuffle: the rows of 16 row groups (a window, 1,600 rows with pictures) are permuted, the
  groups of a window are random ones, and each window has every sample type in its share of the split.
- Memory is that of one window: its text where pictures lie in files of this machine, its pictures too where they do
  not. Pictures are decoded row by row, when the row is asked for.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.reading.decoding import keep_memory, load_picture, read_picture_file
from instructgen.dataset.reading.row_groups import IMAGES, GroupReader, Picture, list_groups
from instructgen.dataset.reading.row_order import Group, RowOrder
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.versions import open_version
from instructgen.errors import InstructgenError

_Raw = tuple[Row, list[Picture], Group, int]
Decode = Literal["pil", "bytes"] | Callable[[bytes], Any]
"""What `images` has for each picture: a decoded PIL image, the stored bytes, or what a function makes of these."""

_WINDOW_GROUPS = 16  # bench/dataset_io.py --only windows
_MAX_THREADS = 8


def open_rows(
    version: StoredVersion | Path | str,
    split: str = "train",
    *,
    seed: int | None = 0,
    columns: Sequence[str] | None = None,
    decode: Decode = "pil",
    image_folder: Path | str | None = None,
) -> "Rows":
    """Return the rows of a split in the shuffled order of epoch 0; `seed` None keeps the order of the shards.

    `version` may be named as STORE, STORE@TAG, STORE@VERSION or by its folder. `columns` None is all of them.
    `image_folder` is where pictures are that rows name by path alone. Functions for `decode` run in threads.

    Raises InstructgenError for a split or a column that is not there, and for a shard that cannot be read.
    """
    stored = open_version(str(version)) if isinstance(version, Path | str) else version
    shards = [shard for shard in stored.manifest.shards if shard.split == split]
    if not shards:
        known = ", ".join(sorted(stored.manifest.splits)) or "none"
        raise InstructgenError(f"{stored.place} has no split '{split}'; there are: {known}")
    groups, names = list_groups(stored, shards)
    chosen = list(names if columns is None else columns)
    for name in chosen:
        if name not in names:
            raise InstructgenError(
                f"{stored.place} has no column '{name}' in '{split}'; there are: {', '.join(names)}"
            )
    if IMAGES in chosen and not stored.manifest.embeds_images and image_folder is None:
        raise InstructgenError(
            f"{stored.place} names its pictures by path; image_folder says where they are, or leave out the column "
            f"'{IMAGES}'"
        )
    files = _Files(stored, split, tuple(shards), tuple(groups), tuple(chosen))
    pictures = _Pictures(decode, None if image_folder is None else Path(image_folder))
    return Rows(files, pictures, seed, stop=sum(group.num_rows for group in groups))


class _Files(Struct, frozen=True):
    version: StoredVersion
    split: str
    shards: tuple[Shard, ...]
    groups: tuple[Group, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class _Pictures:
    decode: Decode
    folder: Path | None

    def make(self, stored: bytes | memoryview | None, path: str | None) -> Any:
        found = self._read_file(path) if stored is None else bytes(stored)
        if self.decode == "bytes":
            return found
        decode = load_picture if self.decode == "pil" else self.decode
        try:
            return decode(found)
        except ValueError as error:
            raise InstructgenError(f"picture {path}: {error}; build or copy the version again") from error

    def _read_file(self, path: str | None) -> bytes:
        if self.folder is None or path is None:
            raise InstructgenError(f"picture {path} is not in the row; image_folder says where pictures are")
        return read_picture_file(self.folder, path)


@dataclass(frozen=True)
class Rows:
    """Rows `start` to before `stop` of an epoch, by their number from `start`; the methods return other such views.

    Read it from one thread; forks and spawned workers of a DataLoader each have what is kept to themselves.
    """

    _files: _Files
    _pictures: _Pictures
    seed: int | None
    stop: int
    start: int = 0
    epoch: int = 0
    window_groups: int = _WINDOW_GROUPS
    num_threads: int | None = None
    """That decode, besides the caller's; None is one for each core, at most 8, and none in a child process."""
    _reader: GroupReader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reader = GroupReader(self._files.version, self._files.shards, self._files.columns, self.window_groups)
        object.__setattr__(self, "_reader", reader)

    def in_epoch(self, epoch: int) -> "Rows":
        """Return the same span of another epoch, which has an order of its own."""
        return replace(self, epoch=epoch)

    def in_windows(self, num_groups: int) -> "Rows":
        """Mix so many row groups. More mixes better and takes more memory; it changes the order."""
        return replace(self, window_groups=num_groups)

    def in_threads(self, num_threads: int) -> "Rows":
        """Decode in so many threads, 0 for the caller's own: Pillow lets go of the interpreter while it decodes."""
        return replace(self, num_threads=num_threads)

    def share(self, rank: int, num_ranks: int) -> "Rows":
        """Return a rank's part of these rows; the parts are disjoint, and differ by at most one row in length."""
        if not 0 <= rank < num_ranks:
            raise InstructgenError(f"there is no rank {rank} of {num_ranks}; ranks count from 0")
        first, last = (self.start + len(self) * edge // num_ranks for edge in (rank, rank + 1))
        return replace(self, start=first, stop=last)

    def skip(self, num_rows: int) -> "Rows":
        """Return what is left after so many rows."""
        return replace(self, start=min(self.start + num_rows, self.stop))

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> Row:
        return self._finish(*self._read(index))

    def __getitems__(self, indices: Sequence[int]) -> list[Row]:  # what a DataLoader calls for a batch
        return list(self._finish_all(indices))

    def __iter__(self) -> Iterator[Row]:
        return self._finish_all(range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        kept = {"_order", "_pool"}
        return {name: value for name, value in self.__dict__.items() if name not in kept}

    @cached_property
    def _order(self) -> RowOrder:
        key = f"{self._files.version.manifest.version}/{self._files.split}"
        return RowOrder(self._files.groups, key, self.seed, self.epoch, self.window_groups)

    @cached_property
    def _pool(self) -> "_Pool":
        return _Pool(self.num_threads)

    def _read(self, index: int) -> _Raw:
        at = self.start + index + (len(self) if index < 0 else 0)
        if not self.start <= at < self.stop:
            raise IndexError(f"row {index} of {len(self)}")
        place, number = self._order.find(at)
        group = self._files.groups[place]
        return (*self._reader.read_row(group, number), group, number)

    def _finish(self, row: Row, pictures: Sequence[Picture], group: Group, number: int) -> Row:
        try:
            if IMAGES in self._files.columns:
                row[IMAGES] = [self._pictures.make(stored, path) for stored, path in pictures]
        except InstructgenError as error:
            shard = f"{self._files.version.place}: {self._files.shards[group.shard].path}"
            raise InstructgenError(f"{shard}, row {number} of group {group.number}: {error}") from error
        return row

    def _finish_all(self, indices: Sequence[int]) -> Iterator[Row]:
        """Yield rows in the order of `indices`; pictures of the next few are decoded meanwhile."""
        decodes = self._pictures.decode != "bytes" and IMAGES in self._files.columns
        threads = self._pool.start() if decodes else None
        if decodes:
            keep_memory()
        if threads is None:
            for index in indices:
                yield self._finish(*self._read(index))
            return
        waiting: deque[Future[Row]] = deque()
        for index in indices:
            if len(waiting) >= self._pool.num_ahead:
                yield waiting.popleft().result()
            waiting.append(threads.submit(partial(self._finish, *self._read(index))))
        while waiting:
            yield waiting.popleft().result()


class _Pool:
    """Threads of one process, started when they are first needed; a fork starts its own."""

    def __init__(self, num_threads: int | None) -> None:
        self._num_threads = num_threads
        self._threads: ThreadPoolExecutor | None = None
        self._process = 0
        self.num_ahead = 0

    def start(self) -> ThreadPoolExecutor | None:
        """Return the threads, or None where the caller's own decodes."""
        if self._process != os.getpid():
            self._process = os.getpid()
            count = _count_threads() if self._num_threads is None else self._num_threads
            self._threads = ThreadPoolExecutor(count, "decode") if count else None
            self.num_ahead = 2 * count
        return self._threads


def _count_threads() -> int:
    if parent_process() is not None:  # a DataLoader's worker: its siblings keep the other cores busy
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MAX_THREADS) if cores > 1 else 0
