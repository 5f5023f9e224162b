"""CapFilt's choice of captions (BLIP-2, arXiv 2301.12597, section 3.4): of a web image's own caption and ten that a
captioner wrote, the two that a model of images and text scores highest; in training one of them at random.
"""

import hashlib
import math
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from msgspec import Struct

from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.surrogate.captions import clean_caption


class Scorer(Protocol):
    """Anything that says how well texts fit a picture, as CLIP does."""

    def __call__(self, key: str, captions: Sequence[str]) -> Sequence[float]:
        """Return a score for each caption of the image, the higher the better."""
        ...


class ScoredCaption(Struct, frozen=True):
    caption: str
    score: float


def select_captions(
    key: str, original: str, generated: Sequence[str], scorer: Scorer, num_kept: int = 2
) -> tuple[ScoredCaption, ...]:
    """Return the best captions, the best first; of equal ones the original, then the earlier.

    A caption that is there twice counts once, a blank one not at all. Fewer than `num_kept` come where there are
    fewer. Raises InstructgenError for a scorer that does not give one finite number for each.
    """
    cleaned = [clean_caption(caption) for caption in (original, *generated)]
    captions = [caption for caption in dict.fromkeys(cleaned) if caption]
    if not captions:
        return ()
    scores = scorer(key, captions)
    if len(scores) != len(captions) or not all(math.isfinite(score) for score in scores):
        raise InstructgenError(
            f"{key}: the scorer gave {len(scores)} scores for {len(captions)} captions, and wants one finite number "
            "for each"
        )
    order = sorted(range(len(captions)), key=lambda place: (-scores[place], place))
    return tuple(ScoredCaption(captions[place], float(scores[place])) for place in order[:num_kept])


def pick_caption(key: str, captions: Sequence[str], epoch: int, seed: int) -> str:
    """Return the caption to train on in an epoch: each as likely, whatever was drawn for other images and epochs."""
    return captions[pick_number(key, len(captions), epoch, seed)]


def pick_number(key: str, num_captions: int, epoch: int, seed: int) -> int:
    """Return which of an image's captions an epoch takes, from 0."""
    return int(draw_fraction(seed, f"capfilt {epoch}", key) * num_captions)


class _Row(Struct):
    key: str | int
    caption: str
    score: float


class ScoreTable:
    """A scorer that looks up given scores: a .jsonl or .parquet file with the columns key, caption and score.

    It keeps twelve bytes a score. Of a caption that is there twice the last score counts.
    """

    def __init__(self, path: Path) -> None:
        """Raises InstructgenError, naming the line, for a file that is no such table."""
        self.path = path
        ids, scores = array("Q"), array("f")
        for row in _read_rows(path):
            ids.append(_number(str(row.key), clean_caption(row.caption)))
            scores.append(row.score)
        numbers = np.frombuffer(ids, np.uint64)[::-1]
        self._ids, places = np.unique(numbers, return_index=True)
        self._scores = np.frombuffer(scores, np.float32)[::-1][places]

    def __len__(self) -> int:
        return len(self._ids)

    def __call__(self, key: str, captions: Sequence[str]) -> list[float]:
        """Return the scores; raises InstructgenError for a caption that has none."""
        wanted = np.array([_number(key, caption) for caption in captions], np.uint64)
        places = np.searchsorted(self._ids, wanted)
        for caption, number, place in zip(captions, wanted, places.tolist(), strict=True):
            if place == len(self._ids) or self._ids[place] != number:
                raise InstructgenError(f"{self.path} has no score for key {key!r} and the caption {caption[:80]!r}")
        return [float(score) for score in self._scores[places]]


def _number(key: str, caption: str) -> int:
    digest = hashlib.blake2b(f"{key}\0{caption}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _read_rows(path: Path) -> Iterator[_Row]:
    if path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    if path.suffix != ".jsonl":
        raise InstructgenError(f"{path}: scores are read from .jsonl or .parquet, with key, caption and score")
    decoder = msgspec.json.Decoder(_Row)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise InstructgenError(
                        f"{path} line {number}: {error}; wants key, caption and score as JSON"
                    ) from None
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from None


def _read_parquet(path: Path) -> Iterator[_Row]:
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["key", "caption", "score"]):
                for row in batch.to_pylist():
                    number += 1
                    yield msgspec.convert(row, _Row)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{path} row {number}: {error}; wants key, caption and score") from None
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} is no Parquet file with key, caption and score: {error}") from None
