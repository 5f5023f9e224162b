"""Writes the version that a recipe makes, into a folder that is then published."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from instructgen.dataset.columns import Row, declare_pictures
from instructgen.dataset.derive.order import shuffle_rows
from instructgen.dataset.derive.parents import check_shards, make_parents
from instructgen.dataset.derive.recipe import SEVERAL, OpenedPart, Recipe, check_recipe, describe_recipe, open_parts
from instructgen.dataset.derive.schemas import ORIGIN_COLUMN, join_schemas
from instructgen.dataset.derive.selection import DUPLICATE, PartSelection, Selection, choose_split, select_rows
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Lineage,
    Manifest,
    SourceFacts,
    TeacherFacts,
    code_versions,
    count_splits,
    make_counts,
    make_version,
)
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stored import read_rows
from instructgen.errors import InstructgenError

Watch = Callable[[int, int], None]
"""Given rows written and rows in all."""
_TEXT_GROWTH = 4  # of zstd's text when it is unpacked


@dataclass(slots=True)
class _Tally:
    """What is known of the rows that were written."""

    images: "array[int]" = field(default_factory=lambda: array("q"))
    """A hash of the image of every row."""
    teachers: set[tuple[str, str]] = field(default_factory=set)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    @property
    def num_images(self) -> int:
        import numpy as np

        return len(np.unique(np.frombuffer(self.images, np.int64)))

    def count(self, row: Row) -> None:
        self.images.append(hash(row["image_id"]))
        self.teachers.add((row.get("teacher") or "", row.get("model") or ""))
        self.prompt_tokens += row.get("prompt_tokens") or 0
        self.completion_tokens += row.get("completion_tokens") or 0
        cost = row.get("cost_usd")
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost


def write_derived(
    operation: str,
    recipe: Recipe,
    staging: Path,
    earlier: frozenset[str] = frozenset(),
    watch: Watch = lambda _done, _all: None,
) -> Manifest:
    """Write data/ and rejected.jsonl of the version that the recipe makes into `staging`, and return its manifest.

    The rows follow from the recipe and the versions that it names, and so does the version's name. `rejected.jsonl`
    has a line for each duplicate; what the recipe's own settings leave out is counted by its reason. Raises
    InstructgenError for a recipe that cannot be kept, for one that leaves no row, and for a version whose files are
    not those that its manifest names.
    """
    check_recipe(recipe)
    opened = open_parts(recipe)
    check_shards(opened)
    selection = select_rows(opened, recipe)
    selections = selection.parts
    num_rows = sum(selection.taken.total() for selection in selections)
    if num_rows == 0:
        raise InstructgenError("no row is left: see the types, splits, weights and caps that the recipe asks for")
    schema = join_schemas(opened)
    embeds_images = _embeds_images(opened, recipe)
    if embeds_images:
        schema = declare_pictures(schema)
    (staging / "data").mkdir(parents=True)
    (staging / "order").mkdir()
    writer = ShardWriter(staging, schema, recipe.rows_per_shard, embeds_images, earlier, is_mixed=recipe.shuffle)
    tally = _Tally()
    with (staging / REJECTED_NAME).open("wb") as rejected_file:
        rejections = _Rejections(rejected_file)
        taken = _read_taken(opened, selection, recipe, rejections)
        names = schema.names
        rows: Iterator[tuple[str, Row]] = ((split, {name: row.get(name) for name in names}) for split, row in taken)
        if recipe.shuffle:
            num_bytes = _measure(opened, selections, has_pictures=embeds_images)
            rows = shuffle_rows(rows, schema, recipe.seed, num_bytes, staging / "order")
        for number, (split, row) in enumerate(rows, 1):
            writer.write(split, row)
            tally.count(row)
            watch(number, num_rows)
    (staging / "order").rmdir()
    shards = writer.finish()
    lineage = Lineage(operation, describe_recipe(recipe, opened), make_parents(opened, selections))
    manifest = _make_manifest(opened, _count(selections), tally, lineage, embeds_images=embeds_images)
    manifest = replace(
        manifest,
        splits=count_splits(shards),
        shards=tuple(shards),
        contents=writer.contents,
        rows_per_shard=recipe.rows_per_shard,
        unpublished_sha256=rejections.digest.hexdigest(),
    )
    return replace(manifest, version=make_version(manifest))


@dataclass(slots=True)
class _Rejections:
    file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, row: Row, version: str) -> None:
        line = {
            "unit_id": row["sample_id"].rpartition("/")[0] or row["sample_id"],
            "outcome": "rejected",
            "stage": "publish",
            "reason": DUPLICATE,
            "detail": f"{row['sample_id']} of version {version} was taken of a part before it, or is in it twice",
        }
        encoded = msgspec.json.encode(line) + b"\n"
        self.digest.update(encoded)
        self.file.write(encoded)


def _read_taken(
    opened: list[OpenedPart], selection: Selection, recipe: Recipe, rejections: _Rejections
) -> Iterator[tuple[str, Row]]:
    """Yield (split, row) of every copy that is taken, part by part."""
    for part, selected in zip(opened, selection.parts, strict=True):
        rows = enumerate(read_rows(part.stored))
        for shard in part.stored.manifest.shards:
            for number, row in islice(rows, shard.num_rows):
                if selected.is_duplicate[number]:
                    rejections.add(row, part.stored.manifest.version)
                if selected.copies[number]:
                    split = (
                        shard.split
                        if recipe.splits is None
                        else choose_split(recipe.splits, recipe.seed, row["image_id"])
                    )
                    sample_id = row["sample_id"]
                    yield split, _take(row, part, recipe, sample_id)
                    for copy in range(2, selected.copies[number] + 1):
                        yield split, _take(row, part, recipe, selection.names.name_copy(sample_id, copy))


def _measure(opened: list[OpenedPart], selections: list[PartSelection], *, has_pictures: bool) -> int:
    """Return about how many bytes the rows that are taken make in Arrow, copies counted."""
    num_bytes = 0
    for part, selection in zip(opened, selections, strict=True):
        start = 0
        for shard in part.stored.manifest.shards:
            num_copies = sum(selection.copies[start : start + shard.num_rows])
            num_bytes += shard.num_bytes * num_copies // max(1, shard.num_rows)
            start += shard.num_rows
    return num_bytes if has_pictures else num_bytes * _TEXT_GROWTH


def _take(row: Row, part: OpenedPart, recipe: Recipe, sample_id: str) -> Row:
    """Return a row as the new version has it."""
    origin = row.get(ORIGIN_COLUMN) or part.stored.manifest.version
    taken = {**row, "sample_id": sample_id, ORIGIN_COLUMN: origin}
    suffix = part.settings.suffix
    if suffix:
        taken["messages"] = [
            {**message, "content": f"{message['content']}\n{suffix}"}
            if message["role"] == "user" and not message["content"].endswith(suffix)
            else message
            for message in row["messages"]
        ]
    if recipe.pictures == "paths":
        taken["images"] = [{"bytes": None, "path": image["path"]} for image in row["images"]]
    return taken


def _embeds_images(opened: list[OpenedPart], recipe: Recipe) -> bool:
    """Return whether the rows hold their pictures; InstructgenError where some parts' do and some do not."""
    embeds = {part.stored.manifest.embeds_images for part in opened}
    if recipe.pictures == "paths":
        return False
    if len(embeds) > 1:
        raise InstructgenError(
            "some of the versions hold their pictures and others name them by path; "
            'pictures = "paths" (--pictures paths) leaves them out of all rows'
        )
    return embeds.pop()


