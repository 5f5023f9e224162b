"""Fetches a table of pictures into a folder, and says what is gone."""

import asyncio
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from instructgen.fetch.folder import FetchFolder, full_disk_told
from instructgen.fetch.index import Report, make_report, write_index, write_report
from instructgen.fetch.options import FetchOptions
from instructgen.fetch.run import Fetcher, FetchWatch
from instructgen.fetch.session import find_loop_factory
from instructgen.fetch.tables import BadRow, Columns, TableRow, read_table


class _Counted:
    """The table's rows, counted as they are read."""

    def __init__(self, rows: Iterator[TableRow | BadRow]) -> None:
        self._rows = rows
        self.num_rows = 0

    def __iter__(self) -> Iterator[TableRow | BadRow]:
        return self

    def __next__(self) -> TableRow | BadRow:
        row = next(self._rows)
        self.num_rows += 1
        return row


def fetch_images(table: Path, out: Path, columns: Columns, options: FetchOptions, watch: FetchWatch) -> Report:
    """Fetch what is missing, write index and report, and return the report.

    Raises InstructgenError for a table that cannot be read, RunLockedError where another process is at work, and
    RunStoppedError where a signal or a full disk ended it; the same call goes on from there.
    """
    from PIL import Image

    started_s = time.monotonic()
    rows = _Counted(read_table(table, columns))
    first = next(rows, None)  # so that a wrong table is told before a folder is made
    with full_disk_told(out), FetchFolder(out) as folder, warnings.catch_warnings():
        # Our own bound on pixels is the one that holds; Pillow warns far below it.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        fetcher = Fetcher(folder, options, watch)
        with asyncio.Runner(loop_factory=find_loop_factory()) as runner:
            runner.run(fetcher.run(_chain(first, rows)))
        report = make_report(folder, rows.num_rows, fetcher.num_asked, time.monotonic() - started_s)
        write_index(folder)
        write_report(out, report)
    return report


def _chain(first: TableRow | BadRow | None, rest: Iterator[TableRow | BadRow]) -> Iterator[TableRow | BadRow]:
    if first is not None:
        yield first
        yield from rest


def count_rows(table: Path) -> int | None:
    """Return about how many rows a table has, for a progress bar; None where that would take long."""
    if table.is_dir():
        return None
    with table.open("rb") as file:
        if file.read(4) == b"PAR1":
            import pyarrow.parquet as pq

            return int(pq.read_metadata(table).num_rows)
        file.seek(0)
        num_lines = 0
        while block := file.read(1 << 20):
            num_lines += block.count(b"\n")
    return num_lines or None
