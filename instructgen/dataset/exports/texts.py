"""The Cauldron's form, as nanoVLM reads it: Parquet with `images` and `texts` (arXiv 2405.02246, section 4.3).

    data/train-00000-of-00002.parquet   images: pictures, texts: list of {user, assistant, source}, ...

`source` of a text is our row's. nanoVLM's VQADataset looks columns up by name, so that ours can stand beside them. It
takes its own image token out of every text, so that a row whose text has one is left out.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import (
    Exported,
    ExportSettings,
    LeftOutError,
    ReadPicture,
    Tally,
    check_written,
    find_splits,
    new_folder,
    read_split,
)
from instructgen.dataset.exports.conversations import KEPT_FIELDS, check_alternates, check_has_room, split_system
from instructgen.dataset.exports.pictures import find_pictures, make_safe_path
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stored import StoredVersion

if TYPE_CHECKING:
    import pyarrow as pa

_IMAGE_TOKEN = "<|image|>"  # noqa: S105 (nanoVLM's, models/config.py: vlm_extra_tokens)
_ROWS_PER_SHARD = 3000  # COCO's pictures have 160 KB, and Hugging Face cuts files at 500 MB


def write_texts(version: StoredVersion, out: Path, read_picture: ReadPicture, _settings: ExportSettings) -> Exported:
    """Write the rows of each split in the order of their types.

    Left out: documents of text and pictures between each other, system turns, and what is no alternation of user and
    assistant, for `texts` holds pairs.
    """
    tally = Tally()
    with new_folder(out) as folder:
        writer = ShardWriter(folder, _make_schema(), _ROWS_PER_SHARD, embeds_images=True)
        for split in find_splits(version):
            for row in read_split(version, split):
                with tally:
                    writer.write(split, _make_row(row, read_picture))
        writer.finish()
        return check_written(tally, out, version)


def _make_schema() -> "pa.Schema":
    import pyarrow as pa

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    text = pa.struct([("user", pa.string()), ("assistant", pa.string()), ("source", pa.string())])
    fields = [("images", pa.list_(picture)), ("texts", pa.list_(text)), ("sample_id", pa.string())]
    fields += [(name, pa.string()) for name in KEPT_FIELDS]
    features = {"images": {"feature": {"_type": "Image"}, "_type": "List"}}
    return pa.schema(fields).with_metadata({b"huggingface": msgspec.json.encode({"info": {"features": features}})})


def _make_row(row: Row, read_picture: ReadPicture) -> Row:
    check_has_room(row)
    system, turns = split_system(row["messages"])
    if system is not None:
        raise LeftOutError("system_turn")
    check_alternates(turns)
    if any(_IMAGE_TOKEN in turn["content"] for turn in turns):
        raise LeftOutError("placeholder_in_text")
    pairs = zip(turns[::2], turns[1::2], strict=True)
    return {
        "images": [
            {"bytes": picture, "path": make_safe_path(path, "image")}
            for path, picture in find_pictures(row, read_picture)
        ],
        "texts": [
            {"user": user["content"], "assistant": assistant["content"], "source": row.get("source")}
            for user, assistant in pairs
        ],
        "sample_id": row["sample_id"],
        **{name: row.get(name) for name in KEPT_FIELDS},
    }
