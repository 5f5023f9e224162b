"""Trees into rows of nearly one length."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlannedTree:
    """Samples that share a beginning of `trunk` positions; `own` are the positions of each after it."""

    numbers: tuple[int, ...]
    trunk: int
    own: tuple[int, ...]

    @property
    def tokens(self) -> int:
        return self.trunk + sum(self.own)

    def halves(self) -> tuple["PlannedTree", "PlannedTree"]:
        """Return two trees with the trunk in both."""
        middle = len(self.numbers) // 2
        return (
            PlannedTree(self.numbers[:middle], self.trunk, self.own[:middle]),
            PlannedTree(self.numbers[middle:], self.trunk, self.own[middle:]),
        )


def make_trees(
    numbers: NDArray[np.int64],
    lengths: NDArray[np.int64],
    groups: NDArray[np.int64],
    trunks: NDArray[np.int64],
    row_tokens: int,
) -> list[PlannedTree]:
    """Return the samples as trees of at most `row_tokens`; a larger group becomes several, each with the trunk.

    A group's samples may state trunks of different length only if they are alone (-1).
    """
    members: dict[int, list[int]] = {}
    for at, group in enumerate(groups.tolist()):
        members.setdefault(group if group >= 0 else -1 - at, []).append(at)
    trees: list[PlannedTree] = []
    for places in members.values():
        trunk = int(trunks[places[0]]) if len(places) > 1 else 0
        bins: list[list[int]] = []
        room: list[int] = []
        for place in sorted(places, key=lambda place: -int(lengths[place])):
            own = int(lengths[place]) - trunk
            fitting = next((at for at, free in enumerate(room) if free >= own), None)
            if fitting is None:
                bins.append([])
                room.append(row_tokens - trunk)
                fitting = len(bins) - 1
            bins[fitting].append(place)
            room[fitting] -= own
        for places_of_bin in bins:
            kept = trunk if len(places_of_bin) > 1 else 0
            ordered = sorted(places_of_bin)
            own_lengths = tuple(int(lengths[place]) - kept for place in ordered)
            trees.append(PlannedTree(tuple(int(numbers[place]) for place in ordered), kept, own_lengths))
    return trees


def balance(trees: Sequence[PlannedTree], row_tokens: int, num_ranks: int) -> list[list[PlannedTree]]:
    """Return rows of at most `row_tokens`, as few and as even as found, a multiple of `num_ranks`, longest first.

    Where there are fewer trees than rows, the largest are cut in two; a row may stay empty when samples run out.
    """
    pool = sorted(trees, key=lambda tree: (-tree.tokens, tree.numbers))
    least = -(-sum(tree.tokens for tree in pool) // row_tokens)
    num_rows = -(-max(least, 1) // num_ranks) * num_ranks
    while len(pool) < num_rows and (largest := next((tree for tree in pool if len(tree.numbers) > 1), None)):
        others = [tree for tree in pool if tree is not largest]
        pool = sorted([*largest.halves(), *others], key=lambda tree: (-tree.tokens, tree.numbers))
    while True:
        rows = _even_out(_longest_first(pool, num_rows))
        rows.sort(key=lambda row: (-_length(row), [tree.numbers for tree in row]))
        if not rows or _length(rows[0]) <= row_tokens:
            return rows
        num_rows += num_ranks


def _longest_first(pool: Sequence[PlannedTree], num_rows: int) -> list[list[PlannedTree]]:
    """Give each tree, longest first, to the shortest row (Graham's LPT)."""
    rows: list[list[PlannedTree]] = [[] for _ in range(num_rows)]
    shortest = [(0, at) for at in range(num_rows)]
    for tree in pool:
        length, at = heapq.heappop(shortest)
        rows[at].append(tree)
        heapq.heappush(shortest, (length + tree.tokens, at))
    return rows


def _even_out(rows: list[list[PlannedTree]]) -> list[list[PlannedTree]]:
    """Shorten the longest row by a move or an exchange with another, as long as one helps."""
    lengths = [_length(row) for row in rows]
    for _ in range(16 * len(rows)):
        longest = int(np.argmax(lengths))
        change = _best_change(rows, lengths, longest)
        if change is None:
            return rows
        other, given, taken = change
        rows[longest].remove(given)
        rows[other].append(given)
        if taken is not None:
            rows[other].remove(taken)
            rows[longest].append(taken)
        moved = given.tokens - (taken.tokens if taken else 0)
        lengths[longest] -= moved
        lengths[other] += moved
    return rows


def _best_change(
    rows: list[list[PlannedTree]], lengths: list[int], longest: int
) -> tuple[int, PlannedTree, PlannedTree | None] | None:
    """Return (other row, tree given, tree taken back) that brings two rows closest together, if any does."""
    best: tuple[int, PlannedTree, PlannedTree | None] | None = None
    best_peak = lengths[longest]
    for other in range(len(rows)):
        gap = lengths[longest] - lengths[other]
        for given in rows[longest]:
            for taken in (None, *rows[other]):
                moved = given.tokens - (taken.tokens if taken else 0)
                peak = max(lengths[longest] - moved, lengths[other] + moved)
                if 0 < moved < gap and peak < best_peak:
                    best, best_peak = (other, given, taken), peak
    return best


def _length(row: Sequence[PlannedTree]) -> int:
    return sum(tree.tokens for tree in row)
