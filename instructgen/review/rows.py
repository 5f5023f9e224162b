"""Finds the rows of a version, and reads one of them with its picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import told
from instructgen.errors import InstructgenError
from instructgen.review.order import Place, find_doubt

if TYPE_CHECKING:
    import pyarrow as pa

REVIEW_COLUMN = "review"
_INDEX_COLUMNS = ("sample_id", "image_id", "sample_type", "scores", REVIEW_COLUMN)
_BATCH_ROWS = 4096


def read_places(version: Path, manifest: Manifest) -> list[Place]:
    """Return every row of a version, in its order; pictures and texts are not read."""
    import pyarrow.parquet as pq

    places: list[Place] = []
    for number, shard in enumerate(manifest.shards):
        path = version / shard.path
        with told(str(path)):
            file = pq.ParquetFile(path)
            columns = [name for name in _INDEX_COLUMNS if name in file.schema_arrow.names]
            rows = (
                row
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns)
                for row in batch.to_pylist()
            )
            places.extend(
                Place(
                    sample_id=row["sample_id"],
                    image_id=row["image_id"],
                    sample_type=row["sample_type"],
                    shard=number,
                    row=i,
                    doubt=find_doubt(row.get("scores")),
                    review=row.get(REVIEW_COLUMN),
                )
                for i, row in enumerate(rows)
            )
    return places


class RowReader:
    """Reads single rows; what surrounds the last one stays in memory (a row group)."""

    def __init__(self, version: Path, manifest: Manifest) -> None:
        self._paths = [version / shard.path for shard in manifest.shards]
        self._at: tuple[int, int] | None = None
        self._group: pa.Table | None = None

    def read(self, place: Place) -> Row:
        group, row = self._find_group(place)
        if self._at != (place.shard, group) or self._group is None:
            import pyarrow.parquet as pq

            with told(str(self._paths[place.shard])):
                self._group = pq.ParquetFile(self._paths[place.shard]).read_row_group(group)
            self._at = (place.shard, group)
        found: Sequence[Row] = self._group.slice(row, 1).to_pylist()
        return found[0]

    def _find_group(self, place: Place) -> tuple[int, int]:
        import pyarrow.parquet as pq

        row = place.row
        with told(str(self._paths[place.shard])):
            metadata = pq.read_metadata(self._paths[place.shard])
        for group in range(metadata.num_row_groups):
            size = metadata.row_group(group).num_rows
            if row < size:
                return group, row
            row -= size
        raise InstructgenError(f"{self._paths[place.shard]} has no row {place.row}; copy the version again")
