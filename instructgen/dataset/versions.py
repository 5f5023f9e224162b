"""How versions are named by those who use them, and what there is in a store.

out/coco                the version that the tag `latest` points to
out/coco@v1.2           a tag
out/coco@3f9c           a version's name, or as much of it as no other begins with
out/coco/versions/3f9c81d2a0b7    a version's folder
s3://bucket/coco@v1.2   the same in any store
"""

from pathlib import Path

from msgspec import Struct

from instructgen.dataset.manifest import MANIFEST_NAME, Manifest
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.base import LATEST, Store
from instructgen.errors import InstructgenError


class VersionLine(Struct, frozen=True):
    """A version as a list shows it, the oldest first."""

    version: str
    created_at: str
    parents: tuple[str, ...]
    tags: tuple[str, ...]
    num_rows: int
    num_bytes: int
    types: dict[str, int]
    made_by: str
    """"build", "review" or the operation of its lineage."""
    title: str


def split_ref(ref: str) -> tuple[str, str]:
    """Return the store's address and the tag or name after the last @; "" where there is none.

    A path that exists is an address as it is, whatever signs it has.
    """
    address, sign, name = ref.rpartition("@")
    if not sign or "/" in name or ("://" not in ref and Path(ref).exists()):
        return ref, ""
    return address, name


def split_store(ref: str) -> tuple[Store, str]:
    """Return the store and the tag or name that a version is named by; `latest` where none is given."""
    address, name = split_ref(ref)
    folder, _, last = address.rstrip("/").rpartition("/versions/")
    if not name and folder and "/" not in last:
        address, name = folder, last
    return open_store(address), name or LATEST


def open_version(ref: str) -> StoredVersion:
    """Return the version that is named; InstructgenError where there is none, or several.

    A folder with a manifest is a version wherever it lies.
    """
    if "://" not in ref and (Path(ref) / MANIFEST_NAME).is_file():
        return LocalVersion(Path(ref))
    store, name = split_store(ref)
    return store.open_version(find_name(store, name))


def find_name(store: Store, name: str) -> str:
    """Return the version that a tag, a name or the beginning of one means."""
    tags = store.list_tags()
    versions = store.list_versions()
    if name in tags:
        if tags[name] not in versions:
            raise InstructgenError(f"{store.address}: the tag '{name}' points to {tags[name]}, which is not there")
        return tags[name]
    found = [version for version in versions if version.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InstructgenError(f"{store.address}: '{name}' may be {' or '.join(found)}; give more of it")
    if not versions:
        raise InstructgenError(f"{store.address} holds no dataset; give the --out of a build, or a store's address")
    if name == LATEST:
        raise InstructgenError(
            f"no version of {store.address} has the tag '{LATEST}', and one without a row never gets it: name one as "
            f"{store.address}@{versions[-1]}; there are: {', '.join(versions)}"
        )
    known = ", ".join([*tags, *versions])
    raise InstructgenError(f"{store.address} has no version or tag '{name}'; there are: {known}")


def list_lines(store: Store) -> list[VersionLine]:
    """Return all versions of a store, the oldest first."""
    tags: dict[str, list[str]] = {}
    for tag, version in sorted(store.list_tags().items()):
        tags.setdefault(version, []).append(tag)
    lines = [
        make_line(store.open_version(name).manifest, tuple(tags.get(name, ()))) for name in store.list_versions()
    ]
    return sorted(lines, key=lambda line: (line.created_at, line.version))


def make_line(manifest: Manifest, tags: tuple[str, ...]) -> VersionLine:
    types: dict[str, int] = dict(manifest.counts.accepted)
    return VersionLine(
        version=manifest.version,
        created_at=manifest.created_at,
        parents=find_parents(manifest),
        tags=tags,
        num_rows=sum(shard.num_rows for shard in manifest.shards),
        num_bytes=sum(shard.num_bytes for shard in manifest.shards),
        types=types,
        made_by=manifest.lineage.operation if manifest.lineage else "review" if manifest.review else "build",
        title=manifest.source.title,
    )


def find_parents(manifest: Manifest) -> tuple[str, ...]:
    """Return the versions that this one was made of, or followed."""
    if manifest.lineage is not None:
        return tuple(dict.fromkeys(parent.version for parent in manifest.lineage.parents))
    return (manifest.parent,) if manifest.parent else ()
