"""Reads OpenAI's chat fine-tuning files: JSON lines of `messages`, with pictures in the text as data.

What an export of ours wrote beside a file (`train.ids.jsonl` for `train.jsonl`) gives the samples their names again;
other lines get one of their picture and their number, and the type `single_turn` or `multi_turn`. A message that
holds nothing but pictures belongs to the user's message before or after it, but in files of ours. Nothing is fetched:
a picture at an address is not taken.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from instructgen.dataset.imports.base import Imported, ImportedImage, ImportSettings
from instructgen.dataset.imports.checks import (
    RecordError,
    check_answered,
    check_image,
    find_files,
    make_image_id,
    make_turn,
    name_sample,
    read_lines,
    reject,
    shown,
    with_unique_ids,
)
from instructgen.dataset.imports.parse import find_type
from instructgen.errors import InstructgenError
from instructgen.records import Message, Rejected

_IDS_SUFFIX = ".ids.jsonl"
_DATA = re.compile(r"data:image/[\w.+-]+;base64,")
_MAX_IDS_BYTES = 1 << 20


def read_openai(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    """Yield the lines of a file, or of the folder's .jsonl files, without those of ids."""
    return with_unique_ids(_read_files(path, settings))


def _read_files(path: Path, settings: ImportSettings) -> Iterator[Imported | Rejected]:
    number = 0
    for file in find_files(path, ".jsonl"):
        if file.name.endswith(_IDS_SUFFIX):
            continue
        for line, ids in _with_ids(file, settings.max_bytes):
            number += 1
            try:
                yield _read_line(line, ids, number, settings)
            except RecordError as error:
                yield reject(str(ids.get("sample_id") or f"#{number}"), error)


def _with_ids(file: Path, max_bytes: int) -> Iterator[tuple[bytes | None, Mapping[str, Any]]]:
    """Yield each line with what the file beside it knows of it."""
    beside = file.with_name(file.name.removesuffix(".jsonl") + _IDS_SUFFIX)
    if not beside.is_file():
        for _, line in read_lines(file, max_bytes):
            yield line, {}
        return
    ids = read_lines(beside, _MAX_IDS_BYTES)
    for _, line in read_lines(file, max_bytes):
        found = next(ids, None)
        if found is None:
            raise InstructgenError(f"{beside} has fewer lines than {file}; export both again, or take it away")
        yield line, _decode_ids(beside, *found)
    if next(ids, None) is not None:
        raise InstructgenError(f"{beside} has more lines than {file}; export both again, or take it away")


def _decode_ids(path: Path, number: int, line: bytes | None) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(line or b"", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InstructgenError(f"{path} line {number}: {error}; export both files again, or take it away") from None


def _read_line(line: bytes | None, ids: Mapping[str, Any], number: int, settings: ImportSettings) -> Imported:
    if line is None:
        raise RecordError("record_too_large", f"more than {settings.max_bytes} bytes")
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError("not_json", str(error)) from None
    if not isinstance(record, dict):
        raise RecordError("not_an_object", shown(record))
    if not isinstance(record.get("messages"), list):
        raise RecordError("unknown_form", ", ".join(map(shown, list(record)[:8])))
    if record.get("tools") or record.get("functions"):
        raise RecordError("tool_call")
    chat = _Chat(settings, _paths(ids), is_ours=bool(ids))
    for message in record["messages"]:
        chat.add(message)
    check_answered(chat.turns)
    images = tuple(chat.images)
    names = name_sample(ids, make_image_id("openai", images, str(number)), find_type({}, chat.turns), number)
    image_at = chat.places() if "image_at" not in ids else tuple(chat.image_at)
    return Imported(
        names.sample_id, names.image_id, names.sample_type, tuple(chat.turns), images, image_at, names.fields
    )


def _paths(ids: Mapping[str, Any]) -> Sequence[str]:
    paths = ids.get("images")
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


class _Chat:
    """Turns and pictures in the order of the messages; `paths` name the pictures as far as they go."""

    def __init__(self, settings: ImportSettings, paths: Sequence[str], *, is_ours: bool) -> None:
        self._settings = settings
        self._paths = paths
        self._is_ours = is_ours
        self.turns: list[Message] = []
        self.images: list[ImportedImage] = []
        self.image_at: list[int] = []
        self._waits_for_text = False

    def add(self, message: object) -> None:
        if not isinstance(message, dict):
            raise RecordError("not_a_turn", shown(message))
        role = message.get("role")
        if role not in ("system", "user", "assistant"):
            raise RecordError("unknown_speaker", shown(role))
        if message.get("tool_calls") or message.get("function_call"):
            raise RecordError("tool_call")
        if role == "assistant" and message.get("weight") == 0:
            raise RecordError("untrained_turn", "weight 0")
        text, urls = _read_content(message.get("content"))
        if urls and role != "user":
            raise RecordError("image_outside_user_turn", role)
        self._place(make_turn(role, text), urls)

    def _place(self, turn: Message, urls: Sequence[object]) -> None:
        is_after_user = not self._is_ours and bool(self.turns) and self.turns[-1].role == turn.role == "user"
        if is_after_user and urls and not turn.content:
            place = len(self.turns) - 1
        elif is_after_user and self._waits_for_text:
            place = len(self.turns) - 1
            self.turns[-1] = turn
        else:
            place = len(self.turns)
            self.turns.append(turn)
        self._waits_for_text = not self.turns[-1].content and turn.role == "user"
        for url in urls:
            self.images.append(self._read_image(url))
            self.image_at.append(place)

    def _read_image(self, url: object) -> ImportedImage:
        found = _DATA.match(url) if isinstance(url, str) else None
        if not isinstance(url, str) or found is None:
            raise RecordError("image_not_local", shown(url))
        try:
            data = base64.b64decode(url[found.end() :], validate=True)
        except (binascii.Error, ValueError) as error:
            raise RecordError("image_unreadable", str(error)) from None
        number = len(self.images)
        return check_image(self._paths[number] if number < len(self._paths) else "", data, self._settings)

    def places(self) -> tuple[int, ...] | None:
        """Return where the pictures stand, None where that is the first user turn, for rows of ours mean that."""
        first = next((number for number, turn in enumerate(self.turns) if turn.role == "user"), None)
        return None if all(place == first for place in self.image_at) else tuple(self.image_at)


def _read_content(content: object) -> tuple[str, list[object]]:
    """Return the text of a message and the addresses of its pictures."""
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list):
        raise RecordError("not_a_turn", shown(content))
    texts: list[str] = []
    urls: list[object] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url" and isinstance(part.get("image_url"), dict):
            urls.append(part["image_url"].get("url"))
        else:
            raise RecordError("unknown_part", shown(part))
    return "\n".join(texts), urls
