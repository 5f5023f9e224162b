"""Near duplicates among many texts: time, memory, recall on planted copies, and datasketch beside it if installed.

    python bench/near_duplicates.py --root COCO                        # 158,000 texts of about 1 KB
    python bench/near_duplicates.py --root COCO --texts 40000 --peer   # datasketch on the same texts, too

The texts are sentences that the scene program wrote about the images in COCO (val2017), put together at random. A
tenth of them are copies of an earlier text with 1% of the words edited (replaced, left out or put in), a tenth with
2%. A reported pair is false if its Jaccard similarity, counted on sets of words in plain Python, is below the
threshold.
"""

import argparse
import random
import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.records import ImageRecord, Message, Sample
from instructgen.refine.sentences import split_line
from instructgen.sources.coco import CocoSource
from instructgen.teachers.scene_program import Task, write_text

_TARGET_CHARS = 1000
_RECORD = ImageRecord("bench/1", "1.jpg", 640, 480, (), ())


def read_sentences(root: Path, num_images: int) -> list[str]:
    sentences: set[str] = set()
    for record, _ in zip(CocoSource(root).records(), range(num_images), strict=False):
        if isinstance(record, ImageRecord):
            for kind in ("conv", "detail", "reasoning"):
                answers = re.sub(r"Question:\n.*|Answer:|===", "", write_text(Task(kind, record), 0))
                sentences.update(sentence for line in answers.split("\n") for sentence in split_line(line))
    return sorted(sentences)


def edit(words: list[str], share: float, draw: random.Random, vocabulary: list[str]) -> list[str]:
    words = list(words)
    for _ in range(round(share * len(words))):
        at = draw.randrange(len(words))
        how = draw.randrange(3)
        if how == 0:
            words[at] = draw.choice(vocabulary)
        elif how == 1:
            del words[at]
        else:
            words.insert(at, draw.choice(vocabulary))
    return words


def make_texts(sentences: list[str], num: int) -> tuple[list[str], dict[int, tuple[int, float]]]:
    """Return the texts, and of each copy the place of its original and the share of edits."""
    draw = random.Random(0)
    vocabulary = sorted({word for sentence in sentences for word in sentence.split()})
    texts: list[str] = []
    copies: dict[int, tuple[int, float]] = {}
    for number in range(num):
        share = {0: 0.01, 1: 0.02}.get(number % 10)
        if share is None or number < 10:
            parts: list[str] = []
            while sum(map(len, parts)) < _TARGET_CHARS:
                parts.append(draw.choice(sentences))
            texts.append(" ".join(parts))
        else:
            original = draw.randrange(number)
            while original in copies:
                original = draw.randrange(number)
            copies[number] = (original, share)
            texts.append(" ".join(edit(texts[original].split(), share, draw, vocabulary)))
    return texts, copies


def make_samples(texts: list[str]) -> Iterator[Sample]:
    for number, text in enumerate(texts):
        turns = (Message("user", "What is there?"), Message("assistant", text))
        yield Sample(f"bench/{number}/detail/0", f"bench/{number}", "detail", turns, (), {})


def shingles_of(text: str, n: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.lower())
    return set(zip(*(words[start:] for start in range(n)), strict=False))


def similarity(one: str, other: str, n: int) -> float:
    left, right = shingles_of(one, n), shingles_of(other, n)
    return len(left & right) / len(left | right)


def run_ours(texts: list[str], options: NearDuplicate) -> dict[int, int]:
    look = options.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    for sample in make_samples(texts):
        look.observe(sample, _RECORD)
    observed = time.perf_counter()
    found = look.decide()
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"ours: {end - start:.1f} s ({observed - start:.1f} observe, {end - observed:.1f} decide), "
        f"{time.process_time() - cpu:.1f} CPU s, {(peak - before) / 1024:.0f} MB more at the peak"
    )
    return {int(later.split("/")[1]): int(fault.detail.split("/")[1]) for later, fault in found.items()}


def run_datasketch(texts: list[str], options: NearDuplicate) -> dict[int, int]:
    from datasketch import MinHash, MinHashLSH

    start, cpu = time.perf_counter(), time.process_time()
    index = MinHashLSH(threshold=options.threshold, num_perm=128)
    found: dict[int, int] = {}
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words).encode() for words in shingles_of(text, options.n)])
        near = index.query(sketch)
        if near:
            found[number] = min(near)
        else:
            index.insert(number, sketch)
    print(f"datasketch: {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} CPU s (not verified)")
    return found


def report(name: str, found: dict[int, int], texts: list[str], copies: dict[int, tuple[int, float]], n: int) -> None:
    """Print the recall of copies that are above the threshold, and how many reported pairs are not."""
    threshold = NearDuplicate().threshold
    for share in (0.01, 0.02):
        planted = [later for later, (_, edits) in copies.items() if edits == share]
        similar = [later for later in planted if similarity(texts[copies[later][0]], texts[later], n) >= threshold]
        hits = sum(later in found for later in planted)
        hits_similar = sum(later in found for later in similar)
        print(
            f"  {name}, {share:.0%} edits: {hits / len(planted):.4f} of {len(planted)} copies found; "
            f"of the {len(similar)} that reach {threshold}: {hits_similar / max(1, len(similar)):.4f}"
        )
    false = sum(similarity(texts[kept], texts[later], n) < threshold for later, kept in found.items())
    print(f"  {name}: {len(found)} reported, {false} of them below the threshold")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="COCO folder with val2017 annotations")
    parser.add_argument("--texts", type=int, default=158_000)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--peer", action="store_true", help="run datasketch on the same texts")
    args = parser.parse_args()
    texts, copies = make_texts(read_sentences(args.root, args.images), args.texts)
    print(f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters each, {len(copies)} copies")
    options = NearDuplicate()
    report("ours", run_ours(texts, options), texts, copies, options.n)
    if args.peer:
        report("datasketch", run_datasketch(texts, options), texts, copies, options.n)


if __name__ == "__main__":
    main()
