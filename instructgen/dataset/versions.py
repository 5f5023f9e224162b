"""How versions are named by those who use them, and what there is in a store.

out/coco                the version that the tag `latest` points to
out/coco@v1.2           a tag
out/coco@3f9c           a version's name, or as much of it as no other begins with
out/coco/versions/3f9c81d2a0b7    a version's folder, in a store or anywhere
s3://bucket/coco@v1.2   the same in any store
"""

import os
from pathlib import Path, PurePath

from msgspec import Struct

from instructgen.dataset.manifest import MANIFEST_NAME, Manifest
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.stores import expand, open_store
from instructgen.dataset.stores.base import LATEST, Store
from instructgen.dataset.stores.errors import check_there, told_store
from instructgen.errors import InstructgenError

DAMAGED = "damaged"


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
    """"build", "review", the operation of its lineage, or "damaged": its manifest cannot be read."""
    title: str


class NamedVersion(Struct, frozen=True):
    """A version with the name that it is published under: its own, for a folder that is in no store."""

    ref: str
    stored: StoredVersion
    name: str


def split_ref(ref: str) -> tuple[str, str]:
    """Return the store's address and the tag or name after the last @; "" where there is none.

    A path that exists is an address as it is, whatever signs it has.
    """
    address, sign, name = ref.rpartition("@")
    if not sign or "/" in name or os.sep in name or ("://" not in ref and expand(ref).exists()):
        return ref, ""
    return address, name


def split_version(ref: str) -> tuple[str, str]:
    """Return the store's address and the tag or name, also of a version's folder in it; "" for a store alone."""
    address, name = split_ref(ref)
    if name:
        return address, name
    if "://" in address:
        store, _, last = address.rstrip("/").rpartition("/versions/")
        return (store, last) if store and "/" not in last else (address, "")
    path = expand(address)
    if (path / "versions").is_dir():
        return address, ""
    if (path / MANIFEST_NAME).is_file() and path.parent.name != "versions":
        path = path.resolve()  # "." in the folder, its name in versions/, or a link to it
    return split_folder(path) or (address, "")


def split_folder(path: PurePath) -> tuple[str, str] | None:
    """Return the store's folder and the version's name, for the place of a version in a store."""
    return (str(path.parent.parent), path.name) if path.parent.name == "versions" else None


def split_store(ref: str) -> tuple[Store, str]:
    """Return the store and the tag or name that a version is named by; `latest` where none is given.

    Raises InstructgenError for a version's folder that is in no store.
    """
    address, name = split_version(ref)
    if not name and find_folder(ref) is not None:
        raise InstructgenError(f"{ref} is a version by itself, in no store; `dataset copy` it to a store first")
    return open_store(address), name or LATEST


def find_folder(ref: str) -> Path | None:
    """Return the folder of this machine that is named, where it has a manifest: a version wherever it lies."""
    address = ref.removeprefix("file://")
    if "://" in address:
        return None
    return path if ((path := expand(address)) / MANIFEST_NAME).is_file() else None


def open_version(ref: str) -> StoredVersion:
    """Return the version that is named; InstructgenError where there is none, or several."""
    with told_store(ref):
        folder = find_folder(ref)
        if folder is not None:
            return LocalVersion(folder)
        store, name = split_store(ref)
        return store.open_version(find_name(store, name))


def open_named(ref: str, *, is_all: bool = False) -> list[NamedVersion]:
    """Return the version that is named, or with `is_all` every version of the store that is named.

    A damaged manifest is told when it is read.
    """
    with told_store(ref):
        address, name = split_version(ref)
        folder = None if name else find_folder(ref)
        if is_all and (name or folder is not None):
            raise InstructgenError(f"{ref} names one version, and --all means each of a store; name the store alone")
        if folder is not None:
            stored = LocalVersion(folder)
            return [NamedVersion(ref, stored, _own_name(stored))]
        store = open_store(address)
        names = list_names(store) if is_all else [find_name(store, name or LATEST)]
        return [NamedVersion(f"{store.address}@{one}", store.open_version(one), one) for one in names]


def list_names(store: Store) -> list[str]:
    """Return the names of a store's versions; InstructgenError where the store's bucket or server is not there."""
    versions = store.list_versions()
    if not versions:
        check_there(store)
    return versions


def find_name(store: Store, name: str) -> str:
    """Return the version that a name, a tag or the beginning of a name means; a whole name before a tag."""
    with told_store(store.address):
        tags = store.list_tags()  # before the versions: one that is published meanwhile may be tagged
        versions = list_names(store)
    if name in versions:
        return name
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
    with told_store(store.address):
        for tag, version in sorted(store.list_tags().items()):
            tags.setdefault(version, []).append(tag)
        names = list_names(store)
        lines = [_read_line(store, name, tuple(tags.get(name, ()))) for name in names]
    return sorted(lines, key=lambda line: (line.created_at, line.version))


def _read_line(store: Store, name: str, tags: tuple[str, ...]) -> VersionLine:
    try:
        return make_line(store.open_version(name).manifest, tags)
    except InstructgenError as error:  # it must not hide the others
        return VersionLine(name, "", (), tags, 0, 0, {}, DAMAGED, str(error))


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


def _own_name(stored: LocalVersion) -> str:
    try:
        return stored.manifest.version
    except InstructgenError:
        return stored.folder.resolve().name
