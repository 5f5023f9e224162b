"""Published versions for tests, written as a build writes them but from rows that the test gives."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.dataset.cards.card import make_card
from instructgen.dataset.columns import Provenance, Row, make_row, make_schema
from instructgen.dataset.manifest import (
    FORMAT,
    MANIFEST_NAME,
    Counts,
    Manifest,
    SourceFacts,
    TeacherFacts,
    encode_manifest,
    make_version,
)
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.sums import SUMS_NAME, make_sums
from instructgen.records import Message, Sample
from tests.support.make import make_record, make_reply


def make_row_of(
    number: int,
    sample_type: str = "conv",
    pairs: Sequence[tuple[str, str]] = (("What is there?", "A dog."),),
    picture: bytes | None = None,
) -> Row:
    """Return the row of image `number`, as a build would make it."""
    record = make_record(number)
    turns = [Message(role, text) for pair in pairs for role, text in zip(("user", "assistant"), pair, strict=True)]
    sample_id = f"{record.image_id}/{sample_type}/0"
    sample = Sample(sample_id, record.image_id, sample_type, tuple(turns), (f"request{number}",), {"length": 1.0})
    return make_row(sample, record, Provenance("coco", "0" * 64, make_reply()), picture)


def write_version(
    folder: Path, rows: Sequence[Row], *, split: str = "train", rejected: bytes = b"", **fields: Any
) -> LocalVersion:
    """Write `folder` (data/, manifest.json, README.md, rejected.jsonl) and return it; `fields` of the manifest."""
    (folder / "data").mkdir(parents=True)
    has_pictures = any(image["bytes"] is not None for row in rows for image in row["images"])
    names = sorted({name for row in rows for name in row.get("scores") or {}})
    writer = ShardWriter(folder, make_schema(names, embeds_images=has_pictures), 1000, embeds_images=has_pictures)
    for row in rows:
        writer.write(split, row)
    shards = writer.finish()
    accepted = dict(Counter(row["sample_type"] for row in rows))
    none = dict.fromkeys(accepted, 0)
    manifest = Manifest(
        format=FORMAT,
        version="",
        parent=None,
        created_at="2026-01-01T00:00:00+00:00",
        code={"instructgen": "0"},
        config={"seed": 0},
        prompts={},
        source=SourceFacts("coco", "a test", len(rows), {}),
        teacher=TeacherFacts("scene-program", "rules", {}, 0, 0, 0.0),
        counts=Counts(accepted, accepted, none, none, {}),
        splits={split: len(rows)} if rows else {},
        embeds_images=has_pictures,
        unpublished_sha256="",
        shards=tuple(shards),
        contents=writer.contents,
    )
    manifest = replace(manifest, **fields)
    manifest = replace(manifest, version=make_version(manifest))
    (folder / MANIFEST_NAME).write_bytes(encode_manifest(manifest))
    (folder / "README.md").write_text(make_card(manifest), encoding="utf-8")
    (folder / REJECTED_NAME).write_bytes(rejected)
    (folder / SUMS_NAME).write_bytes(make_sums(folder))
    return LocalVersion(folder)