def _count(selections: list[PartSelection]) -> Counts:
    """Return the counts: every copy of a row that was offered is accepted or rejected."""
    accepted: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    names: set[str] = set()
    for selection in selections:
        accepted.update(selection.taken)
        names |= selection.offered.keys()
        for name, dropped in selection.dropped.items():
            reasons.setdefault(name, Counter()).update(dropped)
    return make_counts(accepted, reasons, names)


def _make_manifest(
    opened: list[OpenedPart], counts: Counts, tally: _Tally, lineage: Lineage, *, embeds_images: bool
) -> Manifest:
    manifests = [part.stored.manifest for part in opened]
    names = {manifest.source.name for manifest in manifests}
    titles = list(dict.fromkeys(manifest.source.title for manifest in manifests))
    teacher, model = tally.teachers.pop() if len(tally.teachers) == 1 else (SEVERAL, SEVERAL)
    decodings = [manifest.teacher.decoding for manifest in manifests]
    prompts: dict[str, str] = {}
    for manifest in manifests:
        for name, sha256 in manifest.prompts.items():
            prompts[name] = sha256 if prompts.get(name, sha256) == sha256 else SEVERAL
    return Manifest(
        format=FORMAT,
        version="",
        parent=manifests[0].version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code=code_versions(),
        config={},
        prompts=dict(sorted(prompts.items())),
        source=SourceFacts(names.pop() if len(names) == 1 else SEVERAL, " + ".join(titles), tally.num_images, {}),
        teacher=TeacherFacts(
            name=teacher,
            model=model,
            decoding=decodings[0] if all(one == decodings[0] for one in decodings) else {},
            prompt_tokens=tally.prompt_tokens,
            completion_tokens=tally.completion_tokens,
            cost_usd=None if tally.cost_usd is None else round(tally.cost_usd, 6),
        ),
        counts=counts,
        splits={},
        embeds_images=embeds_images,
        unpublished_sha256="",
        shards=(),
        lineage=lineage,
    )
