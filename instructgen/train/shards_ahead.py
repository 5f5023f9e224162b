"""Fetches the shards of an object store that the next rows need, while the rows before them are computed.

Which rows come is known (train.rows), so nothing is guessed.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

from instructgen.dataset.reading.shard_cache import ShardCache
from instructgen.train.example_pictures import PictureStore
from instructgen.train.mixture import Examples, list_sets
from instructgen.train.rows import Row

_AT_ONCE = 4
_MOST_ROWS = 64
_GIB = 1 << 30

FarShard = tuple[PictureStore, int]
"""A shard by its number among those of the store's pictures."""


class ShardsAhead:
    """Looks ahead over rows until the shards they need take half of what the cache may hold.

    Processes of one machine share that half.
    """

    def __init__(self, cache: ShardCache, find_shards: Callable[[Row], Iterable[FarShard]]) -> None:
        self._is_over = cache.is_over
        self._find_shards = find_shards
        self._max_bytes = cache.max_bytes // (2 * int(os.environ.get("LOCAL_WORLD_SIZE", "1")))

    def follow(self, rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
        """Yield the rows as they come, with the shards of those behind them on their way.

        A fetch that fails is told by nobody here: whoever reads the picture tries once more, and tells.
        """
        self._is_over.clear()
        waiting: deque[tuple[tuple[int, Row], set[FarShard]]] = deque()
        needed: Counter[FarShard] = Counter()
        num_bytes = 0
        pool = ThreadPoolExecutor(_AT_ONCE, "ahead")
        try:
            for told in rows:
                shards = set(self._find_shards(told[1]))
                new = {shard for shard in shards if not needed[shard]}
                leaving: list[tuple[int, Row]] = []
                while waiting and (len(waiting) == _MOST_ROWS or num_bytes + _add_sizes(new) > self._max_bytes):
                    first, past = waiting.popleft()
                    leaving.append(first)
                    needed.subtract(past)
                    num_bytes -= _add_sizes(shard for shard in past if not needed[shard])
                    new |= {shard for shard in shards & past if not needed[shard]}
                for store, shard in new:
                    pool.submit(store.fetch, shard)
                num_bytes += _add_sizes(new)
                needed.update(shards)
                waiting.append((told, shards))
                yield from leaving
            for first, _ in waiting:
                yield first
        finally:
            is_over = self._is_over.is_set()
            pool.shutdown(wait=is_over, cancel_futures=is_over)

    def stop(self) -> None:
        """Let nobody wait for shards any more, whoever fetches them."""
        self._is_over.set()


def look_ahead(examples: Examples) -> ShardsAhead | None:
    """Return what fetches the shards of coming rows; None where all pictures are on this machine."""
    cache = next((each.pictures.shard_cache for each in list_sets(examples) if each.pictures.shard_cache), None)
    if cache is None:
        return None
    return ShardsAhead(cache, lambda row: examples.far_shards(number for group in row for number in group))


def look_ahead_of_pictures(pictures: PictureStore) -> ShardsAhead | None:
    """Do what `look_ahead` does for rows that number pictures."""
    cache = pictures.shard_cache
    if cache is None:
        return None
    return ShardsAhead(cache, lambda row: pictures.far_shards(number for group in row for number in group))


def find_strain(examples: Examples, mixed_shards: int) -> str:
    """Return why shards would be fetched again and again, and the cure; "" where they would not."""
    for each in list_sets(examples):
        cache = each.pictures.shard_cache
        read = {place.shard for place in each.pictures.places if place.shard >= 0}
        sizes = sorted((each.pictures.shards[shard].num_bytes for shard in read), reverse=True)
        if cache is None or sum(sizes) <= cache.max_bytes:
            continue
        if 2 * sum(sizes[: mixed_shards or None]) > cache.max_bytes:
            fitting = sum(2 * size <= cache.max_bytes for size in accumulate(sizes))
            return (
                f"the shards with pictures have {sum(sizes) / _GIB:.1f} GiB and the shard cache may hold"
                f" {cache.max_bytes / _GIB:.1f}, so that most are fetched again and again: set rows.mixed_shards to"
                f" {max(1, fitting)} or less, or raise --shard-cache-gib"
            )
    return ""


def _add_sizes(shards: Iterable[FarShard]) -> int:
    return sum(store.shards[shard].num_bytes for store, shard in shards)
