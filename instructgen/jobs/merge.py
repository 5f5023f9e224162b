"""`instructgen merge`: the parts that builds of single shares left become the version that one build would have made.

Rows are not read again: shards are linked or copied as they are, and what the version's name digests is put together
from what the parts say of each unit. Only where a filter looks at the whole dataset, texts are read, and shards that
lose a row are written anew.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from instructgen.dataset.manifest import Manifest, SourceFacts, code_versions, count_splits, make_version
from instructgen.dataset.publish import REFINED_NAME, REJECTED_NAME, check_out, publish, read_tag
from instructgen.dataset.stores.base import LATEST, check_tag
from instructgen.dataset.stores.errors import told_store
from instructgen.dataset.stores.local import LocalStore
from instructgen.errors import InstructgenError
from instructgen.jobs.gates import GateFault, find_gate_faults
from instructgen.jobs.merge_compare import find_dropped
from instructgen.jobs.merge_ledgers import MergedAnswers, merge_ledgers, note_teachers
from instructgen.jobs.merge_open import OpenedPart, check_parts, open_parts
from instructgen.jobs.merge_settle import Settlement
from instructgen.jobs.merge_shards import place_shards
from instructgen.ledger.ledger import Ledger

Watch = Callable[[int, int], None]
"""Given parts done and parts in all."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """`num_paid_twice` are requests that more than one part asked for itself; `answers` what the ledgers held."""

    version_folder: Path
    manifest: Manifest
    num_parts: int
    num_paid_twice: int
    answers: MergedAnswers
    gate_faults: tuple[GateFault, ...]


def merge_parts(
    refs: Sequence[str],
    out: Path,
    tags: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _done, _all: None,
) -> MergeResult:
    """Publish the version of all parts in `out`, and give its ledger their answers.

    Raises InstructgenError where a part lacks, is damaged, or is not of the same build as the others. Killed at any
    moment, the version is whole or not there; the same command does it again.
    """
    for tag in tags:
        check_tag(tag)
    with told_store(*refs):
        opened = open_parts(refs)
        check_parts(opened)
    check_out(out)
    _check_apart(opened, out)
    answers = merge_ledgers(opened, out, say)
    with told_store(*refs), Ledger(out / "run", say=say) as ledger:
        note_teachers(opened, ledger)
        staging = out / "run" / "merging"
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "data").mkdir(parents=True)
        manifest, num_paid_twice = _write(opened, staging, out, watch)
        faults = find_gate_faults(opened[0].facts.gates, manifest.metrics or {"total": {}, "types": {}})
        version_folder = publish(staging, manifest, out, is_latest=not faults)
        store = LocalStore(out)
        for tag in tags:
            store.move_tag(tag, manifest.version, store.list_tags().get(tag))
    return MergeResult(version_folder, manifest, len(opened), num_paid_twice, answers, tuple(faults))


def _check_apart(opened: Sequence[OpenedPart], out: Path) -> None:
    for part in opened:
        if part.folder is not None and part.folder.resolve() == out.resolve():
            raise InstructgenError(f"--out {out} is the folder of share {part.facts.share} itself; give another one")


def _write(opened: Sequence[OpenedPart], staging: Path, out: Path, watch: Watch) -> tuple[Manifest, int]:
    """Write the version's files, and return its manifest and how many requests several parts paid for."""
    dropped = find_dropped(opened)
    with ExitStack() as stack:
        rejected_file = stack.enter_context((staging / REJECTED_NAME).open("wb"))
        settlement = stack.enter_context(
            Settlement(opened[0].stored.manifest, rejected_file, staging / REFINED_NAME, dropped)
        )
        for number, part in enumerate(opened, 1):
            settlement.take(part)
            watch(number, len(opened))
        counts, metrics = settlement.close()
        refinement = settlement.refined.make_facts(opened)
    shards = place_shards(opened, settlement.gone, staging)
    first, teacher = opened[0].stored.manifest, opened[0].stored.manifest.teacher
    spent = settlement.spending
    manifest = replace(
        first,
        version="",
        parent=None,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code=code_versions(),
        config={name: value for name, value in first.config.items() if name != "share"},
        source=_join_sources(opened),
        teacher=replace(
            teacher,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            cost_usd=None if spent.cost_usd is None else round(spent.cost_usd, 6),
        ),
        counts=counts,
        splits=count_splits(shards),
        unpublished_sha256=settlement.rejected.sha256,
        shards=tuple(shards),
        contents=settlement.contents,
        refinement=refinement,
        metrics=metrics,
    )
    version = make_version(manifest)
    latest = read_tag(out, LATEST)
    manifest = replace(manifest, version=version, parent=latest if latest != version else None)
    return manifest, settlement.num_paid_twice


def _join_sources(opened: Sequence[OpenedPart]) -> SourceFacts:
    first = opened[0].stored.manifest.source
    issues: dict[str, int] = {}
    for part in opened:
        for reason, num in part.stored.manifest.source.issues.items():
            issues[reason] = issues.get(reason, 0) + num
    return replace(first, num_images=opened[0].facts.num_images, issues=dict(sorted(issues.items())))
