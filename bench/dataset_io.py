"""Writing a dataset with its pictures and reading it in a training loop: instructgen beside `datasets`.

Rows are real JPEGs (a folder of them, over and over, each with three samples) and about 1.2 KB of conversation; both
sides write and read the same rows in the same row groups (100 rows) and codecs (text zstd 3, pictures as they are).

    pip install datasets torch
    python bench/dataset_io.py --pictures val2017 --rows 3000 --pairs 5
    python bench/dataset_io.py --pictures val2017 --only windows

Every library has a process of its own, which measures when it is told to; they take turns, in another order every
round, and each round gives a ratio of its own. CPU is the process's with its workers, user and system, imports left
out. TMPDIR says where the files are; a folder in memory leaves the disk out of it.

Ways to write: `instructgen` is ShardWriter, with the digests of rows and files that a version needs. Of `datasets`
the documented `from_generator(...).to_parquet(...)`, and its ParquetWriter fed directly, as its builders feed it.
Neither can choose a codec, so its table of codecs is replaced by ours; `--snappy` leaves it as it is.

Ways to read, each through torch's DataLoader in batches of 32 rows, columns sample_id, messages, images:
    instructgen        open_rows, default window
    map                load_dataset(...).shuffle(seed): Arrow cache on disk, any row at any time
    map, own decode    the same, told not to decode; the collator decodes with Pillow
    stream             load_dataset(..., streaming=True).shuffle(seed, buffer_size=1000)
The collator counts characters and pixels (or bytes) where the pictures are, and sends numbers alone to the loop.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dataset_io_data import (
    COLUMNS,
    GROUP_ROWS,
    SEED,
    SPLIT,
    TYPES,
    make_rows,
    open_for,
    use_our_codecs,
    write_instructgen,
    write_to_parquet,
    write_version,
    write_with_parquet_writer,
)  # fmt: skip

BATCH = 32
WRITERS = {
    "instructgen": write_instructgen, "to_parquet": write_to_parquet, "ParquetWriter": write_with_parquet_writer,
}  # fmt: skip
READERS = ("instructgen", "map", "map, own decode", "stream")
WINDOWS = (1, 4, 8, 16, 32, 0)
Figures = dict[str, float]


def measure_write(rows: list[dict[str, Any]], library: str) -> Figures:
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        figures = timed(lambda: WRITERS[library](rows, Path(folder)) and None, len(rows))
        metadata = [pq.read_metadata(path) for path in Path(folder).rglob("*.parquet")]
    assert sum(one.num_rows for one in metadata) == len(rows)
    assert max(one.row_group(n).num_rows for one in metadata for n in range(one.num_row_groups)) == GROUP_ROWS
    return figures


def measure_digests(rows: list[dict[str, Any]]) -> Figures:
    """The part of our writing that datasets has no counterpart to."""
    from instructgen.dataset.columns import hash_row
    from instructgen.dataset.shards import hash_file

    with tempfile.TemporaryDirectory() as folder:
        write_instructgen(rows, Path(folder))
        files = list(Path(folder).rglob("*.parquet"))
        in_rows = timed(lambda: [hash_row(row) for row in rows] and None, len(rows))
        in_files = timed(lambda: [hash_file(path) for path in files] and None, len(rows))
    return {"rows_us": in_rows["cpu_us"], "files_us": in_files["cpu_us"]}


def measure_read(version: Path, library: str, *, decodes: bool, num_workers: int, num_rows: int) -> Figures:
    from torch.utils.data import DataLoader

    opened: list[Any] = []
    opening = timed(lambda: opened.append(open_for(library, version, decodes)), num_rows)
    rows, collate = opened[0]
    totals = [0, 0, 0]

    def loop() -> None:
        for found in DataLoader(rows, batch_size=BATCH, num_workers=num_workers, collate_fn=collate):
            for place, number in enumerate(found):
                totals[place] += number

    figures = timed(loop, num_rows)
    assert totals[0] == num_rows
    return {**figures, "open_s": opening["wall_s"], "chars": totals[1], "size": totals[2]}


def measure_window(folder: Path, library: str, window: int) -> Figures:
    """How fast and in how much memory our rows come; `stream` is a version whose files are streams."""
    from instructgen.dataset.loader import open_rows
    from instructgen.dataset.stored import LocalVersion

    class Streamed:
        def __init__(self, local: LocalVersion) -> None:
            self.manifest, self.place, self.open = local.manifest, local.place, local.open

    local = LocalVersion(folder)
    version: Any = local if library == "instructgen" else Streamed(local)
    rows = open_rows(version, SPLIT, seed=SEED, columns=COLUMNS, decode="bytes").in_windows(window or 10**6)
    before = private_mb()
    figures = timed(lambda: [None for _ in rows] and None, len(rows))
    return {**figures, "kept_mb": private_mb() - before}


def private_mb() -> float:
    """What of the process's memory is no file's, which the kernel could drop."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


