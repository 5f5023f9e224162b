"""`instructgen dataset`: the versions of a dataset, wherever they are kept."""

import json
from typing import TYPE_CHECKING

import typer

from instructgen.cli import dataset_check, dataset_diff, dataset_make, dataset_push
from instructgen.cli.failures import told_as_json
from instructgen.cli.sizes import show_bytes, show_count
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.manifest import Manifest
    from instructgen.dataset.stored import StoredVersion
    from instructgen.dataset.versions import VersionLine

_DAMAGED_EXIT_CODE = 8

dataset_app = typer.Typer(
    name="dataset",
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Named versions that never change: list, compare, check, tag, copy, combine.\n\n"
        "A version is named as STORE (its latest), STORE@TAG, STORE@VERSION (or the beginning of it), or by its own "
        "folder. A STORE is a build's --out, any folder, or an address such as s3://bucket/folder."
    ),
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(dataset_app)
    dataset_diff.add_to(dataset_app)
    dataset_check.add_to(dataset_app)
    dataset_make.add_to(dataset_app)
    dataset_push.add_push(dataset_app)


@dataset_app.command("list")
def list_versions(
    store: str = typer.Argument(help="A build's --out, a folder, or an address such as s3://bucket/folder."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON array."),
) -> None:
    """List the versions of a store, the oldest first.

    \b
    Examples:
      instructgen dataset list out/coco-sample
      instructgen dataset list s3://bucket/coco --json
    """
    with told_as_json(as_json=as_json):
        import msgspec

        from instructgen.dataset.stores import open_store
        from instructgen.dataset.stores.errors import told_store
        from instructgen.dataset.versions import list_lines

        with told_store(store):
            lines = list_lines(open_store(store))
        if as_json:
            typer.echo(msgspec.json.encode(lines).decode())
            return
        if not lines:
            raise InstructgenError(f"{store} holds no version; a build or `dataset merge` makes one")
        for line in lines:
            typer.echo(_layout(line))


@dataset_app.command("show")
def show_version(
    version: str = typer.Argument(help="STORE, STORE@TAG, STORE@VERSION or a version's folder."),
    files: bool = typer.Option(False, "--files", help="Print where its shards are, one a line, for other readers."),
    as_json: bool = typer.Option(False, "--json", help="Print the manifest as one JSON object."),
) -> None:
    """Show what a version is: rows, counts, reasons, settings, parents. `instructgen show` prints its samples.

    \b
    Examples:
      instructgen dataset show out/coco-sample
      instructgen dataset show s3://bucket/coco@v1 --files
      instructgen dataset show out/mix@latest --json
    """
    with told_as_json(as_json=as_json):
        import msgspec

        from instructgen.dataset.stores.errors import told_store
        from instructgen.dataset.versions import open_version

        with told_store(version):
            stored = open_version(version)
            manifest = stored.manifest
            places = _find_places(stored) if files else []
        if files:
            typer.echo(json.dumps(places) if as_json else "\n".join(places))
        elif as_json:
            typer.echo(msgspec.json.encode(manifest).decode())
        else:
            typer.echo(_describe(manifest, stored.place))


@dataset_app.command("verify")
def verify(
    versions: list[str] = typer.Argument(
        help="STORE, STORE@TAG, STORE@VERSION or a version's folder; a STORE with --all means each of its versions."
    ),
    is_all: bool = typer.Option(False, "--all", help="Every version of the stores that are named."),
    deep: bool = typer.Option(False, "--deep", help="Also read the rows and digest them anew."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Read every byte of a version and hold it against its digests. Exit code 8 where something differs.

    \b
    Examples:
      instructgen dataset verify out/coco-sample
      instructgen dataset verify s3://bucket/coco --all
      instructgen dataset verify out/coco@v1 --deep --json

    \b
    The same without instructgen: sha256sum -c SHA256SUMS in the version's folder.
    """
    with told_as_json(as_json=as_json):
        import msgspec

        from instructgen.cli.bars import Bar
        from instructgen.dataset.stores.errors import told_store
        from instructgen.dataset.verify import verify_version
        from instructgen.dataset.versions import open_named

        found = {}
        named = [one for ref in versions for one in open_named(ref, is_all=is_all)]
        if not named:
            raise InstructgenError(f"{' and '.join(versions)}: there is no version to verify")
        for one in named:
            with Bar("verify", None, is_shown=not as_json) as bar, told_store(one.ref):
                found[one.ref] = verify_version(one.stored, one.name, is_deep=deep, watch=bar.tell)
        num_damaged = sum(bool(damages) for damages in found.values())
        if as_json:
            typer.echo(msgspec.json.encode({"versions": found, "damaged": num_damaged}).decode())
        else:
            for place, damages in found.items():
                typer.echo(f"{place}: {'damaged' if damages else 'whole'}")
                for damage in damages:
                    typer.echo(f"  {damage.path}: {damage.reason}{f' ({damage.detail})' if damage.detail else ''}")
            if num_damaged:
                typer.echo(
                    "`dataset copy --repair` damaged versions from another store, or build them again", err=True
                )
        if num_damaged:
            raise typer.Exit(_DAMAGED_EXIT_CODE)


@dataset_app.command("tag")
def tag_version(
    version: str = typer.Argument(help="STORE, STORE@TAG, STORE@VERSION or a version's folder in a store."),
    tag: str = typer.Argument(help="Name to give it, such as v1.2 or latest."),
    expect: str | None = typer.Option(
        None, help="Move the tag only if it points to this version; 'none': to nothing."
    ),
    delete: bool = typer.Option(False, "--delete", help="Remove the tag; the version stays."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Make a tag point to a version. Tags move, versions never change.

    \b
    Examples:
      instructgen dataset tag out/coco-sample v1.0
      instructgen dataset tag out/coco-sample@3f9c81 latest
      instructgen dataset tag s3://bucket/coco@v1.1 stable --expect 3f9c81d2a0b7
      instructgen dataset tag out/coco-sample old --delete
    """
    with told_as_json(as_json=as_json):
        from instructgen.dataset.stores.errors import told_store
        from instructgen.dataset.versions import find_name, split_store

        with told_store(version):
            store, name = split_store(version)
            now = store.list_tags().get(tag)
            expected = now if expect is None else None if expect == "none" else find_name(store, expect)
            if delete and now is None:
                raise InstructgenError(f"{store.address} has no tag '{tag}'")
            new = None if delete else find_name(store, name)
            store.move_tag(tag, new, expected)
        if as_json:
            typer.echo(json.dumps({"tag": tag, "version": new, "before": now}))
        else:
            typer.echo(f"{store.address}: '{tag}' " + (f"is {new}" if new else f"is removed (it was {now})"))


@dataset_app.command("gc")
def collect(
    store: str = typer.Argument(help="The store to clean."),
    keep: int = typer.Option(0, min=0, help="Keep so many of the newest versions that have no tag."),
    yes: bool = typer.Option(False, "--yes", help="Remove them; without it they are listed only."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Remove versions that no tag points to, and the shards that only they have.

    \b
    Examples:
      instructgen dataset gc out/coco-val2017
      instructgen dataset gc s3://bucket/coco --keep 3 --yes
    """
    with told_as_json(as_json=as_json):
        import msgspec

        from instructgen.dataset.stores import open_store
        from instructgen.dataset.stores.errors import told_store
        from instructgen.jobs.datasets import collect_versions

        with told_store(store):
            done = collect_versions(open_store(store), keep, is_done=yes)
        if as_json:
            typer.echo(msgspec.json.encode(done).decode())
            return
        for name in done.versions:
            typer.echo(f"{'removed' if yes else 'would remove'} {name}")
        typer.echo(
            f"{show_count(len(done.versions), 'version')}, {show_bytes(done.num_bytes)}; {len(done.kept)} stay"
        )
        if done.versions and not yes:
            typer.echo("nothing was removed; --yes does it")


def _find_places(stored: "StoredVersion") -> list[str]:
    from instructgen.dataset.stores.remote import RemoteVersion

    if isinstance(stored, RemoteVersion):
        return [place for _, place in stored.addresses()]
    return [f"{stored.place}/{shard.path}" for shard in stored.manifest.shards]


def _layout(line: "VersionLine") -> str:
    if not line.created_at:
        return f"{line.version}  {line.made_by}: {line.title}"
    types = ", ".join(f"{name} {count}" for name, count in line.types.items() if count)
    tags = f"  [{', '.join(line.tags)}]" if line.tags else ""
    made = "" if line.made_by == "build" else f", {line.made_by} of {', '.join(line.parents) or 'files'}"
    size = f"{line.num_rows} rows, {show_bytes(line.num_bytes)}"
    return f"{line.version}  {line.created_at[:16]}  {size} ({types}){made}{tags}"


def _describe(manifest: "Manifest", place: str) -> str:
    from instructgen.dataset.versions import make_line

    line, counts = make_line(manifest, ()), manifest.counts
    version = manifest.code.get("instructgen", "?")
    facts = [
        ("at", place),
        ("made", f"{manifest.created_at} by instructgen {version} ({line.made_by})"),
        ("parents", ", ".join(line.parents) or "none"),
        ("teacher", f"{manifest.teacher.name}, {manifest.teacher.model}"),
        ("rows", f"{line.num_rows} in {show_count(len(manifest.shards), 'shard')}, {show_bytes(line.num_bytes)}"),
        ("splits", ", ".join(f"{name} {rows}" for name, rows in manifest.splits.items()) or "none"),
    ]
    for name, planned in counts.planned.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reasons.get(name, {}).items())
        told = f"{counts.accepted[name]} accepted, {counts.rejected[name]} rejected, {counts.failed[name]} failed"
        facts.append((name, f"{planned} planned: {told}{f' ({reasons})' if reasons else ''}"))
    parents = manifest.lineage.parents if manifest.lineage else ()
    facts += [("from", f"{parent.version}: {parent.taken} rows of {parent.title}") for parent in parents]
    width = max(len(name) for name, _ in facts)
    told_facts = [f"  {name:{width}}  {fact}" for name, fact in facts]
    return "\n".join([f"{manifest.version}  {manifest.source.title}", *told_facts])
