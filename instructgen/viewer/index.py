"""What of a version is looked up: a DuckDB file in the user's cache, made from the rows once.

Texts and pictures stay in the version: the index holds, for every row and every rejected unit, what lists are
filtered and sorted by, and in which rows each word stands. It never lies in the version's folder.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from instructgen.dataset.lines import read_lines
from instructgen.dataset.manifest import encode_manifest
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.stored import StoredVersion, told
from instructgen.errors import InstructgenError
from instructgen.review.order import DOUBT_SCORES
from instructgen.viewer.words import WordTable

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

_FORMAT = 2  # of the file; another one is made anew
_BATCH_ROWS = 8192
_KEPT_FILES = 8  # of the cache; a version of 158,000 rows takes some 70 MB
_PATH_LEAF = "images.list.element.path"
_WANTED = ("sample_id", "image_id", "sample_type", "messages", "scores", "review", "cost_usd", "model")
_TEXTS = ("sample_id", "image_id", "sample_type", "review", "model")
# What is told of how far the making is: rows done, of how many.
Tell = Callable[[int, int], None]


def require_packages() -> None:
    """Raise InstructgenError where what the viewer needs is not installed."""
    for name in ("duckdb", "starlette", "uvicorn"):
        try:
            __import__(name)
        except ImportError:
            raise InstructgenError(f"the viewer needs {name}: pip install 'instructgen[view]'") from None


def cache_folder() -> Path:
    """Return where indexes are kept: the user's cache, or a temporary folder where that cannot be written."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    folder = (Path(cache) if cache else Path.home() / ".cache") / "instructgen" / "view"
    for one in (folder, Path(gettempdir()) / f"instructgen-view-{os.getpid()}"):
        with suppress(OSError):
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.access(one, os.W_OK):
                return one
    raise InstructgenError(f"{folder} cannot be written; let XDG_CACHE_HOME name a folder that can")


def find_index(version: StoredVersion, folder: Path, tell: Tell) -> Path:
    """Return the version's index, made where it is not there yet."""
    path = folder / f"{version.manifest.version}-{_name(version)}.duckdb"
    if not is_readable(path):
        with writing_anew(path) as new:
            make_index(version, new, tell)
    with suppress(OSError):
        path.touch()
        _clear(folder, path)
    return path


def is_readable(path: Path) -> bool:
    """Return whether a file of the cache is there and whole, as far as opening it tells."""
    import duckdb

    if not path.is_file():
        return False
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SHOW TABLES")
    except duckdb.Error:
        return False
    return True


@contextmanager
def writing_anew(path: Path) -> Iterator[Path]:
    """Give the name that a file of the cache is written under; it has its own once it is whole.

    Raises InstructgenError where it cannot be written.
    """
    import duckdb

    new = path.with_suffix(f".{os.getpid()}.new")
    new.unlink(missing_ok=True)
    try:
        yield new
        new.replace(path)
    except (OSError, duckdb.Error) as error:
        raise InstructgenError(
            f"{path.parent}: what is looked up cannot be written: {error}; free space there, or let XDG_CACHE_HOME "
            "name another folder"
        ) from None
    finally:
        for left in (new, Path(f"{new}.wal")):
            left.unlink(missing_ok=True)


def make_index(version: StoredVersion, path: Path, tell: Tell) -> None:
    """Write the index; rows go into the file as they are read, so that their texts are never all in memory."""
    import duckdb
    import pyarrow as pa

    words = WordTable()
    scores = _find_scores(version)
    lines: list[pa.Table] = []
    troubles: list[InstructgenError] = []

    def read() -> Iterator[pa.RecordBatch]:
        num_rows = 0
        try:
            for table in _read_rows(version, words, scores, tell):
                num_rows += table.num_rows
                yield from table.to_batches()
            rejected, of_rejected = _read_rejected(version, words, len(scores), num_rows)
            lines.append(of_rejected)
            for table in rejected:
                yield from table.to_batches()
        except InstructgenError as error:  # Arrow would make another of it
            troubles.append(error)
            raise

    with duckdb.connect(str(path)) as connection:
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
        try:
            _store(connection, "rows", pa.RecordBatchReader.from_batches(_make_schema(len(scores)), read()))
        except duckdb.Error:
            if troubles:
                raise troubles[0] from None
            raise
        _store(connection, "words", words.words_table())
        _store(connection, "objects", words.objects_table())
        _store(connection, "rejected", lines[0])
        num_rows = sum(shard.num_rows for shard in version.manifest.shards)
        _store(connection, "facts", pa.table({"fact": [json.dumps({"scores": scores, "num_rows": num_rows})]}))


