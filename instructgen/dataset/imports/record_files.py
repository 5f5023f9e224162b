"""The records of files in any of the layouts that trainers read: a JSON list, JSON lines, Parquet."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from instructgen.dataset.imports.checks import RecordError, check_read_whole, find_json_files, read_lines, shown
from instructgen.dataset.imports.json_pieces import read_list
from instructgen.dataset.imports.parquet import read_rows
from instructgen.dataset.imports.read import find_data
from instructgen.errors import InstructgenError

_SUFFIXES = (".parquet", ".json", ".jsonl")

# A record, or why there is none in its place.
Found = dict[str, Any] | RecordError


def find_record_files(path: Path) -> list[Path]:
    """Return the file itself, or those of a folder: its Parquet files at any depth, else its JSON files.

    Raises InstructgenError for a folder without any, with both, or with JSON in it and below it.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.parquet"))
    written = find_json_files(path)
    if not found:
        found = [file for file in written if file.parent == path]
    if not found:
        below = f"; there is {written[0].relative_to(path)} below it: name its folder" if written else ""
        raise InstructgenError(f"{path} has no file that ends in {', '.join(_SUFFIXES)}{below}")
    check_read_whole(path, found, written)
    return found


def read_records(path: Path, max_bytes: int, columns: Iterable[str]) -> Iterator[Found]:
    """Yield the records of a file in bounded memory; of Parquet the `columns` that are there.

    Raises InstructgenError for a file that cannot be read, and for a JSON list with one value over 64 MB.
    """
    layout = find_data(path).layout
    if layout == "Parquet":
        for _, row in read_rows(path, (), tuple(columns)):
            yield RecordError("broken_text", "a text is not UTF-8") if row is None else row
        return
    try:
        pieces = read_list(path) if layout == "JSON list" else read_lines(path, max_bytes)
        for _, text in pieces:
            yield _decode(text, max_bytes)
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error.strerror or error}") from error


def _decode(text: bytes | None, max_bytes: int) -> Found:
    if text is None or len(text) > max_bytes:
        return RecordError("record_too_large", f"more than {max_bytes} bytes")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return RecordError("not_json", f"{error}: {shown(text.decode('utf-8', 'replace'))}")
    return value if isinstance(value, dict) else RecordError("not_an_object", shown(value))
