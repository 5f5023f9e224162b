"""`instructgen review`: people look at what the filters let through."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.jobs.review import Evidence, Reviewed
    from instructgen.review.desk import Desk


def add_to(app: typer.Typer) -> None:
    app.command("review")(review)


def review(
    dataset: Path = typer.Argument(help="A build's --out, or one folder below its versions/."),
    browser: bool = typer.Option(False, "--browser", help="A page on this machine, with the picture."),
    port: int = typer.Option(0, min=0, max=65535, help="The page's port.  [default: a free one]"),
    by: str | None = typer.Option(None, help="Who decides.  [default: git's user name, or the login name]"),
    sample: int | None = typer.Option(None, "--sample", min=1, help="Only the first so many of the queue."),
    sample_type: str | None = typer.Option(None, "--type", help="Only samples of this type."),
    seed: int = typer.Option(0, help="Draws the order of equally doubtful samples."),
    root: Path | None = typer.Option(None, help="COCO folder: shows captions, boxes and what they do not bear out."),
    images: Path | None = typer.Option(None, help="Folder of pictures, where the dataset does not hold them."),
    report: bool = typer.Option(False, "--report", help="Keep rate and agreement of those who reviewed."),
    apply: bool = typer.Option(False, "--apply", help="Publish a new version with what was decided."),
    strict: bool = typer.Option(False, "--strict", help="With --apply: only what somebody accepted or edited."),
    as_json: bool = typer.Option(False, "--json", help="With --report and --apply: one JSON object."),
) -> None:
    """Accept, edit or reject samples, the most doubtful first; then publish what was decided.

    Every decision is on disk at once. The same command goes on where it ended.

    \b
    Examples:
      instructgen review out/coco-sample
      instructgen review out/coco --browser --images coco/val2017 --root coco --sample 200
      instructgen review out/coco --report
      instructgen review out/coco --apply
    """
    from instructgen.jobs.review import Evidence, find_reviewed

    _check_flags(browser=browser, report=report, apply=apply, strict=strict, as_json=as_json)
    reviewed = find_reviewed(dataset)
    if report:
        _print_report(reviewed, as_json=as_json)
    elif apply:
        _apply(reviewed, Evidence(root, images), strict=strict, as_json=as_json)
    else:
        from instructgen.jobs.review import QueueOptions, find_reviewer, open_desk

        options, evidence = QueueOptions(sample_type, sample, seed), Evidence(root, images)
        with open_desk(
            reviewed, by or find_reviewer(), options, evidence, lambda text: typer.echo(text, err=True)
        ) as desk:
            if browser:
                _serve(desk, port)
            else:
                from instructgen.cli.review_terminal import ReviewTerminal

                ReviewTerminal(desk).run()
            _print_end(desk, dataset)


def _check_flags(*, browser: bool, report: bool, apply: bool, strict: bool, as_json: bool) -> None:
    if browser + report + apply > 1:
        raise InstructgenError("--browser, --report and --apply are three things to do; give one of them")
    if strict and not apply:
        raise InstructgenError("--strict says what --apply publishes; give both")
    if as_json and not (report or apply):
        raise InstructgenError("--json goes with --report or --apply")


def _serve(desk: "Desk", port: int) -> None:
    from instructgen.review.server import ReviewServer

    server = ReviewServer(desk, port)
    typer.echo(f"open {server.url}\nonly this machine can; q in the page or Ctrl-C here ends it", err=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _print_end(desk: "Desk", dataset: Path) -> None:
    numbers = desk.count()
    typer.echo(
        f"{desk.log.by}: {numbers.reviewed} of {len(desk.queue)} reviewed, {numbers.accepted} accepted, "
        f"{numbers.edited} edited, {numbers.rejected} rejected; stored in {desk.log.path}",
        err=True,
    )
    ends = "publishes them" if numbers.reviewed == len(desk.queue) else "publishes them, the same command goes on"
    typer.echo(f"`instructgen review {dataset} --apply` {ends}", err=True)


def _apply(reviewed: "Reviewed", evidence: "Evidence", *, strict: bool, as_json: bool) -> None:
    import msgspec

    from instructgen.jobs.review import find_pictures
    from instructgen.jobs.review_apply import apply_reviews, export_again

    folder, manifest = apply_reviews(reviewed, is_strict=strict)
    facts = manifest.review
    assert facts is not None
    num_rows = sum(manifest.splits.values())
    exports = export_again(reviewed.out, folder, find_pictures(reviewed, evidence).read) if num_rows else ()
    if as_json:
        result = {"out": str(folder), "version": manifest.version, "parent": manifest.parent, "rows": num_rows}
        written = {export.folder.name: export.num_rows for export in exports}
        typer.echo(json.dumps({**result, "exports": written, "review": msgspec.to_builtins(facts)}))
    else:
        left_out = f", {facts.left_out} that nobody reviewed left out" if facts.left_out else ""
        counts = f"{facts.accepted} accepted, {facts.edited} edited, {facts.rejected} rejected{left_out}"
        typer.echo(f"published {folder}: {num_rows} rows\nof version {facts.of}: {counts}")
        for export in exports:
            typer.echo(f"written again: {export.folder}, {export.num_rows} rows")
    if manifest.metrics is None:
        typer.echo("measures and gates were not looked at again; `instructgen audit` measures this version", err=True)
    if not num_rows:
        typer.echo("no row is left, so the latest version stays what it was", err=True)
        raise typer.Exit(4)


def _print_report(reviewed: "Reviewed", *, as_json: bool) -> None:
    from instructgen.jobs.review import make_report

    report = make_report(reviewed)
    typer.echo(json.dumps(report) if as_json else "\n".join(_lay_report(report)))


def _lay_report(report: dict[str, Any]) -> list[str]:
    head = f"{'':<24}{'rows':>8}{'reviewed':>10}{'accepted':>10}{'edited':>8}{'rejected':>10}{'kept':>8}"
    lines = [f"version {report['version']}", head]
    lines += [_lay_numbers(name, found, found["rows"]) for name, found in report["types"].items()]
    lines.append(_lay_numbers("all", report["all"], report["rows"]))
    lines += [_lay_numbers(f"by {name}", found["numbers"], "") for name, found in report["reviewers"].items()]
    lines.append(f"(MiniGPT-4 kept about {report['keep_rate_of_minigpt4']:.0%} of what it reviewed)")
    for pair in report["pairs"]:
        lines.append(
            f"{' and '.join(pair['reviewers'])}: {pair['num_samples']} samples both; the same decision on "
            f"{pair['share']:.0%}, kappa {_lay(pair['kappa'])}; keep or reject {pair['keep_share']:.0%}, "
            f"kappa {_lay(pair['keep_kappa'])}"
        )
    if not report["pairs"]:
        lines.append("no sample was reviewed by two, so nothing is known of agreement")
    if report["reasons"]:
        lines.append("rejected for: " + ", ".join(f"{num} x {why}" for why, num in report["reasons"].items()))
    made = report["made_by_review"]
    if made:
        lines.append(f"this version was made by a review of {made['of']}, which kept {_lay(made['keep_rate'])}")
    return lines


def _lay_numbers(name: str, found: dict[str, Any], rows: int | str) -> str:
    kept = "-" if found["keep_rate"] is None else f"{found['keep_rate']:.1%}"
    counts = f"{found['reviewed']:>10}{found['accepted']:>10}{found['edited']:>8}{found['rejected']:>10}{kept:>8}"
    return f"{name[:23]:<24}{rows:>8}{counts}"


def _lay(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
