"""How soon the viewer answers: first page, each kind of filter, search, deep pages, one sample, a picture.

    python bench/viewer.py --folder FOLDER            # 158,000 samples; the folder is made once and used again
    python bench/viewer.py --folder FOLDER --images 2000

The version: 53,100 images x the scene program's three types, cut to 158,000 rows, each row with its picture (JPEG,
320 x 240). 1,300 scenes are rendered; an image takes one of them, with a text and an order of captions of its own.
12,000 units are rejected. The server runs in a process of its own, as `instructgen view` starts it. A time is from
sending the request to the last byte of the answer, over one connection, as a browser on this machine has it. Each
address is asked for several times, every time with another word or place, so that nothing is an answer remembered.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, make_row, make_schema
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Manifest,
    SourceFacts,
    TeacherFacts,
    code_versions,
    make_version,
)
from instructgen.dataset.publish import publish
from instructgen.dataset.shards import ShardWriter
from instructgen.draws import make_generator
from instructgen.records import ImageRecord, Message, Reply, Sample
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.sources.scenes import ScenesSource
from instructgen.teachers.scene_program import Task, write_text

TYPES = ("conv", "detail", "reasoning")
FILTERS = ("grounding", "leakage", "length", "repetition")
REASONS = ("contradicted_claim", "unverifiable_claim", "too_short", "near_duplicate", "empty_reply")
SCENES = 1_300
ROWS = 158_000
IMAGES = 53_100
REJECTED = 12_000
ROUNDS = 7


def render(seed: int) -> list[tuple[ImageRecord, bytes]]:
    source = ScenesSource(SCENES // 2, seed=seed)
    return [(record, source.image_bytes(record)) for record in source.records()]


def write_samples(task: tuple[int, ImageRecord]) -> list[tuple[str, tuple[Message, ...]]]:
    number, scene = task
    draw = random.Random(number)
    captions = tuple(draw.sample(scene.captions, len(scene.captions)))
    record = replace(scene, image_id=f"scenes/{number:012d}", captions=captions)
    made = []
    for kind in TYPES:
        text = write_text(Task(kind, record), 0)
        turns = SAMPLE_TYPES[kind].parse(text, ("Describe the picture.",), make_generator(0, "bench", str(number)))
        if isinstance(turns, tuple):
            made.append((kind, turns))
    return made


def make_rows(num_images: int, num_rows: int) -> Iterator[dict[str, Any]]:
    with get_context("fork").Pool(max(1, min(4, os.cpu_count() or 1))) as pool:
        scenes = [one for part in pool.map(render, (1, 2)) for one in part]
        tasks = ((number, scenes[number % len(scenes)][0]) for number in range(num_images))
        num = 0
        for number, made in enumerate(pool.imap(write_samples, tasks, 64)):
            scene, picture = scenes[number % len(scenes)]
            for kind, turns in made:
                if num < num_rows:
                    yield make_one(number, kind, turns, scene, picture)
                num += 1


def make_one(
    number: int, kind: str, turns: tuple[Message, ...], scene: ImageRecord, picture: bytes
) -> dict[str, Any]:
    draw = random.Random(f"{number}{kind}")
    image_id = f"scenes/{number:012d}"
    record = replace(scene, image_id=image_id, file_name=f"{number:012d}.jpg")
    scores = {"grounding": draw.random() ** 4, "leakage": 0.0, "length": float(draw.randrange(20, 200)),
              "repetition": draw.random() ** 6}  # fmt: skip
    request_id = hashlib.sha256(f"{number}{kind}".encode()).hexdigest()
    sample = Sample(f"{image_id}/{kind}/0", image_id, kind, turns, (request_id,), scores)
    reply = Reply(request_id, "", "stop", 900, 200, 0.0001, "scene-program-3", "scene-program")
    return make_row(sample, record, Provenance("scenes", "0" * 64, reply), picture)


def make_dataset(folder: Path, num_images: int) -> None:
    """Publish the version as a build does."""
    staging = folder / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    num_rows = min(ROWS, 3 * num_images)
    writer = ShardWriter(staging, make_schema(FILTERS, embeds_images=True), 2_000, embeds_images=True)
    accepted: Counter[str] = Counter()
    for row in make_rows(num_images, num_rows):
        writer.write("train", row)
        accepted[row["sample_type"]] += 1
        if accepted.total() % 10_000 == 0:
            print(f"  {accepted.total():,} rows", file=sys.stderr, flush=True)
    reasons = write_rejected(staging / "rejected.jsonl", REJECTED * num_images // IMAGES)
    rejected = {kind: sum(of_kind.values()) for kind, of_kind in reasons.items()}
    planned = {kind: accepted[kind] + rejected.get(kind, 0) for kind in TYPES}
    manifest = Manifest(
        format=FORMAT,
        version="",
        parent=None,
        created_at="2026-01-01T00:00:00+00:00",
        code=code_versions(),
        config={"source": {"name": "bench"}},
        prompts={},
        source=SourceFacts("bench", "rendered scenes, over and over", num_images, {}),
        teacher=TeacherFacts("scene-program", "scene-program-3", {}, 0, 0, 0.0),
        counts=Counts(planned, dict(accepted), rejected, dict.fromkeys(TYPES, 0), reasons),
        splits={"train": accepted.total()},
        embeds_images=True,
        unpublished_sha256="",
        shards=tuple(writer.finish()),
        contents=writer.contents,
    )
    publish(staging, replace(manifest, version=make_version(manifest)), folder / "dataset")


def write_rejected(path: Path, num: int) -> dict[str, dict[str, int]]:
    reasons: dict[str, dict[str, int]] = {kind: {} for kind in TYPES}
    with path.open("w", encoding="utf-8") as file:
        for number in range(num):
            kind, reason = TYPES[number % 3], REASONS[number % len(REASONS)]
            image_id = f"scenes/{900_000 + number:012d}"
            reasons[kind][reason] = reasons[kind].get(reason, 0) + 1
            text = f"Question:\nWhat is shown?\n===\nAnswer:\nA thing of number {number} stands on the left."
            line = {"unit_id": f"{image_id}/{kind}", "outcome": "rejected", "stage": "filter", "reason": reason,
                    "request_id": "", "image_id": image_id, "sample_type": kind, "detail": "made up",
                    "text": text}  # fmt: skip
            file.write(json.dumps(line) + "\n")
    return reasons


class Client:
    """One connection that stays open, with the run's cookie."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self.headers: dict[str, str] = {}
        answer, _, _ = self.get(f"/?{parts.query}")
        self.headers["Cookie"] = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def get(self, path: str) -> tuple[http.client.HTTPResponse, bytes, float]:
        started = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        return answer, body, 1000 * (time.perf_counter() - started)

    def measure(self, path: str) -> tuple[float, bytes]:
        answer, body, took_ms = self.get(path)
        assert answer.status == 200, (path, answer.status)
        return took_ms, body


