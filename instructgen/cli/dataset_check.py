"""`instructgen dataset check`: gates that a version must pass, for continuous integration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.comment import code, draw_table, fit, fold, make_printable
from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.gates.check import CheckReport, Finding
    from instructgen.dataset.manifest import Manifest
    from instructgen.dataset.stored import StoredVersion

GATE_EXIT_CODE = 7
_SIGNS = {"passed": "✅", "failed": "❌", "skipped": "➖"}
_COMMENT_CHARS = 12_000  # together with that of `dataset diff` below GitHub's 65,536
_NUM_FAILED, _DETAIL_CHARS = 12, 120
_EXAMPLE = "gates.toml"


def add_to(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    new: str | None = typer.Argument(
        None, help="Version to check: FOLDER, FOLDER@TAG, FOLDER@VERSION, or its own folder."
    ),
    against: str | None = typer.Option(None, help="Earlier version that it must not be worse than."),
    gates: Path | None = typer.Option(None, help="TOML file with the gates (docs/dataset-diff.md)."),
    markdown: Path | None = typer.Option(None, help="Append the result to this file, as $GITHUB_STEP_SUMMARY."),
    example_gates: bool = typer.Option(False, "--example-gates", help="Print a gates file to begin with."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON object."),
) -> None:
    """Hold a version against gates: counts, measures, duplicates, contamination, splits, schema, licences.

    \b
    Examples:
      instructgen dataset check --example-gates > gates.toml
      instructgen dataset check out/coco-val2017 --gates gates.toml
      instructgen dataset check out/pr --against out/base --gates gates.toml --markdown comment.md

    \b
    Gates on what became worse are skipped without --against, and told.
    Exit codes: 0 all pass, 7 at least one fails, 2 wrong use.
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.stores.errors import told_store

        if example_gates:
            typer.echo(_read_example(), nl=False)
            return
        report = _run(new, against, gates)
        if markdown is not None:
            with told_store(str(markdown)), markdown.open("a", encoding="utf-8") as file:
                file.write(write_comment(report))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode({"passed": not report.failed, **msgspec.to_builtins(report)}).decode())
    else:
        for finding in report.findings:
            typer.echo(make_printable(f"{finding.status:7} {describe(finding)}"))
        typer.echo(_sum_up(report))
    if report.failed:
        raise typer.Exit(GATE_EXIT_CODE)


def _read_example() -> str:
    from instructgen.resources import shared_folder

    return (shared_folder("data") / _EXAMPLE).read_text(encoding="utf-8")


def _run(new: str | None, against: str | None, gates: Path | None) -> "CheckReport":
    from instructgen.dataset.gates.check import check_version
    from instructgen.dataset.gates.settings import load_gates
    from instructgen.dataset.stores.errors import told_store
    from instructgen.dataset.versions import open_version

    if new is None or gates is None:
        raise InstructgenError("give a version and --gates FILE; --example-gates prints a file to begin with")
    loaded = load_gates(gates)
    version = open_version(new)
    old = None if against is None else open_version(against)
    with told_store(new, *([] if against is None else [against])):
        return check_version(version, loaded, old, lambda name: _find_beside(version, name))


def _find_beside(version: "StoredVersion", name: str) -> "Manifest | None":
    """Return the manifest of another version of the same dataset, or None where it is not to be had."""
    from instructgen.dataset.versions import open_version, split_version

    store, own_name = split_version(version.place)
    if not own_name:
        return None
    try:
        return open_version(f"{store}@{name}").manifest
    except InstructgenError:
        return None


def describe(finding: "Finding") -> str:
    """Return "rows.min: 71, wants at least 72 (...)"."""
    detail = f" ({finding.detail})" if finding.detail else ""
    if finding.value is None:
        return f"{finding.gate}{detail}"
    relation = "least" if finding.gate.endswith(".min") else "most"
    return f"{finding.gate}: {finding.value:g}, wants at {relation} {finding.bound:g}{detail}"


def _sum_up(report: "CheckReport") -> str:
    num = {status: sum(finding.status == status for finding in report.findings) for status in _SIGNS}
    skipped = f", {num['skipped']} skipped" if num["skipped"] else ""
    if report.failed:
        return f"{num['failed']} of {len(report.findings)} gates failed{skipped}"
    return f"{num['passed']} gates passed{skipped}"


def write_comment(report: "CheckReport") -> str:
    """Return Markdown of at most 12,000 characters: what failed first, the rest folded."""
    failed = report.failed
    others = [finding for finding in report.findings if finding.status != "failed"]
    against = f" against {code(report.old.version)}" if report.old is not None else ""
    verdict = "failed ❌" if failed else "passed ✅"
    head = f"## Gates: {verdict}\n\n{code(report.new.version)}{against}: {_sum_up(report)}."
    rest = fold(f"{len(others)} gates that did not fail", _draw(others)) if others else ""
    more = len(failed) - _NUM_FAILED
    table = _draw(failed[:_NUM_FAILED]) + (f"\n\n{more} more failed." if more > 0 else "")
    return fit((head, table, rest), _COMMENT_CHARS) + "\n"


def _draw(findings: "Sequence[Finding]") -> str:
    rows = [
        (
            f"{_SIGNS[finding.status]} {code(finding.gate)}",
            _figure(finding.value),
            _figure(finding.bound),
            code(finding.detail, _DETAIL_CHARS) if finding.detail else "",
        )
        for finding in findings
    ]
    return draw_table(("gate", "is", "bound", ""), rows)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
