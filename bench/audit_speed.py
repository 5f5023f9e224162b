"""How long `instructgen audit` takes for data of LLaVA-Instruct's size, and how much memory, all processes together.

    python bench/audit_speed.py --coco COCO --samples 158000

Writes into a temporary folder: annotations of as many images as train2017 has (val2017 over and over, with fresh
ids), and a LLaVA JSON with the scene-program's answers to them, in LLaVA's proportions (58 conversations, 23
descriptions and 77 of reasoning), one type after the other as in LLaVA's file. Needs 1 GB there. Memory is the sum of
the processes' resident sets, read ten times a second, so that shared pages count more than once. `check` is what the
grounding takes of the processor, `other` all the rest: start-up, both readings, the annotations, measures, writing.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FIRST_ID = 1_000_001
_NUM_IMAGES = 118_287
_PARTS = {"conv": 58, "detail": 23, "reasoning": 77}
_PAGE_MB = 4096 / 1e6


def repeat_annotations(coco: Path, out: Path) -> list[int]:
    """Write the annotations of _NUM_IMAGES images; return the ids of those that are repeated, in order."""
    (out / "annotations").mkdir(parents=True)
    order: list[int] = []
    for name in ("instances", "captions"):
        table = json.loads((coco / "annotations" / f"{name}_val2017.json").read_text())
        images = sorted(table["images"], key=lambda image: image["id"])
        order = [image["id"] for image in images]
        by_image: dict[int, list[dict[str, Any]]] = {}
        for annotation in table["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        with (out / "annotations" / f"{name}_train2017.json").open("w") as file:
            file.write(json.dumps({"categories": table.get("categories", [])})[:-1] + ', "images": [')
            _write_joined(file, _copy_images(images))
            file.write('], "annotations": [')
            _write_joined(file, _copy_annotations(images, by_image))
            file.write("]}")
    return order


def _copy_images(images: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for k in range(_NUM_IMAGES):
        new = _FIRST_ID + k
        yield {**images[k % len(images)], "id": new, "file_name": f"{new:012d}.jpg"}


def _copy_annotations(
    images: list[dict[str, Any]], by_image: dict[int, list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    number = 0
    for k in range(_NUM_IMAGES):
        for annotation in by_image.get(images[k % len(images)]["id"], ()):
            number += 1
            yield {**annotation, "id": number, "image_id": _FIRST_ID + k}


def _write_joined(file: Any, records: Iterator[dict[str, Any]]) -> None:
    separator = ""
    for record in records:
        file.write(separator + json.dumps(record))
        separator = ", "


def write_answers(coco: Path, order: list[int], num_samples: int, folder: Path) -> Path:
    """Write the LLaVA JSON; what the scene-program says of val2017's image k is said of every copy of it."""
    import pyarrow.parquet as pq

    command = [sys.executable, "-m", "instructgen", "build", "--root", coco, "--split", "val2017"]
    subprocess.run(
        [*command, "--out", folder / "built"], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    turns: dict[tuple[str, int], list[dict[str, str]]] = {}
    for shard in sorted((folder / "built").glob("versions/*/data/*.parquet")):
        for row in pq.read_table(shard, columns=["image_id", "sample_type", "messages"]).to_pylist():
            turns[row["sample_type"], int(row["image_id"].removeprefix("coco/"))] = [
                {"from": "human" if message["role"] == "user" else "gpt", "value": message["content"]}
                for message in row["messages"]
            ]
    path = folder / "llava.json"
    with path.open("w") as file:
        file.write("[")
        _write_joined(file, _llava_records(turns, order, num_samples))
        file.write("]")
    return path


def _llava_records(turns: dict[tuple[str, int], Any], order: list[int], num_samples: int) -> Iterator[dict[str, Any]]:
    for sample_type, parts in _PARTS.items():
        wanted, k = num_samples * parts // sum(_PARTS.values()), 0
        while wanted:
            said = turns.get((sample_type, order[k % len(order)]))
            if said:
                name = f"{_FIRST_ID + k % _NUM_IMAGES:012d}"
                first = {**said[0], "value": "<image>\n" + said[0]["value"]}
                yield {"id": name, "image": f"{name}.jpg", "conversations": [first, *said[1:]]}
                wanted -= 1
            k += 1


def watch_memory(process: "subprocess.Popen[str]", peaks_mb: list[float]) -> None:
    while process.poll() is None:
        try:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (process.pid, *children)]
            peaks_mb.append(sum(pages) * _PAGE_MB)
        except OSError:
            pass
        time.sleep(0.1)


def processor_s() -> float:
    """Return the processor time of all that this process has started and seen end."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(data: Path, root: Path, verdicts: Path, processes: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "instructgen", "audit", data, "--root", root, "--verdicts", verdicts, "--json"]
    start, before_s = time.perf_counter(), processor_s()
    process = subprocess.Popen(
        [*command, "--processes", str(processes)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    peaks_mb: list[float] = []
    watcher = threading.Thread(target=watch_memory, args=(process, peaks_mb))
    watcher.start()
    out, _ = process.communicate()
    wall_s = time.perf_counter() - start
    watcher.join()
    report = json.loads(out)
    num = report["checked"]
    return {
        "samples": num,
        "data_mb": round(data.stat().st_size / 1e6, 1),
        "processes": processes,
        "wall_s": round(wall_s, 1),
        "processor_s": round(processor_s() - before_s, 1),
        "peak_mb": round(max(peaks_mb)),
        "check_ms_per_sample": round(1000 * report["check_seconds"] / num, 3),
        "other_ms_per_sample": round(1000 * (processor_s() - before_s - report["check_seconds"]) / num, 3),
        "chair_i": report["total"]["chair_i"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coco", type=Path, required=True, help="folder with annotations/*_val2017.json")
    parser.add_argument("--samples", type=int, default=158_000)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        order = repeat_annotations(arguments.coco, folder / "coco")
        data = write_answers(arguments.coco, order, arguments.samples, folder)
        print(json.dumps(measure(data, folder / "coco", folder / "verdicts.jsonl", arguments.processes)))


if __name__ == "__main__":
    main()