def measure_mixing(num_groups: int) -> tuple[float, float]:
    """Return how the share of one of three types varies over batches, and how often two of a batch share a group."""
    from instructgen.dataset.reading.row_order import Group, RowOrder

    groups = [Group(shard, number, GROUP_ROWS, name) for shard, name in enumerate(TYPES) for number in range(50)]
    shares, pairs = [], []
    for epoch in range(4):
        order = RowOrder(groups, "bench", 0, epoch, num_groups or len(groups))
        places = [order.find(index)[0] for index in range(order.num_rows)]
        for first in range(0, len(places) - BATCH, BATCH):
            batch = places[first : first + BATCH]
            shares.append(sum(groups[place].sample_type == TYPES[0] for place in batch) / BATCH)
            pairs.append(sum(n * (n - 1) for n in Counter(batch).values()) / (BATCH * (BATCH - 1)))
    return statistics.pstdev(shares), statistics.mean(pairs)


def timed(work: Callable[[], None], num_rows: int) -> Figures:
    before, start = cpu_s(), time.perf_counter()
    work()
    wall_s = time.perf_counter() - start
    return {"wall_s": wall_s, "rows_per_s": num_rows / wall_s, "cpu_us": 1e6 * (cpu_s() - before) / num_rows}


def cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def serve(chosen: argparse.Namespace) -> None:
    """Measure what standard input asks for, one line of JSON each."""
    import PIL.JpegImagePlugin  # noqa: F401
    import pyarrow.parquet  # noqa: F401  imports are outside of the measurements

    if chosen.only != "windows":
        import datasets
        import torch

        torch.set_num_threads(1)
        datasets.disable_progress_bars()
        if not chosen.snappy:
            use_our_codecs()
    rows: list[dict[str, Any]] = []
    for line in sys.stdin:
        asked = json.loads(line)
        what, version = asked.pop("what"), Path(asked.pop("version", ""))
        if what in ("write", "digests"):
            rows = rows or make_rows(chosen.pictures, chosen.rows)
            found = measure_write(rows, asked["library"]) if what == "write" else measure_digests(rows)
        else:
            found = measure_read(version, **asked) if what == "read" else measure_window(version, **asked)
        print(json.dumps(found), flush=True)