def _store(connection: "duckdb.DuckDBPyConnection", name: str, table: "pa.Table | pa.RecordBatchReader") -> None:
    connection.register("given", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")  # noqa: S608  the names are ours
    connection.unregister("given")


def _name(version: StoredVersion) -> str:
    """Return a digest of what the index follows from."""
    digest = hashlib.sha256(b"%d" % _FORMAT + encode_manifest(version.manifest))
    with suppress(FileNotFoundError, OSError), version.open(REJECTED_NAME) as file:
        digest.update(b"%d" % file.seek(0, os.SEEK_END))
    return digest.hexdigest()[:16]


def _clear(folder: Path, path: Path) -> None:
    files = sorted(folder.glob("*.duckdb"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[_KEPT_FILES:]:
        if file != path:
            file.unlink(missing_ok=True)


def _make_schema(num_scores: int) -> "pa.Schema":
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int32(), pa.float64()
    fields = [("pos", whole), ("outcome", text), *((name, text) for name in _TEXTS), ("split", text)]
    fields += [("stage", text), ("reason", text), ("doubt", number), ("num_words", whole), ("num_turns", whole)]
    fields += [("cost_usd", number), *((f"s{place}", number) for place in range(num_scores)), ("text", text)]
    return pa.schema(fields)


def _find_scores(version: StoredVersion) -> list[str]:
    """Return the names of all filters that scored a row, in their order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names: dict[str, None] = {}
    for shard in version.manifest.shards:
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
            schema = pq.read_schema(file)
        place = schema.get_field_index("scores")
        if place >= 0 and pa.types.is_struct(schema.field(place).type):
            kind = schema.field(place).type
            names |= dict.fromkeys(kind.field(number).name for number in range(kind.num_fields))
    return list(names)


def _read_rows(version: StoredVersion, words: WordTable, scores: list[str], tell: Tell) -> "Iterator[pa.Table]":
    import pyarrow.parquet as pq

    first, total = 0, sum(shard.num_rows for shard in version.manifest.shards)
    for shard in version.manifest.shards:
        with told(f"{version.place}: {shard.path}"), version.open(shard.path) as file:
            parquet = pq.ParquetFile(file)
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=_find_columns(parquet)):
                if batch.num_rows:
                    yield _read_batch(batch, words, scores, (first, shard.split))
                first += batch.num_rows
                tell(first, total)


def _find_columns(parquet: "pq.ParquetFile") -> list[str]:
    return [name for name in parquet.schema_arrow.names if name in _WANTED]


def _read_batch(batch: "pa.RecordBatch", words: WordTable, scores: list[str], where: tuple[int, str]) -> "pa.Table":
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    first, split = where
    num = batch.num_rows
    columns: dict[str, pa.Array] = {"pos": pa.array(np.arange(first, first + num), pa.int32())}
    columns["outcome"] = pa.array(["accepted"] * num)
    for name in _TEXTS:
        columns[name] = _text_column(batch, name)
    columns |= {"split": pa.array([split] * num), "stage": pa.array([""] * num), "reason": pa.array([""] * num)}
    known = {name: _score_column(batch, name) for name in scores}
    doubts = [pc.fill_null(known[name], 0.0).to_numpy(zero_copy_only=False) for name in DOUBT_SCORES if name in known]
    doubt = np.clip(np.maximum.reduce(doubts), 0.0, 1.0) if doubts else np.zeros(num)
    messages = batch.column("messages")
    turns = messages.flatten()
    row_of = np.repeat(np.arange(num), pc.fill_null(messages.value_lengths(), 0).to_numpy(zero_copy_only=False))
    roles, texts = pc.struct_field(turns, "role"), pc.struct_field(turns, "content")
    is_answer = pc.fill_null(pc.equal(roles, "assistant"), fill_value=False).to_numpy(zero_copy_only=False)
    is_spoken = pc.fill_null(pc.not_equal(roles, "system"), fill_value=True).to_numpy(zero_copy_only=False)
    num_words = np.bincount(row_of[is_answer], _count_words(texts.filter(pa.array(is_answer))), num)
    text = words.add(texts.filter(pa.array(is_spoken)), row_of[is_spoken], first, num)
    cost = batch.column("cost_usd").cast(pa.float64()) if "cost_usd" in batch.schema.names else _nulls(num)
    columns |= {
        "doubt": pa.array(doubt),
        "num_words": pa.array(num_words.astype(np.int32)),
        "num_turns": pa.array(np.bincount(row_of[is_answer], minlength=num).astype(np.int32)),
        "cost_usd": cost,
        **{f"s{place}": known[name] for place, name in enumerate(scores)},
        "text": text,
    }
    return pa.table(columns).cast(_make_schema(len(scores)))


def _text_column(batch: "pa.RecordBatch", name: str) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in batch.schema.names:
        return pa.array([""] * batch.num_rows)
    return pc.fill_null(batch.column(name).cast(pa.string()), "")


def _score_column(batch: "pa.RecordBatch", name: str) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    scores = batch.column("scores") if "scores" in batch.schema.names else None
    if scores is None or scores.type.get_field_index(name) < 0:
        return _nulls(batch.num_rows)
    return pc.struct_field(scores, name).cast(pa.float64())


def _nulls(num: int) -> "pa.Array":
    import pyarrow as pa

    return pa.nulls(num, pa.float64())


def _count_words(texts: "pa.Array") -> "NDArray[np.int64]":
    """Return how many words each text has, parted by white space, as the card counts them."""
    import numpy as np
    import pyarrow.compute as pc

    counts = pc.count_substring_regex(pc.fill_null(texts, ""), r"\S+")
    found: NDArray[np.int64] = counts.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _read_rejected(
    version: StoredVersion, words: WordTable, num_scores: int, first: int
) -> "tuple[list[pa.Table], pa.Table]":
    """Return the units that were not published as rows of the index, and their lines as they are."""
    import numpy as np
    import pyarrow as pa

    found = list(read_lines(version, REJECTED_NAME, dict[str, Any]))
    if not found:
        return [], pa.table({"pos": pa.array([], pa.int32()), "line": pa.array([], pa.string())})
    lines = [json.dumps(record, ensure_ascii=False) for record in found]
    texts = pa.array([f"{record.get('text') or ''}" for record in found], pa.string())
    pos = list(range(first, first + len(found)))
    text = words.add(texts, np.arange(len(found)), first, len(found))
    values = {name: [str(record.get(name) or "") for record in found] for name in (*_TEXTS, "stage", "reason")}
    values["sample_id"] = [str(record.get("unit_id") or record.get("record_id") or "") for record in found]
    outcomes = ["failed" if record.get("outcome") == "failed" else "rejected" for record in found]
    columns = {"pos": pa.array(pos, pa.int32()), "outcome": pa.array(outcomes)}
    columns |= {name: pa.array(of_all) for name, of_all in values.items()}
    columns |= {"split": pa.array([""] * len(found)), "doubt": pa.array([0.0] * len(found))}
    columns |= {"num_words": pa.array(_count_words(texts)), "num_turns": pa.array([0] * len(found))}
    columns |= {"cost_usd": _nulls(len(found)), **{f"s{place}": _nulls(len(found)) for place in range(num_scores)}}
    columns["text"] = text
    schema = _make_schema(num_scores)
    table = pa.table({name: columns[name] for name in schema.names}).cast(schema)
    return [table], pa.table({"pos": pa.array(pos, pa.int32()), "line": pa.array(lines, pa.string())})
