"""Documents of text with pictures between it, in the two forms that interleaved corpora have.

`interleaved` is MMC4's (arXiv 2304.06939), one document a line, which OpenFlamingo's converter takes:

    train.jsonl   {"text_list": [...], "image_info": [{"image_name", "matched_text_index", "matched_sim", ...}],
                   "similarity_matrix": [[...]], ...}
    images/       the pictures by their image_name

`obelics` is OBELICS's (arXiv 2306.16527), Parquet with `images` and `texts` side by side, null in one where the other
has something: data/train.parquet, and images/ with the pictures by the names in `images`.

A text is one turn, whoever says it. Beside what the forms know, roles and ids stand where their readers do not look.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from instructgen.dataset.batches import make_batches
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
from instructgen.dataset.exports.conversations import JsonForm, Record, make_fields, write_records
from instructgen.dataset.exports.pictures import PictureFolder
from instructgen.dataset.places import find_places
from instructgen.dataset.stored import StoredVersion

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ROWS_AT_ONCE = 500


def write_interleaved(
    version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings
) -> Exported:
    """Write every row as a document; one with a picture behind its last text is left out, for MMC4 has no such place.

    A picture is as similar as can be to the text that it stands before, and not at all to others. Of several
    pictures before one text OpenFlamingo keeps one, for it pairs each with a text of its own.
    """
    return write_records(version, out, read_picture, settings, JsonForm(".jsonl", _make_mmc4))


def write_obelics(version: StoredVersion, out: Path, read_picture: ReadPicture, settings: ExportSettings) -> Exported:
    """Write every row as a document."""
    tally = Tally()
    with new_folder(out) as folder:
        (folder / "data").mkdir()
        pictures = PictureFolder(folder, read_picture, settings)
        for split in find_splits(version):
            with _TableFile(folder / "data" / f"{split}.parquet") as file:
                for row in read_split(version, split):
                    with tally:
                        file.write(_make_obelics(row, pictures.place(row)))
        return check_written(tally, out, version)


class _TableFile:
    """A Parquet file of documents, written some hundred at a time; without a document, no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def write(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        import pyarrow.parquet as pq

        if not self._rows:
            return
        schema = _make_schema()
        self._writer = self._writer or pq.ParquetWriter(self._path, schema, compression="zstd")
        for batch in make_batches(self._rows, schema):
            self._writer.write_batch(batch)
        self._rows.clear()


def _make_schema() -> "pa.Schema":
    import pyarrow as pa

    texts = pa.list_(pa.string())
    return pa.schema(
        [("images", texts), ("metadata", pa.string()), ("general_metadata", pa.string()), ("texts", texts)]
    )


def _make_mmc4(row: Row, names: Sequence[str], _settings: ExportSettings) -> Record:
    texts = [turn["content"] for turn in row["messages"]]
    # Whoever pairs them anew takes them in the order of the list and the texts in theirs.
    listed = sorted(zip(find_places(row), names, strict=True), key=lambda one: one[0])
    if any(place >= len(texts) for place, _ in listed):
        raise LeftOutError("image_after_text")
    return {
        "text_list": texts,
        "image_info": [
            {
                "image_name": name,
                "raw_url": None,
                "matched_text_index": place,
                "matched_sim": 1.0,
                "face_detections": None,
            }
            for place, name in listed
        ],
        "similarity_matrix": [[float(number == place) for number in range(len(texts))] for place, _ in listed],
        "url": None,
        "could_have_url_duplicate": 0,
        **_make_ours(row),
    }


def _make_obelics(row: Row, names: Sequence[str]) -> Row:
    images: list[str | None] = []
    texts: list[str | None] = []
    places = find_places(row)
    for number, turn in enumerate([*row["messages"], None]):
        before = [name for name, place in zip(names, places, strict=True) if place == number]
        images += before
        texts += [None] * len(before)
        if turn is not None:
            images.append(None)
            texts.append(turn["content"])
    metadata = [None if name is None else {"src": name} for name in images]
    return {
        "images": images,
        "metadata": msgspec.json.encode(metadata).decode(),
        "general_metadata": msgspec.json.encode({"url": None, **_make_ours(row)}).decode(),
        "texts": texts,
    }


def _make_ours(row: Row) -> dict[str, Any]:
    """Return what the form has no room for; places that the row does not name are told from those that it does."""
    roles = [turn["role"] for turn in row["messages"]]
    has_image_at = row.get("image_at") is not None
    return {"sample_id": row["sample_id"], **make_fields(row), "roles": roles, "has_image_at": has_image_at}
