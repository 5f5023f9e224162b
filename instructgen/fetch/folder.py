"""A folder of fetched pictures, open for one process.

images/xx/<key>.jpg     the pictures; xx are two digits of the key's hash
index.parquet           a row for each picture, there or not
report.json             how many are there, and why the others are not
.fetch/                 state.sqlite, partial/ (begun), new/ (whole, about to appear), lock
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.fetch.ask import Came
from instructgen.fetch.pictures import Kept
from instructgen.fetch.reasons import Missed, status_of
from instructgen.fetch.store import Result, Store
from instructgen.fetch.tables import TableRow
from instructgen.secrets import redact

STATE = ".fetch"
INDEX_NAME = "index.parquet"
REPORT_NAME = "report.json"
_MAX_DETAIL_CHARS = 300


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Tell of a disk that takes no more as of a run that can be continued."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        place = getattr(error, "filename", None) or folder
        what = getattr(error, "strerror", None) or error
        raise RunStoppedError(
            f"{place} cannot be written ({what}); make room and run the same command again"
        ) from error


def lock_folder(folder: Path) -> FileLock:
    """Return the folder's lock, taken. Raises RunLockedError where another process works in it."""
    state = folder / STATE
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(state / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise RunLockedError(f"another process is fetching into {folder}; wait for it or stop it") from None
    except OSError as error:
        raise InstructgenError(f"{folder} cannot be written: {error.strerror or error}") from None
    return lock


class FetchFolder:
    """Use as a context. What an earlier process committed and did not move is moved at the start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = lock_folder(path)
        try:
            self.partial = path / STATE / "partial"
            self.new = path / STATE / "new"
            self.new.mkdir(exist_ok=True)
            self._made: set[str] = set()
            self.store = Store(path / STATE / "state.sqlite")
            self._recover()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self._lock.release()

    def make_result(self, row: TableRow, kept: Kept | Missed, came: Came | None, at: str) -> Result:
        """Return what became of a row, as it is stored."""
        if isinstance(kept, Missed):
            return Result(
                position=row.number,
                key=row.key,
                url=row.url,
                caption=row.caption,
                status=status_of(kept.reason),
                reason=kept.reason,
                detail=redact(kept.detail)[:_MAX_DETAIL_CHARS],
                http_status=kept.http_status,
                fetched_at=at,
            )
        shard = hashlib.sha256(row.key.encode()).hexdigest()[:2]
        return Result(
            position=row.number,
            key=row.key,
            url=row.url,
            path=f"images/{shard}/{row.key}{kept.suffix}",
            width_px=kept.width_px,
            height_px=kept.height_px,
            sha256=kept.sha256,
            fetched_sha256=kept.fetched_sha256,
            num_bytes=kept.num_bytes,
            caption=row.caption,
            status="there",
            http_status=came.http_status if came else 0,
            etag=came.etag if came else "",
            fetched_at=at,
        )

    def holds(self, path: str, num_bytes: int) -> bool:
        """Return whether a picture is there, as long as it was."""
        try:
            return (self.path / path).stat().st_size == num_bytes
        except OSError:
            return False

    def place(self, file: Path, path: str) -> None:
        """Let a whole picture appear at its place."""
        target = self.path / path
        parent = path.rpartition("/")[0]
        if parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        file.replace(target)

    def _recover(self) -> None:
        found = {file.name: file for file in self.new.iterdir()}
        for key, known in self.store.find(list(found)).items():
            file = found[key]
            if known.status == "there" and file.stat().st_size == known.num_bytes:
                self.place(file, known.path)
        shutil.rmtree(self.new)
        self.new.mkdir()
