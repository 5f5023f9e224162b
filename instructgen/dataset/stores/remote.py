"""Versions in an object store, through fsspec: every shard once, whatever number of versions has it.

    objects/<sha256>.parquet     a shard
    versions/<version>/          manifest.json, written last, and the files beside it in a folder by its digest
    tags/<tag>/<00000007>        the seventh place that the tag pointed to: a version's name, or nothing
    gc.lock                      somebody is removing what no version needs

All of it rests on one promise of the store: a name can be created once. A version exists when its manifest does, and
a tag moves by the creation of its next number, which one of two movers gets. Whoever publishes or tags waits for the
lock after the commit, and then makes good what was removed: whoever took the lock later has seen the commit.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast
from uuid import uuid4

from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, decode_manifest
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.stores.base import (
    TagMovedError,
    Watch,
    check_same,
    check_tag,
    check_untagged,
    copy_file,
    list_files_to_copy,
    read_whole,
)
from instructgen.dataset.verify import verify_version
from instructgen.errors import InstructgenError, RunLockedError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_LOCK = "gc.lock"
_LOCK_WAIT_S = 60.0
_LOCK_POLL_S = 0.5
_PART_BYTES = 8 << 20  # of one part of an upload; S3 wants at least 5 MiB
_REMOVED_AT_ONCE = 500
_DIGEST_CHARS = 12


@dataclass(frozen=True)
class RemoteVersion:
    """A version in an object store."""

    files: "AbstractFileSystem"
    root: str
    name: str
    address: str

    @cached_property
    def manifest(self) -> Manifest:
        return decode_manifest(self._manifest_bytes, f"{self.place}/{MANIFEST_NAME}")

    @property
    def place(self) -> str:
        return f"{self.address}/versions/{self.name}"

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self.files.open(self._find(path), "rb"))

    def open_ranges(self, path: str) -> BinaryIO:
        """Open a file of which single parts are read: nothing beyond them is fetched."""
        return cast(BinaryIO, self.files.open(self._find(path), "rb", cache_type="none"))

    def paths(self) -> Iterator[str]:
        beside = f"{self.root}/versions/{self.name}/{self._digest}"
        names = {path.removeprefix(f"{beside}/") for path in list_files(self.files, beside)} | {MANIFEST_NAME}
        there = list_files(self.files, f"{self.root}/objects")
        names |= {path for path, shard in self._shards.items() if object_path(self.root, shard) in there}
        yield from sorted(names)

    def addresses(self) -> list[tuple[Shard, str]]:
        """Return where each shard lies, for readers that take a list of files."""
        protocol = self.address.partition("://")[0]
        return [(shard, f"{protocol}://{object_path(self.root, shard)}") for shard in self.manifest.shards]

    def _find(self, path: str) -> str:
        if path == MANIFEST_NAME:
            return f"{self.root}/versions/{self.name}/{MANIFEST_NAME}"
        if path in self._shards:
            return object_path(self.root, self._shards[path])
        return beside_path(self.root, self.name, self._digest, path)

    @cached_property
    def _manifest_bytes(self) -> bytes:
        try:
            return cast(bytes, self.files.cat_file(f"{self.root}/versions/{self.name}/{MANIFEST_NAME}"))
        except FileNotFoundError:
            raise InstructgenError(f"{self.place} is not a dataset: it has no {MANIFEST_NAME}") from None

    @cached_property
    def _digest(self) -> str:
        return digest_of(self._manifest_bytes)

    @cached_property
    def _shards(self) -> dict[str, Shard]:
        return {shard.path: shard for shard in self.manifest.shards}


@dataclass(frozen=True)
class RemoteStore:
    """A store at an address that fsspec knows; `root` is the address as its file system names it."""

    files: "AbstractFileSystem"
    root: str
    address: str
    lock_wait_s: float = field(default=_LOCK_WAIT_S)

    def list_versions(self) -> list[str]:
        paths = list_files(self.files, f"{self.root}/versions")
        return sorted({path.split("/")[-2] for path in paths if path.endswith(f"/{MANIFEST_NAME}")})

    def open_version(self, name: str) -> RemoteVersion:
        return RemoteVersion(self.files, self.root, name, self.address)

    def add(self, version: StoredVersion, watch: Watch = lambda _: None, *, repairs: bool = False) -> int:
        name = version.manifest.version
        self._wait_for_lock()
        is_damaged = False
        if name in self.list_versions():
            is_damaged = repairs and bool(verify_version(self.open_version(name), name))
            if not is_damaged:
                check_same(self.open_version(name).manifest, version.manifest, f"{self.address}: version {name}")
        num_bytes = self._send_shards(version, watch, is_all=is_damaged)
        if is_damaged or name not in self.list_versions():
            self._send_files(version, watch, is_damaged=is_damaged)
        # Whoever was removing meanwhile may not have seen this version; what they took is sent again.
        self._wait_for_lock()
        num_bytes += self._send_shards(version, watch)
        if self._lacks_files(version):
            self._send_files(version, watch, is_damaged=True)
        if name not in self.list_versions():
            raise InstructgenError(f"{self.address}: version {name} was removed just now; run the same command again")
        return num_bytes

    def list_tags(self) -> dict[str, str]:
        return {tag: version for tag, (_, version) in self._read_tags().items() if version}

    def move_tag(self, tag: str, version: str | None, expected: str | None) -> None:
        self._wait_for_lock()
        if version is not None:
            _ = self.open_version(version).manifest  # raises where there is none
        number, now = self._read_tags().get(check_tag(tag), (0, ""))
        entry = f"tags/{tag}/{number + 1:08d}"
        content = f"{version or ''}\n{uuid4().hex}\n"
        if (now or None) != expected or not self._create(entry, content.encode()):
            now = self.list_tags().get(tag, "")
            raise TagMovedError(
                f"{self.address}: the tag '{tag}' points to {now or 'nothing'}, not to {expected or 'nothing'}"
            )
        if version is not None:
            self._check_tagged(version, entry)

    def remove(self, names: list[str], watch: Watch = lambda _: None) -> int:
        mark = uuid4().hex.encode()
        if not self._create(_LOCK, mark):
            raise RunLockedError(f"{self.address}: somebody else is removing versions; {self._lock_cure()}")
        try:
            check_untagged(names, self.list_tags(), self.address)
            there = self.list_versions()
            needed = self._list_needed([name for name in there if name not in names])
            gone = [name for name in there if name in names]
            for name in gone:
                watch(name)
                self.files.rm_file(f"{self.root}/versions/{name}/{MANIFEST_NAME}")
            for name in gone:
                self._remove_files(list(list_files(self.files, f"{self.root}/versions/{name}")), mark)
            objects = list_files(self.files, f"{self.root}/objects")
            unneeded = [path for path in objects if path not in needed]
            self._remove_files(unneeded, mark)
            return sum(objects[path] for path in unneeded)
        finally:
            if self._read_lock() == mark:
                self.files.rm_file(f"{self.root}/{_LOCK}")

    def _list_needed(self, names: list[str]) -> set[str]:
        """Return the objects that versions need; raises InstructgenError for a version that cannot be read."""
        return {object_path(self.root, shard) for name in names for shard in self.open_version(name).manifest.shards}

    def _remove_files(self, paths: list[str], mark: bytes) -> None:
        for start in range(0, len(paths), _REMOVED_AT_ONCE):
            if self._read_lock() != mark:
                raise RunLockedError(f"{self.address}: {_LOCK} was taken away; run the same command again")
            self.files.rm(paths[start : start + _REMOVED_AT_ONCE])

    def _check_tagged(self, version: str, entry: str) -> None:
        """Take the tag back where its version was removed by someone who had not seen it."""
        try:
            self._wait_for_lock()
            is_there = version in self.list_versions()
        except BaseException:
            self.files.rm_file(f"{self.root}/{entry}")
            raise
        if not is_there:
            self.files.rm_file(f"{self.root}/{entry}")
            raise InstructgenError(f"{self.address}: version {version} was removed just now")

    def _send_shards(self, version: StoredVersion, watch: Watch, *, is_all: bool = False) -> int:
        """Send what is not there; return its bytes. An object of another size is no whole one, and is sent again."""
        there = {} if is_all else list_files(self.files, f"{self.root}/objects")
        num_bytes = 0
        for shard in version.manifest.shards:
            path = object_path(self.root, shard)
            if there.get(path) == shard.num_bytes:
                continue
            watch(shard.path)
            self._send(version, shard.path, shard.sha256, path)
            num_bytes += shard.num_bytes
        return num_bytes

    def _send_files(self, version: StoredVersion, watch: Watch, *, is_damaged: bool) -> None:
        """Send the files beside the shards, and commit by the manifest.

        They lie under the manifest's digest: of two who publish the same version with manifests that differ (in their
        date, say) neither touches the other's.
        """
        name = version.manifest.version
        content = read_whole(version, MANIFEST_NAME)
        shards = {shard.path for shard in version.manifest.shards}
        for path, sha256 in list_files_to_copy(version).items():
            if path not in shards and path != MANIFEST_NAME:
                watch(path)
                self._send(version, path, sha256, beside_path(self.root, name, digest_of(content), path))
        manifest = f"versions/{name}/{MANIFEST_NAME}"
        if is_damaged:
            self.files.pipe_file(f"{self.root}/{manifest}", content)
        elif not self._create(manifest, content):
            check_same(self.open_version(name).manifest, version.manifest, f"{self.address}: version {name}")

    def _lacks_files(self, version: StoredVersion) -> bool:
        """Return whether the version is there by this manifest, and something beside it is not."""
        stored = self.open_version(version.manifest.version)
        if read_whole(stored, MANIFEST_NAME) != read_whole(version, MANIFEST_NAME):
            return False
        return not set(list_files_to_copy(version)) <= set(stored.paths())

    def _send(self, version: StoredVersion, source_path: str, sha256: str | None, path: str) -> None:
        """Copy a file; where it is not the one of this digest, nothing appears at `path`."""
        target = self.files.open(path, "wb", block_size=_PART_BYTES)
        try:
            copy_file(version, source_path, sha256, target.write)
        except BaseException:
            # Closing it would publish what was written so far.
            target.discard()
            with suppress(AttributeError):  # memory's files have no such switch, and are there from the start
                target.closed = True
            raise
        target.close()

    def _create(self, path: str, content: bytes) -> bool:
        """Create a name, and return whether it was free; where a request was sent twice, the content tells."""
        self.files.invalidate_cache()
        try:
            self.files.pipe_file(f"{self.root}/{path}", content, mode="create")
        except FileExistsError:
            return bool(self.files.cat_file(f"{self.root}/{path}") == content)
        return True

    def _read_tags(self) -> dict[str, tuple[int, str]]:
        """Return each tag's number and version; "" for one that was removed."""
        newest: dict[str, str] = {}
        for path in sorted(list_files(self.files, f"{self.root}/tags")):
            newest[path.split("/")[-2]] = path
        return {
            tag: (int(path.rpartition("/")[2]), self.files.cat_file(path).decode().partition("\n")[0])
            for tag, path in newest.items()
        }

    def _read_lock(self) -> bytes | None:
        self.files.invalidate_cache()
        try:
            return cast(bytes, self.files.cat_file(f"{self.root}/{_LOCK}"))
        except FileNotFoundError:
            return None

    def _wait_for_lock(self) -> None:
        ends_at = time.monotonic() + self.lock_wait_s
        while self._read_lock() is not None:
            if time.monotonic() > ends_at:
                raise RunLockedError(f"{self.address}: versions are being removed; {self._lock_cure()}")
            time.sleep(_LOCK_POLL_S)

    def _lock_cure(self) -> str:
        place = f"{self.address}/{_LOCK}"
        return f"wait and run the same command again, or delete {place} if nobody is: a killed `dataset gc` leaves it"


def object_path(root: str, shard: Shard) -> str:
    return f"{root}/objects/{shard.sha256}.parquet"


def beside_path(root: str, name: str, digest: str, path: str) -> str:
    return f"{root}/versions/{name}/{digest}/{path}"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]


def list_files(files: "AbstractFileSystem", folder: str) -> dict[str, int]:
    """Return path -> size of all files below a folder; nothing where there is no such folder."""
    files.invalidate_cache()
    try:
        found = files.find(folder, detail=True)
    except FileNotFoundError:
        return {}
    return {path: int(facts["size"]) for path, facts in found.items() if facts["type"] == "file"}
