"""Difference of two versions: time, processor time and peak memory, beside a floor and polars on the same Parquet.

    python bench/dataset_diff.py                      # 158,000 samples on each side
    python bench/dataset_diff.py --samples 20000

Both sides are written as a build writes them: three types, shards of up to 10,000 rows, about 600 characters of text
a sample. Three cases: `spread` has 4,950 changed, 1,000 removed and 3,000 added samples of 158,000, over all shards;
`few-shards` changes the first 10,000 conversations; in `every-row` each answer is another. The floor only decodes
both sides. Polars joins both sides on sample_id in full and compares every column. Each measure is a process of its
own.
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from instructgen.dataset.columns import make_schema
from instructgen.dataset.compare.rows import compare_rows
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Manifest,
    SourceFacts,
    TeacherFacts,
    encode_manifest,
    read_manifest,
)
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stored import LocalVersion

_TYPES = ("conv", "detail", "reasoning")
_FILTERS = ("leakage", "control_strings", "refusal", "length", "repetition", "language", "relevance", "grounding")
_WORDS = ["".join(random.Random(number).choices("aeioubcdfglmnprst", k=2 + number % 9)) for number in range(4000)]
_TURNS = {"conv": 6, "detail": 2, "reasoning": 2}
_CHARS = 600
_OF = 158_000  # of STACK's case


def make_row(number: int, edition: int = 0) -> dict[str, Any]:
    kind = _TYPES[number % 3]
    draw = random.Random(number * 31 + edition)
    image_id = f"coco/{number // 3:012d}"
    num_words = _CHARS // _TURNS[kind] // 7
    messages = [
        {"role": ("user", "assistant")[turn % 2], "content": " ".join(draw.choices(_WORDS, k=num_words))}
        for turn in range(_TURNS[kind])
    ]
    return {
        "sample_id": f"{image_id}/{kind}/0",
        "image_id": image_id,
        "sample_type": kind,
        "messages": messages,
        "images": [{"bytes": None, "path": f"{number // 3:012d}.jpg"}],
        "source": "coco",
        "teacher": "openai",
        "model": "gpt-4o-mini",
        "prompt_sha256": f"{number % 3:064d}",
        "request_ids": [f"{number:064x}"],
        "prompt_tokens": 400 + number % 300,
        "completion_tokens": 100 + number % 200,
        "cost_usd": 0.0001 * (number % 17),
        "scores": {name: draw.random() for name in _FILTERS},
    }


def rows_of(case: str, num: int) -> Iterator[dict[str, Any]]:
    changed, removed, added = (round(count * num / _OF) for count in (4_950, 1_000, 3_000))
    chosen = random.Random(5).sample(range(num), changed + removed)
    out, other = set(chosen[:removed]), set(chosen[removed:])
    if case == "old":
        yield from map(make_row, range(num))
    elif case == "spread":
        yield from (make_row(at, int(at in other)) for at in range(num) if at not in out)
        yield from map(make_row, range(num, num + added))
    elif case == "few-shards":
        yield from (make_row(at, int(at < 30_000 and at % 3 == 0)) for at in range(num))
    else:
        yield from (make_row(at, 1) for at in range(num))


def write(folder: Path, case: str, num: int) -> Path:
    schema = make_schema(_FILTERS, embeds_images=False)
    writer = ShardWriter(folder / case, schema, 10_000, embeds_images=False)
    counts: Counter[str] = Counter()
    for row in rows_of(case, num):
        writer.write("train", {**dict.fromkeys(schema.names), **row})
        counts[row["sample_type"]] += 1
    none = dict.fromkeys(_TYPES, 0)
    manifest = Manifest(
        FORMAT,
        case,
        None,
        "2026-01-01T00:00:00+00:00",
        {},
        {},
        {},
        SourceFacts("coco", "a benchmark", num, {}),
        TeacherFacts("openai", "gpt-4o-mini", {}, 0, 0, 0.0),
        Counts(dict(counts), dict(counts), none, none, {}),
        {"train": sum(counts.values())},
        embeds_images=False,
        unpublished_sha256="",
        shards=tuple(writer.finish()),
    )
    (folder / case / "manifest.json").write_bytes(encode_manifest(manifest))
    return folder / case


def run_ours(old: Path, new: Path) -> dict[str, int]:
    compared = compare_rows(LocalVersion(old), LocalVersion(new))
    compared.count_fields()
    counts = compared.count().values()
    return {what: sum(getattr(count, what) for count in counts) for what in ("changed", "added", "removed")}


def run_floor(old: Path, new: Path) -> dict[str, int]:
    """Decode both sides, batch by batch, and look at nothing."""
    num = 0
    for folder in (old, new):
        for shard in read_manifest(folder).shards:
            num += sum(batch.num_rows for batch in pq.ParquetFile(folder / shard.path).iter_batches(4096))
    return {"decoded": num}


def run_polars(old: Path, new: Path) -> dict[str, int]:
    import polars as pl

    left, right = (pl.scan_parquet(folder / "data" / "*.parquet") for folder in (old, new))
    names = [name for name in left.collect_schema().names() if name != "sample_id"]
    joined = left.join(right, on="sample_id", how="full", suffix="_new")
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_new")).alias(name) for name in names]
    is_pair = pl.col("sample_id").is_not_null() & pl.col("sample_id_new").is_not_null()
    found = joined.select(
        (is_pair & pl.any_horizontal(differs)).sum().alias("changed"),
        pl.col("sample_id").is_null().sum().alias("added"),
        pl.col("sample_id_new").is_null().sum().alias("removed"),
        *((is_pair & differ).sum().alias(name) for name, differ in zip(names, differs, strict=True)),
    ).collect(engine="streaming")
    return {what: int(found[what][0]) for what in ("changed", "added", "removed")}


RUNS = {"ours": run_ours, "floor: decode": run_floor, "polars full join": run_polars}


def measure(name: str, old: Path, new: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--run", name, str(old), str(new)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_one(name: str, old: Path, new: Path) -> None:
    if name.startswith("polars"):
        import polars  # noqa: F401  its import is not what is measured
    started, cpu = time.perf_counter(), time.process_time()
    found = RUNS[name](old, new)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb, "found": found}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=158_000)
    parser.add_argument("--folder", type=Path, help="keep the versions here and use them again")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_one(options.run[0], Path(options.run[1]), Path(options.run[2]))
        return
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        for case in ("old", "spread", "few-shards", "every-row"):
            if not (folder / case / "manifest.json").is_file():
                write(folder, case, options.samples)
        for case in ("spread", "few-shards", "every-row"):
            print(f"\n{case}: {options.samples:,} samples against as many")
            runs = {name: measure(name, folder / "old", folder / case) for name in RUNS}
            for name, run in runs.items():
                ratio = run["seconds"] / runs["ours"]["seconds"]
                print(
                    f"  {name:18} {run['seconds']:6.2f} s  {run['cpu_s']:6.2f} s cpu  {run['peak_mb']:6.0f} MB  "
                    f"{ratio:5.2f} x  {run['found']}"
                )
            assert runs["ours"]["found"] == runs["polars full join"]["found"]
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
