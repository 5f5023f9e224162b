"""Who sees whom in a packed row, in the forms that the kernels want it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FLEX_BLOCK = 128
"""Queries and keys of FlexAttention's blocks: torch's own default."""

BLOCK = 128
"""Queries of a CPU's block: 64 to 128 were the fastest for samples of 100 to 700 tokens (docs/packing.md)."""


class Span(Protocol):
    """Positions [start, end) of a row."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Fork(Protocol):
    """A trunk and what branches off it; instructgen.train.packed.Tree says what each may see."""

    @property
    def trunk(self) -> Span: ...

    @property
    def branches(self) -> Sequence[Span]: ...


class Piece(NamedTuple):
    """Queries [start, end) that see the keys [trunk_start, trunk_end) and, up to each itself, [own_start, end)."""

    start: int
    end: int
    own_start: int
    trunk_start: int
    trunk_end: int

    @property
    def num_keys(self) -> int:
        return self.trunk_end - self.trunk_start + self.end - self.own_start

    def keys_of(self, rows: Tensor) -> Tensor:
        """Return what the piece sees of [G, L, D]; a copy only where trunk and branch do not lie side by side."""
        own = rows[:, self.own_start : self.end]
        if self.trunk_start == self.trunk_end:
            return own
        return torch.cat((rows[:, self.trunk_start : self.trunk_end], own), dim=1)

    def add_to_keys(self, sums: Tensor, values: Tensor) -> None:
        """Add values, in the order of `keys_of`, to where the keys came from."""
        num_trunk = self.trunk_end - self.trunk_start
        sums[:, self.trunk_start : self.trunk_end] += values[:, :num_trunk]
        sums[:, self.own_start : self.end] += values[:, num_trunk:]


class RowLayout:
    """The trees of one row, and the masks that its layers have in common; a model takes it as `trees=`."""

    def __init__(self, trees: Sequence[Fork]) -> None:
        self.trees = tuple(trees)
        self.pieces: tuple[Piece, ...] = tuple(piece for tree in self.trees for piece in _cut(tree))
        self._masks: dict[tuple[int, int, int | None, torch.dtype], Tensor] = {}
        self._block_masks: dict[int | None, Any] = {}

    def __len__(self) -> int:
        return int(self.trees[-1].branches[-1].end) if self.trees else 0

    def mask(self, num_queries: int, num_keys: int, window: int | None, dtype: torch.dtype) -> Tensor:
        """Return [queries, keys] to add to scores: 0 where the last of the keys' positions look back, else -inf."""
        key = (num_queries, num_keys, window, dtype)
        if key not in self._masks:
            seen = torch.ones(num_queries, num_keys, dtype=torch.bool).tril(num_keys - num_queries)
            if window is not None:
                seen = seen.triu(num_keys - num_queries - window + 1)
            self._masks[key] = torch.zeros(num_queries, num_keys, dtype=dtype).masked_fill(~seen, float("-inf"))
        return self._masks[key]

    def mask_mod(self, window: int | None, device: torch.device) -> Callable[..., Tensor]:
        """Return FlexAttention's rule: whether query position q sees key position k."""
        tree_l, branch_l, position_l = (torch.tensor(column, device=device) for column in self._columns())

        def sees(_batch: Tensor, _head: Tensor, q: Tensor, k: Tensor) -> Tensor:
            same_path = (branch_l[k] == 0) | (branch_l[k] == branch_l[q])
            seen = (tree_l[q] == tree_l[k]) & same_path & (k <= q)
            if window is not None:
                seen = seen & (position_l[q] - position_l[k] < window)
            return seen

        return sees

    def block_mask(self, window: int | None, device: torch.device) -> Any:
        """Return FlexAttention's BlockMask, built on first use; layers with the same window share it.

        It is made of the trees' outlines: comparing every position with every other would cost the row's square.
        """
        if window not in self._block_masks:
            from torch.nn.attention.flex_attention import BlockMask

            seen, whole = self.blocks(window)
            partly_count, partly_order = _order(seen & ~whole, device)
            whole_count, whole_order = _order(whole, device)
            self._block_masks[window] = BlockMask.from_kv_blocks(
                partly_count,
                partly_order,
                whole_count,
                whole_order,
                BLOCK_SIZE=FLEX_BLOCK,
                mask_mod=self.mask_mod(window, device),
                seq_lengths=(len(self), len(self)),
            )
        return self._block_masks[window]

    def blocks(self, window: int | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which blocks of [queries, keys] hold a pair that sees each other, and which hold no other.

        A block may be called the former wrongly, never the latter.
        """
        num_blocks = -(-len(self) // FLEX_BLOCK)
        seen = np.zeros((num_blocks, num_blocks), np.bool_)
        whole = np.zeros_like(seen)
        for tree in self.trees:
            trunk = tree.trunk
            for branch in tree.branches:
                if branch.end > branch.start and trunk.end > trunk.start:
                    seen[_touched(branch), _touched(trunk)] = True
                    whole[_covered(branch), _covered(trunk)] = True
            for span in (trunk, *tree.branches):
                if span.end > span.start:
                    touched, covered = _touched(span), _covered(span)
                    seen[touched, touched] |= np.tri(touched.stop - touched.start, dtype=np.bool_)
                    size = max(0, covered.stop - covered.start)
                    whole[covered, covered] |= np.tri(size, k=-1, dtype=np.bool_)
        return seen, whole if window is None else np.zeros_like(whole)

    def _columns(self) -> tuple[list[int], list[int], list[int]]:
        """Return for each position its tree, its branch (0 is the trunk) and its place on the way from the root."""
        tree_of: list[int] = []
        branch_of: list[int] = []
        position_of: list[int] = []
        for number, tree in enumerate(self.trees):
            trunk_length = tree.trunk.end - tree.trunk.start
            for branch_number, span in enumerate((tree.trunk, *tree.branches)):
                length = span.end - span.start
                first = trunk_length if branch_number else 0
                tree_of.extend([number] * length)
                branch_of.extend([branch_number] * length)
                position_of.extend(range(first, first + length))
        return tree_of, branch_of, position_of


def _cut(tree: Fork) -> list[Piece]:
    """Cut a tree into pieces; the trunk goes with the first branch, which lies right behind it."""
    trunk, first = tree.trunk, tree.branches[0]
    spans = [(trunk.start, first.end, 0, 0)]
    spans.extend((branch.start, branch.end, trunk.start, trunk.end) for branch in tree.branches[1:])
    pieces: list[Piece] = []
    for start, end, trunk_start, trunk_end in spans:
        # Several short pieces see fewer keys than one long one: a query's keys end where its own piece does.
        num_pieces = max(1, round((end - start) / BLOCK))
        size = max(1, -(-(end - start) // num_pieces))
        pieces.extend(Piece(at, min(at + size, end), start, trunk_start, trunk_end) for at in range(start, end, size))
    return pieces


def _touched(span: Span) -> slice:
    """Return the blocks that hold any of a span's positions."""
    return slice(span.start // FLEX_BLOCK, -(-span.end // FLEX_BLOCK))


def _covered(span: Span) -> slice:
    """Return the blocks that hold nothing but a span's positions."""
    first = -(-span.start // FLEX_BLOCK)
    return slice(first, max(first, span.end // FLEX_BLOCK))


def _order(blocks: NDArray[np.bool_], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return for each row of blocks how many are set, and all of them, those that are set first: [1, 1, Q], ..."""
    count = blocks.sum(axis=1, dtype=np.int32)
    order = np.argsort(~blocks, axis=1, kind="stable").astype(np.int32)
    return torch.from_numpy(count)[None, None].to(device), torch.from_numpy(order)[None, None].to(device)
