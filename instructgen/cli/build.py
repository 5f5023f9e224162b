"""`instructgen build`: flags in, a published dataset out."""

import json
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import typer

from instructgen.cli.pipelines import find_pipeline
from instructgen.errors import InstructgenError, RunStoppedError

if TYPE_CHECKING:
    from instructgen.config import BuildConfig
    from instructgen.jobs.build import BuildResult

_INCOMPLETE = 4
_Config = TypeVar("_Config")


def add_to(app: typer.Typer) -> None:
    app.command("build")(build)


def build(
    source: str | None = typer.Option(None, help="Where images come from: coco, scenes.  [default: coco]"),
    root: Path | None = typer.Option(
        None, help="COCO folder (annotations/captions_*.json, instances_*.json). Without it: the bundled sample."
    ),
    split: str | None = typer.Option(None, help="Which split of the root, as val2017; needed where it has several."),
    types: str | None = typer.Option(None, help="Sample types, with commas.  [default: conv,detail,reasoning]"),
    out: Path | None = typer.Option(None, help="Dataset folder.  [default: out/<source>-<split>]"),
    limit: int | None = typer.Option(None, min=1, help="Use only the first N images."),
    seed: int | None = typer.Option(None, help="Seed of every draw.  [default: 0]"),
    teacher: str | None = typer.Option(None, help="Who writes: scene-program (free), openai, replay."),
    model: str | None = typer.Option(None, help="Model to ask; implies --teacher openai."),
    base_url: str | None = typer.Option(None, help="OpenAI-compatible server; implies --teacher openai."),
    replay: Path | None = typer.Option(None, help="run/ folder to answer from; implies --teacher replay."),
    output_format: Literal["text", "json"] | None = typer.Option(
        None, help="LLaVA's text, or JSON by schema.  [default: text]"
    ),
    concurrency: int | None = typer.Option(None, min=1, help="Requests in flight at most.  [default: 32]"),
    images: Literal["auto", "embed", "reference"] | None = typer.Option(
        None, help="How rows keep pictures.  [default: auto]"
    ),
    pipeline: str | None = typer.Option(None, help="Shipped pipeline or a .toml; flags override it."),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Build a dataset from annotated images, or go on where an earlier run of the same command ended.

    \b
    Examples:
      instructgen build --source coco --types conv,detail,reasoning
      instructgen build --root coco --split val2017 --out out/val --seed 0 --json
      instructgen build --root coco --split val2017 --limit 100 --model gpt-4o-mini
      instructgen build --root coco --split val2017 --base-url http://127.0.0.1:8000/v1 --model my-model
      instructgen build --source scenes --limit 1000 --seed 7

    \b
    Answers are kept in <out>/run and never asked for twice. Each different result becomes a version
    of its own in <out>/versions. Ctrl-C stops after what is in flight; a second one at once.
    Exit codes: 0 done, 2 bad input, 3 stopped (run again), 4 some units failed or none was accepted.
    """
    try:
        config = _override(
            _read_pipeline(pipeline, forget_teacher=teacher is None and any((model, base_url, replay))),
            top={"types": _split_types(types), "seed": seed},
            source={"name": source, "root": _text(root), "split": split, "limit": limit},
            teacher={
                "name": teacher,
                "model": model,
                "base_url": base_url,
                "replay": _text(replay),
                "concurrency": concurrency,
            },
            decoding={"output_format": output_format},
            dataset={"images": images},
        )
        result = _run(config, out, is_live=sys.stderr.isatty() and not plain and not as_json)
    except (InstructgenError, KeyboardInterrupt) as caught:
        error = caught if isinstance(caught, InstructgenError) else RunStoppedError("stopped; run it again to go on")
        if as_json:
            typer.echo(json.dumps({"error": str(error), "exit_code": error.exit_code}))
        raise error from None
    if as_json:
        typer.echo(json.dumps(_summarise(result)))
    else:
        _tell(result)
    if result.num_failed or not result.num_accepted:
        raise typer.Exit(_INCOMPLETE)


def _run(config: "BuildConfig", out: Path | None, *, is_live: bool) -> "BuildResult":
    from instructgen.cli.progress import Progress
    from instructgen.jobs.build import Build
    from instructgen.jobs.parts import make_parts

    parts = make_parts(config)
    for line in parts.notes:
        typer.echo(line, err=True)
    folder = out or Path("out") / parts.default_name
    return Build(parts, folder, Progress(is_live)).run()


def _read_pipeline(pipeline: str | None, *, forget_teacher: bool) -> "BuildConfig":
    """Return the file's settings, without its teacher where the flags imply one."""
    from msgspec.structs import replace

    from instructgen.config import BuildConfig, load_config

    config = BuildConfig() if pipeline is None else load_config(find_pipeline(pipeline))
    return replace(config, teacher=replace(config.teacher, name=None)) if forget_teacher else config


def _override(
    config: "BuildConfig",
    *,
    top: dict[str, Any],
    source: dict[str, Any],
    teacher: dict[str, Any],
    decoding: dict[str, Any],
    dataset: dict[str, Any],
) -> "BuildConfig":
    """Return the config with every flag that was given; a value that the config refuses names its flag."""
    changed = _replace(config.teacher, {**teacher, "decoding": _replace(config.teacher.decoding, decoding)})
    return _replace(
        config,
        {**top, "source": _replace(config.source, source), "teacher": changed}
        | {"dataset": _replace(config.dataset, dataset)},
    )


def _replace(config: _Config, flags: dict[str, Any]) -> _Config:
    import msgspec

    given = {key: value for key, value in flags.items() if value is not None}
    table = {key: getattr(config, key) for key in config.__struct_fields__} | given  # type: ignore[attr-defined]
    try:
        return msgspec.convert(table, type(config), from_attributes=True)
    except msgspec.ValidationError as error:
        key = str(error).partition("`$.")[2].rstrip("`")
        flag = f"--{key.replace('_', '-')}: " if key in given else ""
        raise InstructgenError(f"{flag}{error}") from None


def _split_types(types: str | None) -> tuple[str, ...] | None:
    return None if types is None else tuple(name.strip() for name in types.split(",") if name.strip())


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


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
        "splits": manifest.splits,
        "prompt_tokens": manifest.teacher.prompt_tokens,
        "completion_tokens": manifest.teacher.completion_tokens,
        "cost_usd": manifest.teacher.cost_usd,
        "new_requests": result.num_new_requests,
        "new_cost_usd": result.new_cost_usd,
        "in_doubt": result.num_in_doubt,
        "seconds": round(result.seconds, 3),
    }


