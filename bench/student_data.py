"""What a student reads: the samples of a published dataset, their pictures at its size, and words as numbers."""

import hashlib
import io
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from instructgen.dataset.publish import find_version

PAD, USER, ASSISTANT, END = range(4)
_SPECIALS = ("<pad>", "<user>", "<assistant>", "<end>")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[^\sa-z\d]")
_COLUMNS = ["image_id", "sample_type", "messages", "images"]
_POOL_BATCHES = 4  # batches are cut from so many at once, sorted by length: little padding, types still mixed

Turns = list[tuple[str, str]]


class Lesson(NamedTuple):
    """One sample: `image` counts into the pictures, `turns` are (role, text)."""

    image: int
    sample_type: str
    turns: Turns


class Course(NamedTuple):
    """One published dataset; `pictures` is [images, 3, side, side], `digests` are of the stored bytes."""

    name: str
    lessons: list[Lesson]
    pictures: NDArray[np.uint8]
    digests: frozenset[str]


class Tokens(NamedTuple):
    """One sample in numbers; `is_told` marks what an assistant says, with its end: the loss is on that alone."""

    image: int
    ids: list[int]
    is_told: list[bool]


def read_course(dataset: Path, side_px: int) -> Course:
    """Read every row of every split that has one picture; the pictures must be embedded."""
    version = find_version(dataset)
    positions: dict[str, int] = {}
    pictures: list[NDArray[np.uint8]] = []
    digests, lessons = [], []
    for path in sorted((version / "data").glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=256, columns=_COLUMNS):
            for row in batch.to_pylist():
                if len(row["images"]) > 1:  # the student sees one
                    continue
                image_id = row["image_id"]
                if image_id not in positions:
                    encoded = row["images"][0]["bytes"]
                    if encoded is None:
                        raise ValueError(f"{path} has no bytes for {image_id}; build it with --images embed")
                    positions[image_id] = len(pictures)
                    pictures.append(shrink(encoded, side_px))
                    digests.append(digest_of(encoded))
                turns = [(turn["role"], turn["content"]) for turn in row["messages"]]
                lessons.append(Lesson(positions[image_id], row["sample_type"], turns))
    lessons.sort(key=lambda lesson: lesson.image)  # not by shard, so that its number is no part of the order
    return Course(f"{dataset.name} ({version.name})", lessons, np.stack(pictures), frozenset(digests))


def shrink(encoded: bytes, side_px: int) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(encoded)) as image:
        return squeeze(image, side_px)


def squeeze(image: Image.Image, side_px: int) -> NDArray[np.uint8]:
    """Return [3, side, side]; a picture that is not square is squeezed, so that left and right stay."""
    small = image.convert("RGB").resize((side_px, side_px), Image.Resampling.BOX)
    return np.asarray(small).transpose(2, 0, 1)


def digest_of(encoded: bytes) -> str:
    return hashlib.sha256(encoded).hexdigest()


def split_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class Vocabulary:
    """Lower-case words and single signs, in the order of the alphabet: the same for the same set of texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        words = sorted({word for text in texts for word in split_words(text)})
        self._id_by_word = {word: number for number, word in enumerate((*_SPECIALS, *words))}

    def __len__(self) -> int:
        return len(self._id_by_word)

    def encode(self, text: str) -> list[int]:
        return [self._id_by_word[word] for word in split_words(text)]

    def encode_known(self, text: str) -> list[int]:
        return [self._id_by_word[word] for word in split_words(text) if word in self._id_by_word]

    def encode_question(self, text: str) -> list[int]:
        return [USER, *self.encode(text), ASSISTANT]

    def encode_lesson(self, lesson: Lesson) -> Tokens:
        ids: list[int] = []
        is_told: list[bool] = []
        for role, text in lesson.turns:
            if role == "assistant":
                words = [*self.encode(text), END]
                ids += words
                is_told += [True] * len(words)
            else:
                words = self.encode_question(text)
                ids += words
                is_told += [False] * len(words)
        return Tokens(lesson.image, ids, is_told)


def plan_batches(lengths: list[int], batch: int, num_steps: int, seed: int) -> Iterator[list[int]]:
    """Yield the positions of each step's samples: every sample once before any comes again."""
    draw = random.Random(seed)
    queue: list[int] = []
    for pool_start in range(0, num_steps, _POOL_BATCHES):
        num_batches = min(_POOL_BATCHES, num_steps - pool_start)
        while len(queue) < num_batches * batch:
            queue += draw.sample(range(len(lengths)), len(lengths))
        pool, queue = queue[: num_batches * batch], queue[num_batches * batch :]
        pool.sort(key=lambda position: lengths[position])
        cuts = [pool[start : start + batch] for start in range(0, len(pool), batch)]
        draw.shuffle(cuts)
        yield from cuts
