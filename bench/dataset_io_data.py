"""Rows with real pictures, and how each library writes and opens them, for dataset_io.py."""

import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPLIT, TYPES, SEED = "train", ("conv", "detail", "reasoning"), 3
COLUMNS = ["sample_id", "messages", "images"]
GROUP_ROWS = 100


def make_rows(folder: Path, num_rows: int) -> list[dict[str, Any]]:
    """Return rows in the order of a build: image by image, three samples of each."""
    from instructgen.dataset.columns import Provenance, make_row
    from instructgen.records import ImageRecord, Message, Reply, Sample

    pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    words = ["dog", "lies", "beside", "the", "red", "ball", "on", "grass", "while", "two", "people", "walk", "past"]
    generator = random.Random(0)
    rows = []
    for number in range(num_rows):
        image, sample_type = number // len(TYPES), TYPES[number % len(TYPES)]
        name = f"coco/{image:012d}"
        record = ImageRecord(name, f"{image:012d}.jpg", 640, 480, ("A dog.",), ())
        turns = [
            Message(role, " ".join(generator.choices(words, k=8 if role == "user" else 40)))
            for _ in range(5)
            for role in ("user", "assistant")
        ]
        scores = {"leakage": 0.0, "repetition": generator.random(), "length": 200.0}
        sample = Sample(f"{name}/{sample_type}/0", name, sample_type, tuple(turns), (f"{number:064x}",), scores)
        reply = Reply(f"{number:064x}", "", "stop", 900, 200, 0.001, "a-model", "openai")
        rows.append(make_row(sample, record, Provenance("coco", "0" * 64, reply), pictures[image % len(pictures)]))
    return rows


def make_schema_of(rows: list[dict[str, Any]]) -> Any:
    from instructgen.dataset.columns import make_schema

    return make_schema(list(rows[0]["scores"]), embeds_images=True)


def write_version(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write what the readers read: data/ and the manifest that open_rows wants."""
    from instructgen.dataset.manifest import (
        MANIFEST_NAME,
        Counts,
        Manifest,
        SourceFacts,
        TeacherFacts,
        encode_manifest,
    )

    counts = dict(Counter(row["sample_type"] for row in rows))
    none = dict.fromkeys(counts, 0)
    manifest = Manifest(
        format=1,
        version="bench",
        parent=None,
        created_at="",
        code={},
        config={},
        prompts={},
        source=SourceFacts("coco", "JPEGs, over and over", len(rows), {}),
        teacher=TeacherFacts("openai", "a-model", {}, 0, 0, 0.0),
        counts=Counts(counts, counts, none, none, {}),
        splits={SPLIT: len(rows)},
        embeds_images=True,
        unpublished_sha256="",
        shards=tuple(write_instructgen(rows, folder)),
    )
    (folder / MANIFEST_NAME).write_bytes(encode_manifest(manifest))


def write_instructgen(rows: list[dict[str, Any]], folder: Path) -> Any:
    from instructgen.dataset.shards import ShardWriter

    writer = ShardWriter(folder, make_schema_of(rows), 1000, embeds_images=True)
    for row in rows:
        writer.write(SPLIT, row)
    return writer.finish()


def write_to_parquet(rows: list[dict[str, Any]], folder: Path) -> None:
    import datasets

    features = datasets.Features.from_arrow_schema(make_schema_of(rows))
    made = datasets.Dataset.from_generator(
        lambda: iter(rows),
        features=features,
        cache_dir=str(folder / "cache"),
        fingerprint="bench",
        keep_in_memory=False,
    )
    made.to_parquet(folder / "train.parquet", batch_size=GROUP_ROWS)


def write_with_parquet_writer(rows: list[dict[str, Any]], folder: Path) -> None:
    import datasets
    from datasets.arrow_writer import ParquetWriter

    features = datasets.Features.from_arrow_schema(make_schema_of(rows))
    writer = ParquetWriter(path=str(folder / "train.parquet"), features=features, writer_batch_size=GROUP_ROWS)
    for row in rows:
        writer.write(features.encode_example(row))
    writer.finalize()


def use_our_codecs() -> None:
    """datasets 5.2 compresses text with snappy and has no option for it."""
    import datasets.arrow_writer
    import datasets.io.parquet

    theirs = datasets.arrow_writer.get_parquet_column_options

    def choose(features: Any, schema: Any) -> dict[str, Any]:
        options = theirs(features, schema)
        codecs = {leaf: "none" if codec == "none" else "zstd" for leaf, codec in options["compression"].items()}
        levels = {leaf: 3 for leaf, codec in codecs.items() if codec == "zstd"}
        return {**options, "compression": codecs, "compression_level": levels}

    datasets.arrow_writer.get_parquet_column_options = choose
    datasets.io.parquet.get_parquet_column_options = choose


def open_map(version: Path, decodes: bool) -> Any:
    import datasets

    files = sorted(map(str, (version / "data").glob("*.parquet")))
    image = datasets.Image(decode=decodes)
    message = {"role": datasets.Value("string"), "content": datasets.Value("string")}
    features = {
        "sample_id": datasets.Value("string"),
        "messages": datasets.List(message),
        "images": datasets.List(image),
    }
    read = datasets.load_dataset(
        "parquet", data_files=files, split="train", columns=COLUMNS, features=datasets.Features(features),
        cache_dir=str(version.parent / f"cache-{decodes}"),
    )  # fmt: skip
    return read.shuffle(seed=SEED)


def open_stream(version: Path, decodes: bool) -> Any:
    import datasets

    files = sorted(map(str, (version / "data").glob("*.parquet")))
    read = datasets.load_dataset("parquet", data_files=files, split="train", columns=COLUMNS, streaming=True)
    if not decodes:
        read = read.cast_column("images", datasets.List(datasets.Image(decode=False)))
    return read.shuffle(seed=SEED, buffer_size=1000)


def open_ours(version: Path, decodes: bool, num_groups: int | None = None) -> Any:
    from instructgen.dataset.loader import open_rows

    rows = open_rows(version, SPLIT, seed=SEED, columns=COLUMNS, decode="pil" if decodes else "bytes")
    return rows if num_groups is None else rows.in_windows(num_groups)


def size_of(picture: Any) -> int:
    """Return pixels of what is decoded, or bytes of what is not."""
    if isinstance(picture, dict):
        picture = picture["bytes"]
    return len(picture) if isinstance(picture, bytes) else picture.width * picture.height


def decode_self(picture: Any) -> Any:
    from PIL import Image, ImageOps

    image = Image.open(io.BytesIO(picture["bytes"]))
    image.load()
    return image if image.getexif().get(0x0112) is None else ImageOps.exif_transpose(image)


def count(rows: list[dict[str, Any]], decode: Callable[[Any], Any] | None = None) -> tuple[int, int, int]:
    """Return rows, characters and size of pictures of a batch, all of which is there at once, as a model wants it."""
    chars = sum(len(message["content"]) for row in rows for message in row["messages"])
    pictures = [decode(picture) if decode else picture for row in rows for picture in row["images"]]
    return len(rows), chars, sum(map(size_of, pictures))


def count_decoding(rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    return count(rows, decode_self)


def open_for(library: str, version: Path, decodes: bool) -> tuple[Any, Callable[[Any], Any]]:
    if library == "instructgen":
        return open_ours(version, decodes), count
    if library == "stream":
        return open_stream(version, decodes), count
    own = library == "map, own decode"
    return open_map(version, decodes and not own), count_decoding if own and decodes else count
