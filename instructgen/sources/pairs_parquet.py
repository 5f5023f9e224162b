"""Tables of pairs as Parquet: LAION's, what img2dataset and Hugging Face write, and the index of `fetch images`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.config import ColumnsConfig
from instructgen.errors import InstructgenError
from instructgen.records import Fault
from instructgen.sources.pairs_rows import Pair, find_fields, make_bad, make_pair, read_key, read_within

if TYPE_CHECKING:
    import pyarrow as pa

INDEX_NAME = "index.parquet"
_ROWS_AT_ONCE = 8_192
_SHOWN_CHARS = 200
_INDEX_COLUMNS = frozenset(("key", "path", "status", "reason", "fetched_sha256"))


def find_index(folder: Path) -> Path | None:
    """Return the index of a folder that `fetch images` wrote, or None for another folder.

    Raises InstructgenError for one whose index is not written yet.
    """
    index, has_state = folder / INDEX_NAME, (folder / ".fetch").is_dir()
    if index.is_file():
        return index if has_state or (folder / "report.json").is_file() else None
    if has_state and (folder / "images").is_dir():
        raise InstructgenError(
            f"{folder} has no {INDEX_NAME} yet: `instructgen fetch images` writes it when it ends; run it again first"
        )
    return None


class ParquetFile:
    """Of the index of `fetch images`, rows whose picture did not come are bad ones."""

    row_noun = "row"

    def __init__(self, path: Path, columns: ColumnsConfig) -> None:
        self.path = path
        self._columns = columns

    def rows(self, *, with_pictures: bool) -> Iterator[Pair]:  # noqa: ARG002
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.path) as file:
                there = file.schema_arrow.names
                told = ("status", "reason") if _INDEX_COLUMNS.issubset(there) else ("", "")
                names = (*find_fields(self.path, there, self._columns).names, *told)
                wanted = [name for name in names if name]
                row = 1
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(dict.fromkeys(wanted))):
                    columns = [_read(batch[name]) if name else [None] * batch.num_rows for name in names]
                    for *values, status, reason in zip(*columns, strict=True):
                        is_missing = told[0] and status != "there"
                        yield _make_missing(row, values, status, reason) if is_missing else make_pair(row, values)
                        row += 1
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise InstructgenError(f"{self.path} is no Parquet file that can be read: {error}") from None

    def read_picture(self, file_name: str) -> bytes | None:
        return read_within(self.path.parent, file_name)


def _make_missing(row: int, values: list[object], status: object, reason: object) -> Pair:
    _, url, _, key, _, _ = values
    return make_bad(row, Fault("not_fetched", f"{status}, {reason}: {url}"[:_SHOWN_CHARS]), read_key(key))


def _read(column: "pa.Array") -> list[object]:
    """Return the values; bytes that are no UTF-8 come as lone surrogates."""
    import pyarrow as pa

    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        texts = column.cast(pa.large_binary()).to_pylist()
        return [None if text is None else text.decode("utf-8", "surrogateescape") for text in texts]
