"""What the filters over the whole dataset make of the samples of all parts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.stored import StoredVersion, told
from instructgen.errors import InstructgenError
from instructgen.filters import CORPUS_FILTERS
from instructgen.filters.base import CorpusFilter
from instructgen.filters.corpus import CorpusReview
from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.filters.near_duplicate_disk import OnDisk
from instructgen.jobs.merge_open import OpenedPart
from instructgen.jobs.merge_part import RowFacts, read_units
from instructgen.records import Fault, ImageRecord, Message, Sample

_COLUMNS = ["sample_id", "messages", "images.list.element.path"]
_BATCH_ROWS = 256


def find_dropped(opened: Sequence[OpenedPart]) -> dict[str, Fault]:
    """Return the samples that must not be published because of others, or of what is to be examined."""
    filters = make_filters(opened[0].stored.manifest.config["filters"])
    if not filters:
        return {}
    review = CorpusReview(filters)
    for part in opened:
        for sample, record in read_samples(part.stored):
            review.observe(sample, record)
    return review.decide()


def make_filters(settings: Mapping[str, Any]) -> dict[str, CorpusFilter]:
    """Return the filters over the whole dataset that a manifest's settings have; near duplicates work on disk."""
    found: dict[str, CorpusFilter] = {}
    for name, kind in CORPUS_FILTERS.items():
        if name in settings:
            rule = msgspec.convert(settings[name], kind)
            found[name] = OnDisk(rule) if isinstance(rule, NearDuplicate) else rule
    return found


def read_samples(version: StoredVersion) -> Iterator[tuple[Sample, ImageRecord]]:
    """Yield the part's samples in the source's order, each with what is known of its image: id and file."""
    series: dict[tuple[str, str], Iterator[Row]] = {}
    for unit in read_units(version):
        if unit.row is not None:
            key = unit.row.split, unit.row.sample_type
            if key not in series:
                series[key] = _read_series(version, *key)
            row = next(series[key], None)
            if row is None or row["sample_id"] != unit.row.sample_id:
                raise InstructgenError(
                    f"{version.place} is not whole: its shards have other rows than its units; `instructgen dataset "
                    "verify` it, or build it again"
                )
            yield _restore(row, unit.row)


def _restore(row: Row, facts: RowFacts) -> tuple[Sample, ImageRecord]:
    image_id = facts.sample_id.rpartition("/")[0].rpartition("/")[0]
    names = [image["path"] for image in row["images"]]
    others = tuple(map(_make_record, facts.other_ids, names[:-1]))
    turns = tuple(Message(turn["role"], turn["content"]) for turn in row["messages"])
    sample = Sample(facts.sample_id, image_id, facts.sample_type, turns, (), {}, shots=others)
    return sample, _make_record(image_id, names[-1])


def _make_record(image_id: str, file_name: str) -> ImageRecord:
    return ImageRecord(image_id, file_name, 0, 0, (), ())


def _read_series(version: StoredVersion, split: str, sample_type: str) -> Iterator[Row]:
    import pyarrow.parquet as pq

    for shard in version.manifest.shards:
        if (shard.split, shard.sample_type) != (split, sample_type):
            continue
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
            for batch in pq.ParquetFile(file).iter_batches(batch_size=_BATCH_ROWS, columns=_COLUMNS):
                yield from batch.to_pylist()
