"""What people want to know of a run beside what its weights follow from: kept in run.json, read by its report."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import MIXED, Shard
from instructgen.models.memory import Memory
from instructgen.train.example_rows import RowSource, VersionRows

_MOST_PARTS = 40
DataKind = Literal["version", "files"]


class DataPart(Struct, frozen=True):
    """A version that rows of the data were taken from."""

    version: str
    title: str
    rows: int


class DataFacts(Struct, frozen=True):
    """`version`, `title`, `made_by` and `teacher` are "" for files that no version is made of."""

    kind: DataKind
    split: str
    version: str = ""
    title: str = ""
    made_by: str = ""
    """"build", "review", or what made it of other versions."""
    teacher: str = ""
    rows_by_type: dict[str, int] = {}
    """Of the split; of shuffled shards in several splits it is not known which types are in which."""
    parts: tuple[DataPart, ...] = ()
    """Of all splits, the largest first; of a mixture of very many the largest alone."""


class RunFacts(Struct, frozen=True):
    """`recipe_notes` says of a dotted key where its value comes from (train.recipe_notes.find_note)."""

    recipe_notes: dict[str, str]
    data: DataFacts
    memory: Memory
    """As it was estimated before the first step."""


def describe_data(source: RowSource, split: str) -> DataFacts:
    """Return what is known of the rows' origin."""
    if not isinstance(source, VersionRows):
        return DataFacts("files", split)
    manifest = source.files.version.manifest
    parents = manifest.lineage.parents if manifest.lineage else ()
    parts = sorted((DataPart(one.version, one.title, one.taken) for one in parents), key=lambda part: -part.rows)
    return DataFacts(
        kind="version",
        split=split,
        version=manifest.version,
        title=manifest.source.title,
        made_by=_tell_maker(manifest),
        teacher=" ".join(filter(None, (manifest.teacher.name, manifest.teacher.model))),
        rows_by_type=_count_types(source.files.shards, manifest),
        parts=tuple(parts[:_MOST_PARTS]),
    )


def _tell_maker(manifest: Manifest) -> str:
    if manifest.lineage is not None:
        return manifest.lineage.operation
    return "review" if manifest.review is not None else "build"


def _count_types(shards: Iterable[Shard], manifest: Manifest) -> dict[str, int]:
    counts: dict[str, int] = {}
    for shard in shards:
        counts[shard.sample_type] = counts.get(shard.sample_type, 0) + shard.num_rows
    accepted = {name: count for name, count in manifest.counts.accepted.items() if count}
    if MIXED in counts and sum(accepted.values()) == sum(counts.values()):
        counts = accepted
    return dict(sorted(counts.items()))
