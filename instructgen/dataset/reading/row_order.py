"""In which order an epoch visits the rows of a split: a pure function of the files, the seed and the epoch.

A block shuffle. Row groups are dealt to windows, and the rows of a window are permuted. Dealing goes type by type,
each type's groups in random order, so that every window has each sample type in its share of the split.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from msgspec import Struct

from instructgen.draws import make_generator


class Group(Struct, frozen=True):
    """A row group: `number` within the shard, which is the split's `shard`-th."""

    shard: int
    number: int
    num_rows: int
    sample_type: str


@dataclass(slots=True)
class _Window:
    """The window that was looked into last."""

    number: int = -1
    firsts: list[int] = field(default_factory=list)
    """Where each of its groups begins when its rows are counted in the order of its groups."""
    rows: Sequence[int] = ()
    """Its rows, counted so, in the order in which they are visited."""


@dataclass(slots=True)
class RowOrder:
    """An epoch's order. `seed` None is the order of the shards.

    `key` names the files; the same rows in other row groups have another order.
    """

    groups: Sequence[Group]
    key: str
    seed: int | None
    epoch: int
    window_groups: int
    _windows: list[list[int]] = field(init=False)
    _starts: list[int] = field(init=False)
    _window: _Window = field(init=False, default_factory=_Window)

    def __post_init__(self) -> None:
        if self.seed is None:
            self._windows = [[place] for place in range(len(self.groups))]
        else:
            self._windows = _deal(self.groups, self._make_generator("groups"), self.window_groups)
        sizes = (sum(self.groups[place].num_rows for place in window) for window in self._windows)
        self._starts = list(accumulate(sizes, initial=0))

    @property
    def num_rows(self) -> int:
        return self._starts[-1]

    def find(self, index: int) -> tuple[int, int]:
        """Return which group has the `index`-th row of the epoch, and which of the group's rows it is."""
        number = bisect_right(self._starts, index) - 1
        if number != self._window.number:
            self._window = self._make_window(number)
        row = self._window.rows[index - self._starts[number]]
        place = bisect_right(self._window.firsts, row) - 1
        return self._windows[number][place], row - self._window.firsts[place]

    def _make_window(self, number: int) -> _Window:
        sizes = [self.groups[place].num_rows for place in self._windows[number]]
        firsts = list(accumulate(sizes[:-1], initial=0))
        if self.seed is None:
            return _Window(number, firsts, range(sum(sizes)))
        return _Window(number, firsts, _permute(range(sum(sizes)), self._make_generator(f"window {number}")))

    def _make_generator(self, part: str) -> random.Random:
        assert self.seed is not None
        return make_generator(self.seed, f"loader epoch {self.epoch} {part}", self.key)


def _deal(groups: Sequence[Group], generator: random.Random, window_groups: int) -> list[list[int]]:
    places_by_type: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places_by_type.setdefault(group.sample_type, []).append(place)
    dealt = [place for name in sorted(places_by_type) for place in _permute(places_by_type[name], generator)]
    num_windows = -(-len(dealt) // window_groups)
    windows = [dealt[first::num_windows] for first in range(num_windows)]
    return [windows[number] for number in _permute(range(num_windows), generator)]


def _permute(values: Sequence[int], generator: random.Random) -> list[int]:
    """Return the values in random order; of Python's generator only `random` is promised to stay as it is."""
    keys = [generator.random() for _ in values]
    return [values[place] for place in sorted(range(len(values)), key=keys.__getitem__)]
