"""Which samples make a step and which of them share a row: a pure function of what is known before training.

Nothing of it depends on what ran before, so that a resumed run needs no state of a loader: step k of an epoch is the
same whenever and wherever it is asked for.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.train.balance import balance, make_trees
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.recipe import RowsConfig

Group = tuple[int, ...]
"""Numbers of examples that share a beginning in their row, or one that shares nothing."""
Row = tuple[Group, ...]

ALONE = -1
LOOKAHEAD = 256
"""Groups looked through for one that fills a step's last places before a group is cut in two."""


@dataclass(frozen=True, slots=True)
class SampleTable:
    """What planning knows of N samples; int64 [N] each.

    `lengths` count every position of a sample, its images' filled. Samples with the same number in `groups` may share
    their first `trunks` positions; ALONE marks those without an image. `shards` says where the image of each lies, -1
    of one that is in no shard; None is not known.
    """

    lengths: NDArray[np.int64]
    groups: NDArray[np.int64]
    trunks: NDArray[np.int64]
    shards: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of one optimiser step, by process; every process has as many."""

    rows: tuple[tuple[Row, ...], ...]
    row_tokens: tuple[tuple[int, ...], ...]
    """Positions that each row computes, at most."""
    num_samples: int
    epoch: int = 0

    @property
    def numbers(self) -> list[int]:
        """The samples of the step, sorted."""
        return sorted(number for rows in self.rows for row in rows for group in row for number in group)

    @property
    def fill(self) -> float:
        """Return the mean length of the rows over the longest: of the memory that the longest needs, what is used."""
        lengths = [length for rank in self.row_tokens for length in rank]
        longest = max(lengths, default=0)
        return sum(lengths) / (longest * len(lengths)) if longest else 1.0

    @property
    def busy(self) -> float:
        """Return the share of time that processes do not wait, where all compute their n-th rows at once."""
        moments = list(zip(*self.row_tokens, strict=True))
        longest = sum(max(moment) for moment in moments)
        return sum(map(sum, moments)) / (longest * len(self.row_tokens)) if longest else 1.0

    def fill_of(self, capacity: int) -> float:
        """Return the share of rows of `capacity` positions that is used."""
        lengths = [length for rank in self.row_tokens for length in rank]
        return sum(lengths) / (capacity * len(lengths)) if lengths else 1.0


def measure(
    examples: Iterable[Example], tokens_per_image: int, shards: NDArray[np.int64] | None = None
) -> SampleTable:
    """Return the table of examples: samples share when images and ids are the same up to the last image's slot."""
    lengths: list[int] = []
    groups: list[int] = []
    trunks: list[int] = []
    numbers: dict[tuple[tuple[str, ...], tuple[int, ...], bytes], int] = {}
    for example in examples:
        lengths.append(example.num_tokens(tokens_per_image))
        slots = np.flatnonzero(example.ids == IMAGE_SLOT)
        beginning = int(slots[-1]) + 1 if len(slots) else 0
        if not beginning or example.sees_next or bool(example.is_trained[:beginning].any()):
            groups.append(ALONE)
            trunks.append(0)
            continue
        key = (example.pictures, example.frames, example.ids[:beginning].tobytes())
        groups.append(numbers.setdefault(key, len(numbers)))
        trunks.append(beginning + len(slots) * (tokens_per_image - 1))
    return SampleTable(np.array(lengths, np.int64), np.array(groups, np.int64), np.array(trunks, np.int64), shards)


