"""`instructgen build --source interleaved`: documents, image-text pairs and clips with text as a version's rows.

Nobody is asked for anything: the texts are those of the documents. Every document ends as a row, rejected or failed,
with a reason, and is counted.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from instructgen.config import BuildConfig
from instructgen.dataset.columns import Row, make_schema
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Manifest,
    SourceFacts,
    TeacherFacts,
    code_versions,
    count_splits,
    make_version,
)
from instructgen.dataset.pictures import find_picture_fault
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.shards import ShardWriter
from instructgen.errors import InstructgenError
from instructgen.jobs.datasets import MadeVersion, build_version
from instructgen.jobs.plan import find_split
from instructgen.records import Failed, Fault, ImageRecord, Rejected
from instructgen.sources.clips import require_decoder
from instructgen.sources.documents import Document
from instructgen.sources.documents_choose import Chosen, Rules, choose
from instructgen.sources.documents_files import Found, read_documents

SAMPLE_TYPE = "interleaved"
_LOOKED_AT = 100  # documents, at most, until one tells whether pictures are there
_DETAIL_CHARS = 500

Watch = Callable[[int], None]
"""Given how many documents were read."""


def build_documents(config: BuildConfig, out: Path, watch: Watch = lambda _: None) -> MadeVersion:
    """Publish the documents of the settings as the latest version of `out`.

    Raises InstructgenError for settings and files that cannot be used, and where no document can.
    """
    return build_version(str(out), lambda staging, earlier: write_documents(config, staging, earlier, watch))


def write_documents(
    config: BuildConfig, staging: Path, earlier: frozenset[str] = frozenset(), watch: Watch = lambda _: None
) -> Manifest:
    """Write data/ and rejected.jsonl of the version that the documents make into `staging`; return its manifest."""
    _check(config)
    embeds = _choose_embedding(config)
    rules = Rules(config.source.documents, config.seed, embeds, config.dataset.max_image_pixels, _Look(config))
    schema = make_schema([], embeds_images=embeds, has_places=True, has_frames=True)
    (staging / "data").mkdir(parents=True)
    writer = ShardWriter(staging, schema, config.dataset.rows_per_shard, embeds, earlier)
    with (staging / REJECTED_NAME).open("wb") as rejected_file:
        run = _Writing(config, rules, writer, rejected_file)
        for number, found in enumerate(_read(config), 1):
            run.take(found)
            watch(number)
    if not run.num_accepted:
        told = ", ".join(f"{count} x {reason}" for reason, count in sorted(run.reasons.items())) or "there is none"
        raise InstructgenError(f"{config.source.root}: no document can be used: {told}")
    return run.finish()


@dataclass(slots=True)
class _Writing:
    """Takes documents in order; every one ends in a shard or in rejected.jsonl, and is counted."""

    config: BuildConfig
    rules: Rules
    writer: ShardWriter
    rejected_file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    num_accepted: int = 0
    num_rejected: int = 0
    num_failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    seen: set[bytes] = field(default_factory=set)

    def take(self, found: Found) -> None:
        document, media = found
        if isinstance(document, Document):
            _check_clips(document)
            key = hashlib.blake2b(document.document_id.encode(), digest_size=12).digest()
            if key in self.seen:
                self._set_aside(Rejected(document.document_id, "source", "duplicate_id", "another document has it"))
                return
            self.seen.add(key)
            outcome = choose(document, media, self.rules, self.left_out)
        else:
            outcome = document
        if isinstance(outcome, Chosen):
            self.num_accepted += 1
            row = _make_row(outcome)
            split = find_split(self.config, outcome.document.document_id)
            self.writer.write(split, {name: row.get(name) for name in self.writer.schema.names})
        else:
            self._set_aside(outcome)

    def finish(self) -> Manifest:
        config = self.config
        shards = self.writer.finish()
        num_read = self.num_accepted + self.num_rejected + self.num_failed
        manifest = Manifest(
            format=FORMAT,
            version="",
            parent=None,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code=code_versions(),
            config=_content_config(config),
            prompts={},
            source=SourceFacts("interleaved", "interleaved documents", num_read, dict(sorted(self.left_out.items()))),
            teacher=TeacherFacts("none", "none", {}, 0, 0, 0.0),
            counts=Counts(
                planned={SAMPLE_TYPE: num_read},
                accepted={SAMPLE_TYPE: self.num_accepted},
                rejected={SAMPLE_TYPE: self.num_rejected},
                failed={SAMPLE_TYPE: self.num_failed},
                reasons={SAMPLE_TYPE: dict(sorted(self.reasons.items()))},
            ),
            splits=count_splits(shards),
            embeds_images=self.writer.embeds_images,
            unpublished_sha256=self.digest.hexdigest(),
            shards=tuple(shards),
            contents=self.writer.contents,
            rows_per_shard=config.dataset.rows_per_shard,
        )
        return replace(manifest, version=make_version(manifest))

    def _set_aside(self, outcome: Rejected | Failed) -> None:
        is_failed = isinstance(outcome, Failed)
        self.num_failed += is_failed
        self.num_rejected += not is_failed
        self.reasons[outcome.reason] += 1
        line = {
            "unit_id": f"{outcome.record_id}/{SAMPLE_TYPE}",
            "outcome": "failed" if is_failed else "rejected",
            "stage": outcome.stage,
            "reason": outcome.reason,
        }
        self.digest.update(msgspec.json.encode(line))
        line |= {"image_id": outcome.record_id, "sample_type": SAMPLE_TYPE, "detail": outcome.detail[:_DETAIL_CHARS]}
        self.rejected_file.write(msgspec.json.encode(line) + b"\n")


class _Look:
    """Says what is wrong with a picture; its size is not known beforehand."""

    def __init__(self, config: BuildConfig) -> None:
        self._max_pixels = config.dataset.max_image_pixels

    def __call__(self, name: str, data: bytes) -> Fault | None:
        return find_picture_fault(data, ImageRecord(name, name, 0, 0, (), ()), self._max_pixels)


def _check(config: BuildConfig) -> None:
    if config.source.split is not None:
        raise InstructgenError("documents have no --split; give the files themselves with --root")
    if config.types not in (BuildConfig().types, (SAMPLE_TYPE,)):
        raise InstructgenError(f"documents are rows of the type '{SAMPLE_TYPE}'; leave --types out")


def _read(config: BuildConfig) -> Iterator[Found]:
    for number, found in enumerate(read_documents(config.source)):
        if number == config.source.limit:
            return
        yield found


def _choose_embedding(config: BuildConfig) -> bool:
    """Return whether rows hold pictures; left open, whether the first documents have any with them."""
    if config.dataset.images != "auto":
        return config.dataset.images == "embed"
    for number, (document, media) in enumerate(_read(config)):
        if number == _LOOKED_AT:
            break
        if isinstance(document, Document) and any(
            picture.is_clip or picture.data is not None or media.read(picture.name) is not None
            for picture in document.pictures
        ):
            return True
    return False


def _check_clips(document: Document) -> None:
    if any(picture.is_clip for picture in document.pictures):
        require_decoder()


def _make_row(chosen: Chosen) -> Row:
    document = chosen.document
    has_clip = any(number != 1 for number in chosen.frames) or any(one.is_clip for one in document.pictures)
    return {
        "sample_id": f"{document.document_id}/{SAMPLE_TYPE}/0",
        "image_id": document.document_id,
        "sample_type": SAMPLE_TYPE,
        "messages": [{"role": "assistant", "content": text} for text in document.texts],
        "images": [{"bytes": one.data, "path": one.path} for one in chosen.pictures],
        "image_licences": [None] * len(chosen.pictures),
        "image_urls": [one.url or None for one in chosen.pictures],
        "source": "interleaved",
        "teacher": "none",
        "model": "none",
        "prompt_sha256": "",
        "request_ids": [],
        "image_at": list(chosen.places),
        "frames": list(chosen.frames) if has_clip else None,
    }


def _content_config(config: BuildConfig) -> dict[str, object]:
    documents = {key: value for key, value in msgspec.to_builtins(config.source.documents).items() if key != "images"}
    return {
        "types": [SAMPLE_TYPE],
        "seed": config.seed,
        "source": {"name": "interleaved", "limit": config.source.limit, "documents": documents},
        "dataset": {"val_fraction": config.dataset.val_fraction},
    }
