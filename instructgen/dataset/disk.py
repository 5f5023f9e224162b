"""Files that are on disk once they are there."""

import os
from pathlib import Path


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
