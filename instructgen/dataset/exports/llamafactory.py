"""LLaMA-Factory's data folder: dataset_info.json and a ShareGPT file for each split (docs/exports.md).

Checked against version 0.9.5: its plugins count `<image>`, `<video>` and `<audio>` in all turns and stop where they
are not as many as the pictures; a conversation that does not take turns it skips with a warning.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import Exported, ExportSettings, ReadPicture, find_splits
from instructgen.dataset.exports.conversations import (
    PLACEHOLDER,
    JsonForm,
    Record,
    check_alternates,
    check_has_room,
    make_fields,
    place_images,
    split_system,
    write_records,
)
from instructgen.dataset.exports.llava import SPEAKERS, make_conversations
from instructgen.dataset.exports.pictures import make_places
from instructgen.dataset.stored import StoredVersion
from instructgen.errors import InstructgenError

INFO_NAME = "dataset_info.json"
_RESERVED = (PLACEHOLDER, "<video>", "<audio>")


def write_llamafactory(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings
) -> Exported:
    """Write dataset_info.json, `<split>.json` and images/; paths are relative to the folder, its media_dir."""
    for split in find_splits(version):
        if f"{split}.json".casefold() == INFO_NAME:
            raise InstructgenError(f"{version.place} has a split '{split}', and {INFO_NAME} is a file of this form")
    return write_records(version, out, read_picture, settings, JsonForm(".json", _make_record, _write_info))


def _make_record(row: Row, names: Sequence[str], settings: ExportSettings) -> Record:
    check_has_room(row)
    system, turns = split_system(row["messages"])
    check_alternates(turns)
    turns = place_images(turns, len(names), row["sample_id"], settings.seed, _RESERVED)
    if system is not None:
        turns = [{"role": "system", "content": system}, *turns]
    return {
        "id": row["sample_id"],
        "conversations": make_conversations(turns),
        "images": make_places(names, settings),
        **make_fields(row),
    }


def _write_info(folder: Path, files: Mapping[str, str]) -> None:
    info = {
        split: {
            "file_name": name,
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "images"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": SPEAKERS["user"],
                "assistant_tag": SPEAKERS["assistant"],
                "system_tag": SPEAKERS["system"],
            },
        }
        for split, name in files.items()
    }
    (folder / INFO_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")
