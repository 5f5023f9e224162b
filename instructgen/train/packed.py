"""A packed row as the model takes it: what the positions hold, who sees whom, what is learned where."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

# L positions of a row, K image tokens of it, N its images, S its learned tokens, C channels, H height, W width


@dataclass(frozen=True, slots=True)
class Branch:
    """A run of positions [start, end) of a row, causal in itself."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Tree:
    """Samples with a common beginning. A branch sees the trunk and itself; the trunk sees itself alone.

    A sample that shares nothing is a tree with an empty trunk (start == end) and one branch. Positions count up
    through the trunk and go on after it in each branch. The trunk lies right before the first branch, the branches
    one after another; the trees of a row cover it from 0 to L without a gap.
    """

    trunk: Branch
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class PackedRow:
    """One row; the batch dimension is 1 throughout.

    `ids_l` holds 0 at image positions; `image_at_k` names those positions, image after image in the order of
    `pictures`. Position `source_s` predicts token `target_s`: a trunk's last position may do so for several branches.
    """

    ids_l: Tensor
    positions_l: Tensor
    image_at_k: Tensor
    source_s: Tensor
    target_s: Tensor
    trees: tuple[Tree, ...]
    pictures: tuple[str, ...]
    num_samples: int
    frames: tuple[int, ...] = ()
    """How many of `pictures` each slot takes; empty is one each."""
    sees_next: tuple[bool, ...] = ()
    """Of each tree, whether its positions look at the picture after them; empty is none."""

    def __len__(self) -> int:
        return int(self.ids_l.shape[0])


def count_learned(rows: Sequence[PackedRow]) -> int:
    """Return the learned tokens of the rows: what a step's loss is the mean over."""
    return sum(int(row.source_s.shape[0]) for row in rows)
