"""The sources that a build can name: name -> how it is opened from the build's settings."""

from collections.abc import Callable
from pathlib import Path

from instructgen.config import ColumnsConfig, DocumentsConfig, SourceConfig
from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder
from instructgen.sources.base import Source

_SAMPLE_ID_PREFIX = "sample"
_DEFAULT_NUM_SCENES = 48


def _open_coco(config: SourceConfig, seed: int) -> Source:  # noqa: ARG001  COCO draws nothing
    from instructgen.sources.coco import CocoSource

    if config.root is None and config.split is not None:
        raise InstructgenError("--split needs --root, a COCO folder; without it the bundled sample is read")
    if config.root is None:
        return CocoSource(shared_folder("data") / "sample", config.split, config.limit, _SAMPLE_ID_PREFIX)
    return CocoSource(Path(config.root), config.split, config.limit)


def _open_scenes(config: SourceConfig, seed: int) -> Source:
    from instructgen.sources.scenes import ScenesSource, SimpleScenesSource

    if config.root is not None or config.split is not None:
        raise InstructgenError("rendered scenes have no --root and no --split; choose how many with --limit")
    kind = SimpleScenesSource if config.name == SimpleScenesSource.name else ScenesSource
    return kind(limit=config.limit or _DEFAULT_NUM_SCENES, seed=seed)


def _open_pairs(config: SourceConfig, seed: int) -> Source:
    from instructgen.sources.pairs import PairsSource

    return PairsSource(config, seed)


SOURCES: dict[str, Callable[[SourceConfig, int], Source]] = {
    "coco": _open_coco,
    "scenes": _open_scenes,
    "simple-scenes": _open_scenes,
    "pairs": _open_pairs,
}


def open_source(config: SourceConfig, seed: int) -> Source:
    """Return the source that the settings name; InstructgenError where it cannot be opened."""
    if config.name == "interleaved":
        raise InstructgenError("documents are not asked for, they are read, at no cost: instructgen build")
    if config.name not in SOURCES:
        raise InstructgenError(f"no source called '{config.name}'; there are: {', '.join(SOURCES)}, interleaved")
    if config.documents != DocumentsConfig():
        raise InstructgenError(
            f"[source.documents] is of the source 'interleaved', and the source is '{config.name}'"
        )
    if config.name != "pairs" and (config.tables or config.balance or config.columns != ColumnsConfig()):
        raise InstructgenError(
            f"[source] tables, columns and balance are of the source 'pairs', and the source is '{config.name}'"
        )
    return SOURCES[config.name](config, seed)


def brings_pictures(config: SourceConfig) -> bool:
    """Return whether the pictures are the source's own, so that a dataset embeds them unless told otherwise."""
    return config.root is None and config.name != "pairs"
