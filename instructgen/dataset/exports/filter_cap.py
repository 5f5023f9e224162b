"""MiniGPT-4's second-stage data: filter_cap.json and the pictures beside it (arXiv 2304.10592, section 3.2).

    filter_cap.json     {"annotations": [{"image_id": "000000000042", "caption": "..."}, ...]}
    image/000000000042.jpg

Its loader opens image/<image_id>.jpg by that name whatever the bytes are, so pictures are written as they are stored.
"""

import re
from pathlib import Path

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import (
    DEFAULT_SETTINGS,
    Exported,
    ExportSettings,
    LeftOutError,
    ReadPicture,
    Tally,
    check_written,
    new_folder,
)
from instructgen.dataset.exports.conversations import split_system
from instructgen.dataset.exports.pictures import find_pictures
from instructgen.dataset.stored import StoredVersion, read_rows
from instructgen.errors import InstructgenError

FILE_NAME = "filter_cap.json"
# Descriptions of a whole picture, the one that is written by who sees it first; only one type is written.
_TYPES = ("caption", "detail")
_COLUMNS = ["image_id", "sample_type", "messages", "images"]
_UNSAFE = re.compile(r"[^\w.-]+")


def write_filter_cap(
    version: StoredVersion, out: Path, read_picture: ReadPicture, _settings: ExportSettings = DEFAULT_SETTINGS
) -> Exported:
    """Write the version's descriptions to `out`, in the order of its shards; every image that is listed is there.

    What is no description of one picture in one answer, and what has no picture, is left out and counted.
    Raises InstructgenError for a version without descriptions, and where no picture at all is found.
    """
    sample_type = _choose_type(version)
    tally = Tally()
    listed: list[dict[str, str]] = []
    names = _Names()
    with new_folder(out) as folder:
        (folder / "image").mkdir()
        for row in read_rows(version, _COLUMNS):
            with tally:
                caption = _find_caption(row, sample_type)
                [(_, picture)] = find_pictures(row, read_picture)
                name = names.make(row["image_id"])
                (folder / "image" / f"{name}.jpg").write_bytes(picture)
                listed.append({"image_id": name, "caption": caption})
        exported = check_written(tally, out, version)
        (folder / FILE_NAME).write_bytes(msgspec.json.encode({"annotations": listed}) + b"\n")
    return exported


def _choose_type(version: StoredVersion) -> str:
    # Of the counts, as a shuffled mixture has rows of all types in each shard.
    found = {name for name, num in version.manifest.counts.accepted.items() if num}
    for sample_type in _TYPES:
        if sample_type in found:
            return sample_type
    raise InstructgenError(
        f"{version.place} has no sample of the types {' or '.join(_TYPES)}, and {FILE_NAME} holds nothing else"
    )


def _find_caption(row: Row, sample_type: str) -> str:
    """Return the description; the loader opens one picture for each, and has a question of its own."""
    if row["sample_type"] != sample_type:
        raise LeftOutError("other_type")
    if len(row["images"]) != 1:
        raise LeftOutError("several_images" if row["images"] else "image_missing")
    _, turns = split_system(row["messages"])
    if not turns or turns[-1]["role"] != "assistant":
        raise LeftOutError("no_answer")
    if [turn["role"] for turn in turns] not in (["assistant"], ["user", "assistant"]):
        raise LeftOutError("several_turns")
    caption: str = turns[-1]["content"]
    return caption


class _Names:
    """Names for pictures, each for one of this export: the last part of the image's id, if it can be."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._numbers: dict[str, int] = {}  # the last that was given to an id

    def make(self, image_id: str) -> str:
        short, whole = (_UNSAFE.sub("-", text).strip(".-") for text in (image_id.rpartition("/")[2], image_id))
        name = next((one for one in (short, whole) if one and one not in self._seen), "")
        number = self._numbers.get(whole, 1)
        while not name or name in self._seen:
            number += 1
            name = f"{whole or 'image'}-{number}"
        self._numbers[whole] = number
        self._seen.add(name)
        return name
