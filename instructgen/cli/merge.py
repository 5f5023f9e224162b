"""`instructgen merge`: the parts of a build become one version."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.cli.bars import Bar
from instructgen.cli.build_sending import tell_sent
from instructgen.cli.failures import told_as_json
from instructgen.cli.outcomes import describe_outcomes

if TYPE_CHECKING:
    from instructgen.jobs.datasets import MadeVersion
    from instructgen.jobs.merge import MergeResult

_INCOMPLETE = 4
_GATES = 7


def add_to(app: typer.Typer) -> None:
    app.command("merge")(merge)


def merge(
    parts: list[str] = typer.Argument(help="The --out of every build with --shard, or where its part was copied to."),
    out: Path = typer.Option(help="Dataset folder for the whole."),
    tag: list[str] = typer.Option([], "--tag", help="Tag to give the version besides `latest`; repeat for several."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Put the parts of one build together: the version is the one that a build without --shard makes.

    \b
    Examples:
      instructgen build --source scenes --limit 40 --shard 0/2 --out out/part-0
      instructgen build --source scenes --limit 40 --shard 1/2 --out out/part-1
      instructgen merge out/part-0 out/part-1 --out out/all

    \b
    Filters that look at the whole dataset, gates and measures are settled here. Versions that stand by
    themselves are put together by `instructgen dataset merge`.
    Exit codes: 0 done, 2 bad input, 4 some units failed or none was accepted, 7 a gate of the pipeline failed.
    """
    with told_as_json(as_json=as_json):
        from instructgen.jobs.merge import merge_parts

        with Bar("merge", None, is_shown=not as_json) as bar:
            result = merge_parts(parts, out, tag, lambda text: typer.echo(text, err=True), bar.reach)
    end_merge(result, None, as_json=as_json)


def end_merge(result: "MergeResult", sent: "MadeVersion | None", *, as_json: bool) -> None:
    """Print what came of it, and raise typer.Exit where that is not all well."""
    if as_json:
        typer.echo(json.dumps(_summarise(result) | ({"sent_to": sent.ref} if sent is not None else {})))
    else:
        _tell(result)
        tell_sent(sent)
    counts = result.manifest.counts
    if any(counts.failed.values()) or not any(counts.accepted.values()):
        raise typer.Exit(_INCOMPLETE)
    if result.gate_faults:
        raise typer.Exit(_GATES)


def _summarise(result: "MergeResult") -> dict[str, Any]:
    manifest = result.manifest
    return {
        "out": str(result.version_folder),
        "version": manifest.version,
        "parts": result.num_parts,
        "planned": manifest.counts.planned,
        "accepted": manifest.counts.accepted,
        "rejected": manifest.counts.rejected,
        "failed": manifest.counts.failed,
        "reasons_by_type": manifest.counts.reasons,
        "splits": manifest.splits,
        "metrics": manifest.metrics,
        "gates_failed": [fault.describe() for fault in result.gate_faults],
        "prompt_tokens": manifest.teacher.prompt_tokens,
        "completion_tokens": manifest.teacher.completion_tokens,
        "cost_usd": manifest.teacher.cost_usd,
        "paid_twice": result.num_paid_twice,
        "new_answers": result.answers.num_new,
        "known_answers": result.answers.num_known,
        "parts_without_answers": list(result.answers.without),
    }


def _tell(result: "MergeResult") -> None:
    manifest, counts = result.manifest, result.manifest.counts
    typer.echo(f"version {manifest.version} of {result.num_parts} parts in {result.version_folder}")
    for name in counts.planned:
        typer.echo(f"  {name:10} {counts.planned[name]:7} planned = {describe_outcomes(counts, name)}")
    cost = manifest.teacher.cost_usd
    typer.echo(f"  cost {'unknown, no price is configured' if cost is None else f'${cost:.4f}'}")
    if result.num_paid_twice:
        typer.echo(
            f"  {result.num_paid_twice} requests were asked by more than one part; a shared --cache-dir spares that"
        )
    for fault in result.gate_faults:
        typer.echo(f"  gate failed: {fault.describe()}; this version does not become the latest", err=True)
