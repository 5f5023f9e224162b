"""Holds a version against gates, by itself and against an earlier one (docs/dataset-diff.md)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from instructgen.dataset.compare.diff import Named, add_counts
from instructgen.dataset.compare.measures import find_worsening
from instructgen.dataset.compare.rows import compare_rows
from instructgen.dataset.compare.sides import count_types
from instructgen.dataset.gates.rows import LICENCES, NUM_SHOWN, UNKNOWN_LICENCE, Faulty, RowFacts, scan_rows
from instructgen.dataset.gates.settings import CheckGates, MeasureGate, RowsGate
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import StoredVersion

Status = Literal["passed", "failed", "skipped"]
FindManifest = Callable[[str], Manifest | None]
"""Returns the manifest of another version of the same dataset, or None where it is not to be had."""

_DIGITS = 6


class Finding(Struct, frozen=True):
    """What one gate found. `value` and `bound` are None where there is no figure; `detail` says why."""

    gate: str
    status: Status
    value: float | None = None
    bound: float | None = None
    detail: str = ""


class CheckReport(Struct, frozen=True):
    new: Named
    old: Named | None
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.status == "failed")


@dataclass(frozen=True, slots=True)
class _Checked:
    new: StoredVersion
    old: StoredVersion | None
    gates: CheckGates
    find: FindManifest


def check_version(
    new: StoredVersion,
    gates: CheckGates,
    old: StoredVersion | None = None,
    find: FindManifest = lambda _: None,
) -> CheckReport:
    """Return what each gate finds; gates on what became worse are skipped where there is no `old`.

    Raises InstructgenError for a shard or an evaluation file that cannot be read.
    """
    checked = _Checked(new, old, gates, find)
    findings = [finding for part in _PARTS for finding in part(checked)]
    of_rows = (gates.duplicates, gates.contamination, gates.splits, gates.schema, gates.licences)
    needs_rows = any(gate is not None for gate in of_rows)
    if needs_rows or gates.rows is not None:
        facts = scan_rows(new, gates)
        if needs_rows:
            findings += _check_facts(gates, facts)
        elif facts.wrong_counts:  # the numbers of rows were the manifest's
            findings.append(_fail_unread(facts))
    return CheckReport(_name(new), None if old is None else _name(old), tuple(findings))


def _name(version: StoredVersion) -> Named:
    return Named(version.manifest.version, version.place, version.manifest.created_at)


def _at_most(gate: str, value: float, bound: float | None, detail: str = "") -> Iterator[Finding]:
    if bound is not None:
        yield Finding(gate, "passed" if value <= bound else "failed", value, bound, detail)


def _at_least(gate: str, value: float, bound: float | None) -> Iterator[Finding]:
    if bound is not None:
        yield Finding(gate, "passed" if value >= bound else "failed", value, bound)


def _share(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0


def _no_old(gate: str) -> Finding:
    return Finding(gate, "skipped", detail="needs --against")


def _check_rows(checked: _Checked) -> Iterator[Finding]:
    gate = checked.gates.rows
    if gate is None:
        return
    new = count_types(checked.new, checked.new.manifest.shards)
    old = None if checked.old is None else count_types(checked.old, checked.old.manifest.shards)
    yield from _check_num("rows", gate, sum(new.values()), None if old is None else sum(old.values()))
    for name, of_type in gate.types.items():
        if name not in new and name not in (old or {}) and of_type.max != 0:
            # A name that is spelt wrong has no rows to lose, and would pass.
            names = ", ".join(sorted({*new, *(old or {})})) or "none"
            yield Finding(f"rows.types.{name}", "failed", detail=f"no rows of this type; there are: {names}")
            continue
        before = None if old is None else old.get(name, 0)
        yield from _check_num(f"rows.types.{name}", of_type, new.get(name, 0), before)


def _check_num(where: str, gate: RowsGate, new: int, old: int | None) -> Iterator[Finding]:
    yield from _at_least(f"{where}.min", new, gate.min)
    yield from _at_most(f"{where}.max", new, gate.max)
    if gate.max_drop is None:
        return
    name = f"{where}.max_drop"
    if old is None:
        yield _no_old(name)
    else:
        yield from _at_most(name, max(0.0, _share(old - new, old)), gate.max_drop, f"{old:,} -> {new:,}")


def _check_rejected(checked: _Checked) -> Iterator[Finding]:
    gate = checked.gates.rejected
    if gate is None:
        return
    new = _rejected_share(checked.new.manifest)
    old = None if checked.old is None else _rejected_share(checked.old.manifest)
    if new is None:
        yield Finding("rejected", "skipped", detail="nothing was planned: no build of ours made this version")
        return
    yield from _at_most("rejected.max", new, gate.max)
    if gate.max_rise is None:
        return
    if checked.old is None:
        yield _no_old("rejected.max_rise")
    elif old is None:
        yield Finding("rejected.max_rise", "skipped", detail="nothing was planned in OLD: no build of ours made it")
    else:
        yield from _at_most("rejected.max_rise", round(new - old, _DIGITS), gate.max_rise, f"{old:g} -> {new:g}")


def _rejected_share(manifest: Manifest) -> float | None:
    counts = manifest.counts
    num_planned = sum(counts.planned.values())
    num_lost = sum(counts.rejected.values()) + sum(counts.failed.values())
    return _share(num_lost, num_planned) if num_planned else None


def _check_measures(checked: _Checked) -> Iterator[Finding]:
    gate = checked.gates.metrics
    if gate is None:
        return
    new, old = checked.new.manifest.metrics, None if checked.old is None else checked.old.manifest.metrics
    tables = {"total": gate.total, **{f"types.{name}": table for name, table in gate.types.items()}}
    for where, table in tables.items():
        for measure, bounds in table.items():
            name = f"metrics.{where}.{measure}"
            if new is None:
                # What cannot be known must not pass: a version without measures would slip through.
                yield Finding(name, "failed", detail="the manifest has no measures")
                continue
            value, before = _find_measure(new, where, measure), _find_measure(old, where, measure)
            if value is None:
                yield _judge_missing(name, before, has_table=_has_table(new, where))
                continue
            yield from _check_measure(name, measure, bounds, (value, before), has_old=checked.old is not None)


def _judge_missing(name: str, before: float | None, *, has_table: bool) -> Finding:
    if not has_table:
        return Finding(name, "failed", detail="NEW has no measures of this type")
    if before is not None:
        return Finding(name, "failed", detail=f"OLD had {before:g}, NEW has none")
    return Finding(name, "skipped", detail="nothing to measure")


def _has_table(metrics: dict[str, Any], where: str) -> bool:
    kind, _, name = where.partition(".")
    return not name or name in metrics.get(kind, {})


def _find_measure(metrics: dict[str, Any] | None, where: str, measure: str) -> float | None:
    if metrics is None:
        return None
    kind, _, name = where.partition(".")
    table = metrics.get(kind, {})
    value = (table.get(name, {}) if name else table).get(measure)
    return None if value is None else float(value)


def _check_measure(
    name: str, measure: str, gate: MeasureGate, values: tuple[float, float | None], *, has_old: bool
) -> Iterator[Finding]:
    new, old = values
    yield from _at_least(f"{name}.min", new, gate.min)
    yield from _at_most(f"{name}.max", new, gate.max)
    if gate.max_worsening is None:
        return
    worsening = None if old is None else find_worsening(measure, old, new)
    if not has_old:
        yield _no_old(f"{name}.max_worsening")
    elif worsening is None:
        yield Finding(f"{name}.max_worsening", "skipped", detail="OLD has no such measure")
    else:
        detail = f"{old:g} -> {new:g}"
        yield from _at_most(f"{name}.max_worsening", max(0.0, worsening), gate.max_worsening, detail)


def _check_changes(checked: _Checked) -> Iterator[Finding]:
    gate = checked.gates.changes
    if gate is None:
        return
    if checked.old is None:
        yield _no_old("changes")
        return
    counts = add_counts(compare_rows(checked.old, checked.new).count())
    of = f"of {counts.old:,} samples"
    changed, removed = _share(counts.changed, counts.old), _share(counts.removed, counts.old)
    yield from _at_most("changes.max_changed", changed, gate.max_changed, f"{counts.changed:,} {of}")
    yield from _at_most("changes.max_removed", removed, gate.max_removed, f"{counts.removed:,} {of}")


def _check_lineage(checked: _Checked) -> Iterator[Finding]:
    gate = checked.gates.lineage
    if gate is None or not gate.from_old:
        return
    if checked.old is None:
        yield _no_old("lineage.from_old")
        return
    wanted = checked.old.manifest.version
    is_from = wanted in find_ancestors(checked.new.manifest, checked.find)
    detail = "" if is_from else f"{wanted} is not among what {checked.new.manifest.version} was made of"
    yield Finding("lineage.from_old", "passed" if is_from else "failed", detail=detail)


def find_ancestors(manifest: Manifest, find: FindManifest) -> set[str]:
    """Return the names of the version itself and of all that it came from or was built after, as far as known."""
    found = {manifest.version}
    waiting = [manifest]
    while waiting:
        one = waiting.pop()
        names = [parent.version for parent in one.lineage.parents] if one.lineage is not None else []
        names += [one.parent] if one.parent is not None else []
        names += [one.review.of] if one.review is not None else []
        for name in names:
            if name not in found:
                found.add(name)
                before = find(name)
                waiting += [] if before is None else [before]
    return found


def _check_facts(gates: CheckGates, facts: RowFacts) -> Iterator[Finding]:
    """Yield what the rows themselves say."""
    is_read = bool(facts.num_rows) and not facts.wrong_counts
    if facts.schema_faults or (is_read and gates.schema is not None):
        yield _judge("schema.columns", len(facts.schema_faults), "; ".join(facts.schema_faults[:3]))
    if facts.schema_faults or not is_read:
        yield _fail_unread(facts)
        return
    if gates.schema is not None:
        reasons = ["no_messages", "turns_do_not_alternate", "empty_turn"] if gates.schema.messages else []
        reasons += [] if gates.schema.placeholders else ["placeholder"]
        for reason in reasons:
            faulty = facts.message_faults.get(reason, Faulty())
            yield _judge(f"schema.{reason}", faulty.num, _show(faulty))
    yield from _check_repeats(gates, facts)
    if gates.licences is not None:
        yield from _check_licences(gates, facts)


def _fail_unread(facts: RowFacts) -> Finding:
    """What was not seen must not pass."""
    if facts.schema_faults:
        why = "the rows were not looked at: their columns are not as they must be"
    else:
        why = "; ".join(facts.wrong_counts[:NUM_SHOWN]) or "no rows"
    return Finding("rows.read", "failed", detail=why)


def _check_repeats(gates: CheckGates, facts: RowFacts) -> Iterator[Finding]:
    if gates.duplicates is not None:
        exact, near = _share(facts.num_exact, facts.num_rows), _share(facts.near.num, facts.num_rows)
        yield from _at_most("duplicates.max_exact", exact, gates.duplicates.max_exact, f"{facts.num_exact:,} samples")
        yield from _at_most("duplicates.max_near", near, gates.duplicates.max_near, _show(facts.near))
    if gates.contamination is not None:
        found = facts.contaminated
        yield from _at_most("contamination.max_samples", found.num, gates.contamination.max_samples, _show(found))
    if gates.splits is not None:
        shared = facts.shared_images
        yield from _at_most("splits.max_shared_images", shared.num, gates.splits.max_shared_images, _show(shared))


def _check_licences(gates: CheckGates, facts: RowFacts) -> Iterator[Finding]:
    gate = gates.licences
    assert gate is not None
    if not facts.has_licences:
        status: Status = "failed" if gate.required else "skipped"
        yield Finding("licences", status, detail=f"the version has no column {LICENCES}")
        return
    known = {name: num for name, num in facts.licences.items() if name != UNKNOWN_LICENCE}
    others = {name: num for name, num in sorted(known.items()) if name not in gate.allowed}
    yield _judge(
        "licences.allowed", sum(others.values()), ", ".join(f"{num:,} x {name}" for name, num in others.items())
    )
    if not gate.unknown:
        yield _judge("licences.unknown", facts.licences[UNKNOWN_LICENCE], "pictures without a licence")


def _judge(gate: str, num: int, detail: str) -> Finding:
    return Finding(gate, "failed" if num else "passed", num, 0, detail if num else "")


def _show(faulty: Faulty) -> str:
    return ", ".join(faulty.shown) + (", ..." if faulty.num > len(faulty.shown) else "")


_PARTS: tuple[Callable[[_Checked], Iterator[Finding]], ...] = (
    _check_rows,
    _check_rejected,
    _check_measures,
    _check_changes,
    _check_lineage,
)
