"""LLaMA-Factory's dataset_info.json: which files there are, and what their keys and speakers are called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.dataset.imports.checks import RecordError, check_relative, reject
from instructgen.errors import InstructgenError
from instructgen.records import Rejected, Role

INFO_NAME = "dataset_info.json"
_TAGS: dict[str, Role] = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}


class InfoEntry(Struct, frozen=True):
    """One file of the folder; what it does not name is None."""

    file_name: str
    messages: str | None
    images: str | None
    system: str | None
    role: str
    content: str
    roles: dict[str, Role]


class _Written(Struct):
    file_name: str | None = None
    columns: dict[str, Any] = {}
    tags: dict[str, Any] = {}


def read_info(path: Path) -> Iterator[InfoEntry | Rejected]:
    """Yield the entries that name a file, each file once; raises InstructgenError if none is there.

    Entries that name a data set of a hub are passed over. A file that is not there, or is a folder, is rejected.
    """
    try:
        written = msgspec.json.decode(path.read_bytes(), type=dict[str, _Written])
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise InstructgenError(f"{path} cannot be read: {error}") from None
    seen: dict[str, bool] = {}  # file name -> whether it is there
    for name, entry in written.items():
        if entry.file_name is None or entry.file_name in seen:
            continue
        seen[entry.file_name] = _is_there(path, name, entry.file_name)
        if seen[entry.file_name]:
            yield _make_entry(entry, entry.file_name)
        else:
            yield reject(name, RecordError("not_a_file", entry.file_name))
    if not any(seen.values()):
        raise InstructgenError(f"{path} names no file that lies beside it")


def _is_there(path: Path, name: str, file_name: str) -> bool:
    try:
        check_relative(file_name)
    except RecordError:
        raise InstructgenError(f"{path}: '{name}' has its file outside of the folder, at {file_name}") from None
    return (path.parent / file_name).is_file()


def _make_entry(entry: _Written, file_name: str) -> InfoEntry:
    columns = {key: value for key, value in entry.columns.items() if isinstance(value, str)}
    tags = {key: value for key, value in entry.tags.items() if isinstance(value, str)}
    return InfoEntry(
        file_name,
        columns.get("messages"),
        columns.get("images"),
        columns.get("system"),
        tags.get("role_tag", "from"),
        tags.get("content_tag", "value"),
        {tags[tag]: role for tag, role in _TAGS.items() if tag in tags},
    )
