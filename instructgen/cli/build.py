"""`instructgen build`: flags in, a published dataset out."""

import gc
import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import typer

from instructgen.cli.build_options import make_config, split_types, to_text
from instructgen.cli.build_sending import send_version, tell_sent
from instructgen.cli.failures import told_as_json
from instructgen.cli.outcomes import describe_outcomes
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import BuildConfig
    from instructgen.jobs.build import BuildResult
    from instructgen.jobs.shares import WantedShare

_INCOMPLETE = 4
_GATES = 7
_COLLECT_EVERY = 20_000  # new objects that might be part of a circle


def add_to(app: typer.Typer) -> None:
    app.command("build")(build)


def build(
    source: str | None = typer.Option(
        None, help="Where images come from: coco, pairs, scenes, interleaved.  [default: coco]"
    ),
    root: Path | None = typer.Option(
        None, help="COCO folder (annotations/captions_*.json, instances_*.json). Without it: the bundled sample."
    ),
    split: str | None = typer.Option(None, help="Which split of the root, as val2017; needed where it has several."),
    types: str | None = typer.Option(None, help="Sample types, with commas.  [default: conv,detail,reasoning]"),
    out: Path | None = typer.Option(None, help="Dataset folder.  [default: out/<source>-<split>]"),
    limit: int | None = typer.Option(None, min=1, help="Use only the first N images."),
    seed: int | None = typer.Option(None, help="Seed of every draw.  [default: 0]"),
    teacher: str | None = typer.Option(None, help="Who writes: scene-program or captions (free), openai, replay."),
    model: str | None = typer.Option(None, help="Model to ask; implies --teacher openai."),
    base_url: str | None = typer.Option(None, help="OpenAI-compatible server; implies --teacher openai."),
    endpoints: str | None = typer.Option(
        None, help="Where servers are told: a file, one address a line, or a Ray dashboard; implies --teacher openai."
    ),
    replay: Path | None = typer.Option(None, help="run/ folder to answer from; implies --teacher replay."),
    see_image: Literal["beside", "only"] | None = typer.Option(
        None, help="Send the picture too: beside what is written about it, or only the picture."
    ),
    style: Literal["plain", "terse", "warm"] | None = typer.Option(
        None, help="How the scene program answers.  [default: plain]"
    ),
    output_format: Literal["text", "json"] | None = typer.Option(
        None, help="LLaVA's text, or JSON by schema.  [default: text]"
    ),
    concurrency: int | None = typer.Option(None, min=1, help="Requests in flight at most, by server.  [default: 32]"),
    requests_per_minute: float | None = typer.Option(None, help="Each server's limit; learned where it is left out."),
    tokens_per_minute: float | None = typer.Option(None, help="Each server's limit; learned where it is left out."),
    budget_usd: float | None = typer.Option(None, help="Dollars that all runs in the folder may spend together."),
    budget_tokens: int | None = typer.Option(None, help="Tokens that all runs in the folder may take together."),
    prices: Path | None = typer.Option(None, help="Price table (.toml) to use before the shipped one."),
    cache_dir: Path | None = typer.Option(None, help="Folder of answers shared between runs."),
    batch: bool = typer.Option(False, "--batch", help="Ask through the server's batch API: half the price, hours."),
    batch_live_rest: bool = typer.Option(
        False, "--batch-live-rest", help="With --batch: ask live for what a batch left unanswered."
    ),
    metrics: Path | None = typer.Option(None, help="Prometheus textfile, rewritten every few seconds."),
    alarm: bool = typer.Option(True, "--alarm/--no-alarm", help="Stop when the answers collapse."),
    images: Literal["auto", "embed", "reference"] | None = typer.Option(
        None, help="How rows keep pictures.  [default: auto]"
    ),
    shard: str | None = typer.Option(
        None, help="Build share i of N, as 0/8: a part for `instructgen merge`. It gets 1/N of budget and rates."
    ),
    whole_limits: bool = typer.Option(
        False, "--whole-limits", help="With --shard: budget and rates as given, not 1/N of them."
    ),
    engine: Literal["local", "ray"] = typer.Option(
        "local", help="ray: build parts on a Ray cluster that sees --out, and merge them."
    ),
    address: str | None = typer.Option(None, help="Of the Ray cluster, as auto; left out, Ray starts here."),
    shards: int | None = typer.Option(None, min=1, help="With --engine ray: how many parts.  [default: 64]"),
    send_to: str | None = typer.Option(
        None, help="Store that gets the finished version too, as s3://bucket/ds; equal shards are sent once."
    ),
    pipeline: str | None = typer.Option(None, help="Shipped pipeline or a .toml; flags override it."),
    report: bool = typer.Option(True, "--report/--no-report", help="Leave report.html in the dataset folder."),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Build a dataset from annotated images, or go on where an earlier run of the same command ended.

    \b
    Examples:
      instructgen build --source coco --types conv,detail,reasoning
      instructgen build --root coco --split val2017 --out out/val --seed 0 --json
      instructgen build --root coco --split val2017 --limit 100 --model gpt-4o-mini --budget-usd 1
      instructgen build --root coco --split val2017 --base-url http://127.0.0.1:8000/v1 --model my-model
      instructgen build --source scenes --limit 1000 --seed 7
      instructgen build --source interleaved --root mmc4 --out out/mmc4
      instructgen build --pipeline minigpt4 --base-url http://127.0.0.1:8000/v1 --model my-vision-model

    \b
    Answers are kept in <out>/run and never asked for twice. Each different result becomes a version
    of its own in <out>/versions. Ctrl-C stops after what is in flight; a second one at once.
    `instructgen plan` with the same flags says beforehand what it will cost.
    Exit codes: 0 done, 2 bad input, 3 stopped (run again), 4 some units failed or none was accepted,
    5 the budget is spent, 6 the answers collapsed, 7 a gate of the pipeline failed.
    """
    with told_as_json(as_json=as_json, stopped="stopped; run it again to go on"):
        config = make_config(
            pipeline,
            top={"types": split_types(types), "seed": seed},
            source={"name": source, "root": to_text(root), "split": split, "limit": limit},
            teacher={
                "name": teacher,
                "model": model,
                "base_url": base_url,
                "endpoints": endpoints,
                "replay": to_text(replay),
                "see_image": see_image,
                "style": style,
                "concurrency": concurrency,
                "requests_per_minute": requests_per_minute,
                "tokens_per_minute": tokens_per_minute,
                "prices": to_text(prices),
            },
            decoding={"output_format": output_format},
            dataset={"images": images},
            run={
                "budget_usd": budget_usd,
                "budget_tokens": budget_tokens,
                "cache_dir": to_text(cache_dir),
                "batch": batch or batch_live_rest or None,
                "batch_live_rest": batch_live_rest or None,
                "metrics": to_text(metrics),
                "alarm": alarm and None,
            },
        )
        _check_shares(config.source.name, engine, shard, send_to, is_spread=shards is not None or address is not None)
        if config.source.name == "interleaved":
            _read_documents(config, out, is_live=not plain and not as_json, as_json=as_json)
            return
        if engine == "ray":
            _build_on_ray(config, out, (address, shards), send_to, as_json=as_json)
            return
        share = _find_share(shard, whole_limits=whole_limits)
        result = _run(config, out, share, is_live=not plain and not as_json, writes_report=report)
        is_part = share is not None
        sent = send_version(result.version_folder, send_to, result.gate_faults, is_part=is_part, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(_summarise(result) | {"sent_to": sent and sent.ref}))
    else:
        _tell(result)
        tell_sent(sent)
    if result.num_failed or not (result.num_accepted or shard):
        raise typer.Exit(_INCOMPLETE)
    if result.gate_faults:
        raise typer.Exit(_GATES)


def _read_documents(config: "BuildConfig", out: Path | None, *, is_live: bool, as_json: bool) -> None:
    from instructgen.cli.build_documents import build_from_documents

    if build_from_documents(config, out, is_live=is_live, as_json=as_json):
        raise typer.Exit(_INCOMPLETE)


def _check_shares(source: str, engine: str, shard: str | None, send_to: str | None, *, is_spread: bool) -> None:
    """Refuse flags of parts that do not go together."""
    if source == "interleaved" and (shard is not None or engine == "ray"):
        raise InstructgenError("documents are read in one go; leave out --shard and --engine")
    if source == "interleaved" and send_to is not None:
        raise InstructgenError("--send-to is not for documents; leave it out, and send them by `dataset copy`")
    if engine == "ray" and shard is not None:
        raise InstructgenError("--engine ray builds all shares by itself; leave out --shard, or say --shards N")
    if engine != "ray" and is_spread:
        raise InstructgenError("--shards and --address go with --engine ray; --shard i/N builds one part here")


def _build_on_ray(
    config: "BuildConfig",
    out: Path | None,
    cluster: tuple[str | None, int | None],
    send_to: str | None,
    *,
    as_json: bool,
) -> None:
    from instructgen.cli.build_engine import build_on_ray

    build_on_ray(config, out, *cluster, send_to, as_json=as_json)


def _find_share(shard: str | None, *, whole_limits: bool) -> "WantedShare | None":
    from instructgen.jobs.shares import WantedShare
    from instructgen.sources.shares import parse_share

    if shard is None:
        if whole_limits:
            raise InstructgenError("--whole-limits goes with --shard i/N; leave it out")
        return None
    return WantedShare(parse_share(shard), has_whole_limits=whole_limits)


def _run(
    config: "BuildConfig", out: Path | None, share: "WantedShare | None", *, is_live: bool, writes_report: bool
) -> "BuildResult":
    from instructgen.cli.progress import Progress, has_live_terminal
    from instructgen.jobs.build import Build
    from instructgen.jobs.parts import make_parts

    parts = make_parts(config) if share is None else share.make_parts(config)
    for line in parts.notes:
        typer.echo(line, err=True)
    folder = out or Path("out") / parts.default_name
    # A request leaves no garbage in circles, and Python's search for it would cost a tenth of the CPU time: what is
    # loaded by now is not looked through any more, and the rest seldom.
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])
    title = f"{parts.source.title}, {parts.teacher.model}"
    with Progress(is_live and has_live_terminal(), title) as watch:
        return Build(parts, folder, watch, writes_report).run()


def _summarise(result: "BuildResult") -> dict[str, Any]:
    """Return the object of --json; `reasons` adds up to rejected plus failed units."""
    manifest, counts = result.manifest, result.manifest.counts
    reasons: dict[str, int] = {}
    for of_type in counts.reasons.values():
        for reason, count in of_type.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return {
        "out": str(result.version_folder),
        "version": manifest.version,
        "planned": counts.planned,
        "accepted": counts.accepted,
        "rejected": counts.rejected,
        "failed": counts.failed,
        "reasons": reasons,
        "reasons_by_type": counts.reasons,
        "source_issues": manifest.source.issues,
        "kept_share": _find_kept_share(result),
        "refined": None if manifest.refinement is None else manifest.refinement.steps,
        "exports": {exported.folder.name: str(exported.folder) for exported in result.exports},
        "metrics": manifest.metrics,
        "gates_failed": [fault.describe() for fault in result.gate_faults],
        "splits": manifest.splits,
        "prompt_tokens": manifest.teacher.prompt_tokens,
        "completion_tokens": manifest.teacher.completion_tokens,
        "cost_usd": manifest.teacher.cost_usd,
        "new_requests": result.num_new_requests,
        "new_cost_usd": result.new_cost_usd,
        "found_shared": result.num_found_shared,
        "in_doubt": result.num_in_doubt,
        "share": result.manifest.config.get("share"),
        "report": None if result.report is None else str(result.report),
        "seconds": round(result.seconds, 3),
    }


def _find_kept_share(result: "BuildResult") -> float | None:
    """Return the share of all units that was published; None where there is no unit."""
    planned = sum(result.manifest.counts.planned.values())
    return round(result.num_accepted / planned, 4) if planned else None


def _tell(result: "BuildResult") -> None:
    manifest, counts = result.manifest, result.manifest.counts
    typer.echo(f"version {manifest.version} in {result.version_folder} ({result.seconds:.1f} s)")
    for name in counts.planned:
        typer.echo(f"  {name:10} {counts.planned[name]:7} planned = {describe_outcomes(counts, name)}")
        if counts.planned[name] and not counts.accepted[name]:
            typer.echo(f"  warning: nothing of type {name} was accepted", err=True)
    _tell_kept(result)
    for reason, count in manifest.source.issues.items():
        typer.echo(f"  annotations set aside or mended: {count} x {reason}")
    teacher = manifest.teacher
    cost = "unknown, no price is configured" if teacher.cost_usd is None else f"${teacher.cost_usd:.4f}"
    tokens = f"{teacher.prompt_tokens} prompt and {teacher.completion_tokens} answer tokens"
    typer.echo(f"  cost {cost}, {tokens}; {result.num_new_requests} new requests")
    if result.num_found_shared:
        typer.echo(f"  {result.num_found_shared} answers came from the shared cache")
    if "share" in manifest.config:
        typer.echo(
            f"this is share {manifest.config['share']}; when all are built: instructgen merge PARTS --out FOLDER"
        )
    if not result.num_accepted:
        typer.echo(f"nothing was accepted; see why: instructgen show --rejected {quote(str(result.version_folder))}")
        return
    _tell_measures(result)
    _tell_exports(result)
    dataset = result.version_folder.parent.parent
    if result.report is not None:
        typer.echo(f"see it whole: {quote(str(dataset / result.report.name))}, in a browser")
    typer.echo(f"look at it:   instructgen show {quote(str(dataset))}, or instructgen view {quote(str(dataset))}")
    typer.echo(f'train on it:  datasets.load_dataset("{dataset}")   (pip install datasets)')
    typer.echo("              its `messages` and `images` are the columns that TRL's trainers take")
    if not manifest.embeds_images:
        typer.echo("              pictures are named by path: its README.md says how to load them; or --images embed")


def _tell_kept(result: "BuildResult") -> None:
    kept, refinement = _find_kept_share(result), result.manifest.refinement
    if kept is not None:
        typer.echo(f"  kept {kept:.1%} of all units")
    for step, found in (refinement.steps if refinement is not None else {}).items():
        said = ", ".join(f"{word} {count}" for word, count in found.items())
        typer.echo(f"  refined, {step}: {said}")


def _tell_measures(result: "BuildResult") -> None:
    """Say how much of what was published the annotations contradict, and which gates failed."""
    measures = (result.manifest.metrics or {}).get("total", {})
    shown = {
        "CHAIR_i": "chair_i",
        "contradicted claims": "contradicted_claims",
        "unverifiable": "unverifiable_claims",
    }
    said = [f"{label} {measures[key]:.1%}" for label, key in shown.items() if measures.get(key) is not None]
    if said:
        typer.echo(f"  held against the annotations: {', '.join(said)}")
    for fault in result.gate_faults:
        typer.echo(f"  gate failed: {fault.describe()}; this version does not become the latest", err=True)


def _tell_exports(result: "BuildResult") -> None:
    for exported in result.exports:
        left_out = ", ".join(f"{count} x {reason}" for reason, count in exported.left_out.items())
        more = f" (left out: {left_out})" if left_out else ""
        typer.echo(f"exported {exported.num_rows} samples to {exported.folder}{more}")
