"""Rows of Parquet files that others wrote, one at a time and in bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructgen.dataset.imports.checks import find_files
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 16  # each may hold several pictures
_BUFFER_BYTES = 1 << 20  # without one a whole column chunk comes into memory, and with pre_buffer the whole file


def read_rows(
    path: Path, wanted: Sequence[str], others: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield the rows of a file or of a folder's files by their number, from 1; None for a text that is not UTF-8.

    Raises InstructgenError for a file that cannot be read or lacks a column of `wanted`; of `others` those that are
    there are read as well.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    for file_path in find_files(path, ".parquet"):
        try:
            with pq.ParquetFile(file_path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
                names = file.schema_arrow.names
                if missing := [name for name in wanted if name not in names]:
                    raise InstructgenError(f"{file_path} has no column '{missing[0]}'; it has: {', '.join(names)}")
                columns = [*wanted, *(name for name in others if name in names)]
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
                    for row in _rows(batch):
                        number += 1
                        yield number, row
        except (pa.ArrowException, OSError) as error:
            raise InstructgenError(f"{file_path} cannot be read: {error}; copy or download it again") from None


def _rows(batch: "pa.RecordBatch") -> Iterator[dict[str, Any] | None]:
    for index in range(batch.num_rows):
        try:
            yield batch.slice(index, 1).to_pylist()[0]
        except UnicodeDecodeError:
            yield None
