"""Opens data by what it holds, not by its name: a JSON list, JSON lines, Parquet, or a dataset that we built."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.json_pieces import Piece, is_list, read_lines, read_list
from instructgen.dataset.imports.parse import FORMS
from instructgen.dataset.publish import find_version
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_PARQUET_MAGIC = b"PAR1"
# What is not text, by its first bytes.
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_ROWS_AT_ONCE = 256
_BUFFER_BYTES = 1 << 20  # without one a whole column chunk comes into memory
_PIXELS = "bytes"  # Hugging Face's Image: what is not read
_UNIT: dict[str, str] = {"JSON list": "record", "JSON lines": "line", "Parquet": "row"}

Layout = Literal["JSON list", "JSON lines", "Parquet"]


class DataFiles(Struct, frozen=True):
    """The files of one body of data, in order."""

    layout: Layout
    paths: tuple[Path, ...]

    @property
    def unit(self) -> str:
        """What a piece's number counts."""
        return _UNIT[self.layout]

    def pieces(self) -> Iterator[Piece]:
        """Yield every record as JSON, in bounded memory; InstructgenError where a file cannot be read."""
        path = self.paths[0]
        try:
            if self.layout == "Parquet":
                yield from _read_parquet(self.paths)
            else:
                yield from (read_list if self.layout == "JSON list" else read_lines)(path)
        except OSError as error:
            raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def find_data(path: Path) -> DataFiles:
    """Return the files that a path means; raises InstructgenError for what is no data or is packed."""
    if path.is_dir():
        return DataFiles("Parquet", _find_shards(path))
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == _PARQUET_MAGIC:
            return DataFiles("Parquet", (path,))
        for magic, name in _PACKED.items():
            if start.startswith(magic):
                raise InstructgenError(f"{path} is packed ({name}); unpack it first")
        if not start:
            raise InstructgenError(f"{path} is empty; what can be read: {FORMS}")
        return DataFiles("JSON list" if is_list(path) else "JSON lines", (path,))
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def _find_shards(folder: Path) -> tuple[Path, ...]:
    """Return the shards of a dataset's latest version, of a version, or of any folder that holds Parquet."""
    shards = tuple(sorted(folder.rglob("*.parquet")))
    if (folder / "versions").is_dir() or not shards:
        shards = tuple(sorted((find_version(folder) / "data").glob("*.parquet")))
    if not shards:
        raise InstructgenError(f"{folder} has no row; give a dataset with rows, or a file")
    return shards


def _read_parquet(paths: tuple[Path, ...]) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    for path in paths:
        try:
            with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES) as file:
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=_text_columns(file)):
                    for row in batch.to_pylist():
                        number += 1
                        yield Piece(number, _to_json(row))
        except pa.ArrowException as error:
            raise InstructgenError(f"{path} cannot be read: {error}; copy or download it again") from None


def _text_columns(file: "pq.ParquetFile") -> list[str]:
    """Return all leaves but encoded pictures, which would be most of the file."""
    schema = file.schema
    paths = [schema.column(index).path for index in range(len(schema))]
    return [path for path in paths if path.rpartition(".")[2] != _PIXELS]


def _to_json(row: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(row, enc_hook=str)
    except UnicodeEncodeError:  # the parser names it
        import json

        return json.dumps(row, default=str).encode()
