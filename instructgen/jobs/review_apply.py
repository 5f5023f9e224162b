"""`instructgen review --apply`: a new version from a version and people's decisions on it.

A pure function of the two: the same decisions on the same version give the same rows and the same name. Rows that
nobody reviewed stay as they are.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from filelock import FileLock, Timeout
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import Exported, ReadPicture
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Manifest,
    ReviewFacts,
    code_versions,
    count_splits,
    make_version,
)
from instructgen.dataset.publish import REFINED_NAME, REJECTED_NAME, publish
from instructgen.dataset.shards import Shard, ShardWriter, hash_file
from instructgen.dataset.stored import LocalVersion, told
from instructgen.errors import InstructgenError, RunLockedError
from instructgen.jobs.review import Reviewed, check_samples
from instructgen.review.agreement import Settled, compare_reviewers, count_choices, settle
from instructgen.review.decisions import FOLDER, Reviews, read_reviews
from instructgen.review.rows import REVIEW_COLUMN, read_places

if TYPE_CHECKING:
    import pyarrow as pa

REJECTED, NOT_REVIEWED = "reviewer_rejected", "not_reviewed"
_BATCH_ROWS = 100


def apply_reviews(reviewed: Reviewed, *, is_strict: bool) -> tuple[Path, Manifest]:
    """Publish the version without what was rejected, and with the edited answers.

    `is_strict` leaves out what nobody accepted or edited. Raises InstructgenError where nobody has reviewed it.
    """
    reviews = read_reviews(reviewed.folder)
    if not reviews:
        made = reviewed.manifest.review
        hint = f"; it was made by a review of version {made.of}" if made else ""
        raise InstructgenError(f"nobody has reviewed version {reviewed.manifest.version}{hint}")
    (reviewed.out / FOLDER).mkdir(exist_ok=True)
    try:
        with FileLock(reviewed.out / FOLDER / ".apply.lock", timeout=0):
            return _apply(reviewed, reviews, is_strict=is_strict)
    except Timeout:
        raise RunLockedError(f"another review is being applied to {reviewed.out}; wait for it to end") from None


def _apply(reviewed: Reviewed, reviews: Reviews, *, is_strict: bool) -> tuple[Path, Manifest]:
    places = read_places(reviewed.version, reviewed.manifest)
    check_samples(reviews, {place.sample_id for place in places}, reviewed)
    staging = reviewed.out / "run" / "review"
    shutil.rmtree(staging, ignore_errors=True)
    (staging / "data").mkdir(parents=True)
    for name in (REJECTED_NAME, REFINED_NAME):
        if (reviewed.version / name).is_file():
            shutil.copyfile(reviewed.version / name, staging / name)
    with (staging / REJECTED_NAME).open("ab") as rejected_file:
        writing = _Writing(reviewed, settle(reviews), rejected_file, is_strict=is_strict)
        shards = writing.run(staging)
    manifest = _make_manifest(reviewed, reviews, writing, shards)
    return publish(staging, manifest, reviewed.out), manifest


def export_again(out: Path, version: Path, read_picture: ReadPicture) -> tuple[Exported, ...]:
    """Write the new version in each form in which the dataset lies in exports/ already."""
    try:
        return tuple(
            export(LocalVersion(version), out / "exports" / name, read_picture)
            for name, export in EXPORTS.items()
            if (out / "exports" / name).is_dir()
        )
    except InstructgenError as error:
        raise InstructgenError(
            f"version {version.name} is published, but exports/ is of the old one: {error}"
        ) from None


class _Writing:
    """Reads the rows in their order, and puts each into a shard or into rejected.jsonl."""

    def __init__(
        self, reviewed: Reviewed, settled: Mapping[str, Settled], rejected_file: BinaryIO, *, is_strict: bool
    ) -> None:
        self.settled = settled
        self.is_strict = is_strict
        self.dropped: dict[str, dict[str, int]] = {}
        """Type -> reason -> rows."""
        self.contents: dict[str, str] = {}
        self._reviewed = reviewed
        self._file = rejected_file
        # Of what was unpublished before, and then of each new line.
        self._digest = hashlib.sha256(reviewed.manifest.unpublished_sha256.encode())

    @property
    def unpublished_sha256(self) -> str:
        return self._digest.hexdigest() if self.dropped else self._reviewed.manifest.unpublished_sha256

    @property
    def has_changed(self) -> bool:
        """Return whether a row was dropped or its text edited."""
        return bool(self.dropped) or any(one.choice == "edit" for one in self.settled.values())

    def run(self, staging: Path) -> list[Shard]:
        manifest = self._reviewed.manifest
        earlier = frozenset(shard.content_sha256 for shard in manifest.shards)
        writer = ShardWriter(staging, self._make_schema(), manifest.rows_per_shard, manifest.embeds_images, earlier)
        for shard in manifest.shards:
            for row in self._read_rows(shard):
                reason = self._find_reason(row)
                if reason is None:
                    writer.write(shard.split, self._mark(row))
                else:
                    self._drop(row, reason)
        shards = writer.finish()
        self.contents = writer.contents
        return shards

    def _make_schema(self) -> "pa.Schema":
        """Return the parent's columns and one that tells what a person said of the row."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._reviewed.version / self._reviewed.manifest.shards[0].path
        with told(str(path)):
            schema = pq.read_schema(path)
        return schema if REVIEW_COLUMN in schema.names else schema.append(pa.field(REVIEW_COLUMN, pa.string()))

    def _read_rows(self, shard: Shard) -> Iterator[Row]:
        import pyarrow.parquet as pq

        path = self._reviewed.version / shard.path
        with told(str(path)):
            if hash_file(path) != shard.sha256:
                raise InstructgenError(f"{path} is not the file that its manifest names; copy the version again")
            for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH_ROWS):
                yield from batch.to_pylist()

    def _find_reason(self, row: Row) -> str | None:
        one = self.settled.get(row["sample_id"])
        if one is not None:
            return REJECTED if one.choice == "reject" else None
        return NOT_REVIEWED if self.is_strict and row.get(REVIEW_COLUMN) is None else None

    def _mark(self, row: Row) -> Row:
        """Return the row with what was decided. An edited answer has no scores: they were of the old one."""
        one = self.settled.get(row["sample_id"])
        before = row.get(REVIEW_COLUMN)
        if one is None:
            return {**row, REVIEW_COLUMN: before}
        if one.choice == "accept":
            return {**row, REVIEW_COLUMN: before or "accepted"}
        answers = iter(one.answers)
        messages = [
            {**message, "content": next(answers)} if message["role"] == "assistant" else message
            for message in row["messages"]
        ]
        scores = {"scores": dict.fromkeys(row["scores"])} if row.get("scores") else {}
        return {**row, "messages": messages, **scores, REVIEW_COLUMN: "edited"}

    def _drop(self, row: Row, reason: str) -> None:
        counts = self.dropped.setdefault(row["sample_type"], {})
        counts[reason] = counts.get(reason, 0) + 1
        *first, last = row["request_ids"]
        line: dict[str, Any] = {
            "unit_id": row["sample_id"].rpartition("/")[0] or row["sample_id"],
            "outcome": "rejected",
            "stage": "publish",
            "reason": reason,
            "request_id": last,
        }
        if first:
            line["first_request_id"] = first[0]
            line["request_ids"] = row["request_ids"]  # `ledger gc` keeps what any line names
        self._digest.update(msgspec.json.encode(line))
        one = self.settled.get(row["sample_id"])
        line |= {
            "image_id": row["image_id"],
            "sample_type": row["sample_type"],
            "detail": "" if one is None else f"{one.why} (by {', '.join(one.by)})".strip(),
            "text": "\n\n".join(message["content"] for message in row["messages"]),
        }
        self._file.write(msgspec.json.encode(line) + b"\n")


