"""Writes the version that another project's files make, into a folder that is then published."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from instructgen.dataset.columns import Row, make_schema
from instructgen.dataset.derive.recipe import SEVERAL, check_splits
from instructgen.dataset.derive.selection import DUPLICATE, choose_split
from instructgen.dataset.imports import IMPORTS
from instructgen.dataset.imports.base import Imported, ImportSettings
from instructgen.dataset.manifest import (
    FORMAT,
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
from instructgen.dataset.shards import ShardWriter, hash_file
from instructgen.errors import InstructgenError
from instructgen.records import Rejected

if TYPE_CHECKING:
    import pyarrow as pa

Watch = Callable[[int], None]
"""Given how many records were read."""
IMAGE_AT_COLUMN = "image_at"
_WITHOUT_PLACES = ("filter_cap", "texts")  # all pictures stand before the first question there
_UNKNOWN_TYPE = "unknown"
_DETAIL_CHARS = 500


class ImportPlan(Struct, frozen=True):
    """`pictures` "auto" embeds them if the first record has one with it; "embed" rejects a record that lacks one."""

    form: str
    path: Path
    settings: ImportSettings = ImportSettings()
    splits: dict[str, float] | None = None
    seed: int = 0
    pictures: Literal["auto", "embed", "paths"] = "auto"
    rows_per_shard: int = 2_000


@dataclass(slots=True)
class _Import:
    """Takes records in order; every one ends in a shard or in rejected.jsonl, and is counted."""

    plan: ImportPlan
    writer: ShardWriter
    rejected_file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    accepted: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    images: set[int] = field(default_factory=set)
    teachers: set[tuple[str, str]] = field(default_factory=set)

    def take(self, found: Imported | Rejected) -> None:
        if isinstance(found, Rejected):
            self._reject(found, _UNKNOWN_TYPE)
            return
        key = hashlib.blake2b(found.sample_id.encode(), digest_size=12).digest()
        if key in self.seen:
            self._reject(
                Rejected(found.sample_id, "publish", DUPLICATE, "another record has this id"), found.sample_type
            )
            return
        if self.writer.embeds_images and any(image.data is None for image in found.images):
            missing = next(image.path for image in found.images if image.data is None)
            self._reject(Rejected(found.sample_id, "publish", "image_missing", missing), found.sample_type)
            return
        self.seen.add(key)
        self.accepted[found.sample_type] += 1
        self.images.add(hash(found.image_id))
        row = _make_row(found, self.plan.form, embeds=self.writer.embeds_images)
        self.teachers.add((row["teacher"], row["model"]))
        split = choose_split(self.plan.splits or {}, self.plan.seed, found.image_id)
        self.writer.write(split, {name: row.get(name) for name in self.writer.schema.names})

    def _reject(self, rejected: Rejected, sample_type: str) -> None:
        self.reasons.setdefault(sample_type, Counter())[rejected.reason] += 1
        line = {
            "unit_id": rejected.record_id,
            "outcome": "rejected",
            "stage": rejected.stage,
            "reason": rejected.reason,
        }
        self.digest.update(msgspec.json.encode(line))
        self.rejected_file.write(msgspec.json.encode({**line, "detail": rejected.detail[:_DETAIL_CHARS]}) + b"\n")


def write_imported(
    plan: ImportPlan, staging: Path, earlier: frozenset[str] = frozenset(), watch: Watch = lambda _: None
) -> Manifest:
    """Write data/ and rejected.jsonl of the version that the files make into `staging`, and return its manifest.

    Raises InstructgenError for an unknown form, splits that cannot be, files that cannot be read, a `staging` among
    them, and files without a sample that can be used.
    """
    check_splits(plan.splits)
    records, embeds_images = _open(plan)
    if staging.resolve().is_relative_to(plan.path.resolve()):
        raise InstructgenError(f"the new version would lie in {plan.path}, which is imported; name another --out")
    files = digest_files(plan.path)
    (staging / "data").mkdir(parents=True)
    writer = ShardWriter(
        staging, _make_schema(plan, embeds=embeds_images), plan.rows_per_shard, embeds_images, earlier
    )
    with (staging / REJECTED_NAME).open("wb") as rejected_file:
        run = _Import(plan, writer, rejected_file)
        for number, found in enumerate(records, 1):
            run.take(found)
            watch(number)
    if not run.accepted:
        told = ", ".join(f"{count} x {reason}" for reason, count in _total(run.reasons).items()) or "it has no record"
        raise InstructgenError(f"{plan.path}: no sample can be used as {plan.form}: {told}")
    return _make_manifest(run, files)


def _open(plan: ImportPlan) -> tuple[Iterable[Imported | Rejected], bool]:
    """Return the records, and whether rows are to hold pictures."""
    name = plan.form.replace("-", "_")
    if name not in IMPORTS:
        raise InstructgenError(f"no import called '{plan.form}'; there are: {', '.join(IMPORTS)}")
    if not plan.path.exists():
        raise InstructgenError(f"no file or folder {plan.path}")
    embeds = plan.pictures == "embed" if plan.pictures != "auto" else _shows_pictures(plan, name)
    return IMPORTS[name](plan.path, plan.settings), embeds


def _shows_pictures(plan: ImportPlan, name: str) -> bool:
    """Return whether the first record with pictures has them with it.

    What is read up to there is read again: to keep it would be to keep all texts of files without pictures.
    """
    for found in IMPORTS[name](plan.path, plan.settings):
        if isinstance(found, Imported) and found.images:
            return any(image.data is not None for image in found.images)
    return False


def _make_schema(plan: ImportPlan, *, embeds: bool) -> "pa.Schema":
    import pyarrow as pa

    schema = make_schema([], embeds_images=embeds)
    if plan.form.replace("-", "_") not in _WITHOUT_PLACES:
        schema = schema.append(pa.field(IMAGE_AT_COLUMN, pa.list_(pa.int64())))
    return schema


def _make_row(found: Imported, form: str, *, embeds: bool) -> Row:
    return {
        "sample_id": found.sample_id,
        "image_id": found.image_id,
        "sample_type": found.sample_type,
        "messages": [{"role": turn.role, "content": turn.content} for turn in found.turns],
        "images": [{"bytes": image.data if embeds else None, "path": image.path} for image in found.images],
        "source": found.fields.get("source", f"import:{form}"),
        "teacher": found.fields.get("teacher", ""),
        "model": found.fields.get("model", ""),
        "prompt_sha256": "",
        "request_ids": [],
        IMAGE_AT_COLUMN: None if found.image_at is None else list(found.image_at),
    }


def _make_manifest(run: _Import, files: dict[str, str]) -> Manifest:
    plan = run.plan
    shards = run.writer.finish()
    teacher, model = run.teachers.pop() if len(run.teachers) == 1 else (SEVERAL, SEVERAL)
    settings = {"form": plan.form, "seed": plan.seed, "splits": plan.splits, "files": files}
    manifest = Manifest(
        format=FORMAT,
        version="",
        parent=None,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code=code_versions(),
        config={},
        prompts={},
        source=SourceFacts(f"import:{plan.form}", f"{plan.path.name} ({plan.form})", len(run.images), {}),
        teacher=TeacherFacts(teacher or "unknown", model or "unknown", {}, 0, 0, None),
        counts=make_counts(run.accepted, run.reasons, {*run.accepted, *run.reasons}),
        splits=count_splits(shards),
        embeds_images=run.writer.embeds_images,
        unpublished_sha256=run.digest.hexdigest(),
        shards=tuple(shards),
        contents=run.writer.contents,
        rows_per_shard=plan.rows_per_shard,
        lineage=Lineage("import", settings),
    )
    return replace(manifest, version=make_version(manifest))


def digest_files(path: Path) -> dict[str, str]:
    """Return the digest of a file, or one over the files of a folder, by its name."""
    if path.is_file():
        return {path.name: hash_file(path)}
    digest = hashlib.sha256()
    for one in _list(path):
        digest.update(f"{one.relative_to(path).as_posix()}\0{hash_file(one)}\n".encode())
    return {path.name: digest.hexdigest()}


def _list(folder: Path) -> Iterator[Path]:
    yield from sorted(one for one in folder.rglob("*") if one.is_file())


def _total(reasons: dict[str, Counter[str]]) -> Counter[str]:
    return sum(reasons.values(), Counter())
