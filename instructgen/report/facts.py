"""What a version says of itself: its manifest, the run that made it, and the version before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from instructgen.dataset.manifest import Manifest, read_manifest
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.versions import find_parents
from instructgen.errors import InstructgenError
from instructgen.observe.runlog import RunSummary
from instructgen.pages.numbers import say_duration, say_number, say_share, say_usd
from instructgen.resources import LOG_NAME, RUN_NAME

_DIGEST_CHARS = 12
_MAX_LOG_LINES = 200_000

Facts = list[tuple[str, str]]
"""What, and its value in words."""


class VersionFacts(Struct, frozen=True):
    """`run` is None where the last run made another version, or none is known; so is `parent`."""

    manifest: Manifest
    run: RunSummary | None
    events: dict[str, int]
    parent: Manifest | None

    @property
    def gates(self) -> Mapping[str, Any]:
        """The pipeline's bounds, as run.json has them."""
        none: dict[str, Any] = {"total": {}, "types": {}}
        return none if self.run is None else {**none, **(self.run.settings.get("gates") or {})}

    @property
    def root(self) -> Path | None:
        """The COCO folder that the version was built from, where it is still there."""
        root = None if self.run is None else (self.run.settings.get("source") or {}).get("root")
        return Path(root) if root and (Path(root) / "annotations").is_dir() else None

    @property
    def seconds(self) -> float | None:
        return None if self.run is None else self.run.stats.get("seconds")


def read_facts(version: LocalVersion) -> VersionFacts:
    manifest = version.manifest
    run_folder = version.folder.resolve().parent.parent / "run"
    run = _read_run(run_folder / RUN_NAME, manifest.version)
    return VersionFacts(
        manifest=manifest,
        run=run,
        events={} if run is None else _count_events(run_folder / LOG_NAME),
        parent=_read_parent(version),
    )


def _read_run(path: Path, version: str) -> RunSummary | None:
    """Return what run.json says, if it is of the run that published this version."""
    try:
        run = msgspec.json.decode(path.read_bytes(), type=RunSummary)
    except (OSError, msgspec.DecodeError):
        return None  # it is of a run that was killed, or of none: the manifest has what matters
    return run if run.message == f"published version {version}" else None


def _count_events(path: Path) -> dict[str, int]:
    """Return how many lines of each event the log has since the last run began."""
    counts: dict[str, int] = {}
    try:
        file = path.open("rb")
    except OSError:
        return counts
    with file:
        for number, line in enumerate(file):
            if number == _MAX_LOG_LINES:
                break
            try:
                event = str(msgspec.json.decode(line)["event"])
            except (msgspec.DecodeError, KeyError, TypeError):
                continue  # a line that a kill cut off
            if event == "run_began":
                counts.clear()
            counts[event] = counts.get(event, 0) + 1
    return counts


def _read_parent(version: LocalVersion) -> Manifest | None:
    """Return the manifest of the one version that this follows, where it lies beside it."""
    parents = find_parents(version.manifest)
    if len(parents) != 1:
        return None
    try:
        return read_manifest(version.folder.resolve().parent / parents[0])
    except InstructgenError:
        return None


def list_tiles(facts: VersionFacts) -> list[tuple[str, str, str]]:
    """Return the headline: what, how many of it, and a note."""
    manifest = facts.manifest
    planned, kept = sum(manifest.counts.planned.values()), sum(manifest.splits.values())
    teacher = manifest.teacher
    tiles = [
        ("samples", say_number(kept), f"of {planned:,} planned" if planned else ""),
        (
            "kept",
            say_share(sum(manifest.counts.accepted.values()) / planned) if planned else "–",
            _say_lost(manifest),
        ),
        ("images", say_number(manifest.source.num_images), manifest.source.title),
        ("cost", "unknown" if teacher.cost_usd is None else say_usd(teacher.cost_usd), _say_price(manifest, kept)),
    ]
    tokens = teacher.prompt_tokens + teacher.completion_tokens
    if tokens:
        note = f"{teacher.prompt_tokens:,} asked, {teacher.completion_tokens:,} answered"
        tiles.append(("tokens", say_number(tokens), note))
    if facts.seconds is not None:
        rate = kept / facts.seconds if facts.seconds else 0
        note = f"the last run; {rate:,.0f} samples a second" if rate >= 1 else "the last run"
        tiles.append(("time", say_duration(facts.seconds), note))
    return tiles


