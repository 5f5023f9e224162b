"""ShareGPT's form with pictures: JSON lines of {"id", "conversations", "images"} (docs/exports.md).

Many trainers read it. Paths are relative to the folder; `<image>` marks the pictures in the first human turn.
"""

from collections.abc import Sequence
from pathlib import Path

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import Exported, ExportSettings, ReadPicture
from instructgen.dataset.exports.conversations import (
    JsonForm,
    Record,
    check_has_room,
    make_fields,
    place_images,
    write_records,
)
from instructgen.dataset.exports.llava import make_conversations
from instructgen.dataset.exports.pictures import make_places
from instructgen.dataset.stored import StoredVersion


def write_sharegpt(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings
) -> Exported:
    """Write `<split>.jsonl` and images/."""
    return write_records(version, out, read_picture, settings, JsonForm(".jsonl", _make_record))


def _make_record(row: Row, names: Sequence[str], settings: ExportSettings) -> Record:
    check_has_room(row)
    turns = place_images(row["messages"], len(names), row["sample_id"], settings.seed)
    return {
        "id": row["sample_id"],
        "conversations": make_conversations(turns),
        "images": make_places(names, settings),
        **make_fields(row),
    }
