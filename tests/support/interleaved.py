"""Versions whose rows say where their pictures stand."""

from collections.abc import Sequence
from pathlib import Path

from instructgen.dataset.columns import Row
from instructgen.dataset.stored import LocalVersion
from tests.support.exports import make_picture, make_row
from tests.support.versions import write_version


def make_document(number: int, texts: Sequence[str], places: Sequence[int], *, role: str = "assistant") -> Row:
    """Return the row of a document with a picture before each of the texts in `places`."""
    pictures = {f"{number}-{place}.jpg": make_picture(10 * number + place) for place in range(len(places))}
    row = make_row(number, pictures=pictures)
    messages = [{"role": role, "content": text} for text in texts]
    return {**row, "sample_type": "interleaved", "messages": messages, "image_at": list(places)}


def write_documents(folder: Path, rows: Sequence[Row]) -> LocalVersion:
    """Write a version that has the column `image_at`, null in rows without."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    version = write_version(folder, rows)
    places = {row["sample_id"]: row.get("image_at") for row in rows}
    for shard in version.manifest.shards:
        table = pq.read_table(folder / shard.path, partitioning=None)
        if "image_at" not in table.column_names:
            found = [places[sample_id] for sample_id in table["sample_id"].to_pylist()]
            table = table.append_column("image_at", pa.array(found, pa.list_(pa.int64())))
            pq.write_table(table, folder / shard.path)
    return version