class Child:
    """A process that measures one library."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        command = [
            sys.executable,
            __file__,
            "--serve",
            "--pictures",
            str(chosen.pictures),
            "--rows",
            str(chosen.rows),
        ]
        command += ["--snappy"] * chosen.snappy
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, what: str, **asked: object) -> Figures:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, **asked}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{what} {asked} failed")
        found: Figures = json.loads(line)
        print(f"# {what} {asked}: {found}", file=sys.stderr)
        return found

    def close(self) -> None:
        self._process.communicate(timeout=60)


def compare(title: str, libraries: tuple[str, ...], pairs: int, run: Callable[[str], Figures]) -> None:
    """Print every library beside the first; a ratio is of one round, above 1 is slower than ours."""
    runs: dict[str, list[Figures]] = {library: [] for library in libraries}
    for number in range(pairs):
        for library in libraries if number % 2 else libraries[::-1]:
            runs[library].append(run(library))
    print(f"\n{title}, {pairs} rounds: median (least to most)\n")
    print("| | rows/s | CPU us a row | time, times ours | CPU, times ours |")
    print("| --- | --- | --- | --- | --- |")
    ours = runs[libraries[0]]
    for library, of in runs.items():
        times, cpus = (
            [their[name] / our[name] for their, our in zip(of, ours, strict=True)] for name in ("wall_s", "cpu_us")
        )
        rates, used = ([one[name] for one in of] for name in ("rows_per_s", "cpu_us"))
        cells = [spread(rates, 0), spread(used, 0), spread(times, 2), spread(cpus, 2)]
        print(f"| {library} | {' | '.join(cells)} |", flush=True)


def spread(values: list[float], digits: int) -> str:
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def compare_writing(chosen: argparse.Namespace) -> None:
    children = {library: Child(chosen) for library in WRITERS}
    compare("Writing", tuple(WRITERS), chosen.pairs, lambda name: children[name].ask("write", library=name))
    digests = children["instructgen"].ask("digests")
    print(f"\nOf ours, digests: of rows {digests['rows_us']:.0f}, of files {digests['files_us']:.0f} CPU us a row")
    for child in children.values():
        child.close()


def compare_reading(chosen: argparse.Namespace, folder: Path) -> None:
    children = {library: Child(chosen) for library in READERS}
    for decodes, num_rows in ((False, chosen.rows), (True, chosen.decode_rows)):
        version = folder / f"version-{decodes}"
        write_version(make_rows(chosen.pictures, num_rows), version)
        libraries = READERS if decodes else tuple(name for name in READERS if name != "map, own decode")
        asked = {"version": str(version), "decodes": decodes, "num_rows": num_rows}
        totals = set()
        first = {name: children[name].ask("read", library=name, num_workers=0, **asked) for name in libraries}
        opened = ", ".join(f"{name} {figures['open_s']:.2f} s" for name, figures in first.items())
        print(f"\nUntil the first of {num_rows} rows can be read, nothing cached yet: {opened}")
        for num_workers in chosen.workers:

            def run(name: str, asked: dict[str, Any], num_workers: int, totals: set[tuple[float, float]]) -> Figures:
                found = children[name].ask("read", library=name, num_workers=num_workers, **asked)
                totals.add((found["chars"], found["size"]))
                return found

            title = f"Reading, pictures {'decoded' if decodes else 'as bytes'}, {num_workers} workers"
            compare(title, libraries, chosen.pairs, partial(run, asked=asked, num_workers=num_workers, totals=totals))
        if len(totals) > 1:
            sys.exit(f"the libraries did not read the same: {totals}")
    for child in children.values():
        child.close()


def compare_windows(chosen: argparse.Namespace, folder: Path) -> None:
    version = folder / "version-windows"
    write_version(make_rows(chosen.pictures, chosen.rows), version)
    print(
        "\n| groups | rows/s, from files | MB kept | rows/s, from a stream | MB kept | type's share, s.d. | pairs |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for window in WINDOWS:
        cells = []
        for library in ("instructgen", "stream"):
            child = Child(chosen)  # a new one, for memory that was once taken stays
            runs = [child.ask("window", version=str(version), library=library, window=window) for _ in range(3)]
            child.close()
            cells.append(f"{statistics.median(one['rows_per_s'] for one in runs):,.0f}")
            cells.append(f"{max(one['kept_mb'] for one in runs):.0f}")
        deviation, pairs = measure_mixing(window)
        print(f"| {window or 'all'} | {' | '.join(cells)} | {deviation:.3f} | {pairs:.1%} |", flush=True)


def print_versions() -> None:
    from importlib.metadata import version

    names = ("datasets", "pyarrow", "pillow", "torch")
    print(f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {version(name)}" for name in names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of .jpg files")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--decode-rows", type=int, default=1500, help="rows where pictures are decoded")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--only", choices=("write", "read", "windows"))
    parser.add_argument("--snappy", action="store_true", help="leave datasets its own codec for text")
    parser.add_argument("--serve", action="store_true", help="(what the bench runs itself)")
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen)
        return
    print_versions()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.only in (None, "write"):
            compare_writing(chosen)
        if chosen.only in (None, "read"):
            compare_reading(chosen, Path(folder))
        if chosen.only in (None, "windows"):
            compare_windows(chosen, Path(folder))


if __name__ == "__main__":
    main()