WORDS = ("bird", "table", "beach", "left", "bowl", "airplane", "wooden")
COMMON = ("the", "a", "in", "is", "picture", "of", "can")
RARE = ("oily", "preening", "scoreboard", "habit", "gentle", "harvest", "metal")
PHRASES = ("in the picture", "of the image", "a dog", "you can see", "on the left", "next to", "a person")
THINGS = ("dog", "person", "bird", "bench", "cat", "boat", "airplane")
CASES: dict[str, list[str]] = {
    "first page": [f"/?words_max={5000 + n}" for n in range(ROUNDS)],
    "filter: type": [f"/?type={TYPES[n % 3]}&words_max={5000 + n}" for n in range(ROUNDS)],
    "filter: reason of rejected": [
        f"/?outcome=rejected&reason={REASONS[n % 5]}&words_max={5000 + n}" for n in range(ROUNDS)
    ],
    "filter: object": [f"/?thing={name}" for name in THINGS],
    "filter: score": [f"/?score=grounding&score_min={0.1 + n / 20}" for n in range(ROUNDS)],
    "filter: length": [f"/?words_min={20 + n}&words_max={40 + n}" for n in range(ROUNDS)],
    "filter: image": [f"/?image=scenes/{7_001 * (n + 1) % IMAGES:012d}" for n in range(ROUNDS)],
    "search: a word": [f"/?q={word}" for word in WORDS],
    "search: a rare word": [f"/?q={word}" for word in RARE],
    "search: a word in nearly all": [f"/?q={word}" for word in COMMON],
    "search: two words, one left out": [f"/?q={one}+{two}+-dog" for one, two in zip(WORDS, COMMON, strict=True)],
    "search: words in a row": ["/?q=" + quote(f'"{text}"') for text in PHRASES],
    "all together": [
        f"/?q={word}&type=conv&thing={thing}&score=doubt&score_min=0.05&sort=longest"
        for word, thing in zip(COMMON, THINGS, strict=True)
    ],
    "order: most doubtful first": [f"/?sort=doubt&words_max={5000 + n}" for n in range(ROUNDS)],
    "order: longest first": [f"/?sort=longest&words_max={5000 + n}" for n in range(ROUNDS)],
    "deep: the next page, by key": [f"/?after={20_000 * (n + 1)}&words_max={6000 + n}" for n in range(ROUNDS)],
    "deep: the same, most doubtful first": [
        f"/?after={20_000 * (n + 1)}&sort=doubt&words_max={6000 + n}" for n in range(ROUNDS)
    ],
    "deep: last page": [f"/?last=1&words_max={7000 + n}" for n in range(ROUNDS)],
    "deep: to a number": [f"/?start={20_000 * (n + 1)}&words_max={8000 + n}" for n in range(ROUNDS)],
    "a sample": [f"/sample/scenes/{7_003 * (n + 1) % IMAGES:012d}/conv/0" for n in range(ROUNDS)],
    "a sample within a search": [
        f"/sample/scenes/{7_013 * (n + 1) % IMAGES:012d}/detail/0?q={word}&sort=doubt" for n, word in enumerate(WORDS)
    ],
}


