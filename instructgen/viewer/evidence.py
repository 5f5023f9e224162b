"""Captions and boxes of a source's images, in a file of the user's cache: read from the annotations once."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from instructgen.records import ImageRecord
from instructgen.viewer.index import is_readable, writing_anew

if TYPE_CHECKING:
    import duckdb

_FORMAT = 1
_AT_ONCE = 5_000
_DECODER = msgspec.msgpack.Decoder(ImageRecord)


def find_evidence_file(folder: Path, identity: str, records: Iterable[ImageRecord]) -> Path:
    """Return the file for a source of this identity, which changes when its annotations do."""
    name = hashlib.sha256(f"{_FORMAT} {identity}".encode()).hexdigest()[:20]
    path = folder / f"annotations-{name}.duckdb"
    if not is_readable(path):
        with writing_anew(path) as new:
            _write(new, records)
    return path


def _write(path: Path, records: Iterable[ImageRecord]) -> None:
    import duckdb
    import pyarrow as pa

    schema = pa.schema([("image_id", pa.string()), ("record", pa.binary()), ("names", pa.list_(pa.string()))])
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("CREATE TABLE given (image_id VARCHAR, record BLOB, names VARCHAR[])")
        rows: list[dict[str, object]] = []

        def flush() -> None:
            connection.register("batch", pa.Table.from_pylist(rows, schema))
            connection.execute("INSERT INTO given SELECT * FROM batch")
            connection.unregister("batch")
            rows.clear()

        for record in records:
            names = sorted({box.category for box in record.boxes})
            rows.append({"image_id": record.image_id, "record": msgspec.msgpack.encode(record), "names": names})
            if len(rows) == _AT_ONCE:
                flush()
        flush()
        connection.execute("CREATE TABLE images AS SELECT image_id, record FROM given ORDER BY image_id")
        connection.execute("CREATE TABLE boxed AS SELECT unnest(names) AS name, image_id FROM given ORDER BY name")
        connection.execute("DROP TABLE given")


class Evidence:
    """Looks images up; without a file nothing is known of any."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection | None") -> None:
        self._connection = connection

    @property
    def is_there(self) -> bool:
        return self._connection is not None

    def find(self, image_id: str) -> ImageRecord | None:
        if self._connection is None:
            return None
        with self._connection.cursor() as cursor:
            found = cursor.execute("SELECT record FROM images WHERE image_id = ?", [image_id]).fetchone()
        return None if found is None else _DECODER.decode(found[0])
