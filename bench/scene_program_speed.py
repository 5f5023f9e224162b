"""How many images a second the scene program writes, of one core, all three of LLaVA's types, against reading alone.

    python bench/scene_program_speed.py --root COCO --split val2017 --limit 2000

CPU time of this process, in turns: `graph` is the scene graph alone, the floor; each type alone reads the graph too;
`all three` asks for the types of an image one after the other, as a build does, which read it once.
"""

import argparse
import time
from itertools import islice
from pathlib import Path

from instructgen.records import ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.sources.coco import CocoSource
from instructgen.teachers.scene_program import Task, write_text

TYPES = ("conv", "detail", "reasoning")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val2017")
    parser.add_argument("--limit", type=int, default=2000)
    args = parser.parse_args()
    records = [one for one in CocoSource(args.root, args.split).records() if isinstance(one, ImageRecord)]
    records = list(islice(records, args.limit))
    write_text(Task("conv", records[0]), 0)  # wordings and rules are read once
    started = time.process_time()
    for record in records:
        read_graph(record)
    floor = time.process_time() - started
    print(f"graph      {len(records) / floor:8,.0f} images/s")
    for name in TYPES:
        print(f"{name:<10} {len(records) / _time(records, (name,)):8,.0f} images/s")
    total = _time(records, TYPES)
    print(f"all three  {len(records) / total:8,.0f} images/s, {total / floor:.1f} times the graph alone")


def _time(records: list[ImageRecord], types: tuple[str, ...]) -> float:
    """Return the CPU seconds for writing these types of each image."""
    started = time.process_time()
    for record in records:
        for name in types:
            write_text(Task(name, record), 0)
    return time.process_time() - started


if __name__ == "__main__":
    main()
