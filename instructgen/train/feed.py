"""Rows with their pictures, made by threads ahead of the step that computes them."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from instructgen.train.rows import Row
from instructgen.train.shards_ahead import ShardsAhead

_MAX_THREADS = 16


class FedRow(Protocol):
    """A row as its objective takes it; its length is the positions that are computed."""

    @property
    def pictures(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """`pictures` are in the order of row.pictures: pixels, or features of a frozen tower."""

    row: FedRow
    pictures: Tensor
    numbers: tuple[int, ...]
    """The examples of the row."""


@dataclass(frozen=True, slots=True)
class RowFeed:
    """What a row's numbers become; both callables are called from several threads at once."""

    make_row: Callable[[int, Row], FedRow]
    """Takes the epoch too, for what is drawn anew in each."""
    load_pictures: Callable[[tuple[str, ...]], Tensor]
    num_threads: int = 0
    """0: as many as the process may use of the processor's cores."""
    ahead: ShardsAhead | None = None
    """Where pictures lie in an object store."""

    def load(self, rows: Iterable[tuple[int, Row]]) -> Iterator[LoadedRow]:
        """Yield the rows, each told with its epoch, in their order.

        A few are loaded ahead, and no more, so that memory stays bounded.
        """
        num_threads = self.num_threads or count_threads()
        waiting: deque[Future[LoadedRow]] = deque()
        pool = ThreadPoolExecutor(num_threads, thread_name_prefix="rows")
        coming = iter(rows) if self.ahead is None else self.ahead.follow(rows)
        try:
            for epoch, row in coming:
                waiting.append(pool.submit(self._load_one, epoch, row))
                if len(waiting) > num_threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            if self.ahead is not None:
                self.ahead.stop()  # the threads may wait for shards
                coming.close()  # type: ignore[attr-defined]
            pool.shutdown(cancel_futures=True)

    def _load_one(self, epoch: int, row: Row) -> LoadedRow:
        made = self.make_row(epoch, row)
        return LoadedRow(made, self.load_pictures(made.pictures), tuple(number for group in row for number in group))


def count_threads() -> int:
    """Return the threads that load rows where the caller does not say."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MAX_THREADS)
