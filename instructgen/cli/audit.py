"""`instructgen audit`: holds data that exists already against COCO's boxes and captions."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.stages import StageProgress
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.jobs.audit import AuditReport
    from instructgen.jobs.audit_check import AuditVerdict

_UNITS = {"reading": "records", "annotations": "images", "checking": "records"}
# Measure, its name for people, how it is written: a share, a plain number or a count.
_ROWS = (
    ("samples", "samples checked", "count"),
    ("contradicted_samples", "contradicted", "share"),
    ("unverifiable_samples", "unverifiable", "share"),
    ("claims", "claims", "count"),
    ("contradicted_claims", "  contradicted", "share"),
    ("unverifiable_claims", "  unverifiable", "share"),
    ("chair_i", "CHAIR_i", "share"),
    ("chair_s", "CHAIR_s", "share"),
    ("count_accuracy", "counts right", "share"),
    ("yes_no_questions", "existence asked", "count"),
    ("yes_share", "  answered yes", "share"),
    ("answers", "answers", "count"),
    ("answer_words_mean", "  words, mean", "number"),
    ("answer_words_median", "  words, median", "number"),
    ("duplicate_share", "duplicates", "share"),
    ("near_duplicate_share", "near duplicates", "share"),
    ("leakage_share", "leakage", "share"),
    ("distinct_1", "distinct-1", "share"),
    ("distinct_2", "distinct-2", "share"),
    ("distinct_3", "distinct-3", "share"),
    ("object_coverage", "objects covered", "share"),
)
_NUM_FAULTS_SHOWN = 3


def add_to(app: typer.Typer) -> None:
    app.command("audit")(audit)


def audit(
    data: Path = typer.Argument(
        metavar="FILE_OR_DATASET", help="JSON, JSON lines, Parquet, or a dataset that instructgen built."
    ),
    root: Path | None = typer.Option(None, help="COCO folder that the images are from. Without it: the sample."),
    split: str | None = typer.Option(None, help="Look only in this split of the root.  [default: all]"),
    verdicts: Path | None = typer.Option(None, help="Write one JSON line for each record to this file."),
    limit: int | None = typer.Option(None, min=1, help="Check only the first N records."),
    processes: int | None = typer.Option(None, min=1, help="How many at once.  [default: one for each core]"),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON object."),
) -> None:
    """Say what is wrong with instruction data: every claim is held against the image's boxes and captions.

    \b
    Examples:
      instructgen audit out/coco-sample
      instructgen audit llava_instruct_150k.json --root coco
      instructgen audit answers.jsonl --root coco --split val2014 --verdicts verdicts.jsonl --json

    \b
    No model and no key is needed. docs/audit.md says which formats are read, what each figure means, and
    which images can be checked. The exit code is 0 whatever was found; a build's [gates] make figures fail.
    """
    progress = StageProgress(sys.stderr.isatty() and not plain and not as_json, units=_UNITS)
    with told_as_json(as_json=as_json):
        from instructgen.jobs.audit import AuditOptions
        from instructgen.jobs.audit import audit as run_audit

        if split is not None and root is None:
            raise InstructgenError("--split needs --root, a COCO folder; without it the bundled sample is read")
        try:
            report = run_audit(AuditOptions(data, root, split, verdicts, limit, processes), progress.tell)
        finally:
            progress.close()
    if as_json:
        typer.echo(json.dumps(make_object(report)))
        return
    for line in describe(report):
        typer.echo(line)
    if verdicts is not None:
        typer.echo(f"\nverdicts: {report.num_records:,} lines in {verdicts}")


def make_object(report: "AuditReport") -> dict[str, Any]:
    """Return what --json prints (docs/audit.md)."""
    import msgspec

    return {
        "layout": report.layout,
        "annotations": list(report.annotations),
        "records": report.num_records,
        "checked": report.num_checked,
        "images": report.num_images,
        "unusable": report.reasons,
        "unusable_records": msgspec.to_builtins(report.unusable),
        **report.metrics,
        "worst": [{report.unit: number, **msgspec.to_builtins(verdict)} for number, verdict in report.worst],
        "processes": report.processes,
        "seconds": report.seconds,
        "check_seconds": report.check_seconds,
    }


def describe(report: "AuditReport") -> list[str]:
    lines = [_describe_size(report), "", *_draw_table(report.metrics), ""]
    for reason, count in report.reasons.items():
        numbers = [str(record.number) for record in report.unusable if record.reason == reason]
        where = f" ({report.unit} {', '.join(numbers)}{', ...' if len(numbers) < count else ''})" if numbers else ""
        lines.append(f"not checked: {count:,} x {reason}{where}")
    if report.worst:
        lines.append("the most faults:")
    for number, verdict in report.worst:
        lines += _describe_worst(report.unit, number, verdict)
    return lines


def _describe_size(report: "AuditReport") -> str:
    return (
        f"{report.num_records:,} records ({report.layout}), {report.num_checked:,} checked against "
        f"{report.num_images:,} images of {', '.join(report.annotations)}; {report.seconds:.1f} s"
    )


def _describe_worst(unit: str, number: int, verdict: "AuditVerdict") -> list[str]:
    lines = [f"--- {unit} {number}, id {verdict.id}, {verdict.image_id}, faults: {len(verdict.faults)}"]
    for fault in verdict.faults[:_NUM_FAULTS_SHOWN]:
        text = " ".join(fault.text.split())
        lines.append(f'   {fault.kind}: "{text}"; {fault.evidence}')
    return lines


def _draw_table(metrics: dict[str, Any]) -> list[str]:
    """Return a column for each type and one for all: the measures, then the faults by kind."""
    columns = [*metrics["types"].items(), ("all", metrics["total"])]
    rows = [["", *(name for name, _ in columns)]]
    for key, title, form in _ROWS:
        rows.append([title, *(_cell(measures[key], form) for _, measures in columns)])
    kinds = metrics["total"]["claims_by_kind"]
    rows += [[f"faults: {kind}", *(_faults(measures, kind) for _, measures in columns)] for kind in kinds]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns) + 1)]
    widths[0] = -widths[0]  # names to the left, figures to the right
    return ["  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _pad(cell: str, width: int) -> str:
    return cell.ljust(-width) if width < 0 else cell.rjust(width)


def _faults(measures: dict[str, Any], kind: str) -> str:
    """Return how many claims of a kind are contradicted, and of how many."""
    counts = measures["claims_by_kind"].get(kind)
    return f"{counts['contradicted']:,} of {sum(counts.values()):,}" if counts else "-"


def _cell(value: float | None, form: str) -> str:
    if value is None:
        return "-"
    if form == "count":
        return f"{value:,}"
    return f"{value:.1%}" if form == "share" else f"{value:.1f}"
