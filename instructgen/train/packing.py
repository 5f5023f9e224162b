"""Examples -> the rows that are computed: packed trees, or padded batches for models that cannot tell trees apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.packed import Branch, PackedRow, Tree

# B samples of a padded batch, L positions of its longest, K image tokens, S learned tokens


@dataclass(frozen=True, slots=True)
class PaddedBatch:
    """Samples side by side, filled up on the right; `image_at_k` and `source_s` count through [B * L] row by row."""

    ids_bl: Tensor
    is_token_bl: Tensor
    image_at_k: Tensor
    source_s: Tensor
    target_s: Tensor
    pictures: tuple[str, ...]
    num_samples: int
    frames: tuple[int, ...] = ()
    """As those of a packed row."""
    sees_next: tuple[bool, ...] = ()
    """Of each sample."""

    def __len__(self) -> int:
        return int(self.ids_bl.numel())


@dataclass(frozen=True, slots=True)
class _Filled:
    """A sample with every slot widened to its image's positions; those hold 0 in `ids`."""

    ids: NDArray[np.int64]
    is_trained: NDArray[np.bool_]
    is_image: NDArray[np.bool_]


def shared_beginning(examples: Sequence[Example]) -> int:
    """Return how many ids the examples have in common as context alone; 0 where they show different images.

    The count ends at or after the last image's slot and before the first id that any of them learns, and leaves each
    of them an id of its own. Without an image nothing is shared: what a text repeats is short.
    """
    first = examples[0]
    slots = np.flatnonzero(first.ids == IMAGE_SLOT)
    if len(examples) == 1 or not len(slots) or any(not _shows_as(other, first) for other in examples):
        return 0
    shared = min(_context_length(example) for example in examples)
    for other in examples[1:]:
        differs = np.flatnonzero(first.ids[:shared] != other.ids[:shared])
        shared = int(differs[0]) if len(differs) else shared
    return shared if shared > slots[-1] else 0


def pack(examples: Sequence[Example], groups: Iterable[Sequence[int]], tokens_per_image: int) -> PackedRow:
    """Return the row of the groups, one after another; `groups` number examples that may share a beginning.

    A group whose members have no common beginning becomes a tree for each. No group at all makes a row of one
    position that learns nothing, for a process that has less to do than the others.
    """
    builder = _RowBuilder(tokens_per_image)
    for group in groups:
        members = [examples[number] for number in group]
        shared = shared_beginning(members)
        if shared:
            builder.add_tree(members, shared)
        else:
            for member in members:
                builder.add_tree([member], 0)
    return builder.build()


def pad(examples: Sequence[Example], groups: Iterable[Sequence[int]], tokens_per_image: int) -> PaddedBatch:
    """Return the examples side by side: nothing shared, as long as the longest."""
    members = [examples[number] for group in groups for number in group]
    filled = [_fill(member.ids, member.is_trained, tokens_per_image) for member in members]
    width = max((len(sample.ids) for sample in filled), default=1)
    shape = (max(len(filled), 1), width)
    ids = np.zeros(shape, np.int64)
    is_token, is_image, is_trained = (np.zeros(shape, np.bool_) for _ in range(3))
    is_token[len(filled) :, 0] = True
    for row, sample in enumerate(filled):
        length = len(sample.ids)
        ids[row, :length] = sample.ids
        is_token[row, :length] = True
        is_image[row, :length] = sample.is_image
        is_trained[row, 1:length] = sample.is_trained[1:]
    learned = np.flatnonzero(is_trained)
    return PaddedBatch(
        ids_bl=torch.from_numpy(ids),
        is_token_bl=torch.from_numpy(is_token),
        image_at_k=torch.from_numpy(np.flatnonzero(is_image)),
        source_s=torch.from_numpy(learned - 1),
        target_s=torch.from_numpy(ids.reshape(-1)[learned]),
        pictures=tuple(picture for member in members for picture in member.pictures),
        num_samples=len(members),
        frames=tuple(count for member in members for count in _count_frames(member)),
        sees_next=tuple(member.sees_next for member in members),
    )