def _tell(result: "BuildResult") -> None:
    manifest, counts = result.manifest, result.manifest.counts
    typer.echo(f"version {manifest.version} in {result.version_folder} ({result.seconds:.1f} s)")
    for name in counts.planned:
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reasons[name].items())
        typer.echo(
            f"  {name:10} {counts.planned[name]:7} planned = {counts.accepted[name]} accepted"
            f" + {counts.rejected[name]} rejected + {counts.failed[name]} failed"
            + (f" ({reasons})" if reasons else "")
        )
    for reason, count in manifest.source.issues.items():
        typer.echo(f"  annotations set aside or mended: {count} x {reason}")
    cost = "unknown, no price is configured" if manifest.teacher.cost_usd is None else f"${manifest.teacher.cost_usd}"
    typer.echo(f"  cost {cost}; {result.num_new_requests} new requests")
    if result.num_in_doubt:
        typer.echo(f"  {result.num_in_doubt} requests were in flight when an earlier run was cut off")
    if not result.num_accepted:
        typer.echo(f"nothing was accepted; see why: instructgen show --rejected {quote(str(result.version_folder))}")
        return
    dataset = result.version_folder.parent.parent
    typer.echo(f"look at it:   instructgen show {quote(str(dataset))}")
    typer.echo(f'train on it:  datasets.load_dataset("{dataset}")   (pip install datasets)')
    typer.echo("              its `messages` and `images` are the columns that TRL's trainers take")
    if not manifest.embeds_images:
        typer.echo("              pictures are named by path: its README.md says how to load them; or --images embed")
