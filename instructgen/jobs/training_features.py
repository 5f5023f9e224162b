"""Cached features of a run's frozen tower: what they would gain, how they are made, how rows get them."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from instructgen.jobs.training_parts import StartingModel
from instructgen.train.course import Course
from instructgen.train.distributed import Ranks
from instructgen.train.features import (
    FeatureMaker,
    FeatureStore,
    Visits,
    embedder_of,
    find_cached_part,
    predict_gain,
)
from instructgen.train.mixture import Examples, MixedCourse
from instructgen.train.packed import PackedRow
from instructgen.train.packing import PaddedBatch
from instructgen.train.rows import Row
from instructgen.train.seq2seq import PairBatch, make_objective
from instructgen.train.shards_ahead import ShardsAhead

_MAX_PLANNED = 100  # steps that are looked at to say how often a run sees pictures
_FREE_SHARE = 0.8  # of the disk that is left, for features
_GPU_BATCH = 16


@dataclass(frozen=True, slots=True)
class PictureSource:
    """What a row's pictures are loaded as, and what makes tokens of them; `embed` None takes pixels."""

    load: Callable[[tuple[str, ...]], Tensor]
    embed: Callable[[Tensor], Tensor] | None = None
    ahead: ShardsAhead | None = None
    """What fetches the pictures' shards before their rows come; None where they need not be fetched."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """A run's samples and how its rows are made of them."""

    examples: Examples
    course: Course | MixedCourse
    make_row: Callable[[int, Row], PackedRow | PaddedBatch | PairBatch]
    learned_in: Callable[[int, int], int] | None = None
    """How many tokens an example learns in an epoch, where that is drawn anew in each."""


def cache_features(
    start: StartingModel, source: RowSource, folder: Path, ranks: Ranks, say: Callable[[str], None]
) -> PictureSource:
    """Make what is missing of the features under `folder`, and say before what that is predicted to gain.

    Called before the model is spread over processes, each of which makes its share.
    """
    model, reader, examples = start.model, start.reader, source.examples
    part = find_cached_part(model)
    model.vision.to(ranks.device)
    if part == "qformer":
        model.connector.get_submodule("qformer").to(ranks.device)
    is_bfloat16 = start.recipe.train.dtype == "bfloat16"
    # What a matrix product rounds to may depend on the batch: on a CPU a picture's features never change.
    batch = 1 if ranks.device.type == "cpu" else _GPU_BATCH
    maker = FeatureMaker(
        model, part, examples.picture_bytes, reader, ranks.device, in_bfloat16=is_bfloat16, batch=batch
    )
    folder.mkdir(parents=True, exist_ok=True)
    max_bytes = int(shutil.disk_usage(folder).free * _FREE_SHARE)
    store = maker.open_store(folder, f"{reader!r} {is_bfloat16=}", reader.image_px, max_bytes)
    store = replace(store, max_bytes=max_bytes + store.used_bytes())
    if ranks.count == 1:
        say(_predict(maker, store, start, source))
    digests = maker.fill(store, examples.pictures.keys, rank=ranks.rank, num_ranks=ranks.count)
    ranks.tell_all(None)
    return PictureSource(maker.loader(store, digests), embedder_of(model, part))


def _predict(maker: FeatureMaker, store: FeatureStore, start: StartingModel, source: RowSource) -> str:
    course, examples = source.course, source.examples
    num_planned = min(len(course), _MAX_PLANNED)
    steps = [course[number] for number in range(num_planned)]
    rows = [source.make_row(step.epoch, row) for step in steps for row in step.rows[0]]
    shown = next((row for row in rows if row.pictures), None)
    if shown is None:
        return "no row has a picture: nothing to cache"
    digests = {hashlib.sha256(examples.picture_bytes(key)).hexdigest() for key in examples.pictures.keys}
    scale = len(course) / num_planned
    visits = Visits(
        num_rows=round(len(rows) * scale),
        num_seen=round(sum(len(row.pictures) for row in rows) * scale),
        num_missing=sum(not store.has(digest) for digest in digests),
        bytes_per_picture=store.num_bytes,
    )
    pixels = torch.stack([start.reader(examples.picture_bytes(key)) for key in shown.pictures])
    return str(predict_gain(make_objective(start.model), maker, shown, pixels, visits))
