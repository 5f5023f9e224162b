"""The balanced subset at CC3M's size: captions a second and peak memory, beside a plain implementation.

    python bench/noun_phrases.py --root COCO_FOLDER [--captions 3000000]

The captions are val2017's, over and over, each time varied by made-up words whose frequencies fall as 1/rank, so that
the table of phrases has a long tail. Each way runs in a process of its own, on the same captions:

ours, all / remaining    phrases as numbers of 64 bits in arrays (instructgen.sources.balance)
floor                    the same noun phrases, in a Counter of strings and a dict of lists of captions
source                   a TSV of all captions, read, balanced and yielded as records (`--source pairs`)
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from instructgen.config import BalanceConfig, SourceConfig
from instructgen.records import ImageRecord
from instructgen.sources.balance import BalanceRule, balance_captions
from instructgen.sources.noun_phrases import find_phrases
from instructgen.sources.pairs import PairsSource

_MODES = ("read", "all", "remaining", "floor", "source")
_SYLLABLES = ("ka", "ro", "mi", "ten", "sul", "va", "dor", "pel", "nu", "ash", "bri", "gon")
_NUM_WORDS = 200_000


def make_captions(root: Path, num: int) -> Iterator[str]:
    """Yield so many captions, the same ones each time."""
    path = root / "annotations" / "captions_val2017.json"
    texts = [one["caption"] for one in json.loads(path.read_bytes())["annotations"]]
    texts = [" ".join(text.split()).rstrip(".") for text in texts]
    draw = random.Random(0)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 5))) for _ in range(_NUM_WORDS)]
    weights = list(accumulate(1 / rank for rank in range(1, _NUM_WORDS + 1)))
    endings = ("in the {} park", "near a {}", "of the {} {}", "with {} {}")
    for start in range(0, num, len(texts)):
        count = min(len(texts), num - start)
        drawn = iter(draw.choices(words, cum_weights=weights, k=2 * count))
        for text in texts[:count]:
            yield f"{text} {draw.choice(endings).format(next(drawn), next(drawn))}"


def balance_plainly(captions: Iterator[str], draw: random.Random) -> int:
    """Return how many captions are kept: the paper's rule as one would write it down."""
    frequencies: Counter[str] = Counter()
    captions_of: defaultdict[str, list[int]] = defaultdict(list)
    for number, phrases in enumerate(find_phrases(captions)):
        frequencies.update(phrases)
        for phrase in phrases:
            captions_of[phrase].append(number)
    kept: set[int] = set()
    for phrase, frequency in sorted(frequencies.items(), key=lambda item: (item[1], item[0])):
        if frequency >= 3:
            found = captions_of[phrase]
            kept.update(found if frequency <= 100 else draw.sample(found, 100))
    return len(kept)


def run_mode(mode: str, root: Path, num: int) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    kept, phrases, frequent = 0, 0, 0
    captions = make_captions(root, num)
    if mode == "read":
        kept = sum(1 for _ in captions)
    elif mode == "floor":
        kept = balance_plainly(captions, random.Random(0))
    elif mode == "source":
        kept = _run_source(captions)
        started, cpu = _STARTED
    else:
        found = balance_captions(find_phrases(captions), BalanceRule(counts=mode))  # type: ignore[arg-type]
        kept, phrases, frequent = int(found.is_kept.sum()), found.num_phrases, found.num_frequent
    return {
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "kept": kept,
        "phrases": phrases,
        "frequent": frequent,
    }


_STARTED: list[float] = []


def _run_source(captions: Iterator[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.tsv"
        with path.open("w", encoding="utf-8") as file:
            for number, caption in enumerate(captions):
                file.write(f"{caption}\thttp://images.example/{number}.jpg\n")
        _STARTED[:] = [time.perf_counter(), time.process_time()]  # making the file is not measured
        source = PairsSource(SourceConfig("pairs", str(path), balance=BalanceConfig()), 0)
        return sum(isinstance(found, ImageRecord) for found in source.records())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--captions", type=int, default=3_000_000)
    parser.add_argument("--mode", choices=_MODES)
    options = parser.parse_args()
    if options.mode:
        print(json.dumps(run_mode(options.mode, options.root, options.captions)))
        return
    measured = {}
    for mode in _MODES:
        command = [sys.executable, __file__, "--root", str(options.root), "--captions", str(options.captions)]
        done = subprocess.run([*command, "--mode", mode], check=True, capture_output=True, text=True)
        one = measured[mode] = json.loads(done.stdout)
        own_s = one["cpu_s"] - (measured["read"]["cpu_s"] if mode not in ("read", "source") else 0)
        speed = options.captions / own_s
        print(
            f"{mode:10} {own_s:7.1f} CPU s ({speed:9,.0f} captions/s) {one['peak_mb']:7.0f} MB peak"
            f" {one['kept']:9,.0f} kept, {one['phrases']:,.0f} phrases, {one['frequent']:,.0f} frequent",
            flush=True,
        )
    read_s, floor = measured["read"]["cpu_s"], measured["floor"]
    for mode in ("all", "remaining"):
        one = measured[mode]
        times = (floor["cpu_s"] - read_s) / (one["cpu_s"] - read_s)
        print(
            f"{mode}: {times:.2f} times as fast as the floor, {one['peak_mb'] / floor['peak_mb']:.2f} of its memory"
        )


if __name__ == "__main__":
    main()
