"""`instructgen build --source interleaved`: what it tells of documents that were read."""

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import typer

from instructgen.cli.bars import Bar
from instructgen.cli.outcomes import describe_outcomes

if TYPE_CHECKING:
    from instructgen.config import BuildConfig
    from instructgen.jobs.datasets import MadeVersion

_DEFAULT_OUT = Path("out/interleaved")


def build_from_documents(config: "BuildConfig", out: Path | None, *, is_live: bool, as_json: bool) -> int:
    """Publish a version of documents, tell of it, and return the number of those that failed."""
    from instructgen.jobs.documents import build_documents

    folder = out or _DEFAULT_OUT
    with Bar("documents", None, is_shown=is_live) as bar:
        made = build_documents(config, folder, bar.reach)
    if as_json:
        typer.echo(json.dumps(_summarise(made, folder)))
    else:
        _tell(made, folder)
    return sum(made.manifest.counts.failed.values())


def _summarise(made: "MadeVersion", folder: Path) -> dict[str, object]:
    manifest, counts = made.manifest, made.manifest.counts
    reasons = {reason: count for of_type in counts.reasons.values() for reason, count in of_type.items()}
    return {
        "out": str(folder / "versions" / manifest.version),
        "version": manifest.version,
        "planned": counts.planned,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "failed": counts.failed,
        "reasons": reasons,
        "source_issues": manifest.source.issues,
        "splits": manifest.splits,
        "new_requests": 0,
        "cost_usd": 0.0,
    }


def _tell(made: "MadeVersion", folder: Path) -> None:
    manifest, counts = made.manifest, made.manifest.counts
    typer.echo(f"version {manifest.version} in {folder / 'versions' / manifest.version}")
    for name in counts.planned:
        typer.echo(f"  {name} {counts.planned[name]} documents = {describe_outcomes(counts, name)}")
    for reason, count in manifest.source.issues.items():
        typer.echo(f"  pictures of accepted documents left out: {count} x {reason}")
    typer.echo(f"look at it:   instructgen show {quote(str(folder))}, or instructgen view {quote(str(folder))}")
