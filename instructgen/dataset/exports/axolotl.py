"""axolotl's multimodal chat messages: JSON lines of messages whose content is a list of parts (docs/exports.md).

Checked against version 0.19.0. A picture is a part of its own, {"type": "image", "path": ...}, before the text of the
first user turn; a column "images" beside it would make axolotl add the first picture again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import Exported, ExportSettings, ReadPicture
from instructgen.dataset.exports.conversations import (
    JsonForm,
    Record,
    check_has_room,
    find_first_user,
    make_fields,
    write_records,
)
from instructgen.dataset.exports.pictures import make_places
from instructgen.dataset.stored import StoredVersion

CONFIG_NAME = "axolotl.yaml"
_CONFIG = """\
# What axolotl needs to know of this data, to be put into the configuration of a run. Paths, also those of the
# pictures, are relative to this folder: start axolotl in it. base_model and chat_template are yours to choose.
processor_type: AutoProcessor
skip_prepare_dataset: true
remove_unused_columns: false
sample_packing: false
"""
_DATASET = """\
  - path: {path}
    ds_type: json
    type: chat_template
    field_messages: messages
"""
_TEST_SPLITS = ("val", "validation", "test")


def write_axolotl(version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings) -> Exported:
    """Write `<split>.jsonl`, images/ and axolotl.yaml."""
    return write_records(version, out, read_picture, settings, JsonForm(".jsonl", _make_record, _write_config))


def _make_record(row: Row, names: Sequence[str], settings: ExportSettings) -> Record:
    check_has_room(row)
    first = find_first_user(row["messages"]) if names else None
    messages = []
    for number, turn in enumerate(row["messages"]):
        shown = make_places(names, settings) if number == first else []
        parts = [{"type": "image", "path": place} for place in shown]
        messages.append({"role": turn["role"], "content": [*parts, {"type": "text", "text": turn["content"]}]})
    return {"id": row["sample_id"], "messages": messages, **make_fields(row)}


def _write_config(folder: Path, files: Mapping[str, str]) -> None:
    text = _CONFIG
    for key, is_test in (("datasets", False), ("test_datasets", True)):
        names = [name for split, name in files.items() if (split in _TEST_SPLITS) == is_test]
        if names:
            text += f"{key}:\n" + "".join(_DATASET.format(path=json.dumps(f"./{name}")) for name in names)
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
