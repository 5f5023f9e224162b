"""What the manifests of two versions say differently, and which units moved between accepted and turned away."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from instructgen.dataset.compare.rows import RowComparison
from instructgen.dataset.compare.sides import Side
from instructgen.dataset.lines import read_lines
from instructgen.dataset.manifest import Counts, Manifest
from instructgen.dataset.publish import REJECTED_NAME
from instructgen.dataset.stored import StoredVersion

if TYPE_CHECKING:
    from instructgen.dataset.compare.rows import Places

ACCEPTED = "accepted"
ABSENT = "absent"
"""Neither a row nor a line of rejected.jsonl."""
_OUTCOMES = ("planned", "accepted", "rejected", "failed")


class OutcomeChange(Struct, frozen=True):
    """Units of one type: `outcome` is "planned", "accepted", "rejected", "failed", or a reason of the last two."""

    sample_type: str
    outcome: str
    old: int
    new: int
    is_reason: bool = False


class Move(Struct, frozen=True):
    """Units that are now something else: "accepted", a reason word, or "absent"."""

    sample_type: str
    before: str
    after: str
    num_units: int
    example: str
    """The first unit_id."""


class SettingChange(Struct, frozen=True):
    """A setting by its path in the manifest, "config.filters.length.conv.min_words"; values are JSON, "" for none."""

    key: str
    old: str
    new: str


class CostChange(Struct, frozen=True):
    """(old, new); a cost is None where some reply has no known price."""

    prompt_tokens: tuple[int, int]
    completion_tokens: tuple[int, int]
    cost_usd: tuple[float | None, float | None]


class _Unpublished(Struct, frozen=True):
    unit_id: str
    reason: str


def compare_outcomes(old: Counts, new: Counts) -> tuple[OutcomeChange, ...]:
    """Return the counts of both, by type: planned, accepted, rejected, failed, then the reasons."""
    changes = []
    for name in sorted({*old.planned, *new.planned, *old.accepted, *new.accepted}):
        for outcome in _OUTCOMES:
            before, after = getattr(old, outcome).get(name, 0), getattr(new, outcome).get(name, 0)
            changes.append(OutcomeChange(name, outcome, before, after))
        before_reasons, after_reasons = old.reasons.get(name, {}), new.reasons.get(name, {})
        for reason in sorted({*before_reasons, *after_reasons}):
            counts = before_reasons.get(reason, 0), after_reasons.get(reason, 0)
            changes.append(OutcomeChange(name, reason, *counts, is_reason=True))
    return tuple(changes)


def compare_costs(old: Manifest, new: Manifest) -> CostChange:
    left, right = old.teacher, new.teacher
    return CostChange(
        (left.prompt_tokens, right.prompt_tokens),
        (left.completion_tokens, right.completion_tokens),
        (left.cost_usd, right.cost_usd),
    )


def compare_settings(old: Manifest, new: Manifest) -> tuple[SettingChange, ...]:
    """Return what the rows follow from and differs: settings, prompts, source, teacher, lineage and code."""
    left, right = dict(_walk_settings(old)), dict(_walk_settings(new))
    keys = sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key))
    return tuple(SettingChange(key, left.get(key, ""), right.get(key, "")) for key in keys)


def _walk_settings(manifest: Manifest) -> Iterator[tuple[str, str]]:
    teacher = manifest.teacher
    facts: dict[str, Any] = {
        "config": manifest.config,
        "prompts": manifest.prompts,
        "source": msgspec.to_builtins(manifest.source),
        "teacher": {"name": teacher.name, "model": teacher.model, "decoding": teacher.decoding},
        "code": manifest.code,
        "embeds_images": manifest.embeds_images,
    }
    if manifest.lineage is not None:
        lineage = manifest.lineage
        facts["lineage"] = {"operation": lineage.operation, "settings": lineage.settings}
    yield from _walk("", facts)


def _walk(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _walk(f"{path}.{name}" if path else str(name), inner)
    else:
        yield path, json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def find_moves(old: StoredVersion, new: StoredVersion, compared: RowComparison) -> tuple[Move, ...]:
    """Return what became of units that were turned away in one version, and not for the same reason in the other.

    Raises InstructgenError for a line of rejected.jsonl that cannot be read.
    """
    is_same = old.manifest.unpublished_sha256 == new.manifest.unpublished_sha256
    if is_same and not len(compared.added) and not len(compared.removed):
        return ()
    before, after = _read_unpublished(old), _read_unpublished(new)
    removed = dict(_walk_units(compared.old, compared.removed))
    added = dict(_walk_units(compared.new, compared.added))
    named = before.keys() | after.keys() | removed.keys() | added.keys()
    # A unit may have several samples: one that still has another of them is accepted on both sides.
    kept = {unit_id: name for unit_id, name in _walk_units(compared.new, compared.pairs[1]) if unit_id in named}
    types = {**removed, **added, **kept}
    known_types = _find_types(old.manifest.counts) | _find_types(new.manifest.counts)
    moves: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for unit_id in sorted(named):
        was = before.get(unit_id) or (ACCEPTED if unit_id in removed or unit_id in kept else ABSENT)
        now = after.get(unit_id) or (ACCEPTED if unit_id in added or unit_id in kept else ABSENT)
        if was != now:
            tail = unit_id.rpartition("/")[2]
            key = (types.get(unit_id, tail if tail in known_types else ""), was, now)
            moves[key] += 1
            examples.setdefault(key, unit_id)
    return tuple(
        Move(*key, num_units=count, example=examples[key])
        for key, count in sorted(moves.items(), key=lambda move: (-move[1], move[0]))
    )


def _walk_units(side: Side, rows: "Places") -> Iterator[tuple[str, str]]:
    """Yield the unit and the type of each row."""
    for sample_id, sample_type in zip(side.ids.take(rows).to_pylist(), side.types_of(rows), strict=True):
        yield _unit_of(sample_id, sample_type), sample_type


def _unit_of(sample_id: str, sample_type: str) -> str:
    """Return "coco/000000000139/conv" of "coco/000000000139/conv/0"; an imported sample is a unit by itself."""
    unit_id, _, number = sample_id.rpartition("/")
    return unit_id if number.isdigit() and unit_id.endswith(f"/{sample_type}") else sample_id


def _find_types(counts: Counts) -> set[str]:
    return {*counts.planned, *counts.accepted, *counts.rejected, *counts.reasons}


def _read_unpublished(version: StoredVersion) -> dict[str, str]:
    """Return the reason of each unit in rejected.jsonl; the last one of a unit that was turned away again."""
    return {line.unit_id: line.reason for line in read_lines(version, REJECTED_NAME, _Unpublished)}
