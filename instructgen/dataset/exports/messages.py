"""Hugging Face `messages` and `images` in Parquet, as `datasets.load_dataset(folder)` opens them (docs/exports.md).

The same files are TRL's conversational vision form: its SFTTrainer (checked against version 1.16) puts the pictures
before the text of the first user turn by itself.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.columns import Row, make_schema
from instructgen.dataset.exports.base import (
    Exported,
    ExportSettings,
    ReadPicture,
    Tally,
    check_written,
    find_splits,
    new_folder,
    read_split,
)
from instructgen.dataset.exports.conversations import KEPT_FIELDS, check_has_room, find_first_user
from instructgen.dataset.exports.pictures import check_path, find_pictures, make_safe_path
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stored import StoredVersion

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_SHARD = 5000  # with pictures of COCO's size under a gigabyte
_COLUMNS = ("sample_id", "messages", "images", *KEPT_FIELDS)


def write_messages(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings
) -> Exported:
    """Write data/<split>-00000-of-000NN.parquet with the pictures in it, or with their paths alone."""
    return _write(version, out, read_picture, settings, is_for_trl=False)


def write_trl(version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings) -> Exported:
    """Write what `write_messages` does without the rows that TRL stops at: pictures that no user shows."""
    return _write(version, out, read_picture, settings, is_for_trl=True)


def _write(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings, *, is_for_trl: bool
) -> Exported:
    tally = Tally()
    with new_folder(out) as folder:
        schema = _make_schema(embeds_images=settings.with_pictures)
        writer = ShardWriter(folder, schema, _ROWS_PER_SHARD, settings.with_pictures, is_mixed=True)
        for split in find_splits(version):
            for row in read_split(version, split):
                with tally:
                    check_has_room(row)
                    if is_for_trl and row["images"]:
                        find_first_user(row["messages"])
                    images = _make_images(row, read_picture, settings)
                    writer.write(split, {**{name: row.get(name) for name in _COLUMNS}, "images": images})
        writer.finish()
        return check_written(tally, out, version)


def _make_schema(*, embeds_images: bool) -> "pa.Schema":
    import pyarrow as pa

    schema = make_schema((), embeds_images=embeds_images)
    return pa.schema([schema.field(name) for name in _COLUMNS], metadata=schema.metadata)


def _make_images(row: Row, read_picture: ReadPicture, settings: ExportSettings) -> list[Row]:
    if not settings.with_pictures:
        return [{"bytes": None, "path": check_path(image["path"])} for image in row["images"]]
    found = find_pictures(row, read_picture)
    return [{"bytes": picture, "path": make_safe_path(path, "image")} for path, picture in found]
