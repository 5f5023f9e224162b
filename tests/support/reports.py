"""A small dataset to report on: hostile texts, contradicted claims, rejections, a run and a version before it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Counts
from instructgen.records import ImageRecord
from tests.support.make import make_record
from tests.support.versions import make_row_of, write_version

HOSTILE = "<script>document.title = 'stolen'</script><img src=x onerror=\"document.title='stolen'\">"
TALK = (
    ("What lies on the grass?", "A brown dog lies beside a red ball."),
    ("Is there a cat?", "Yes, there is a cat on the left."),
    ("What is it worth?", "The old bench may be worth a lot."),
)
NUM_ROWS = 8


class Annotations:
    """A source of the rows' own images."""

    name = "coco"
    title = "annotations of a test"
    split = None
    num_images = NUM_ROWS

    def records(self) -> Iterator[ImageRecord]:
        for number in range(1, NUM_ROWS + 1):
            yield make_record(number)

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        return None


def make_picture(width_px: int = 640, height_px: int = 480) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width_px, height_px), (90, 140, 90)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_rows(picture: bytes | None = None) -> list[Row]:
    rows = [make_row_of(number, pairs=TALK[: number % 3 + 1], picture=picture) for number in range(1, NUM_ROWS)]
    hostile = make_row_of(NUM_ROWS, pairs=[(HOSTILE, f"A brown dog. {HOSTILE}")], picture=picture)
    rows = [*rows, hostile]
    for place, row in enumerate(rows):
        row["scores"] = {"grounding": place / 10}
    return rows


def make_measures(contradicted: float) -> dict[str, Any]:
    total = {"samples": NUM_ROWS, "contradicted_claims": contradicted, "kept_share": 0.8, "yes_share": None}
    kinds = {"object": {"supported": 9, "contradicted": 4, "unverifiable": 1}}
    return {"total": {**total, "claims_by_kind": kinds}, "types": {"conv": total}}


REJECTED = (
    {"unit_id": "coco/1/conv", "outcome": "failed", "stage": "teacher", "reason": "timeout", "detail": "30 s"},
    {"unit_id": "coco/2/conv", "outcome": "rejected", "stage": "parse", "reason": "no_question", "text": HOSTILE},
    {"unit_id": "coco/3/conv", "outcome": "rejected", "stage": "filter", "reason": "too_short", "text": "Yes."},
)


def make_dataset(out: Path, picture: bytes | None = None, *, with_run: bool = True) -> Path:
    """Write a dataset's folder with a version before and a version, and return the later one's folder."""
    parent = _put(out, make_rows(picture)[:4], metrics=make_measures(0.5))
    counts = Counts(
        planned={"conv": NUM_ROWS + 3},
        accepted={"conv": NUM_ROWS},
        rejected={"conv": 2},
        failed={"conv": 1},
        reasons={"conv": {"no_question": 1, "timeout": 1, "too_short": 1}},
    )
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in REJECTED)
    folder = _put(
        out,
        make_rows(picture),
        rejected=lines,
        counts=counts,
        parent=parent.name,
        metrics=make_measures(0.25),
        prompts={"conv": "ab" * 32},
    )
    if with_run:
        write_run(out, folder.name)
    return folder


def _put(out: Path, rows: list[Row], **fields: Any) -> Path:
    staging = out / "staging"
    written = write_version(staging, rows, **fields)
    folder = out / "versions" / written.manifest.version
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(folder)
    return folder


def write_run(out: Path, version: str, root: Path | None = None) -> None:
    stats = {"seconds": 61.0, "requests": 12, "answered": 11, "failed_attempts": {"timeout": 1}}
    bounds = {"total": {"contradicted_claims": {"min": None, "max": 0.1}}, "types": {}}
    run = {
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:01:01Z",
        "exit": "done",
        "message": f"published version {version}",
        "versions": {},
        "settings": {"gates": bounds, "source": {"root": None if root is None else str(root)}},
        "stats": stats,
        "log": {},
    }
    (out / "run").mkdir(parents=True, exist_ok=True)
    (out / "run" / "run.json").write_text(json.dumps(run), encoding="utf-8")
    events = ("run_began", "attempt_failed", "run_began", "paused", "run_ended")
    lines = "".join(json.dumps({"event": event}) + "\n" for event in events)
    (out / "run" / "log.jsonl").write_text(lines + '{"event": "cut o', encoding="utf-8")