def _make_manifest(reviewed: Reviewed, reviews: Reviews, writing: _Writing, shards: list[Shard]) -> Manifest:
    parent = reviewed.manifest
    manifest = replace(
        parent,
        format=FORMAT,
        version="",
        parent=parent.version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code=code_versions(),
        counts=_move_counts(parent.counts, writing.dropped),
        splits=count_splits(shards),
        contents=writing.contents,
        unpublished_sha256=writing.unpublished_sha256,
        shards=tuple(shards),
        review=_make_facts(reviewed, reviews, writing),
        # They are of the parent's rows, and to measure others takes the annotations.
        metrics=None if writing.has_changed else parent.metrics,
    )
    return replace(manifest, version=make_version(manifest))


def _make_facts(reviewed: Reviewed, reviews: Reviews, writing: _Writing) -> ReviewFacts:
    numbers = count_choices(one.choice for one in writing.settled.values())
    decisions = [reviews[by][sample_id] for by in sorted(reviews) for sample_id in sorted(reviews[by])]
    times = sorted(decision.at for decision in decisions)
    return ReviewFacts(
        of=reviewed.manifest.version,
        reviewers={by: len(standing) for by, standing in sorted(reviews.items())},
        first_at=times[0],
        last_at=times[-1],
        reviewed=numbers.reviewed,
        accepted=numbers.accepted,
        edited=numbers.edited,
        rejected=numbers.rejected,
        keep_rate=numbers.keep_rate,
        left_out=sum(counts.get(NOT_REVIEWED, 0) for counts in writing.dropped.values()),
        is_strict=writing.is_strict,
        agreement=compare_reviewers(reviews),
        decisions_sha256=hashlib.sha256(msgspec.json.encode(decisions)).hexdigest(),
    )


def _move_counts(counts: Counts, dropped: Mapping[str, Mapping[str, int]]) -> Counts:
    """Return the counts with the dropped rows moved from accepted to rejected; they add up as before."""
    accepted, rejected = dict(counts.accepted), dict(counts.rejected)
    reasons = {name: dict(found) for name, found in counts.reasons.items()}
    for name, by_reason in dropped.items():
        num = sum(by_reason.values())
        accepted[name] -= num
        rejected[name] += num
        found = reasons.setdefault(name, {})
        for reason, count in by_reason.items():
            found[reason] = found.get(reason, 0) + count
        reasons[name] = dict(sorted(found.items()))
    for name, num in counts.planned.items():
        assert accepted[name] + rejected[name] + counts.failed[name] == num, f"{name}: the counts do not add up"
    return replace(counts, accepted=accepted, rejected=rejected, reasons=reasons)
