"""All samples of a dataset as tokens, held in a few flat arrays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from instructgen.train.example import Example
from instructgen.train.example_pictures import PictureStore


class Summary(Struct, frozen=True):
    """What became of a dataset's rows: `samples` and `skipped` are all of them."""

    rows: int
    samples: int
    skipped: dict[str, int]
    """Reason word -> rows that nothing can be learned from."""
    skipped_ids: dict[str, list[str]]
    """The first few of each."""
    answers_cut: int
    """Samples whose only answer lost its end and its stop: longer than max_tokens."""
    turns_left_out: int
    """That did not fit, that nobody answers, or that the template has no place for."""
    text_tokens: int
    image_tokens: int
    learned_tokens: int
    longest: int
    """Tokens of the longest sample, its images' counted."""
    pictures: int
    """Different ones."""
    text_only: int
    """Samples without a picture."""
    pictures_left_out: int = 0
    """Of documents that were cut."""


@dataclass(frozen=True)
class ExampleSet(Sequence[Example]):
    """Examples by their number; sample i has ids[offsets[i]:offsets[i + 1]] and the pictures likewise."""

    ids: NDArray[np.int32]
    is_trained: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    picture_numbers: NDArray[np.int32]
    picture_offsets: NDArray[np.int64]
    sample_ids: Sequence[str]
    pictures: PictureStore
    tokens_per_image: int
    summary: Summary
    frames: NDArray[np.int32]
    """Of samples whose slots do not take a picture each, how many each slot takes: frames[frame_offsets[i]: ...]."""
    frame_offsets: NDArray[np.int64]
    sees_next: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, number: int) -> Example: ...

    @overload
    def __getitem__(self, number: slice) -> list[Example]: ...

    def __getitem__(self, number: int | slice) -> Example | list[Example]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        at = number + len(self) if number < 0 else number
        if not 0 <= at < len(self):
            raise IndexError(f"example {number} of {len(self)}")
        start, end = self.offsets[at], self.offsets[at + 1]
        shown = self.picture_numbers[self.picture_offsets[at] : self.picture_offsets[at + 1]]
        keys = tuple(self.pictures.keys[number] for number in shown)
        frames = tuple(self.frames[self.frame_offsets[at] : self.frame_offsets[at + 1]].tolist())
        columns = self.ids[start:end], self.is_trained[start:end], keys
        return Example(self.sample_ids[at], *columns, frames, bool(self.sees_next[at]))

    def __iter__(self) -> Iterator[Example]:
        return (self[at] for at in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sample, those of its images counted."""
        return measure_lengths(self.offsets, self.picture_offsets, self.tokens_per_image)

    @property
    def shards(self) -> NDArray[np.int64]:
        """Return in which shard the own picture of each sample is, its last; -1 of one in no shard."""
        ends = self.picture_offsets[1:]
        if not self.pictures.places:
            return np.full(len(self), -1, np.int64)
        shard_of = np.array([place.shard for place in self.pictures.places], np.int64)
        own = shard_of[self.picture_numbers[np.maximum(ends, 1) - 1]]
        return np.where(np.diff(self.picture_offsets) > 0, own, -1)

    def far_shards(self, numbers: Iterable[int]) -> Iterator[tuple[PictureStore, int]]:
        """Yield the shards of an object store with the pictures of these samples, some of them again."""
        for number in numbers:
            start, end = self.picture_offsets[number : number + 2]
            yield from self.pictures.far_shards(self.picture_numbers[start:end])

    def picture_bytes(self, key: str) -> bytes:
        """Return the stored bytes of a picture; from any thread, and in a worker of a DataLoader."""
        return self.pictures.read(key)


def measure_lengths(
    offsets: NDArray[np.int64], picture_offsets: NDArray[np.int64], tokens_per_image: int
) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = np.diff(offsets) + np.diff(picture_offsets) * (tokens_per_image - 1)
    return lengths
