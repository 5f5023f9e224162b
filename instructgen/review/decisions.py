"""Decisions on disk: one append-only JSONL for each version and reviewer, in <dataset>/reviews/<version>/.

A line is on disk before the next sample is shown, so a kill loses nothing.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from instructgen.disk import sync
from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError

Choice = Literal["accept", "edit", "reject"]
FOLDER = "reviews"
_MAX_NAME_CHARS = 60
_LOCK_NAME = ".{}.lock"
_MAX_FILE_NAME_BYTES = 255  # of ext4, XFS, APFS and NTFS


class Decision(Struct, frozen=True, omit_defaults=True):
    """One line. `undo` takes back the reviewer's last decision on the sample; the one before it stands again.

    `answers` are an edit's, one for each answer of the sample in its order; `why` is a reason word or free text.
    """

    sample_id: str
    decision: Literal["accept", "edit", "reject", "undo"]
    by: str
    at: str
    seconds: float
    answers: tuple[str, ...] = ()
    why: str = ""


# Reviewer -> sample -> the decision that stands.
Reviews = dict[str, dict[str, Decision]]


def now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_decisions(path: Path) -> list[Decision]:
    """Return a file's lines. A last line that was cut off by a kill was never acknowledged, and is left out.

    Raises InstructgenError for any other line that is no decision.
    """
    *lines, tail = path.read_bytes().split(b"\n")
    return _decode(path, lines) + ([] if _is_torn(tail) else _decode(path, [tail]))


def read_reviews(folder: Path) -> Reviews:
    """Return what stands of everybody's decisions on a version; nothing where nobody has reviewed it.

    In a file the later line stands, as for the reviewer at work, whatever the clock said. Of a reviewer's decisions
    in several files (made on two machines, say) the one with the later time stands.
    """
    reviews: Reviews = {}
    for path in sorted(folder.glob("*.jsonl")):
        last = {(decision.by, decision.sample_id): decision for decision in undo_undone(read_decisions(path))}
        for decision in last.values():
            standing = reviews.setdefault(decision.by, {})
            older = standing.get(decision.sample_id)
            if older is None or older.at <= decision.at:
                standing[decision.sample_id] = decision
    return dict(sorted(reviews.items()))


def undo_undone(lines: Iterable[Decision]) -> list[Decision]:
    """Return the decisions in their order, without those that were taken back."""
    kept: list[Decision] = []
    for line in lines:
        if line.decision != "undo":
            kept.append(line)
            continue
        places = (
            i for i in reversed(range(len(kept))) if (kept[i].by, kept[i].sample_id) == (line.by, line.sample_id)
        )
        place = next(places, None)
        if place is not None:
            del kept[place]
    return kept


class DecisionLog:
    """One reviewer's decisions on one version, held by one process at a time."""

    def __init__(self, folder: Path, by: str) -> None:
        """Raises InstructgenError for a name that cannot be used, RunLockedError for one at work elsewhere."""
        self.by = check_name(by)
        self.path = folder / _name_file(by)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / _LOCK_NAME.format(self.path.name), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise RunLockedError(
                f"{by} is reviewing {folder.name} in another window; close it or give --by"
            ) from None
        self._descriptor = os.open(
            self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644
        )
        self._mend_tail()
        sync(folder)
        self.history = undo_undone(line for line in read_decisions(self.path) if line.by == by)

    def append(self, decision: Decision) -> None:
        """Return once the line is on disk. Raises RunStoppedError where it cannot be, and leaves no part of it."""
        size = os.fstat(self._descriptor).st_size
        line = msgspec.json.encode(decision) + b"\n"
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes were written")
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, size)
            raise RunStoppedError(
                f"{self.path}: {error}; the last decision is not stored, what came before it is. "
                "Free space and run the same command again"
            ) from None
        self.history = undo_undone([*self.history, decision])

    @property
    def standing(self) -> dict[str, Decision]:
        """By sample, the decision that stands."""
        return {decision.sample_id: decision for decision in self.history}

    def close(self) -> None:
        os.close(self._descriptor)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mend_tail(self) -> None:
        """Cut off the part of a line that a kill left, or end the line that is whole but for its newline."""
        content = self.path.read_bytes()
        tail = content.rpartition(b"\n")[2]
        if _is_torn(tail):
            os.ftruncate(self._descriptor, len(content) - len(tail))
        elif tail:
            os.write(self._descriptor, b"\n")


def check_name(by: str) -> str:
    """Return the name, or raise InstructgenError where a file cannot be named for it."""
    if not by.strip() or by != by.strip() or not by.isprintable() or len(by) > _MAX_NAME_CHARS:
        raise InstructgenError(f"--by wants a name of at most {_MAX_NAME_CHARS} printable characters, not '{by}'")
    if len(_LOCK_NAME.format(_name_file(by))) > _MAX_FILE_NAME_BYTES:
        raise InstructgenError(
            f"--by wants a shorter name than '{by}': the file of its decisions has each byte of a letter that is not "
            "ASCII as three characters, and no name of a file is that long"
        )
    return by


def _name_file(by: str) -> str:
    """Return a file name of ASCII, for a name with any characters."""
    return f"{quote(by, safe=' @+-_')}.jsonl"


def _decode(path: Path, lines: list[bytes]) -> list[Decision]:
    found: list[Decision] = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Decision))
        except msgspec.DecodeError as error:
            raise InstructgenError(
                f"{path} line {number} is no decision ({error}); mend or remove that line"
            ) from None
    return found


def _is_torn(tail: bytes) -> bool:
    try:
        msgspec.json.decode(tail, type=Decision)
    except msgspec.DecodeError:
        return True
    return False
