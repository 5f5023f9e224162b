"""What a manifest says of a build."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from instructgen.config import JudgeConfig, RefineConfig, SourceConfig
from instructgen.dataset.manifest import (
    FORMAT,
    Counts,
    Manifest,
    RefinementFacts,
    SourceFacts,
    TeacherFacts,
    code_versions,
    count_splits,
    make_version,
)
from instructgen.dataset.publish import read_tag
from instructgen.dataset.shards import Shard
from instructgen.dataset.stores.base import LATEST
from instructgen.records import Reply

if TYPE_CHECKING:
    from instructgen.jobs.parts import BuildParts
    from instructgen.teachers.base import Teacher


@dataclass(frozen=True, slots=True)
class Digests:
    """What a version says of the files beside its shards, and of its rows."""

    unpublished_sha256: str
    contents: dict[str, str]
    refinement: RefinementFacts | None
    metrics: dict[str, Any] | None
    """None of a build of one share: they are measured when its parts are merged."""


@dataclass(slots=True)
class Spending:
    """Adds up tokens and dollars of replies, each of which is given once."""

    num_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, reply: Reply) -> None:
        self.num_requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        known = self.cost_usd is not None and reply.cost_usd is not None
        self.cost_usd = self.cost_usd + reply.cost_usd if known else None  # type: ignore[operator]


def make_manifest(
    parts: "BuildParts",
    counts: Counts,
    spending: Spending,
    shards: Sequence[Shard],
    digests: Digests,
    out: Path,
) -> Manifest:
    """Return the manifest with its version and, as parent, the version that `out` had before."""
    manifest = Manifest(
        format=FORMAT,
        version="",
        parent=None,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code=code_versions(),
        config=content_config(parts),
        prompts=dict(parts.prompt_sha256),
        source=SourceFacts(
            name=parts.source.name,
            title=parts.source.title,
            num_images=parts.planner.num_images,
            issues=dict(sorted(parts.planner.issues.items())),
        ),
        teacher=TeacherFacts(
            name=parts.teacher.name,
            model=parts.teacher.model,
            decoding=msgspec.to_builtins(parts.teacher.decoding),
            prompt_tokens=spending.prompt_tokens,
            completion_tokens=spending.completion_tokens,
            cost_usd=None if spending.cost_usd is None else round(spending.cost_usd, 6),
        ),
        counts=counts,
        splits=count_splits(shards),
        embeds_images=parts.embeds_images,
        unpublished_sha256=digests.unpublished_sha256,
        shards=tuple(shards),
        contents=digests.contents,
        rows_per_shard=parts.config.dataset.rows_per_shard,
        refinement=digests.refinement,
        metrics=digests.metrics,
    )
    version = make_version(manifest)
    latest = read_tag(out, LATEST)
    return msgspec.structs.replace(manifest, version=version, parent=latest if latest != version else None)


def content_config(parts: "BuildParts") -> dict[str, Any]:
    """Return the settings that shape the rows; where files lie and how fast to ask is not among them."""
    config = parts.config
    return {
        "types": list(config.types),
        "seed": config.seed,
        "source": _source_facts(config.source),
        "surrogate": msgspec.to_builtins(config.surrogate),
        "filters": {
            name: msgspec.to_builtins(rule) for name, rule in {**parts.judge.filters, **parts.corpus_filters}.items()
        },
        **({"fallback": _teacher_facts(parts.fallback)} if parts.fallback is not None else {}),
        **_seeing_facts(parts),
        **({"refine": _refine_facts(config.refine)} if config.refine.is_on else {}),
        **({"judge": _judge_facts(config.judge, parts.assessing)} if parts.assessing is not None else {}),
        "dataset": {"val_fraction": config.dataset.val_fraction},
        **({"share": str(parts.share)} if parts.share is not None else {}),
    }


def _source_facts(source: SourceConfig) -> dict[str, Any]:
    """Return what is read and how, without where it lies."""
    facts: dict[str, Any] = {"name": source.name, "split": source.split, "limit": source.limit}
    if source.tables:
        facts["tables"] = [[table.name or Path(table.path).name, table.weight, table.cap] for table in source.tables]
    if source.balance is not None:
        facts["balance"] = msgspec.to_builtins(source.balance)
    return facts


def _teacher_facts(teacher: "Teacher") -> dict[str, Any]:
    return {"name": teacher.name, "model": teacher.model, "decoding": msgspec.to_builtins(teacher.decoding)}


def _seeing_facts(parts: "BuildParts") -> dict[str, Any]:
    seen = [(one.see_image, one.max_image_side_px) for one in parts.settings]
    return {"see_image": [list(one) for one in seen]} if any(how != "no" for how, _ in seen) else {}


def _refine_facts(refine: RefineConfig) -> dict[str, Any]:
    return {
        "continue_below_tokens": refine.continue_below_tokens,
        "clean": refine.clean,
        "rewrite": refine.rewrite,
        "repair_rounds": refine.repair_rounds,
    }


def _judge_facts(judge: JudgeConfig, teacher: "Teacher") -> dict[str, Any]:
    return {
        **_teacher_facts(teacher),
        "min_accuracy": judge.min_accuracy,
        "min_relevancy": judge.min_relevancy,
        "unreadable": judge.unreadable,
    }