def num_steps(num_samples: int, batch: int) -> int:
    """Return the steps of an epoch; the last may hold fewer samples than `batch`."""
    return -(-num_samples // batch)


class EpochPlan(Sequence[Step]):
    """The steps of one epoch; `plan[k]` costs the same for every k."""

    def __init__(self, table: SampleTable, config: RowsConfig, *, seed: int, epoch: int, num_ranks: int) -> None:
        self._table = table
        self._config = config
        self._num_ranks = num_ranks
        self._epoch = epoch
        self._row_tokens = config.row_tokens or config.max_tokens
        longest = int(table.lengths.max()) if len(table) else 0
        if longest > self._row_tokens:
            raise InstructgenError(
                f"a sample has {longest} tokens, more than a row's {self._row_tokens}; raise rows.row_tokens"
                " or lower rows.max_tokens"
            )
        draws = _Draws(seed, epoch)
        windows = _deal_windows(table, config.mixed_shards, draws)
        if not config.packing:
            self._order = _order_by_kind(table, windows, config.batch, draws)
        elif config.sharing:
            self._order = _order_by_group(table, windows, config.batch, draws)
        else:
            self._order = _by_window(draws.shuffle(np.arange(len(table))), windows)

    def __len__(self) -> int:
        return num_steps(len(self._table), self._config.batch)

    def __getitem__(self, step: int) -> Step:  # type: ignore[override]
        if not 0 <= step < len(self):
            raise IndexError(f"step {step} of an epoch of {len(self)}")
        batch = self._config.batch
        numbers = np.sort(self._order[step * batch : (step + 1) * batch])
        rows = self._packed_rows(numbers) if self._config.packing else self._padded_rows(numbers)
        # Row i goes to process i modulo their number: rows come longest first, so those of one moment are alike.
        ranks = range(self._num_ranks)
        return Step(
            rows=tuple(tuple(row for row, _ in rows[rank :: self._num_ranks]) for rank in ranks),
            row_tokens=tuple(tuple(length for _, length in rows[rank :: self._num_ranks]) for rank in ranks),
            num_samples=len(numbers),
            epoch=self._epoch,
        )

    def _packed_rows(self, numbers: NDArray[np.int64]) -> list[tuple[Row, int]]:
        table = self._table
        groups = table.groups[numbers] if self._config.sharing else np.full(len(numbers), ALONE)
        trees = make_trees(numbers, table.lengths[numbers], groups, table.trunks[numbers], self._row_tokens)
        rows = balance(trees, self._row_tokens, self._num_ranks)
        return [(tuple(tree.numbers for tree in row), sum(tree.tokens for tree in row)) for row in rows]

    def _padded_rows(self, numbers: NDArray[np.int64]) -> list[tuple[Row, int]]:
        """Cut the samples, longest first, into batches of at most a row's tokens with every sample as the first."""
        lengths = self._table.lengths[numbers]
        order = np.argsort(-lengths, kind="stable")
        batches: list[list[int]] = []
        room = 0
        for number, length in zip(numbers[order].tolist(), lengths[order].tolist(), strict=True):
            if room < 1:
                batches.append([])
                room = max(1, self._row_tokens // length)
            batches[-1].append(number)
            room -= 1
        while len(batches) % self._num_ranks:
            largest = max(batches, key=len)
            if len(largest) < 2:
                batches.append([])
                continue
            half = len(largest) // 2
            batches.append(largest[half:])
            del largest[half:]
        padded = [
            (tuple((number,) for number in batch), len(batch) * int(self._table.lengths[batch].max()) if batch else 0)
            for batch in batches
        ]
        return sorted(padded, key=lambda row: -row[1])


def plan_steps(table: SampleTable, config: RowsConfig, *, seed: int, epoch: int, num_ranks: int = 1) -> EpochPlan:
    """Return the steps of an epoch: each sample once, `config.batch` of them in a step.

    What a step holds does not depend on `num_ranks`; which row a sample is in may.
    """
    return EpochPlan(table, config, seed=seed, epoch=epoch, num_ranks=num_ranks)


def shuffle_epoch(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the numbers below `count` in the epoch's order."""
    return _Draws(seed, epoch).shuffle(np.arange(count))


class _Draws:
    """Seeded orders that no release of numpy can change (its generators' streams may)."""

    def __init__(self, seed: int, epoch: int) -> None:
        self._state = _mix(_mix(np.array([seed & 0xFFFFFFFF], np.uint64)) + np.uint64(epoch & 0xFFFFFFFF))

    def shuffle(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        self._state = _mix(self._state)
        keys = _mix(_mix(np.arange(len(values), dtype=np.uint64)) ^ self._state)
        return values[np.argsort(keys, kind="stable")]


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood, 2014): one number in, one that looks random out."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _deal_windows(table: SampleTable, mixed_shards: int, draws: _Draws) -> NDArray[np.int64]:
    """Return the window of each sample: windows come one after another, each of at most so many shards, drawn anew.

    Samples in no shard are spread over all windows. 0 shards is one window of all samples.
    """
    windows = np.zeros(len(table), np.int64)
    is_placed = np.zeros(len(table), np.bool_) if table.shards is None else table.shards >= 0
    if table.shards is None or not mixed_shards or not is_placed.any():
        return windows
    drawn = draws.shuffle(np.unique(table.shards[is_placed]))
    num_windows = -(-len(drawn) // mixed_shards)
    window_of = np.zeros(int(drawn.max()) + 1, np.int64)
    window_of[drawn] = np.arange(len(drawn)) * num_windows // len(drawn)
    windows[is_placed] = window_of[table.shards[is_placed]]
    loose = draws.shuffle(np.flatnonzero(~is_placed))
    ends = np.cumsum(np.bincount(windows[is_placed], minlength=num_windows))
    windows[loose] = np.searchsorted(ends * len(loose), np.arange(len(loose)) * ends[-1], side="right")
    return windows


def _by_window(numbers: NDArray[np.int64], windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the samples of one window after those of another, else in the order that they have."""
    return numbers[np.argsort(windows[numbers], kind="stable")]


def _order_by_group(table: SampleTable, windows: NDArray[np.int64], batch: int, draws: _Draws) -> NDArray[np.int64]:
    """Return all samples with those of one image together, and no image across two steps where the counts allow."""
    alone = table.groups == ALONE
    first_free = int(table.groups.max(initial=ALONE)) + 1
    keys = np.where(alone, first_free + np.arange(len(table)), table.groups)
    members = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[members], prepend=-1))
    ends = np.append(starts[1:], len(members))
    drawn = _by_window(draws.shuffle(np.arange(len(starts))), windows[members[starts]])
    # An image with more samples than a step is cut: its samples in a random order, not in the file's.
    mixed = draws.shuffle(np.arange(len(table)))
    members = mixed[np.argsort(keys[mixed], kind="stable")]
    waiting = deque(zip(starts[drawn].tolist(), ends[drawn].tolist(), strict=True))
    order: list[NDArray[np.int64]] = []
    while waiting:
        order.extend(members[start:end] for start, end in _take_step(waiting, batch))
    return np.concatenate(order) if order else members


def _take_step(waiting: deque[tuple[int, int]], batch: int) -> list[tuple[int, int]]:
    """Take groups from the front until they hold `batch` samples, passing over those that are too large."""
    taken: list[tuple[int, int]] = []
    passed: list[tuple[int, int]] = []
    room = batch
    while room and (waiting or passed):
        if not waiting or len(passed) > LOOKAHEAD:
            start, end = passed.pop(0)
            taken.append((start, start + room))
            passed.insert(0, (start + room, end))
            break
        start, end = waiting.popleft()
        if end - start > room:
            passed.append((start, end))
            continue
        taken.append((start, end))
        room -= end - start
    waiting.extendleft(reversed(passed))
    return taken


def _order_by_kind(table: SampleTable, windows: NDArray[np.int64], batch: int, draws: _Draws) -> NDArray[np.int64]:
    """Return all samples in steps of one kind, with images or without, the steps mixed; what is left over comes last.

    As LLaVA's group_by_modality_length, but a step is cut into batches of similar length after it is drawn.
    """
    is_text = table.groups == ALONE
    whole: list[NDArray[np.int64]] = []
    rest: list[NDArray[np.int64]] = []
    for pool in (np.flatnonzero(is_text), np.flatnonzero(~is_text)):
        shuffled = _by_window(draws.shuffle(pool), windows)
        cut = len(shuffled) // batch * batch
        whole.extend(shuffled[:cut].reshape(-1, batch))
        rest.append(shuffled[cut:])
    firsts = np.array([windows[step[0]] for step in whole], np.int64)
    steps = [whole[index] for index in _by_window(draws.shuffle(np.arange(len(whole))), firsts)]
    return np.concatenate([*steps, *rest])
