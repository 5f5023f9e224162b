"""Tables of pairs as Parquet: LAION's, and what img2dataset and Hugging Face write."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.sources.pairs_rows import Pair, find_fields, make_pair, read_within

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 8_192


class ParquetFile:
    row_noun = "row"

    def __init__(self, path: Path, columns: ColumnsConfig) -> None:
        self.path = path
        self._columns = columns

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.path) as file:
                names = find_fields(self.path, file.schema_arrow.names, self._columns).names
                wanted = [name for name in names if name]
                row = 1
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(dict.fromkeys(wanted))):
                    columns = [_read(batch[name]) if name else [None] * batch.num_rows for name in names]
                    for values in zip(*columns, strict=True):
                        yield make_pair(row, values)
                        row += 1
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InstructgenError(f"{self.path} is no Parquet file that can be read: {error}") from None

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path.parent, file_name)


def _read(column: "pa.Array") -> list[object]:
    """Return the values; bytes that are no UTF-8 come as lone surrogates."""
    import pyarrow as pa

    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        texts = column.cast(pa.large_binary()).to_pylist()
        return [None if text is None else text.decode("utf-8", "surrogateescape") for text in texts]
