"""Files that are on disk once they are there."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from instructgen.errors import InstructgenError, RunLockedError


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old or the new text, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the file, or the folder's list of names, is on disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder, and writes its names through
    # Windows wants to write to what it synchronises; elsewhere the file may be read-only.
    flags = os.O_RDWR if os.name == "nt" else os.O_RDONLY
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hold_folder(folder: Path) -> FileLock:
    """Make the folder and return its lock, taken, against a second process.

    Raises RunLockedError where another one has it, InstructgenError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise RunLockedError(
            f"{folder} is in use by another instructgen process; wait for it to end, or choose another --out"
        ) from None
    except OSError as error:
        raise InstructgenError(f"{folder} cannot be written: {error}") from None
    return lock


def read_whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that grows line by line; a last one that a kill cut off is taken out of the file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return data[:whole].splitlines()