def _shows_as(one: Example, other: Example) -> bool:
    """Return whether two samples show the same pictures in the same way to what comes after them."""
    return one.pictures == other.pictures and one.frames == other.frames and not one.sees_next


def _count_frames(example: Example) -> tuple[int, ...]:
    return example.frames or (1,) * len(example.pictures)


class _RowBuilder:
    """Lays trees one behind the other."""

    def __init__(self, tokens_per_image: int) -> None:
        self._tokens_per_image = tokens_per_image
        self._ids: list[NDArray[np.int64]] = []
        self._positions: list[NDArray[np.int64]] = []
        self._images: list[NDArray[np.int64]] = []
        self._sources: list[NDArray[np.int64]] = []
        self._targets: list[NDArray[np.int64]] = []
        self._trees: list[Tree] = []
        self._pictures: list[str] = []
        self._frames: list[int] = []
        self._sees_next: list[bool] = []
        self._length = 0
        self._num_samples = 0

    def add_tree(self, members: Sequence[Example], shared: int) -> None:
        """Add examples whose first `shared` ids are the same and hold all their images, or one alone with 0."""
        first = members[0]
        trunk = self._add_piece(first.ids[:shared], first.is_trained[:shared], 0)
        branches = [
            self._add_piece(member.ids[shared:], member.is_trained[shared:], len(trunk), trunk) for member in members
        ]
        self._trees.append(Tree(trunk, tuple(branches)))
        self._pictures.extend(first.pictures)
        self._frames.extend(_count_frames(first))
        self._sees_next.append(first.sees_next)
        self._num_samples += len(members)

    def build(self) -> PackedRow:
        if not self._trees:
            self._ids, self._positions = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
            self._trees, self._sees_next = [Tree(Branch(0, 0), (Branch(0, 1),))], [False]
        return PackedRow(
            ids_l=_join(self._ids),
            positions_l=_join(self._positions),
            image_at_k=_join(self._images),
            source_s=_join(self._sources),
            target_s=_join(self._targets),
            trees=tuple(self._trees),
            pictures=tuple(self._pictures),
            num_samples=self._num_samples,
            frames=tuple(self._frames),
            sees_next=tuple(self._sees_next),
        )

    def _add_piece(
        self, ids: NDArray[np.int32], is_trained: NDArray[np.bool_], position: int, trunk: Branch | None = None
    ) -> Branch:
        piece = _fill(ids, is_trained, self._tokens_per_image)
        start, length = self._length, len(piece.ids)
        learned = np.flatnonzero(piece.is_trained)
        sources = start + learned - 1
        if len(learned) and learned[0] == 0:
            # Its first token follows the trunk's last position; a sample's very first token follows nothing.
            if trunk is not None and len(trunk):
                sources[0] = trunk.end - 1
            else:
                learned, sources = learned[1:], sources[1:]
        self._ids.append(piece.ids)
        self._positions.append(np.arange(position, position + length))
        self._images.append(start + np.flatnonzero(piece.is_image))
        self._sources.append(sources)
        self._targets.append(piece.ids[learned])
        self._length += length
        return Branch(start, start + length)


def _context_length(example: Example) -> int:
    """Return the ids before the first that is learned, and at most all but one."""
    learned = np.flatnonzero(example.is_trained)
    return min(int(learned[0]) if len(learned) else len(example.ids), len(example.ids) - 1)


def _fill(ids: NDArray[np.int32], is_trained: NDArray[np.bool_], tokens_per_image: int) -> _Filled:
    is_slot = ids == IMAGE_SLOT
    widths = np.where(is_slot, tokens_per_image, 1)
    is_image = np.repeat(is_slot, widths)
    filled_ids = np.repeat(ids, widths).astype(np.int64)
    filled_ids[is_image] = 0
    return _Filled(filled_ids, np.repeat(is_trained & ~is_slot, widths), is_image)


def _join(parts: Sequence[NDArray[np.int64]]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts) if parts else np.zeros(0, np.int64))
