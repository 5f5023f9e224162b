"""Reads a few rows of a published version, for people."""

from typing import Any, TypedDict

from instructgen.dataset.lines import read_lines
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion, told

_COLUMNS = ["sample_id", "image_id", "sample_type", "messages", "images.list.element.path", "teacher", "model"]


class ShownRow(TypedDict):
    """A row without its picture."""

    sample_id: str
    image_id: str
    sample_type: str
    messages: list[dict[str, str]]
    image_path: str
    teacher: str
    model: str


def read_rows(version: StoredVersion, sample_type: str | None, image_id: str | None, num_rows: int) -> list[ShownRow]:
    """Return the first rows that match, spread over the shards so that every type shows itself.

    Raises InstructgenError for a shard that cannot be read.
    """
    by_shard = [_read_shard(version, shard, sample_type, image_id, num_rows) for shard in version.manifest.shards]
    longest = max((len(found) for found in by_shard), default=0)
    return [found[i] for i in range(longest) for found in by_shard if i < len(found)][:num_rows]


def read_rejected(
    version: StoredVersion, sample_type: str | None, image_id: str | None, num_lines: int
) -> list[dict[str, Any]]:
    """Return the first records of rejected.jsonl that match. Raises InstructgenError for a line that none is."""
    found: list[dict[str, Any]] = []
    for record in read_lines(version, REJECTED_NAME, dict[str, Any]):
        of_image, _, of_type = str(record.get("unit_id") or "").rpartition("/")
        if sample_type in (None, of_type) and image_id in (None, of_image):
            found.append(record)
        if len(found) == num_lines:
            break
    return found


def _read_shard(
    version: StoredVersion, shard: Shard, sample_type: str | None, image_id: str | None, num_rows: int
) -> list[ShownRow]:
    import pyarrow.parquet as pq

    found: list[ShownRow] = []
    with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=256, columns=_COLUMNS):
            found.extend(
                _shown(row)
                for row in batch.to_pylist()
                if sample_type in (None, row["sample_type"]) and image_id in (None, row["image_id"])
            )
            if len(found) >= num_rows:
                break
    return found


def _shown(row: dict[str, Any]) -> ShownRow:
    return ShownRow(
        sample_id=row["sample_id"],
        image_id=row["image_id"],
        sample_type=row["sample_type"],
        messages=row["messages"],
        image_path=row["images"][-1]["path"] if row["images"] else "",
        teacher=row["teacher"],
        model=row["model"],
    )
