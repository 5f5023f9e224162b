"""`instructgen dataset merge | split | sample | mix | import | copy`: versions that are made of others."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import typer

from instructgen.cli.bars import Bar
from instructgen.cli.failures import told_as_json
from instructgen.cli.sizes import show_bytes
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.derive.imported import ImportPlan
    from instructgen.dataset.derive.recipe import Part, Recipe
    from instructgen.jobs.datasets import MadeVersion

_OUT = typer.Option(help="Store to publish to: a folder or an address; it may hold versions already.")
_TAGS = typer.Option([], "--tag", help="Tag to give the new version; repeat for several.")
_SPLITS = typer.Option([], "--split", help="NAME=SHARE of the images, as val=0.05; repeat. The rest is train.")
_SEED = typer.Option(0, help="Of all that is drawn.")
_JSON = typer.Option(False, "--json", help="Print one JSON object.")
_PICTURES = typer.Option("keep", help="keep, or paths: leave the pictures out of the rows.")
_VERSION = typer.Argument(help="STORE, STORE@TAG, STORE@VERSION or a version's folder.")


def add_to(app: typer.Typer) -> None:
    for name, command in (
        ("merge", merge),
        ("split", split),
        ("sample", sample),
        ("mix", mix),
        ("import", import_files),
        ("copy", copy),
    ):
        app.command(name)(command)


def merge(
    versions: list[str] = typer.Argument(help="Versions to put together, in this order."),
    out: str = _OUT,
    tag: list[str] = _TAGS,
    split: list[str] = _SPLITS,
    duplicates: str = typer.Option(
        "first", help="A sample_id that two have: first keeps the first's; error refuses."
    ),
    pictures: str = _PICTURES,
    seed: int = _SEED,
    as_json: bool = _JSON,
) -> None:
    """Put the rows of several versions together, one after the other.

    \b
    Examples:
      instructgen dataset merge out/a out/b@v2 --out out/both
      instructgen dataset merge out/a out/b --out s3://bucket/both --split val=0.02 --tag v1
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.derive.recipe import Part

        parts = tuple(Part(version) for version in versions)
        recipe = _make_recipe(parts, split, seed, duplicates=duplicates, pictures=pictures)
        _derive("merge", recipe, out, tag, as_json=as_json)


def split(
    version: str = _VERSION,
    out: str = _OUT,
    split: list[str] = _SPLITS,
    tag: list[str] = _TAGS,
    seed: int = _SEED,
    as_json: bool = _JSON,
) -> None:
    """Split a version anew by image: no image is in two splits.

    \b
    Examples:
      instructgen dataset split out/coco --split val=0.05 --split test=0.05 --out out/coco --tag three-way
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.derive.recipe import Part

        if not split:
            raise InstructgenError("name at least one split, as --split val=0.05")
        _derive("split", _make_recipe((Part(version),), split, seed), out, tag, as_json=as_json)


def sample(
    version: str = _VERSION,
    out: str = _OUT,
    rows: int | None = typer.Option(None, min=1, help="So many rows at most."),
    share: float | None = typer.Option(None, min=0.0, max=1.0, help="This share of the rows, 0 to 1."),
    types: str = typer.Option("", help="Only these types, with commas between them."),
    tag: list[str] = _TAGS,
    seed: int = _SEED,
    as_json: bool = _JSON,
) -> None:
    """Draw rows of a version. The draw is by sample_id: a larger sample has all of a smaller one of the same seed.

    \b
    Examples:
      instructgen dataset sample out/coco --rows 1000 --out out/small
      instructgen dataset sample out/coco@v1 --share 0.1 --types conv,detail --out out/tenth --tag v1-tenth
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.derive.recipe import Part

        if rows is None and share is None:
            raise InstructgenError("say how much: --rows 1000 or --share 0.1")
        if share is not None and share <= 0:
            raise InstructgenError("--share must be above 0")
        names = tuple(name.strip() for name in types.split(",") if name.strip())
        part = Part(version, types=names, weight=share or 1.0, cap=rows)
        _derive("sample", _make_recipe((part,), [], seed), out, tag, as_json=as_json)