def _say_lost(manifest: Manifest) -> str:
    rejected, failed = sum(manifest.counts.rejected.values()), sum(manifest.counts.failed.values())
    return f"{rejected:,} rejected, {failed:,} failed"


def _say_price(manifest: Manifest, kept: int) -> str:
    cost = manifest.teacher.cost_usd
    if cost is None:
        return "some answer has no known price"
    if cost == 0:
        return "a teacher that costs nothing"
    return f"{say_usd(1000 * cost / kept)} for 1,000 kept samples" if kept else "for nothing that was kept"


def list_origin(facts: VersionFacts) -> Facts:
    """What the rows were made from, and by whom."""
    manifest = facts.manifest
    found = [("source", manifest.source.title), ("images", f"{manifest.source.num_images:,}")]
    if manifest.source.issues:
        found.append(("annotations set aside", _say_counts(manifest.source.issues)))
    found.append(("pictures", "in the rows" if manifest.embeds_images else "by their path"))
    found += [("teacher", manifest.teacher.name), ("model", manifest.teacher.model)]
    if manifest.teacher.decoding:
        found.append(("decoding", _say_values(manifest.teacher.decoding)))
    if manifest.refinement is not None:
        refined = manifest.refinement
        found.append(("refined by", f"{refined.teacher}, {refined.model}: {', '.join(refined.steps) or 'nothing'}"))
    if manifest.review is not None:
        review = manifest.review
        found.append(("reviewed by", f"{', '.join(review.reviewers)}: {review.reviewed:,} samples of {review.of}"))
    found += [(f"prompt of {name}", digest[:_DIGEST_CHARS]) for name, digest in sorted(manifest.prompts.items())]
    return found


def list_version(facts: VersionFacts) -> Facts:
    manifest = facts.manifest
    found = [("version", manifest.version)]
    if manifest.lineage is not None:
        parents = ", ".join(parent.version for parent in manifest.lineage.parents) or "files"
        found.append(("made by", f"{manifest.lineage.operation} of {parents}"))
    elif manifest.parent:
        found.append(("follows", manifest.parent))
    found += [("published", manifest.created_at), ("splits", _say_counts(manifest.splits) or "none")]
    if "seed" in manifest.config:
        found.append(("seed", str(manifest.config["seed"])))
    found += [(name, text) for name, text in sorted(manifest.code.items())]
    return found


def list_run(facts: VersionFacts) -> Facts:
    """What the last run did, where it is the one that made this version."""
    if facts.run is None:
        return []
    stats = facts.run.stats
    found = [
        ("began", facts.run.started_at),
        ("took", say_duration(stats.get("seconds", 0.0))),
        ("requests", f"{stats.get('requests', 0):,} sent, {stats.get('answered', 0):,} answered"),
    ]
    for name, key in (
        ("found", "found"),
        ("failed attempts", "failed_attempts"),
        ("retries", "retries"),
        ("odd answers", "notes"),
    ):
        if stats.get(key):
            found.append((name, _say_counts(stats[key])))
    latency = stats.get("latency_s")
    if latency:
        text = ", ".join(f"{name} {latency[name]:.2f} s" for name in ("p50", "p95", "p99") if name in latency)
        found.append(("time to an answer", text))
    events = {name: number for name, number in facts.events.items() if name not in ("run_began", "run_ended")}
    if events:
        found.append(("in the log", _say_counts(events)))
    return found


def _say_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _say_values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
