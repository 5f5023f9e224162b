"""Reads single rows and pictures of a version by their position; rejected units come from the index."""

import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from instructgen.dataset.columns import Row
from instructgen.dataset.reading.row_groups import GroupReader, Picture, list_groups
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.errors import InstructgenError
from instructgen.pages.figures import find_media_type
from instructgen.review.desk import FindPicture

_KEPT_GROUPS = 64
_BRIEF = ("messages", "images")
_HEAD_BYTES = 16  # of a picture tell its format
_KEPT_GROUPS_ELSEWHERE = 6  # of a version that is no folder here, pictures are kept with their group

ReadLine = Callable[[int], str | None]


class VersionRows:
    """Rows 0 to `num_rows` of a version, in the order of its shards. Several threads may ask."""

    def __init__(self, version: StoredVersion, find_picture: FindPicture) -> None:
        self.version = version
        shards = version.manifest.shards
        self._groups, names = list_groups(version, shards)
        kept = _KEPT_GROUPS if isinstance(version, LocalVersion) else _KEPT_GROUPS_ELSEWHERE
        self._whole = GroupReader(version, shards, names, kept)
        # A list wants a few columns of many groups, and a group's columns are decoded together.
        self._brief = GroupReader(version, shards, [name for name in _BRIEF if name in names], kept)
        self._ends = list(accumulate(group.num_rows for group in self._groups))
        self._find_picture = find_picture
        self._lock = threading.Lock()

    @property
    def num_rows(self) -> int:
        return self._ends[-1] if self._ends else 0

    def first_rows(self) -> dict[str, int]:
        """Return the position of the first row of each shard, by its path."""
        shards = self.version.manifest.shards
        ends = accumulate(shard.num_rows for shard in shards)
        return {shard.path: end - shard.num_rows for shard, end in zip(shards, ends, strict=True)}

    def read(self, place: int) -> Row:
        """Return a row; of its pictures the paths alone."""
        return _without_bytes(*self._read(place, self._whole))

    def read_brief(self, place: int) -> Row:
        """Return the turns and the paths of the pictures alone."""
        return _without_bytes(*self._read(place, self._brief))

    def picture(self, place: int, number: int) -> bytes | None:
        """Return a picture of a row by its number, -1 for the last; None where there is none, or it is nowhere."""
        _, pictures = self._read(place, self._brief)
        number += len(pictures) if number < 0 else 0
        if not 0 <= number < len(pictures):
            return None
        stored = pictures[number][0]
        if stored:  # not one of no bytes
            return self._find_picture({"images": [{"bytes": bytes(stored), "path": ""}]}, 0)
        return self._find_picture(self.read(place), number)

    def has_picture(self, place: int, number: int) -> bool:
        """Return whether a picture is at hand that a browser shows."""
        _, pictures = self._read(place, self._brief)
        is_there = -len(pictures) <= number < len(pictures)
        stored = pictures[number][0] if is_there else None
        picture = bytes(stored[:_HEAD_BYTES]) if stored else self.picture(place, number)
        return picture is not None and find_media_type(picture) is not None

    def picture_of(self, image_id: str, file_name: str) -> bytes | None:
        """Return the picture of an image that has no row."""
        return self._find_picture({"image_id": image_id, "images": [{"bytes": None, "path": file_name}]}, 0)

    def _read(self, place: int, reader: GroupReader) -> tuple[Row, list[Picture]]:
        if not 0 <= place < self.num_rows:
            raise InstructgenError(f"{self.version.place} has no row {place}")
        at = bisect_right(self._ends, place)
        group = self._groups[at]
        with self._lock:
            return reader.read_row(group, place - (self._ends[at] - group.num_rows))


def _without_bytes(row: Row, pictures: Sequence[Picture]) -> Row:
    """Return the row as pages take it; what another program wrote may lack turns, and turns their texts."""
    turns = [
        {"role": turn["role"] or "user", "content": turn["content"] or ""} for turn in row["messages"] or () if turn
    ]
    images = [{"bytes": None, "path": path or ""} for _, path in pictures]
    return {**row, "messages": turns, "images": images}


def read_rejected_line(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    return found
