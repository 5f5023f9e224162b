"""What every export offers, and how its folder appears at once."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.publish import sync
from instructgen.dataset.stored import StoredVersion

# Given an image's id and its file's name, relative to the image folder: the stored bytes, or None.
ReadPicture = Callable[[str, str], bytes | None]
# Given a version, the folder to write and where pictures are that the rows do not hold.
Export = Callable[[StoredVersion, Path, ReadPicture], "Exported"]


class Exported(Struct, frozen=True):
    """What was written. `left_out` counts, by a fixed word, the rows that were not."""

    folder: Path
    num_rows: int
    left_out: dict[str, int]


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write in, which takes the place of `out` once all of it is on disk."""
    staging = out.with_name(f".{out.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    for path in sorted(staging.rglob("*")):
        sync(path)
    sync(staging)
    if out.exists():
        shutil.rmtree(out)
    staging.rename(out)
    sync(out.parent)
