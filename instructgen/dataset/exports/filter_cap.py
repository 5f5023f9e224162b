"""MiniGPT-4's second-stage data: filter_cap.json and the pictures beside it (arXiv 2304.10592, section 3.2).

    filter_cap.json     {"annotations": [{"image_id": "000000000042", "caption": "..."}, ...]}
    image/000000000042.jpg

Its loader opens image/<image_id>.jpg by that name whatever the bytes are, so pictures are written as they are stored.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import DEFAULT_SETTINGS, Exported, ExportSettings, ReadPicture, new_folder
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

    A row whose picture is neither in the row nor found is left out, and counted, and so is one of several pictures.
    Raises InstructgenError for a version without descriptions, and where no picture at all is found.
    """
    sample_type = _choose_type(version)
    left_out: Counter[str] = Counter()
    listed: list[dict[str, str]] = []
    seen: set[str] = set()
    with new_folder(out) as folder:
        (folder / "image").mkdir()
        for row in _read_rows(version, sample_type):
            if len(row["images"]) != 1:  # the loader opens one picture for each caption
                left_out["several_images"] += 1
                continue
            picture = row["images"][0]["bytes"] or read_picture(row["image_id"], row["images"][0]["path"])
            if picture is None:
                left_out["image_missing"] += 1
                continue
            name = _make_name(row["image_id"], seen)
            (folder / "image" / f"{name}.jpg").write_bytes(picture)
            listed.append({"image_id": name, "caption": row["messages"][-1]["content"]})
        if not listed:
            raise InstructgenError(
                f"none of the {left_out.total()} pictures was found, and rows name them by path alone; "
                "--images FOLDER says where they are"
            )
        (folder / FILE_NAME).write_bytes(msgspec.json.encode({"annotations": listed}) + b"\n")
    return Exported(out, len(listed), dict(left_out))


def _choose_type(version: StoredVersion) -> str:
    found = {shard.sample_type for shard in version.manifest.shards}
    for sample_type in _TYPES:
        if sample_type in found:
            return sample_type
    raise InstructgenError(
        f"{version.place} has no sample of the types {' or '.join(_TYPES)}, and {FILE_NAME} holds nothing else"
    )


def _read_rows(version: StoredVersion, sample_type: str) -> Iterator[Row]:
    for row in read_rows(version, _COLUMNS):
        if row["sample_type"] == sample_type:
            yield row


def _make_name(image_id: str, seen: set[str]) -> str:
    """Return a name for the picture that no other one of this export has: the last part of its id, if it can be."""
    short, whole = (_UNSAFE.sub("-", text).strip(".-") for text in (image_id.rpartition("/")[2], image_id))
    name = next((one for one in (short, whole) if one and one not in seen), "")
    number = 2
    while not name or name in seen:
        name = f"{whole or 'image'}-{number}"
        number += 1
    seen.add(name)
    return name