def mix(
    file: Path = typer.Argument(help="A mixture: TOML that names versions, weights, caps, suffixes and splits."),
    out: str = _OUT,
    tag: list[str] = _TAGS,
    as_json: bool = _JSON,
) -> None:
    """Make a version from a recipe, as LLaVA-1.5's mixture of instruction data. docs/datasets.md lists the keys.

    \b
    Examples:
      instructgen dataset mix mixture.toml --out out/mix --tag v1

    \b
    mixture.toml:
      seed = 0
      splits = {val = 0.01}
      [[parts]]
      version = "out/coco@v1"
      types = ["conv", "reasoning"]
      [[parts]]
      version = "out/vqa"
      weight = 0.5
      cap = 20000
      suffix = "Answer the question using a single word or phrase."
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.derive.recipe import load_recipe

        _derive("mix", load_recipe(file), out, tag, as_json=as_json)


def import_files(
    form: str = typer.Argument(
        help="What the files are: llava, sharegpt, messages, webdataset ...; `list` shows all."
    ),
    path: Path | None = typer.Argument(None, help="The file or folder."),
    out: str = typer.Option("", help="Store to publish to."),
    images: Path | None = typer.Option(None, help="Folder that the records' picture paths are relative to."),
    pictures: str = typer.Option("auto", help="auto, embed (reject records without), or paths."),
    tag: list[str] = _TAGS,
    split: list[str] = _SPLITS,
    seed: int = _SEED,
    as_json: bool = _JSON,
) -> None:
    """Make a version of another project's files. What cannot be used is rejected with its reason, and counted.

    \b
    Examples:
      instructgen dataset import llava llava_instruct_150k.json --pictures paths --out out/llava
      instructgen dataset import webdataset shards/ --out out/pairs --split val=0.01
      instructgen dataset import list
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.imports import IMPORTS

        if form == "list":
            typer.echo(json.dumps(list(IMPORTS)) if as_json else "\n".join(IMPORTS))
            return
        if path is None or not out:
            raise InstructgenError("name the file or folder, and --out, the store to publish to")
        from instructgen.dataset.derive.imported import ImportPlan
        from instructgen.dataset.imports.base import ImportSettings

        if images is not None and not images.is_dir():
            raise InstructgenError(f"--images: no folder {images}")
        plan = ImportPlan(
            form.replace("-", "_"),
            path,
            ImportSettings(images),
            _parse_splits(split),
            seed,
            _choose_pictures(pictures),
        )
        _import(plan, out, tag, as_json=as_json)


def copy(
    version: str = _VERSION,
    out: str = typer.Argument(help="Store to copy it to: a folder or an address."),
    tag: list[str] = _TAGS,
    repair: bool = typer.Option(False, "--repair", help="Read what is there, and copy it again if it is damaged."),
    as_json: bool = _JSON,
) -> None:
    """Copy a version to another store; shards that are there are not sent again.

    \b
    Examples:
      instructgen dataset copy out/coco@v1 s3://bucket/coco --tag v1
      instructgen dataset copy s3://bucket/coco@v1 data/coco
      instructgen dataset copy s3://bucket/coco@v1 out/coco --repair
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.versions import open_version
        from instructgen.jobs.datasets import copy_version

        with Bar("copy", None, is_shown=not as_json) as bar:
            made = copy_version(open_version(version), out, tag, bar.tell, repairs=repair)
        _tell(made, as_json=as_json, is_copy=True)


def _derive(operation: str, recipe: "Recipe", out: str, tags: list[str], *, as_json: bool) -> None:
    from instructgen.jobs.datasets import derive_version

    with Bar(operation, None, is_shown=not as_json) as bar:
        made = derive_version(operation, recipe, out, tags, bar.reach)
    _tell(made, as_json=as_json)


def _import(plan: "ImportPlan", out: str, tags: list[str], *, as_json: bool) -> None:
    from instructgen.jobs.datasets import import_version

    with Bar("import", None, is_shown=not as_json) as bar:
        made = import_version(plan, out, tags, bar.reach)
    _tell(made, as_json=as_json)


def _make_recipe(
    parts: "tuple[Part, ...]", splits: list[str], seed: int, duplicates: str = "first", pictures: str = "keep"
) -> "Recipe":
    """Return a recipe that keeps the rows in their order."""
    import msgspec

    from instructgen.dataset.derive.recipe import Recipe

    table = {"seed": seed, "shuffle": False, "splits": _parse_splits(splits)}
    try:
        recipe = msgspec.convert({**table, "parts": [], "duplicates": duplicates, "pictures": pictures}, Recipe)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{error}") from None
    return msgspec.structs.replace(recipe, parts=parts)


def _parse_splits(splits: list[str]) -> dict[str, float] | None:
    """Return shares by name, from "val=0.05"; None where none is given."""
    shares: dict[str, float] = {}
    for one in splits:
        name, sign, share = one.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            sign = ""
        if not sign or not 0 < shares[name] <= 1:
            raise InstructgenError(f"--split {one}: wants a name and a share from 0 to 1, as val=0.05")
    return shares or None


def _choose_pictures(given: str) -> Literal["auto", "embed", "paths"]:
    known = ("auto", "embed", "paths")
    if given not in known:
        raise InstructgenError(f"--pictures {given}: it is one of {', '.join(known)}")
    return cast(Literal["auto", "embed", "paths"], given)


def _tell(made: "MadeVersion", *, as_json: bool, is_copy: bool = False) -> None:
    manifest = made.manifest
    counts = manifest.counts
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "version": manifest.version,
                    "ref": made.ref,
                    "tags": list(made.tags),
                    "rows": sum(manifest.splits.values()),
                    "splits": manifest.splits,
                    "rejected": counts.reasons,
                    "new_bytes": made.num_bytes,
                }
            )
        )
        return
    left_out = {} if is_copy else counts.reasons  # a copy leaves nothing out
    for name, reasons in left_out.items():
        if not reasons:
            continue
        typer.echo(f"left out: {name}: {', '.join(f'{count} x {why}' for why, count in reasons.items())}", err=True)
    drawn = (manifest.lineage.settings.get("splits") if manifest.lineage else None) or {}
    rows_of = {**dict.fromkeys(drawn, 0), **manifest.splits}  # also those that no image was drawn for
    splits = ", ".join(f"{rows} in {name}" for name, rows in rows_of.items())
    tags = f" [{', '.join(made.tags)}]" if made.tags else ""
    typer.echo(f"{made.ref}{tags}: {splits}; {show_bytes(made.num_bytes)} of new shards")
