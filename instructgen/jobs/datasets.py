"""`instructgen dataset ...`: versions that are made of others, copied, and removed."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from uuid import uuid4

from msgspec import Struct

from instructgen.dataset.derive.imported import ImportPlan, write_imported
from instructgen.dataset.derive.recipe import Recipe
from instructgen.dataset.derive.write import Watch, write_derived
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.publish import seal
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.base import LATEST, Store, check_tag, find_earlier
from instructgen.dataset.stores.errors import told_store
from instructgen.dataset.stores.local import WORK, LocalStore
from instructgen.dataset.versions import DAMAGED, list_lines
from instructgen.errors import InstructgenError


class MadeVersion(Struct, frozen=True):
    """`num_bytes` is what its shards took that were not in the store."""

    ref: str
    manifest: Manifest
    num_bytes: int
    tags: tuple[str, ...]


class Collected(Struct, frozen=True):
    """Versions that no tag points to, the oldest first, and the bytes that removing them frees, or freed."""

    versions: tuple[str, ...]
    kept: tuple[str, ...]
    num_bytes: int
    is_done: bool


def derive_version(
    operation: str, recipe: Recipe, out: str, tags: Sequence[str], watch: Watch = lambda _done, _all: None
) -> MadeVersion:
    """Publish what a recipe makes to a store."""
    with told_store(*(part.version for part in recipe.parts), out):
        return _make(out, tags, lambda staging, earlier: write_derived(operation, recipe, staging, earlier, watch))


def import_version(
    plan: ImportPlan, out: str, tags: Sequence[str], watch: Callable[[int], None] = lambda _: None
) -> MadeVersion:
    """Publish another project's files to a store."""
    with told_store(str(plan.path), out):
        return _make(out, tags, lambda staging, earlier: write_imported(plan, staging, earlier, watch))


def build_version(out: str, write: Callable[[Path, frozenset[str]], Manifest]) -> MadeVersion:
    """Publish what `write` puts into a folder, given the digests of shards that are there; it becomes the latest."""
    with told_store(out):
        return _make(out, (LATEST,), write)


def copy_version(
    stored: StoredVersion,
    out: str,
    tags: Sequence[str],
    watch: Callable[[str], None] = lambda _: None,
    *,
    repairs: bool = False,
) -> MadeVersion:
    """Copy a version to another store; `repairs` reads one that is there, and copies it again where it is damaged."""
    with told_store(stored.place, out):
        store = _open_out(out, tags)
        with _tidied(store):
            num_bytes = store.add(stored, watch, repairs=repairs)
        return _tag(store, stored.manifest, num_bytes, tags)


def collect_versions(store: Store, num_kept: int, *, is_done: bool) -> Collected:
    """Remove the versions that no tag points to, but for the newest `num_kept` of them; else only look."""
    lines = list_lines(store)
    damaged = [line.version for line in lines if line.made_by == DAMAGED]
    if damaged:
        raise InstructgenError(
            f"{store.address}: {', '.join(damaged)} cannot be read, so that nobody knows what they need: "
            "`dataset copy --repair` them from another store, or build them again"
        )
    untagged = [line for line in lines if not line.tags]
    gone = untagged[: max(0, len(untagged) - num_kept)]
    names = [line.version for line in gone]
    kept = tuple(line.version for line in lines if line.version not in names)
    if is_done:
        freed = store.remove(names) if names or not isinstance(store, LocalStore) else 0
        return Collected(tuple(names), kept, freed, is_done=True)
    needed = {shard.sha256 for name in kept for shard in store.open_version(name).manifest.shards}
    own = {
        shard.sha256: shard.num_bytes
        for name in names
        for shard in store.open_version(name).manifest.shards
        if shard.sha256 not in needed
    }
    return Collected(tuple(names), kept, sum(own.values()), is_done=False)


def _make(out: str, tags: Sequence[str], write: Callable[[Path, frozenset[str]], Manifest]) -> MadeVersion:
    store = _open_out(out, tags)
    with told_store(out):
        earlier = find_earlier(store)
    with _staging(store) as staging:
        manifest = write(staging, earlier)
        with told_store(out):
            seal(staging, manifest)
            if isinstance(store, LocalStore):
                num_bytes = store.publish(staging, manifest)
            else:
                num_bytes = store.add(LocalVersion(staging))
    with told_store(out):
        return _tag(store, manifest, num_bytes, tags)


def _open_out(out: str, tags: Sequence[str]) -> Store:
    for tag in tags:
        check_tag(tag)
    with told_store(out):
        store = open_store(out)
        _check_sign(store, out)
        if isinstance(store, LocalStore) and store.folder.exists():
            has_versions = (store.folder / "versions").is_dir()
            if not store.folder.is_dir() or (
                not has_versions and any(path.name != WORK for path in store.folder.iterdir())
            ):
                raise InstructgenError(f"{out} is there already and is no dataset's folder; name a new one")
    return store


def _check_sign(store: Store, out: str) -> None:
    """Refuse STORE@TAG, which would be another store of that name; a folder that has the sign in its name is one."""
    path = out.partition("://")[2].partition("/")[2] if "://" in out else out
    address, sign, tag = out.rstrip("/").rpartition("@")
    if not sign or "@" not in PurePath(path).name:
        return
    if not (store.folder.exists() if isinstance(store, LocalStore) else store.list_versions()):
        raise InstructgenError(
            f"{out} would be a store of that name; a tag is given beside it: {address} --tag {tag}"
        )


@contextmanager
def _staging(store: Store) -> Iterator[Path]:
    """Give an empty folder, on the store's own disk where it is one."""
    is_local = isinstance(store, LocalStore)
    folder = store.folder / WORK if isinstance(store, LocalStore) else Path(tempfile.gettempdir())
    staging = folder / f"instructgen.{uuid4().hex}.new"
    with _tidied(store):
        staging.mkdir(parents=True, mode=0o777 if is_local else 0o700)  # a local one becomes the version's folder
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _tidied(store: Store) -> Iterator[None]:
    """Leave no empty folder where an attempt failed."""
    made: list[Path] = []
    if isinstance(store, LocalStore):
        made = [store.folder / WORK, *([] if store.folder.exists() else [store.folder])]
    try:
        yield
    finally:
        with suppress(OSError):  # what holds something stays, and so does what is around it
            for folder in made:
                folder.rmdir()


def _tag(store: Store, manifest: Manifest, num_bytes: int, tags: Sequence[str]) -> MadeVersion:
    """Move the tags to the version; it becomes the latest of a store that has none."""
    there = store.list_tags()
    moved = tuple(dict.fromkeys([*tags, *([] if LATEST in there else [LATEST])]))
    for tag in moved:
        if there.get(tag) != manifest.version:
            store.move_tag(tag, manifest.version, there.get(tag))
    return MadeVersion(f"{store.address}@{manifest.version}", manifest, num_bytes, moved)
