"""Which picture each position of a row looks at, in the form that gated cross-attention computes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructgen.models.row_layout import Fork

# A positions that see a picture, of N; S slots (a picture or a clip each), R latents, V their width, C chunks of Q
# positions that see one slot

NOTHING = -1
_SIZES = (1, 4, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class Sight:
    """Latents of a row's slots, and who sees which: positions that see the same slot are cut into chunks.

    Cell `cell_a` of [C * Q] holds position `position_a`; other cells hold position 0, and what is computed there is
    thrown away. Nobody who is not in `position_a` sees anything.
    """

    media_srv: Tensor
    position_a: Tensor
    cell_a: Tensor
    slot_c: Tensor
    size: int
    kept: dict[int, tuple[Tensor, Tensor]] | None = None
    """Keys and values of the chunks by the layer that made them, where the same is seen again and again."""

    def to_cells(self, queries_ad: Tensor) -> Tensor:
        """Lay the queries of the positions that see something into chunks, [C, Q, D]."""
        cells = queries_ad.new_zeros(len(self.slot_c) * self.size, queries_ad.shape[-1])
        return cells.index_copy(0, self.cell_a, queries_ad).view(len(self.slot_c), self.size, -1)

    def from_cells(self, seen_cqd: Tensor) -> Tensor:
        """Take them out again, [A, D]."""
        return seen_cqd.flatten(0, 1).index_select(0, self.cell_a)


def look(slot_n: NDArray[np.int64], media_srv: Tensor, *, keeps_keys: bool = False) -> Sight:
    """Return the sight of N positions, each of which sees the slot of that number, or NOTHING.

    A chunk is as large as is cheapest: small ones read a slot's latents more often, large ones stay half empty.
    """
    seeing = np.flatnonzero(slot_n != NOTHING)
    order = np.argsort(slot_n[seeing], kind="stable")
    position_a = seeing[order]
    slots, starts, counts = np.unique(slot_n[position_a], return_index=True, return_counts=True)
    num_latents = int(media_srv.shape[1])
    size = min(_SIZES, key=lambda size: int((-(-counts // size)).sum()) * (size + num_latents))
    num_chunks = -(-counts // size)
    first_chunk = np.cumsum(num_chunks) - num_chunks
    within = np.arange(len(position_a)) - np.repeat(starts, counts)
    cell_a = np.repeat(first_chunk * size, counts) + within
    device = media_srv.device
    return Sight(
        media_srv=media_srv,
        position_a=torch.from_numpy(position_a).to(device),
        cell_a=torch.from_numpy(cell_a).to(device),
        slot_c=torch.from_numpy(np.repeat(slots, num_chunks)).to(device),
        size=size,
        kept={} if keeps_keys else None,
    )


def slots_of_texts(is_slot_bl: NDArray[np.bool_], sees_next_b: Sequence[bool] = ()) -> NDArray[np.int64]:
    """Return [B, L]: the last slot at or before a position of its own row, numbered through the rows; or NOTHING.

    Of a row that `sees_next` it is the first slot at or after it (2204.14198, A.3.1).
    """
    count_bl = np.cumsum(is_slot_bl, axis=1)
    before_b: NDArray[np.int64] = np.cumsum(count_bl[:, -1]) - count_bl[:, -1]
    slot_bl: NDArray[np.int64] = np.where(count_bl > 0, count_bl - 1 + before_b[:, None], NOTHING)
    for row, sees_next in enumerate(sees_next_b):
        if sees_next:
            following_l = count_bl[row] - is_slot_bl[row]
            slot_bl[row] = np.where(following_l < count_bl[row, -1], following_l + before_b[row], NOTHING)
    return slot_bl


def slots_of_trees(
    is_slot_l: NDArray[np.bool_], trees: Sequence[Fork], sees_next: Sequence[bool] = ()
) -> NDArray[np.int64]:
    """Return [L]: the last slot at or before a position on its own way through trunk and branch, or NOTHING.

    `sees_next` says of each tree whether its positions see the slot after them instead; such a tree has one branch.
    """
    slot_l = np.full(len(is_slot_l), NOTHING, np.int64)
    count_l = np.cumsum(is_slot_l)
    for tree, turned in zip(trees, sees_next or (False,) * len(trees), strict=True):
        trunk = tree.trunk
        for branch in tree.branches:
            way = np.concatenate([np.arange(trunk.start, trunk.end), np.arange(branch.start, branch.end)])
            if not len(way):
                continue
            number_w = np.where(is_slot_l[way], count_l[way] - 1, NOTHING)
            seen_w = np.maximum.accumulate(number_w)
            if turned:
                far = np.where(number_w == NOTHING, len(is_slot_l), number_w)
                seen_w = np.minimum.accumulate(far[::-1])[::-1]
                seen_w = np.where(seen_w == len(is_slot_l), NOTHING, seen_w)
            slot_l[way] = seen_w
    return slot_l
