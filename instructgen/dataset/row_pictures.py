"""Reads the pictures of a few rows, wherever the version lies."""

from collections.abc import Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypedDict

from instructgen.dataset.stored import StoredVersion, told

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class RowPicture(TypedDict):
    """`bytes` None: the row names its picture by the path alone."""

    bytes: bytes | None
    path: str


def read_row_pictures(version: StoredVersion, sample_ids: Collection[str]) -> dict[str, list[RowPicture]]:
    """Return the pictures of the samples, in each row's order; the sample's own is the last.

    Raises InstructgenError for a shard that cannot be read.
    """
    import pyarrow.parquet as pq

    found: dict[str, list[RowPicture]] = {}
    with ExitStack() as stack:
        files: list[tuple[str, pq.ParquetFile]] = []
        for shard in version.manifest.shards:
            with told(f"{version.place}: {shard.path}"):
                files.append((shard.path, pq.ParquetFile(stack.enter_context(version.open(shard.path)))))
        # What is shown is spread over the shards, from the front of each.
        for number in range(max((file.num_row_groups for _, file in files), default=0)):
            for path, file in files:
                if len(found) == len(sample_ids):
                    return found
                if number < file.num_row_groups:
                    with told(f"{version.place}: {path}"):
                        found.update(_read_group(file, number, sample_ids))
    return found


def _read_group(file: "pq.ParquetFile", number: int, sample_ids: Collection[str]) -> dict[str, list[RowPicture]]:
    ids = file.read_row_group(number, columns=["sample_id"]).column(0).to_pylist()
    rows = [row for row, sample_id in enumerate(ids) if sample_id in sample_ids]
    if not rows:
        return {}
    pictures = file.read_row_group(number, columns=["images"]).column(0)
    return {ids[row]: pictures[row].as_py() for row in rows}
