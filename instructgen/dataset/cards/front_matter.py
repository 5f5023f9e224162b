"""The front matter of a dataset card, as Hugging Face's readers and the Hub's viewer follow it."""

import re
from collections.abc import Iterable, Mapping

from instructgen.dataset.cards.features import describe_feature
from instructgen.dataset.cards.licences import UNKNOWN_ID, describe_licence
from instructgen.dataset.cards.statistics import Statistics
from instructgen.dataset.cards.yaml_text import Value, write_yaml
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import Shard

DEFAULT = "default"
_TASKS = ["visual-question-answering", "image-to-text", "image-text-to-text"]
_SIZES = (
    *((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")),
    *((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")),
)
_ORIGINAL_SOURCES = ("scenes", "simple-scenes")  # drawn, so that nothing stands behind them
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


def write_front_matter(manifest: Manifest, prefix: str, statistics: Statistics | None) -> str:
    """Return the YAML between the card's two "---"; without statistics it has no features and sizes."""
    fields: dict[str, Value] = {
        "pretty_name": " ".join(f"{manifest.source.name} instruction data {manifest.version}".split()),
        "license": list_hub_licences(manifest, statistics),
        "language": ["en"],
        "size_categories": [name_size(sum(manifest.splits.values()))],
        "task_categories": _TASKS,
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": list_sources(manifest),
        "tags": ["instructgen", "visual-instruction-tuning", *manifest.counts.accepted],
    }
    if manifest.splits:
        shards_by_config = sort_into_configs(manifest)
        fields["configs"] = [
            {"config_name": name, "data_files": _list_files(name, shards, prefix)}
            for name, shards in shards_by_config.items()
        ]
        if statistics is not None:
            fields["dataset_info"] = [
                _describe_config(name, shards, manifest, statistics) for name, shards in shards_by_config.items()
            ]
    return write_yaml(fields)


def sort_into_configs(manifest: Manifest) -> dict[str, list[Shard]]:
    """Return the shards by config: all of them, and those of each sample type under its own name."""
    by_config = {DEFAULT: list(manifest.shards)}
    for shard in manifest.shards:
        name = _NOT_IN_NAMES.sub("_", shard.sample_type)
        by_config.setdefault(f"type-{name}" if name == DEFAULT else name, []).append(shard)
    return by_config


def list_hub_licences(manifest: Manifest, statistics: Statistics | None) -> list[str]:
    """Return the Hub's identifiers of the licences of the pictures that are in the rows, the most frequent first.

    Nobody told those of the texts, so that rows without pictures are "unknown".
    """
    if statistics is None or not manifest.embeds_images or not statistics.licences:
        return [UNKNOWN_ID]
    return list(dict.fromkeys(describe_licence(found.name).hub_id for found in statistics.licences))


def list_sources(manifest: Manifest) -> list[str]:
    if manifest.source.name in _ORIGINAL_SOURCES:
        return ["original"]
    name = re.sub(r"[^a-z0-9._-]+", "-", manifest.source.name.lower()).strip("-")
    return [f"extended|other-{name}" if name else "extended"]


def name_size(num_rows: int) -> str:
    return next((name for bound, name in _SIZES if num_rows < bound), "n>1T" if num_rows >= 10**12 else "1B<n<10B")


def _list_files(name: str, shards: Iterable[Shard], prefix: str) -> list[Value]:
    by_split: dict[str, list[str]] = {}
    for shard in shards:
        by_split.setdefault(shard.split, []).append(f"{prefix}{shard.path}")
    if name == DEFAULT:
        return [{"split": split, "path": f"{prefix}data/{split}-*.parquet"} for split in by_split]
    return [{"split": split, "path": paths[0] if len(paths) == 1 else paths} for split, paths in by_split.items()]


def _describe_config(
    name: str, shards: Iterable[Shard], manifest: Manifest, statistics: Statistics
) -> Mapping[str, Value]:
    rows: dict[str, int] = {}
    types: dict[str, set[str]] = {}
    download_bytes = 0
    for shard in shards:
        rows[shard.split] = rows.get(shard.split, 0) + shard.num_rows
        types.setdefault(shard.split, set()).add(shard.sample_type)
        download_bytes += shard.num_bytes
    num_bytes = {
        split: sum(statistics.splits[split].num_bytes.get(one, 0) for one in types[split])
        for split in rows
        if split in statistics.splits
    }
    return {
        "config_name": name,
        "features": [
            describe_feature(column, decodes_pictures=manifest.embeds_images) for column in statistics.columns
        ],
        "splits": [
            {"name": split, "num_bytes": num_bytes.get(split, 0), "num_examples": count}
            for split, count in rows.items()
        ],
        "download_size": download_bytes,
        "dataset_size": sum(num_bytes.values()),
    }