def scale(path: str, num_images: int) -> str:
    """Return the address for a smaller version: places and image numbers are brought into it."""
    if num_images >= IMAGES:
        return path
    path = re.sub(r"scenes/(\d{12})", lambda found: f"scenes/{int(found[1]) % num_images:012d}", path)
    return re.sub(r"(after|start)=(\d+)", lambda found: f"{found[1]}={int(found[2]) % (2 * num_images)}", path)


def measure_pages(client: Client, num_images: int) -> None:
    client.measure("/")
    print(f"| {'page':<36} | median ms | most ms | KB |\n| --- | --- | --- | --- |")
    for name, paths in CASES.items():
        found = [client.measure(scale(path, num_images)) for path in paths]
        show(name, [took_ms for took_ms, _ in found], statistics.median(len(body) for _, body in found))
    pictures, together, sizes = [], [], []
    for n in range(ROUNDS):
        page_ms, body = client.measure(
            scale(f"/?sort=doubt&after={21_000 * (n + 1)}&words_max={9000 + n}", num_images)
        )
        one = [client.measure(path) for path in re.findall(r'<img src="([^"]+)"', body.decode())]
        assert len(one) == 24
        assert all(picture.startswith(b"\xff\xd8") for _, picture in one)
        pictures += [took_ms for took_ms, _ in one]
        together.append(page_ms + sum(took_ms for took_ms, _ in one))
        sizes.append(len(body) + sum(len(picture) for _, picture in one))
    show("a picture", pictures, statistics.median(sizes) / 24)
    show("a page with its 24 pictures", together, statistics.median(sizes))


def show(name: str, times_ms: list[float], num_bytes: float) -> None:
    print(f"| {name:<36} | {statistics.median(times_ms):.0f} | {max(times_ms):.0f} | {num_bytes / 1000:.0f} |")


def start(dataset: Path, cache: Path) -> tuple[subprocess.Popen[str], str, float]:
    """Start the server and return it, its address, and the seconds until it answered."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(dataset)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    Client(address)
    return process, address, time.perf_counter() - started


def serve(dataset: Path) -> None:
    from instructgen.jobs.view import ViewOptions, open_view
    from instructgen.viewer.serve import ViewServer

    with open_view(ViewOptions(str(dataset)), lambda text: print(text, file=sys.stderr)) as view:
        server = ViewServer(view.app, 0, view.token)
        print(server.address(), flush=True)
        server.serve()


def read_memory_mb(process: "subprocess.Popen[str]") -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep the version here and use it again")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        if not (folder / "dataset" / "tags" / "latest").is_file():
            print("making the version, once", file=sys.stderr)
            make_dataset(folder, options.images)
        with tempfile.TemporaryDirectory() as cache:
            for name in ("first start, the index is made", "a later start"):
                process, address, took_s = start(folder / "dataset", Path(cache))
                index_mb = sum(path.stat().st_size for path in Path(cache).rglob("*.duckdb")) / 1e6
                print(
                    f"{name}: {took_s:.1f} s until it answers; most memory {read_memory_mb(process):.0f} MB", end=""
                )
                print(f"; index {index_mb:.0f} MB")
                if name == "a later start":
                    print()
                    measure_pages(Client(address), options.images)
                    print(f"\nmost memory {read_memory_mb(process):.0f} MB; load {os.getloadavg()[0]:.1f}")
                process.terminate()
                process.wait()
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
