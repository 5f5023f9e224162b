"""`instructgen ledger`: the answers that were paid for, counted, checked, handed out and taken in."""

import json
from pathlib import Path
from typing import Any

import typer

ledger_app = typer.Typer(
    name="ledger",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the answers that were paid for: a dataset folder keeps them in run/.",
)
_DATASET = typer.Argument(metavar="DATASET", help="A build's --out, or its run/.")
_JSON = typer.Option(False, "--json", help="Print one JSON object.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(ledger_app)


@ledger_app.command("stats")
def stats(dataset: Path = _DATASET, as_json: bool = _JSON) -> None:
    """Count answers, tokens and dollars by model, failures, and what is in doubt. A run may go on meanwhile.

    \b
    Examples:
      instructgen ledger stats out/coco
      instructgen ledger stats out/coco --json
    """
    from instructgen.jobs.ledgers import find_run, read_stats

    found = read_stats(find_run(dataset))
    typer.echo(json.dumps(found) if as_json else _lay_out(found))


@ledger_app.command("verify")
def verify_ledger(
    dataset: Path = _DATASET,
    repair: bool = typer.Option(False, "--repair", help="Mend what is damaged from the other copy."),
    as_json: bool = _JSON,
) -> None:
    """Read both copies of the ledger, check every answer in them and that they agree. Ends with 4 on damage.

    \b
    Examples:
      instructgen ledger verify out/coco
      instructgen ledger verify out/coco --repair
    """
    from instructgen.jobs.ledger_care import repair as repair_ledger
    from instructgen.jobs.ledger_care import verify
    from instructgen.jobs.ledgers import find_run

    folder = find_run(dataset)
    found = verify(folder)
    told: list[str] = []
    faults_before = found.faults
    if repair and found.faults:
        repair_ledger(folder, told.append)
        found = verify(folder)
    if as_json:
        shown = {"replies": found.num_replies, "records": found.num_frames, "faults": found.faults}
        typer.echo(json.dumps({**shown, "repaired": faults_before if repair else [], "messages": told}))
    else:
        for line in [*faults_before, *told]:
            typer.echo(line)
        if found.faults and not repair:
            typer.echo(f"damaged; `instructgen ledger verify --repair {dataset}` mends it")
        elif found.faults:
            typer.echo(f"still damaged: {'; '.join(found.faults)}")
        else:
            typer.echo(f"{found.num_replies} answers, whole in both copies")
    if found.faults:
        raise typer.Exit(4)


@ledger_app.command("export")
def export(
    dataset: Path = _DATASET,
    file: Path | None = typer.Argument(None, help="A new .jsonl or .jsonl.gz.  [default: standard output]"),
    since: str | None = typer.Option(None, help="Only answers stored then or later: 2026-11-24 or 2026-11-24T10:30."),
    as_json: bool = typer.Option(False, "--json", help="Print the count as one JSON object; wants a FILE."),
) -> None:
    """Write the answers as JSON Lines, one a line. A run may go on meanwhile.

    \b
    Examples:
      instructgen ledger export out/coco answers.jsonl.gz
      instructgen ledger export out/coco --since 2026-11-24 > new.jsonl
    """
    from instructgen.errors import InstructgenError
    from instructgen.jobs.ledgers import ExportFile, export_replies, find_run, parse_since

    folder = find_run(dataset)
    start = 0.0 if since is None else parse_since(since)
    if file is None:
        if as_json:
            raise InstructgenError("--json would mix with the answers on standard output; name a FILE")
        export_replies(folder, typer.get_binary_stream("stdout"), start)
        return
    if file.exists():
        raise InstructgenError(f"{file} is there already; name a new file")
    try:
        with ExportFile(file) as out:
            num = export_replies(folder, out, start)
    except OSError as error:
        raise InstructgenError(f"{file} cannot be written: {error}") from None
    typer.echo(json.dumps({"file": str(file), "replies": num}) if as_json else f"{num} answers written to {file}")


@ledger_app.command("import")
def import_answers(
    dataset: Path = _DATASET,
    sources: list[Path] = typer.Argument(help="Exported files, other datasets' folders, rescue files."),
    as_json: bool = _JSON,
) -> None:
    """Take in answers that were bought elsewhere; those that are there stay as they are.

    Lines that are no answer are named, left out, and the command ends with 4.

    \b
    Examples:
      instructgen ledger import out/coco answers.jsonl.gz
      instructgen ledger import out/coco out/other-run
      instructgen ledger import out/coco/run /tmp/rescue-8sd2.journal
    """
    from instructgen.jobs.ledgers import find_run, import_replies

    folder = find_run(dataset) if dataset.exists() else dataset / "run"
    counts = import_replies(folder, sources, lambda text: typer.echo(text, err=True))
    if as_json:
        shown = {"new": counts.num_new, "known": counts.num_known, "faulty": counts.num_faulty}
        typer.echo(json.dumps({**shown, "problems": counts.problems}))
    else:
        for problem in counts.problems:
            typer.echo(problem)
        faulty = f", {counts.num_faulty} lines were left out" if counts.num_faulty else ""
        typer.echo(f"{counts.num_new} answers came in, {counts.num_known} were there already{faulty}")
    if counts.num_faulty:
        raise typer.Exit(4)


@ledger_app.command("gc")
def gc(
    dataset: Path = _DATASET,
    unused_to: Path | None = typer.Option(
        None, help="Move answers that no published version refers to into this new .jsonl or .jsonl.gz."
    ),
    damaged: bool = typer.Option(False, "--damaged", help="Also remove the damaged copies that a repair set aside."),
    as_json: bool = _JSON,
) -> None:
    """Make the ledger smaller. No answer goes but with --unused-to, and then into that file first.

    \b
    Examples:
      instructgen ledger gc out/coco
      instructgen ledger gc out/coco --damaged
      instructgen ledger gc out/coco --unused-to unused.jsonl.gz
    """
    from instructgen.jobs.ledger_care import collect
    from instructgen.jobs.ledgers import find_run

    done = collect(
        dataset, find_run(dataset), unused_to, lambda text: typer.echo(text, err=True), removes_damaged=damaged
    )
    if as_json:
        shown = {"bytes_before": done.bytes_before, "bytes_after": done.bytes_after, "dropped": done.num_dropped}
        typer.echo(json.dumps({**shown, "damaged_removed": done.num_damaged_removed}))
        return
    typer.echo(f"{done.bytes_before / 1e6:.1f} MB are now {done.bytes_after / 1e6:.1f} MB")
    if unused_to is not None:
        moved = f"{done.num_dropped} unused answers are in {unused_to}" if done.num_dropped else "no answer is unused"
        typer.echo(moved)


def _lay_out(found: dict[str, Any]) -> str:
    times = f", {found['oldest']} to {found['newest']}" if found["replies"] else ""
    lines = [f"{found['folder']}: {found['replies']} answers{times}"]
    for name, counts in found["by_model"].items():
        tokens = f"{counts['prompt_tokens']} prompt and {counts['completion_tokens']} answer tokens"
        unpriced = f", {counts['unpriced']} without a known price" if counts["unpriced"] else ""
        lines.append(f"  {name}: {counts['replies']} answers, {tokens}, ${counts['cost_usd']:.4f}{unpriced}")
    bought = found["bought"]
    if bought is not None:
        lines.append(f"bought here: {bought['replies']} answers for ${bought['cost_usd']:.4f}")
        if bought["maybe_tokens"] or bought["maybe_cost_usd"]:
            maybe = f"at most ${bought['maybe_cost_usd']:.4f} and {bought['maybe_tokens']} tokens"
            lines.append(f"attempts without an answer may have cost {maybe}")
    lines.extend(f"failed: {reason} {num}" for reason, num in found["failures"].items())
    if found["in_doubt"]:
        lines.append(f"{found['in_doubt']} requests were sent and not answered: a run is under way, or was killed")
    lines.extend(f"  {name}: {num / 1e6:.1f} MB" for name, num in found["bytes"].items() if num)
    return "\n".join(lines)
