"""What a version adds to a store that holds the one before it: an append, a change here and there, a removal.

    python bench/dataset_append.py [--samples 158000]

Rows are made here, with the lengths of LLaVA's three types (answers of 17, 79 and 105 words). Each change is
published to a store that holds the first version, and the bytes of shards that were not there are counted. The floor
is the share of the rows that are new or changed.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from instructgen.dataset.columns import Provenance, Row, make_row, make_schema
from instructgen.dataset.manifest import Counts, Manifest, SourceFacts, TeacherFacts, count_splits, make_version
from instructgen.dataset.publish import REJECTED_NAME, seal
from instructgen.dataset.shards import ShardWriter
from instructgen.dataset.stores.base import find_earlier
from instructgen.dataset.stores.local import LocalStore
from instructgen.draws import draw_fraction
from instructgen.records import ImageRecord, Message, Reply, Sample

TYPES = {"conv": (5, 17), "detail": (1, 79), "reasoning": (1, 105)}  # questions, words of an answer
WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "ou") for c in ("n", "r", "st", "ll", "t")
]
VAL_FRACTION = 0.05


def make_rows(number: int, text_seed: str) -> Iterator[Row]:
    record = ImageRecord(f"coco/{number:012d}", f"{number:012d}.jpg", 640, 480, ("A dog.",), ())
    for name, (num_questions, num_words) in TYPES.items():
        draw = random.Random(f"{text_seed}/{number}/{name}")
        turns = []
        for _ in range(num_questions):
            turns.append(Message("user", " ".join(draw.choices(WORDS, k=9)) + "?"))
            turns.append(Message("assistant", " ".join(draw.choices(WORDS, k=num_words)) + "."))
        sample = Sample(
            f"{record.image_id}/{name}/0", record.image_id, name, tuple(turns), ("r" * 64,), {"length": 1.0}
        )
        reply = Reply("r" * 64, "", "stop", 500, 100, 0.001, "model", "openai")
        yield make_row(sample, record, Provenance("coco", "p" * 64, reply), None)


def publish(store: LocalStore, images: list[tuple[int, str]]) -> int:
    """Publish the version of these images, each with what its text is drawn from; return its new bytes."""
    staging = store.folder / ".work" / "bench"
    staging.mkdir(parents=True)
    writer = ShardWriter(
        staging,
        make_schema(["length"], embeds_images=False),
        rows_per_shard=2_000,
        embeds_images=False,
        earlier=find_earlier(store),
    )
    for number, text_seed in images:
        split = "val" if draw_fraction(0, "split", f"coco/{number:012d}") < VAL_FRACTION else "train"
        for row in make_rows(number, text_seed):
            writer.write(split, row)
    shards = writer.finish()
    (staging / REJECTED_NAME).write_bytes(b"")
    accepted = dict.fromkeys(TYPES, len(images))
    none = dict.fromkeys(TYPES, 0)
    manifest = Manifest(
        format=2, version="", parent=None, created_at="", code={"instructgen": "bench"}, config={}, prompts={},
        source=SourceFacts("coco", "bench", len(images), {}), teacher=TeacherFacts("t", "m", {}, 0, 0, None),
        counts=Counts(accepted, accepted, none, none, {}), splits=count_splits(shards), embeds_images=False,
        unpublished_sha256="", shards=tuple(shards), contents=writer.contents,
    )  # fmt: skip
    manifest = replace(manifest, version=make_version(manifest))
    seal(staging, manifest)
    return store.publish(staging, manifest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=158_000)
    num_images = parser.parse_args().samples // len(TYPES)
    first = [(number, "a") for number in range(num_images)]
    one_percent = num_images // 100
    some = set(random.Random(0).sample(range(num_images), 20))
    cases = {
        "1% appended": [*first, *((number, "a") for number in range(num_images, num_images + one_percent))],
        "20 images changed": [(number, "b" if number in some else "a") for number, _ in first],
        "20 images removed": [(number, "a") for number, _ in first if number not in some],
        "1% changed, all over": [(number, "b" if number % 100 == 0 else "a") for number, _ in first],
    }
    for name, images in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            store = LocalStore(Path(folder))
            total = publish(store, first)
            store.move_tag("latest", store.list_versions()[0], None)
            new = publish(store, images)
            touched = len(set(images) - set(first)) / num_images
            print(
                f"{name}: {new / 1e6:.2f} MB new beside {total / 1e6:.1f} MB "
                f"({100 * new / total:.2f}%; rows {100 * touched:.2f}%)"
            )


if __name__ == "__main__":
    main()
