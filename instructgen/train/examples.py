"""A dataset read once, and encoded: from its rows to flat arrays, with a reason for each row that is not in them."""

import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.train.encode import Encoded, RawSample, RowEncoder, Skipped
from instructgen.train.example import IMAGE_SLOT
from instructgen.train.example_cache import hold_cache, name_cache, read_cache, write_cache
from instructgen.train.example_pictures import PictureStore
from instructgen.train.example_rows import PicturePlace, RawRow, RowSource, open_source
from instructgen.train.example_set import ExampleSet, Summary, measure_lengths

__all__ = ["ExampleSet", "Summary", "load_examples", "open_source"]

_BATCH = 1000
_SHOWN = 5


def load_examples(
    ref: str | Path,
    encoder: RowEncoder,
    *,
    split: str = "train",
    image_folder: Path | str | None = None,
    cache: Path | None = None,
) -> ExampleSet:
    """Return every sample of a version, a folder of Parquet files, or a .parquet or .jsonl file, in its order.

    `image_folder` is where pictures are that rows name by path alone; for a plain file it is its own folder.
    `cache` is a folder where what was encoded before is found, and kept for the next time.
    Raises InstructgenError where nothing can be learned from any of them.
    """
    return encode_source(open_source(ref, split), encoder, image_folder=image_folder, cache=cache)


def encode_source(
    source: RowSource, encoder: RowEncoder, *, image_folder: Path | str | None = None, cache: Path | None = None
) -> ExampleSet:
    """Do what `load_examples` does with a source that is open."""
    folder = source.folder if image_folder is None else Path(image_folder)
    if source.names_by_path and folder is None:
        raise InstructgenError(f"{source.place} names its pictures by path; image_folder says where they are")
    if cache is None:
        return encode_rows(source, encoder, folder)
    kept = cache / name_cache(source, encoder)
    with hold_cache(cache):  # of several processes one encodes, and the others read what it kept
        found = read_cache(kept, source, folder)
        if found is None:
            found = encode_rows(source, encoder, folder)
            shutil.rmtree(kept, ignore_errors=True)  # nothing, or what cannot be read any more
            write_cache(kept, found)
    return found


def encode_rows(source: RowSource, encoder: RowEncoder, image_folder: Path | None) -> ExampleSet:
    """Return every row that can be learned from; raises InstructgenError where none can."""
    builder = _Builder(encoder.tokens_per_image)
    rows = source.rows()
    while batch := list(islice(rows, _BATCH)):
        builder.add(batch, encoder.encode_all([_to_sample(row) for row in batch]))
    if not builder.sample_ids:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(builder.skipped.items())) or "no rows"
        raise InstructgenError(
            f"{source.place}: nothing to learn from ({told}); docs/templates.md and docs/blip2.md explain the words"
        )
    return builder.build(PictureStore(list(builder.keys), builder.places, source.files, image_folder))


def _to_sample(row: RawRow) -> RawSample:
    return RawSample(row.sample_id, row.messages, row.keys, row.image_at, row.frames)


class _Builder:
    def __init__(self, tokens_per_image: int) -> None:
        self.tokens_per_image = tokens_per_image
        self.ids: list[NDArray[np.int32]] = []
        self.is_trained: list[NDArray[np.bool_]] = []
        self.sample_ids: list[str] = []
        self.lengths: list[int] = []
        self.shown: list[int] = []
        self.num_shown: list[int] = []
        self.keys: dict[str, int] = {}
        self.places: list[PicturePlace] = []
        self.skipped: Counter[str] = Counter()
        self.skipped_ids: dict[str, list[str]] = {}
        self.frames: list[tuple[int, ...]] = []
        self.sees_next: list[bool] = []
        self.num_cut = 0
        self.num_left_out = 0
        self.num_pictures_left_out = 0

    def add(self, rows: Sequence[RawRow], encoded: Sequence[Encoded | Skipped]) -> None:
        ids: list[NDArray[np.int32]] = []
        is_trained: list[NDArray[np.bool_]] = []
        for row, one in zip(rows, encoded, strict=True):
            if isinstance(one, Skipped):
                self.skipped[one.reason] += 1
                if self.skipped[one.reason] <= _SHOWN:
                    self.skipped_ids.setdefault(one.reason, []).append(one.sample_id)
                continue
            ids.append(one.example.ids)
            is_trained.append(one.example.is_trained)
            self.num_cut += one.is_cut
            self.num_left_out += one.num_left_out
            self.num_pictures_left_out += one.num_pictures_left_out
            self.frames.append(one.example.frames)
            self.sees_next.append(one.example.sees_next)
            self.sample_ids.append(row.sample_id)
            self.lengths.append(len(one.example.ids))
            count = len(one.example.pictures)  # the first ones, where a document was cut
            self.num_shown.append(count)
            self.shown += [
                self._number(key, place) for key, place in zip(row.keys[:count], row.places[:count], strict=True)
            ]
        if ids:
            self.ids.append(np.concatenate(ids))
            self.is_trained.append(np.concatenate(is_trained))

    def _number(self, key: str, place: PicturePlace) -> int:
        number = self.keys.setdefault(key, len(self.keys))
        if number == len(self.places):
            self.places.append(place)
        return number

    def build(self, store: PictureStore) -> ExampleSet:
        ids, is_trained = np.concatenate(self.ids), np.concatenate(self.is_trained)
        offsets = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        picture_offsets = np.concatenate([[0], np.cumsum(self.num_shown)]).astype(np.int64)
        shown = np.array(self.shown, dtype=np.int32)
        num_slots = int((ids == IMAGE_SLOT).sum())
        lengths = measure_lengths(offsets, picture_offsets, self.tokens_per_image)
        summary = Summary(
            rows=len(self.sample_ids) + self.skipped.total(),
            samples=len(self.sample_ids),
            skipped=dict(sorted(self.skipped.items())),
            skipped_ids=dict(sorted(self.skipped_ids.items())),
            answers_cut=self.num_cut,
            turns_left_out=self.num_left_out,
            text_tokens=len(ids) - num_slots,
            image_tokens=num_slots * self.tokens_per_image,
            learned_tokens=int(is_trained.sum()),
            longest=int(lengths.max()),
            pictures=len(self.keys),
            text_only=int((np.diff(picture_offsets) == 0).sum()),
            pictures_left_out=self.num_pictures_left_out,
        )
        return ExampleSet(
            ids,
            is_trained,
            offsets,
            shown,
            picture_offsets,
            self.sample_ids,
            store,
            self.tokens_per_image,
            summary,
            np.array([count for each in self.frames for count in each], np.int32),
            np.concatenate([[0], np.cumsum([len(each) for each in self.frames])]).astype(np.int64),
            np.array(self.sees_next, np.bool_),
        )
