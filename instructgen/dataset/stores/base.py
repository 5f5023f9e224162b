"""What every store of versions offers, and what they have in common."""

import re
from collections.abc import Callable
from typing import Protocol

import msgspec

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import StoredVersion
from instructgen.errors import InstructgenError

LATEST = "latest"
_TAG = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
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

    def add(self, version: StoredVersion, watch: Watch = lambda _: None) -> int:
        """Copy a version here, and return how many bytes of shards that took: those that are here are shared.

        One that is here already is left as it is. Raises InstructgenError where another one has its name.
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
    if not _TAG.fullmatch(tag):
        raise InstructgenError(
            f"'{tag}' cannot be a tag: up to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    return tag


def check_same(there: Manifest, new: Manifest, place: str) -> None:
    """Raise InstructgenError where two versions of one name are not the same rows and settings."""
    facts = [
        msgspec.json.encode((one.format, one.contents, one.config, one.prompts, one.lineage), order="deterministic")
        for one in (there, new)
    ]
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
