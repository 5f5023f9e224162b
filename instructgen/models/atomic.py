"""A folder that appears whole or not at all, and knows its files again."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from instructgen.disk import sync
from instructgen.errors import InstructgenError

_MOST_BYTES_READ = 1 << 30  # above, a file is known by its size: reading it twice costs more than it tells


@contextmanager
def published(folder: Path, mark: str) -> Iterator[Path]:
    """Yield a folder beside to write into; without an error it becomes `folder`, durably.

    What stood there before is replaced if it holds a file called `mark`, or nothing at all.
    Raises InstructgenError where something else stands there.
    """
    if folder.exists() and not (folder / mark).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InstructgenError(f"{folder} is there already and holds something else; choose another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield made
        made.chmod(0o777 & ~_read_umask())
        _sync_tree(made)
        _exchange(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _read_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _exchange(made: Path, folder: Path) -> None:
    old = made.with_suffix(".old")
    if folder.exists():
        folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def describe_files(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the size and the SHA-256 of every file, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_size, _digest(path)) for path in files}


def check_files(folder: Path, files: Mapping[str, tuple[int, str]]) -> None:
    """Raise InstructgenError for the first file that is missing or is not what was written."""
    for name, (size, digest) in files.items():
        path = folder / name
        if not path.is_file():
            raise InstructgenError(f"{path} is missing; the model is not complete, copy or make it again")
        if path.stat().st_size != size:
            raise InstructgenError(
                f"{path} has {path.stat().st_size} bytes, was written with {size}; copy or make the model again"
            )
        if size <= _MOST_BYTES_READ and _digest(path) != digest:
            raise InstructgenError(
                f"{path} is not what was written (its SHA-256 differs); copy or make the model again"
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
