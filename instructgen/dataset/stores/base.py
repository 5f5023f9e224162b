"""What every store of versions offers, and what they have in common."""

import hashlib
import re
from collections.abc import Callable
from typing import Protocol

import msgspec

from instructgen.dataset.manifest import Manifest, name_lineage
from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.sums import SUMS_NAME, parse_sums
from instructgen.errors import InstructgenError

LATEST = "latest"
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"[0-9a-f]{12}")
_COPY_BYTES = 1 << 20
Watch = Callable[[str], None]


class TagMovedError(InstructgenError):
    """Somebody else moved the tag first."""


class Store(Protocol):
    """Versions under names that are created once, and tags that move.

    A version is there whole or not at all. Nothing that is published is written again.
    """

    @property
    def address(self) -> str:
        """What a user names it by."""
        ...

    def list_versions(self) -> list[str]:
        """Return the names of the whole versions, in no order that means anything."""
        ...

    def open_version(self, name: str) -> StoredVersion:
        """Return a version that is there; reading it raises InstructgenError where it is not."""
        ...

    def add(self, version: StoredVersion, watch: Watch = lambda _: None, *, repairs: bool = False) -> int:
        """Copy a version here, and return how many bytes of shards that took: those that are here are shared.

        One that is here already is left as it is; with `repairs` it is read, and copied again where it is damaged.
        Raises InstructgenError where another one has its name, and where a file is not what its digest says.
        """
        ...

    def list_tags(self) -> dict[str, str]:
        """Return tag -> version."""
        ...

    def move_tag(self, tag: str, version: str | None, expected: str | None) -> None:
        """Make the tag point to the version; None removes it. `expected` is where it points now, None: nowhere.

        Raises TagMovedError where it points elsewhere.
        """
        ...

    def remove(self, names: list[str], watch: Watch = lambda _: None) -> int:
        """Remove versions, and the shards that no other has; return how many bytes that frees.

        Raises InstructgenError, and removes nothing, where a tag points to one of them.
        """
        ...


def check_tag(tag: str) -> str:
    """Return the tag, if it can be one."""
    if _VERSION.fullmatch(tag):
        raise InstructgenError(f"'{tag}' cannot be a tag: it looks like a version's name")
    if not _TAG.fullmatch(tag):
        raise InstructgenError(
            f"'{tag}' cannot be a tag: up to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    return tag


def check_same(there: Manifest, new: Manifest, place: str) -> None:
    """Raise InstructgenError where two versions of one name are not the same rows and settings."""
    facts = []
    for one in (there, new):
        lineage = None if one.lineage is None else name_lineage(one.lineage)
        told = (one.format, one.contents, one.config, one.prompts, lineage)
        facts.append(msgspec.json.encode(told, order="deterministic"))
    if facts[0] != facts[1]:
        raise InstructgenError(
            f"{place} is published already with another content, and versions are never written over; "
            "publish to another store"
        )


def check_untagged(names: list[str], tags: dict[str, str], address: str) -> None:
    """Raise InstructgenError where a tag points to one of the versions."""
    for tag, version in sorted(tags.items()):
        if version in names:
            raise InstructgenError(f"{address}: version {version} has the tag '{tag}'; move or remove the tag first")


def find_earlier(store: Store) -> frozenset[str]:
    """Return the content digests of the shards of a store's latest version, where it has one that can be read."""
    name = store.list_tags().get(LATEST)
    if name is None or name not in store.list_versions():
        return frozenset()
    try:
        return frozenset(shard.content_sha256 for shard in store.open_version(name).manifest.shards)
    except InstructgenError:  # a damaged version makes no cuts; publishing the same rows mends it
        return frozenset()


def list_files_to_copy(version: StoredVersion) -> dict[str, str | None]:
    """Return the files of a version with their digests, as SHA256SUMS has them; no other belongs to it.

    A version from before that file has all that is there, and digests of its shards alone. Raises InstructgenError
    for a version without digests that should have them.
    """
    known: dict[str, str | None] = {shard.path: shard.sha256 for shard in version.manifest.shards}
    try:
        sums = parse_sums(read_whole(version, SUMS_NAME))
    except FileNotFoundError:
        if version.manifest.format > 1:
            raise InstructgenError(f"{version.place} has no {SUMS_NAME}; `dataset verify` it") from None
        return dict.fromkeys(version.paths()) | known
    return {**sums, **known, SUMS_NAME: None}


def read_whole(version: StoredVersion, path: str) -> bytes:
    """Return a small file; raises FileNotFoundError."""
    with version.open(path) as file:
        return file.read()


def copy_file(version: StoredVersion, path: str, sha256: str | None, write: Callable[[bytes], object]) -> None:
    """Give a file's blocks to `write`; InstructgenError where it is not there, or not the one of this digest."""
    digest = hashlib.sha256()
    try:
        source = version.open(path)
    except FileNotFoundError:
        raise InstructgenError(f"{version.place} has no {path}; `dataset verify` it") from None
    with source:
        while block := source.read(_COPY_BYTES):
            digest.update(block)
            write(block)
    if sha256 not in (None, digest.hexdigest()):
        raise InstructgenError(f"{version.place}: {path} is not the file that was published; `dataset verify` it")
