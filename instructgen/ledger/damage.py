"""Tells a damaged SQLite file from a disk that is full, busy or not to be written."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instructgen.errors import InstructgenError

# What tells of the disk, its rights or another process rather than of the file's content (sqlite.org/rescode.html).
_SURROUNDINGS = frozenset({3, 5, 6, 7, 8, 9, 10, 13, 14, 22, 23})
_READONLY, _SHORT_READ = 8, 522


class DamagedStoreError(Exception):
    """The SQLite copy is not what was written."""


class OldFormatError(DamagedStoreError):
    """A ledger of format 1: whole, but to be written anew."""


def is_damage(error: sqlite3.Error, path: Path) -> bool:
    """Tell a damaged file from a disk that is full or a file that may not be written."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return True
    if code & 0xFF == _READONLY:
        # A damaged header makes SQLite take a file for one that only a later version may write.
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return code & 0xFF not in _SURROUNDINGS or code == _SHORT_READ


@contextmanager
def telling_damage(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes SQLite say into DamagedStoreError; a full disk's errors come out as they are."""
    try:
        yield
    except sqlite3.Error as error:
        if not is_damage(error, path):
            raise
        raise DamagedStoreError(str(error)) from None
    except (UnicodeError, OverflowError, TypeError) as error:
        raise DamagedStoreError(f"it holds values of another kind ({error})") from None


def explain(error: sqlite3.Error, path: Path) -> InstructgenError:
    """Return what to tell where the surroundings are to blame. The answers may be whole: never say to drop them."""
    return InstructgenError(f"{path} cannot be used ({error}); see to the disk, its rights and free space")
