"""OpenAI's chat fine-tuning files with pictures, as its guide to vision fine-tuning and its file limits have them.

    train.jsonl       {"messages": [{"role": "user", "content": [{"type": "image_url", ...}, {"type": "text", ...}]},
                      {"role": "assistant", "content": "..."}]}
    train.ids.jsonl   {"sample_id": ..., "image_id": ..., "sample_type": ..., "images": [paths], ...}, line by line

A line may hold messages, tools, parallel_tool_calls and functions alone, so that what else a row knows lies in a file
of its own. A split with more than a file may hold goes on in train-00002.jsonl.
"""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.exports.base import (
    Exported,
    ExportSettings,
    LeftOutError,
    ReadPicture,
    Tally,
    check_written,
    find_splits,
    new_folder,
    read_split,
)
from instructgen.dataset.exports.conversations import JsonFile, make_fields
from instructgen.dataset.exports.pictures import find_pictures, make_safe_path
from instructgen.dataset.stored import StoredVersion

Detail = Literal["auto", "low", "high"]
_MAX_IMAGES = 10  # an example
_MAX_IMAGE_BYTES = 10_000_000
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_MODES = ("RGB", "RGBA")


class FileLimits(Struct, frozen=True):
    """What one file may hold: examples with pictures, and bytes."""

    num_pictured: int = 50_000
    num_bytes: int = 512_000_000


_LIMITS = FileLimits()


def write_openai(
    version: StoredVersion,
    out: Path,
    read_picture: ReadPicture,
    _settings: ExportSettings,
    limits: FileLimits = _LIMITS,
    detail: Detail = "auto",
) -> Exported:
    """Write the rows that the API takes; what breaks one of its rules is left out, and counted."""
    tally = Tally()
    with new_folder(out) as folder:
        for split in find_splits(version):
            with _SplitFiles(folder, split, limits) as files:
                for row in read_split(version, split):
                    with tally:
                        pictures = find_pictures(row, read_picture)
                        record = {"messages": _make_messages(row, [picture for _, picture in pictures], detail)}
                        files.write(record, _make_ids(row, [path for path, _ in pictures]), len(pictures))
        return check_written(tally, out, version)


class _SplitFiles:
    """The files of one split, and the ids beside each of them."""

    def __init__(self, folder: Path, split: str, limits: FileLimits) -> None:
        self._folder = folder
        self._split = split
        self._limits = limits
        self._number = 0
        self._num_pictured = 0
        self._num_bytes = 0
        self._files: tuple[JsonFile, ...] = ()

    def __enter__(self) -> "_SplitFiles":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        for file in self._files:
            file.__exit__(error)

    def write(self, record: object, ids: object, num_images: int) -> None:
        num_bytes = len(msgspec.json.encode(record)) + 1
        if num_bytes > self._limits.num_bytes:
            raise LeftOutError("example_too_large")
        is_full = self._num_pictured + bool(num_images) > self._limits.num_pictured
        if not self._files or is_full or self._num_bytes + num_bytes > self._limits.num_bytes:
            self._start()
        self._num_pictured += bool(num_images)
        self._num_bytes += num_bytes
        for file, what in zip(self._files, (record, ids), strict=True):
            file.write(what)

    def _start(self) -> None:
        self.__exit__(None)
        self._number += 1
        self._num_pictured = self._num_bytes = 0
        name = self._split if self._number == 1 else f"{self._split}-{self._number:05d}"
        self._files = (JsonFile(self._folder / f"{name}.jsonl"), JsonFile(self._folder / f"{name}.ids.jsonl"))


def _make_ids(row: Row, paths: Sequence[str]) -> dict[str, Any]:
    ids = {
        "sample_id": row["sample_id"],
        **make_fields(row),
        "images": [make_safe_path(path, "image") for path in paths],
    }
    return ids if row.get("image_at") is None else {**ids, "image_at": row["image_at"]}


def _make_messages(row: Row, pictures: Sequence[bytes], detail: Detail) -> list[dict[str, Any]]:
    turns = row["messages"]
    if not turns or turns[-1]["role"] != "assistant":
        raise LeftOutError("no_answer")
    if len(pictures) > _MAX_IMAGES:
        raise LeftOutError("too_many_images")
    images_at: dict[int, list[dict[str, Any]]] = {}
    for picture, at in zip(pictures, _find_places(row, len(pictures)), strict=True):
        url = f"data:{_find_media_type(picture)};base64,{base64.b64encode(picture).decode()}"
        part = {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        images_at.setdefault(at, []).append(part)
    return [
        {"role": turn["role"], "content": _make_content(turn["content"], images_at.get(number, []))}
        for number, turn in enumerate(turns)
    ]


def _make_content(text: str, images: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    if not images:
        return text
    return [*images, {"type": "text", "text": text}] if text else images


def _find_places(row: Row, num_images: int) -> Sequence[int]:
    """Return before which turn each picture stands; only a user can show one."""
    user_turns = [number for number, turn in enumerate(row["messages"]) if turn["role"] == "user"]
    places: Sequence[int] | None = row.get("image_at")
    if places is None:
        if num_images and not user_turns:
            raise LeftOutError("no_user_turn")
        return user_turns[:1] * num_images
    if any(place not in user_turns for place in places):
        raise LeftOutError("interleaved")
    return places


def _find_media_type(picture: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    if len(picture) > _MAX_IMAGE_BYTES:
        raise LeftOutError("image_too_large")
    try:
        with Image.open(io.BytesIO(picture)) as image:
            media_type, mode = _MEDIA_TYPES.get(image.format or ""), image.mode
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise LeftOutError("image_unreadable") from None
    if media_type is None:
        raise LeftOutError("image_format")
    if mode not in _MODES:
        raise LeftOutError("image_mode")
    return media_type
