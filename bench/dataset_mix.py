"""What a mixture costs: seconds and memory of merging rows as they come, of shuffling them, and of choosing them.

    python bench/dataset_mix.py [--rows 40000] [--pictures 4000] [--ids 500000]

Versions are made here: text with the lengths of LLaVA's three types, rows with pictures of 150 KB, and rows of next
to no text, whose choice is measured alone. Each case runs in a process of its own; memory is the most that it had
resident, beside that of a process which only opens the versions.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from dataset_append import make_rows
from msgspec.structs import replace

from instructgen.dataset.columns import Row, make_schema
from instructgen.dataset.derive.recipe import Part, Recipe, open_parts
from instructgen.dataset.derive.selection import select_rows
from instructgen.dataset.derive.write import write_derived
from instructgen.dataset.manifest import (
    Counts,
    Manifest,
    SourceFacts,
    TeacherFacts,
    count_splits,
    encode_manifest,
    make_version,
)
from instructgen.dataset.shards import ShardWriter

PICTURE_BYTES = 150_000
CASES = {
    "text: opened": ("text", "open", Recipe(())),
    "text: merged": ("text", "write", Recipe((), shuffle=False)),
    "text: shuffled": ("text", "write", Recipe(())),
    "pictures: opened": ("pictures", "open", Recipe(())),
    "pictures: merged": ("pictures", "write", Recipe((), shuffle=False)),
    "pictures: shuffled": ("pictures", "write", Recipe(())),
    "pictures: shuffled, weight 3": ("pictures", "write", Recipe((), seed=3)),
    "ids: opened": ("ids", "open", Recipe(())),
    "ids: chosen, weight 0.5": ("ids", "select", Recipe((), seed=1)),
    "ids: chosen, half capped": ("ids", "select", Recipe((), seed=2)),
}
WEIGHTS = {"pictures: shuffled, weight 3": 3.0, "ids: chosen, weight 0.5": 0.5}


def make_text(num_rows: int) -> Iterator[Row]:
    return islice((row for number in range(num_rows) for row in make_rows(number, "a")), num_rows)


def make_pictures(num_rows: int) -> Iterator[Row]:
    for row in make_text(num_rows):
        yield row | {"images": [{"bytes": os.urandom(PICTURE_BYTES), "path": row["images"][0]["path"]}]}


def make_ids(num_rows: int) -> Iterator[Row]:
    (row, *_) = make_rows(0, "a")
    short = row | {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
    for number in range(num_rows):
        yield short | {"sample_id": f"coco/{number:012d}/conv/0", "image_id": f"coco/{number:012d}"}


def write_version(folder: Path, rows: Iterable[Row], num_rows: int, *, embeds_images: bool) -> None:
    folder.mkdir()
    writer = ShardWriter(folder, make_schema(["length"], embeds_images=embeds_images), 20_000, embeds_images)
    types = dict.fromkeys(("conv", "detail", "reasoning"), 0)
    for row in rows:
        writer.write("train", row)
        types[row["sample_type"]] += 1
    shards = writer.finish()
    none = dict.fromkeys(types, 0)
    manifest = Manifest(
        format=2, version="", parent=None, created_at="", code={"instructgen": "bench"}, config={}, prompts={},
        source=SourceFacts("coco", "bench", num_rows, {}), teacher=TeacherFacts("t", "m", {}, 0, 0, None),
        counts=Counts(types, types, none, none, {}), splits=count_splits(shards), embeds_images=embeds_images,
        unpublished_sha256="", shards=tuple(shards), contents=writer.contents,
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(encode_manifest(replace(manifest, version=make_version(manifest))))


def run_case(name: str, folder: Path, cap: int) -> None:
    kind, step, recipe = CASES[name]
    part = Part(str(folder / kind), weight=WEIGHTS.get(name, 1.0), cap=cap if "capped" in name else None)
    recipe = replace(recipe, parts=(part,))
    started = time.perf_counter()
    opened = open_parts(recipe)
    if step == "select":
        select_rows(opened, recipe)
    elif step == "write":
        with tempfile.TemporaryDirectory(dir=folder) as staging:
            write_derived("mix", recipe, Path(staging))
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--pictures", type=int, default=4_000)
    parser.add_argument("--ids", type=int, default=500_000)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the versions there, and use those that are there")
    args = parser.parse_args()
    if args.case:
        run_case(args.case, args.folder, args.ids // 2)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        for kind, make, num_rows in (
            ("text", make_text, args.rows),
            ("pictures", make_pictures, args.pictures),
            ("ids", make_ids, args.ids),
        ):
            if not (folder / kind).exists():
                write_version(folder / kind, make(num_rows), num_rows, embeds_images=kind == "pictures")
        for name in CASES:
            options = [f"--case={name}", f"--folder={folder}", f"--ids={args.ids}"]
            done = subprocess.run([sys.executable, __file__, *options], capture_output=True, check=True)
            seconds, megabytes = json.loads(done.stdout)
            print(f"{name:30} {seconds:7.1f} s {megabytes:7.0f} MB", flush=True)


if __name__ == "__main__":
    main()
