"""RUN/history.jsonl: each time that a run was begun or gone on with, on what machine, and how that ended."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

HISTORY_NAME = "history.jsonl"
Ending = Literal["finished", "stopped", "failed"]


class Began(Struct, frozen=True, tag_field="event", tag="began"):
    """`step` counts the steps that were done before; 0 is the run's beginning."""

    at: str
    """UTC, to the second."""
    step: int
    device: str
    device_name: str
    num_processes: int
    num_threads: int
    """That torch computes with, in one process on a CPU."""
    platform: str
    versions: dict[str, str]


class Ended(Struct, frozen=True, tag_field="event", tag="ended"):
    """What a killed process does not get to write."""

    at: str
    step: int
    how: Ending
    detail: str
    """The message of what ended it; "" for a run that is finished."""
    peak_bytes: int
    """The most memory that one process took: of the GPU, or all that it held where there is none; 0 is unknown."""


class Sitting(Struct, frozen=True):
    """One process's part of a run; `ended` is None where it was killed, or is still at it."""

    began: Began
    ended: Ended | None


def append_event(folder: Path, event: Began | Ended) -> None:
    """Add a line; one that a kill has cut short before it is ended first, so that it spoils no other."""
    path = folder / HISTORY_NAME
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(msgspec.json.encode(event) + b"\n")


def read_history(folder: Path) -> list[Sitting]:
    """Return the sittings in their order; none of a run from before there was this file."""
    path = folder / HISTORY_NAME
    found: list[Sitting] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            event = msgspec.json.decode(line, type=Began | Ended)
        except msgspec.MsgspecError:
            continue
        if isinstance(event, Began):
            found.append(Sitting(event, None))
        elif found and found[-1].ended is None:
            found[-1] = Sitting(found[-1].began, event)
    return found


def tell_time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def tell_platform() -> str:
    """Return system, processor and Python, without the machine's name."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
