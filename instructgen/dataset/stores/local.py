"""Versions in a folder of this machine: one folder of Parquet for each, equal shards linked to each other.

versions/<version>/   data/, manifest.json, SHA256SUMS ...
tags/<tag>            the name of a version
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from instructgen.dataset.cards.card import make_card
from instructgen.dataset.cards.statistics import read_statistics
from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, read_manifest
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.stores.base import (
    LATEST,
    TagMovedError,
    Watch,
    check_same,
    check_tag,
    check_untagged,
    copy_file,
    list_files_to_copy,
)
from instructgen.dataset.sums import hash_stream
from instructgen.dataset.verify import verify_version
from instructgen.disk import replace_text, sync
from instructgen.errors import InstructgenError, RunLockedError

WORK = ".work"
_LOCK_WAIT_S = 60.0
_OLD_WORK_S = 24 * 3600.0


@dataclass(frozen=True)
class LocalStore:
    """The store in a dataset's folder, which a build may have made."""

    folder: Path

    @property
    def address(self) -> str:
        return str(self.folder)

    def list_versions(self) -> list[str]:
        return sorted(path.parent.name for path in (self.folder / "versions").glob(f"[!.]*/{MANIFEST_NAME}"))

    def open_version(self, name: str) -> LocalVersion:
        return LocalVersion(self.folder / "versions" / name)

    def add(self, version: StoredVersion, watch: Watch = lambda _: None, *, repairs: bool = False) -> int:
        staging = self.folder / WORK / f"{uuid4().hex}.new"
        try:
            for path, sha256 in list_files_to_copy(version).items():
                watch(path)
                (staging / path).parent.mkdir(parents=True, exist_ok=True)
                with (staging / path).open("wb") as file:
                    copy_file(version, path, sha256, file.write)
            return self.publish(staging, version.manifest, repairs=repairs)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def publish(self, staging: Path, manifest: Manifest, *, repairs: bool = False) -> int:
        """Make a whole version of a folder on the same disk; return the bytes of its shards that were not here.

        Killed at any moment, the version is whole or not there. `repairs` replaces one that is here and damaged.
        """
        num_linked = self._share(staging, manifest)
        for path in sorted(staging.rglob("*")):
            sync(path)
        sync(staging)
        target = self.folder / "versions" / manifest.version
        with self._locked():
            if target.exists() and repairs and verify_version(LocalVersion(target), target.name):
                self._hide(target)
            if target.exists():
                check_same(read_manifest(target), manifest, f"{self.folder}: version {manifest.version}")
                shutil.rmtree(staging)
                return 0
            target.parent.mkdir(parents=True, exist_ok=True)
            staging.rename(target)
            sync(target.parent)
            self._remove_hidden()
        return sum(shard.num_bytes for shard in manifest.shards) - num_linked

    def list_tags(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in sorted((self.folder / "tags").glob("*")):
            if not path.name.startswith(".") and path.is_file():
                found[path.name] = path.read_text(encoding="utf-8", errors="replace").strip()
        return found

    def move_tag(self, tag: str, version: str | None, expected: str | None) -> None:
        path = self.folder / "tags" / check_tag(tag)
        with self._locked():
            now = path.read_text(encoding="utf-8").strip() if path.is_file() else None
            if now != expected:
                raise TagMovedError(
                    f"{self.folder}: the tag '{tag}' points to {now or 'nothing'}, not to {expected or 'nothing'}"
                )
            if version is None:
                path.unlink(missing_ok=True)
                return
            published = read_manifest(self.folder / "versions" / version)
            replace_text(path, version + "\n")
            if tag == LATEST:
                statistics = read_statistics(self.open_version(version))
                replace_text(self.folder / "README.md", make_card(published, f"versions/{version}/", statistics))

    def remove(self, names: list[str], watch: Watch = lambda _: None) -> int:
        freed = 0
        with self._locked():
            check_untagged(names, self.list_tags(), self.address)
            for name in names:
                folder = self.folder / "versions" / name
                if folder.is_dir():  # else somebody else was quicker
                    watch(name)
                    freed += sum(_own_bytes(path) for path in (folder / "data").glob("*") if path.is_file())
                    self._hide(folder)
                    self._remove_hidden()
            self._remove_old_work()
        return freed

    def _hide(self, folder: Path) -> None:
        """Take a version out of sight by one rename, so that a kill leaves no half of it under its name."""
        folder.rename(self.folder / WORK / f"{folder.name}.{uuid4().hex}.gone")

    def _remove_hidden(self) -> None:
        for left in (self.folder / WORK).glob("*.gone"):
            shutil.rmtree(left)

    def _remove_old_work(self) -> None:
        """Remove what killed runs left; nobody works on one version for so long."""
        for left in (self.folder / WORK).glob("*.new"):
            if time.time() - left.stat().st_mtime > _OLD_WORK_S:
                shutil.rmtree(left)

    def _share(self, staging: Path, manifest: Manifest) -> int:
        """Put links in the place of shards that another version has, and return their bytes."""
        there = {
            shard.sha256: self.folder / "versions" / name / shard.path
            for name in self.list_versions()
            for shard in self._shards_of(name)
        }
        num_bytes = 0
        for shard in manifest.shards:
            if shard.sha256 in there and _link(there[shard.sha256], staging / shard.path, shard.sha256):
                num_bytes += shard.num_bytes
        return num_bytes

    def _shards_of(self, name: str) -> tuple[Shard, ...]:
        try:
            return self.open_version(name).manifest.shards
        except InstructgenError:  # `verify` tells of it; a damaged version shares nothing
            return ()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        (self.folder / WORK).mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / WORK / "lock", timeout=_LOCK_WAIT_S):
                yield
        except Timeout:
            raise RunLockedError(
                f"another process has been publishing to {self.folder} for {_LOCK_WAIT_S:.0f} s; wait for it to end"
            ) from None


def _link(source: Path, target: Path, sha256: str) -> bool:
    """Make `target` a link to `source`, if that is still whole and the disk has links."""
    link = target.with_name(f".{target.name}.link")
    try:
        with source.open("rb") as file:
            if hash_stream(file) != sha256:
                return False
        link.unlink(missing_ok=True)
        os.link(source, link)
    except OSError:  # the old one is gone, the disk has no links, or too many of this file: it is kept twice
        return False
    link.replace(target)
    return True


def _own_bytes(path: Path) -> int:
    status = path.stat()
    return status.st_size if status.st_nlink == 1 else 0
