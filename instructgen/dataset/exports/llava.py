"""LLaVA's training data: a JSON list of {"id", "image", "conversations"} (arXiv 2304.08485; docs/exports.md).

Its trainer joins "image" to --image_folder, here images/, and moves every `<image>` of every turn to that turn's
front, so that a text may not hold one.
"""

from collections.abc import Sequence
from pathlib import Path

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import Exported, ExportSettings, LeftOutError, ReadPicture
from instructgen.dataset.exports.conversations import (
    JsonForm,
    Record,
    Turns,
    check_alternates,
    check_has_room,
    make_fields,
    place_images,
    write_records,
)
from instructgen.dataset.stored import StoredVersion

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def write_llava(version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings) -> Exported:
    """Write `<split>.json` and images/."""
    return write_records(version, out, read_picture, settings, JsonForm(".json", _make_record))


def make_conversations(turns: Turns) -> list[dict[str, str]]:
    """Return the turns with ShareGPT's keys and speakers."""
    return [{"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in turns]


def _make_record(row: Row, names: Sequence[str], settings: ExportSettings) -> Record:
    """Return the record; a text alone has no "image", two pictures and more are a list, as LLaVA-NeXT reads them."""
    turns: Turns = row["messages"]
    check_has_room(row)
    if any(turn["role"] == "system" for turn in turns):  # the trainer knows two speakers, and has its own text
        raise LeftOutError("system_turn")
    check_alternates(turns)
    turns = place_images(turns, len(names), row["sample_id"], settings.seed)
    record: Record = {"id": row["sample_id"]}
    if names:
        record["image"] = names[0] if len(names) == 1 else list(names)
    return {**record, "conversations": make_conversations(turns), **make_fields(row)}
