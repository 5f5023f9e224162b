"""What every export offers, and how its folder appears at once."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import StoredVersion, read_rows
from instructgen.disk import sync
from instructgen.errors import InstructgenError

# Given an image's id and its file's name, relative to the image folder: the stored bytes, or None.
ReadPicture = Callable[[str, str], bytes | None]


class ExportSettings(Struct, frozen=True):
    """`seed` is of every draw. Without `with_pictures` files name pictures by the paths that the rows have."""

    with_pictures: bool = True
    seed: int = 0


DEFAULT_SETTINGS = ExportSettings()


class Exported(Struct, frozen=True):
    """What was written. `left_out` counts, by a fixed word, the rows that were not."""

    folder: Path
    num_rows: int
    left_out: dict[str, int]


class LeftOutError(Exception):
    """A row that a form has no room for; `reason` is a fixed word. Whoever writes the form counts it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Tally:
    """Counts rows: written where the block of `with tally:` ends, left out where it raises LeftOutError."""

    num_rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        if isinstance(error, LeftOutError):
            self.left_out[error.reason] += 1
            return True
        self.num_rows += error is None
        return False


# Given a version, the folder to write, where pictures are that the rows do not hold, and what was asked for.
Write = Callable[[StoredVersion, Path, ReadPicture, ExportSettings], Exported]


class Export(Struct, frozen=True):
    """A form of another project: what it is, in one line, and what writes it.

    `names_paths` says whether its files can name pictures that do not lie beside them.
    """

    title: str
    write: Write
    names_paths: bool = True

    def __call__(
        self,
        version: StoredVersion,
        out: Path,
        read_picture: ReadPicture,
        settings: ExportSettings = DEFAULT_SETTINGS,
    ) -> Exported:
        """Write `out`, in the place of what may be there; raises InstructgenError, and leaves `out` as it was."""
        if not settings.with_pictures and not self.names_paths:
            raise InstructgenError("this form holds its pictures; it cannot be written with --paths-only")
        return self.write(version, out, read_picture, settings)


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


def find_splits(version: StoredVersion) -> tuple[str, ...]:
    """Return the splits that have rows, in the order of the shards."""
    return tuple(dict.fromkeys(shard.split for shard in version.manifest.shards))


def read_split(version: StoredVersion, split: str, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows of one split as `read_rows` does."""
    return read_rows(_OneSplit(version, split), columns)


def check_written(tally: Tally, out: Path, version: StoredVersion) -> Exported:
    """Return what was written to `out`; raises InstructgenError where that is no row at all."""
    if tally.num_rows:
        return Exported(out, tally.num_rows, dict(tally.left_out))
    if not tally.left_out:
        raise InstructgenError(f"{version.place} has no row that could be exported")
    reasons = ", ".join(f"{count} x {reason}" for reason, count in tally.left_out.items())
    hint = "; --images FOLDER says where pictures are that rows name by path alone, --paths-only leaves them there"
    raise InstructgenError(
        f"no row of {version.place} can be written in this form: {reasons}"
        f"{hint if 'image_missing' in tally.left_out else ''}"
    )


@dataclass(frozen=True)
class _OneSplit:
    """A version as if it had no other split."""

    whole: StoredVersion
    split: str

    @property
    def manifest(self) -> Manifest:
        manifest = self.whole.manifest
        return replace(manifest, shards=tuple(shard for shard in manifest.shards if shard.split == self.split))

    @property
    def place(self) -> str:
        return self.whole.place

    def open(self, path: str) -> BinaryIO:
        return self.whole.open(path)

    def paths(self) -> Iterator[str]:
        return self.whole.paths()
