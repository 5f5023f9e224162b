"""Reading COCO and writing every surrogate: instructgen against pycocotools, in CPU time, wall time and memory.

Each measurement is a process of its own that imports, reads both annotation files and makes the surrogate of every
image in the order of the ids; the two are run in turns. Before that each runs once, unmeasured, for a digest of all
ids and texts, in which the two must agree.

    python bench/read_coco.py --captions captions_train2017.json --instances instances_train2017.json --repeat 3

The figures are of the whole process: import and start-up are in them. The ratios are of the medians.
"""

import argparse
import hashlib
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# pycocotools first: it is what the ratios are relative to.
READERS = ("pycocotools", "instructgen")


def read_with_instructgen(captions: Path, instances: Path) -> Iterator[tuple[int, str]]:
    from instructgen.config import SurrogateConfig
    from instructgen.records import ImageRecord, Surrogate
    from instructgen.sources.coco import CocoSource
    from instructgen.surrogate.render import make_surrogate

    config = SurrogateConfig()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "captions_bench.json").symlink_to(captions.resolve())
        (Path(folder) / "instances_bench.json").symlink_to(instances.resolve())
        for record in CocoSource(Path(folder), "bench").records():
            if isinstance(record, ImageRecord):
                surrogate = make_surrogate(record, config, with_boxes=True)
                if isinstance(surrogate, Surrogate):
                    yield int(record.image_id.removeprefix("coco/")), surrogate.text


def read_with_pycocotools(captions: Path, instances: Path) -> Iterator[tuple[int, str]]:
    """What one writes with pycocotools' documented dicts; checks of the input, which it has not, left out."""
    from pycocotools.coco import COCO

    boxes_by_image, captions_by_image = COCO(str(instances)), COCO(str(captions))
    category_names = {category["id"]: category["name"] for category in boxes_by_image.dataset["categories"]}
    for image_id in sorted(boxes_by_image.imgs):
        width, height = boxes_by_image.imgs[image_id]["width"], boxes_by_image.imgs[image_id]["height"]
        lines = [one["caption"].strip() for one in captions_by_image.imgToAnns[image_id]]
        lines = [re.sub(r"\s*\n\s*", " ", line) if "\n" in line else line for line in lines]
        if not lines:
            continue
        boxes = boxes_by_image.imgToAnns[image_id]
        lines += [""] if boxes else []
        for box in boxes:
            x, y, box_width, box_height = box["bbox"]
            x0, y0 = round(max(x, 0) / width, 3), round(max(y, 0) / height, 3)
            x1, y1 = round(min(x + box_width, width) / width, 3), round(min(y + box_height, height) / height, 3)
            lines.append(f"{category_names[box['category_id']]}: [{x0}, {y0}, {x1}, {y1}]")
        yield image_id, "\n".join(lines)


def measure(read: Callable[[Path, Path], Iterator[tuple[int, str]]], captions: Path, instances: Path) -> None:
    """Print this process's figures as one line of JSON."""
    start = time.perf_counter()
    num_surrogates = num_chars = 0
    for _, text in read(captions, instances):
        num_surrogates += 1
        num_chars += len(text)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - start,
        "peak_mb": usage.ru_maxrss / 1024,
        "surrogates": num_surrogates,
        "chars": num_chars,
    }
    print(json.dumps(figures))


def digest(read: Callable[[Path, Path], Iterator[tuple[int, str]]], captions: Path, instances: Path) -> None:
    """Print the sha256 of all ids and texts."""
    found = hashlib.sha256()
    for image_id, text in read(captions, instances):
        found.update(f"{image_id}\n{text}\0".encode())
    print(json.dumps(found.hexdigest()))


def run_apart(what: str, reader: str, captions: Path, instances: Path) -> Any:
    command = [sys.executable, __file__, "--captions", str(captions), "--instances", str(instances)]
    done = subprocess.run([*command, f"--{what}", reader], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(captions: Path, instances: Path, repeat: int) -> None:
    digests = {run_apart("digest", reader, captions, instances) for reader in READERS}
    if len(digests) != 1:
        sys.exit(f"the surrogates differ: {digests}")
    runs: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
    for _ in range(repeat):
        for reader in READERS:
            runs[reader].append(run_apart("measure", reader, captions, instances))
            print(f"# {reader}: {runs[reader][-1]}", file=sys.stderr)
    columns = ("cpu_s", "wall_s", "peak_mb")
    medians = {r: {c: statistics.median(run[c] for run in runs[r]) for c in columns} for r in READERS}
    megabytes = (captions.stat().st_size + instances.stat().st_size) / 1e6
    print(f"{int(runs[READERS[0]][0]['surrogates'])} equal surrogates from {megabytes:.0f} MB, {repeat} runs each")
    print("| reader | CPU s | wall s | peak MB |\n| --- | --- | --- | --- |")
    for reader in READERS:
        cells = [f"{min(run[c] for run in runs[reader]):.1f} / {medians[reader][c]:.1f}" for c in columns]
        print(f"| {reader} (least / median) | {' | '.join(cells)} |")
    theirs, ours = medians["pycocotools"], medians["instructgen"]
    print(f"| faster by | {theirs['cpu_s'] / ours['cpu_s']:.1f}x | {theirs['wall_s'] / ours['wall_s']:.1f}x | |")
    print(f"| memory of pycocotools | | | {ours['peak_mb'] / theirs['peak_mb']:.1%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=Path, required=True)
    parser.add_argument("--instances", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", choices=READERS, help="measure this one here (what the bench runs itself)")
    parser.add_argument("--digest", choices=READERS, help="digest what this one reads (likewise)")
    chosen = parser.parse_args()
    readers = {"instructgen": read_with_instructgen, "pycocotools": read_with_pycocotools}
    if chosen.measure:
        measure(readers[chosen.measure], chosen.captions, chosen.instances)
    elif chosen.digest:
        digest(readers[chosen.digest], chosen.captions, chosen.instances)
    else:
        compare(chosen.captions, chosen.instances, chosen.repeat)


if __name__ == "__main__":
    main()
