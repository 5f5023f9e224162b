"""Versions in an object store, through fsspec: every shard once, whatever number of versions has it.

    objects/<sha256>.parquet     a shard
    versions/<version>/          manifest.json, written last, and the files beside it; a shard is found by its digest
    tags/<tag>/<00000007>        the seventh place that the tag pointed to: a version's name, or nothing
    gc.lock                      somebody is removing what no version needs

All of it rests on one promise of the store: a name can be created once. A version exists when its manifest does, and
a tag moves by the creation of its next number, which one of two movers gets.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast

from instructgen.dataset.manifest import MANIFEST_NAME, Manifest, decode_manifest
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.stores.base import TagMovedError, Watch, check_same, check_tag, check_untagged
from instructgen.dataset.sums import hash_stream
from instructgen.errors import InstructgenError, RunLockedError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_LOCK = "gc.lock"
_LOCK_WAIT_S = 60.0
_LOCK_POLL_S = 0.5
_COPY_BYTES = 8 << 20  # of one part of an upload; S3 wants at least 5 MiB


@dataclass(frozen=True)
class RemoteVersion:
    """A version in an object store."""

    files: "AbstractFileSystem"
    root: str
    name: str
    address: str

    @cached_property
    def manifest(self) -> Manifest:
        place = f"{self.place}/{MANIFEST_NAME}"
        try:
            return decode_manifest(self.files.cat_file(self._path(MANIFEST_NAME)), place)
        except FileNotFoundError:
            raise InstructgenError(f"{self.place} is not a dataset: it has no {MANIFEST_NAME}") from None
        except OSError as error:
            raise InstructgenError(f"{place} cannot be read: {error}") from None

    @property
    def place(self) -> str:
        return f"{self.address}/versions/{self.name}"

    def open(self, path: str) -> BinaryIO:
        shard = self._shards.get(path)
        where = self._path(path) if shard is None else object_path(self.root, shard)
        return cast(BinaryIO, self.files.open(where, "rb"))

    def paths(self) -> Iterator[str]:
        prefix = self._path("")
        names = {path.removeprefix(prefix) for path in list_files(self.files, prefix.rstrip("/"))}
        there = {path.rpartition("/")[2] for path in list_files(self.files, f"{self.root}/objects")}
        names |= {path for path, shard in self._shards.items() if f"{shard.sha256}.parquet" in there}
        yield from sorted(names)

    def addresses(self) -> list[tuple[Shard, str]]:
        """Return where each shard lies, for readers that take a list of files."""
        protocol = self.address.partition("://")[0]
        return [(shard, f"{protocol}://{object_path(self.root, shard)}") for shard in self.manifest.shards]

    @cached_property
    def _shards(self) -> dict[str, Shard]:
        return {shard.path: shard for shard in self.manifest.shards}

    def _path(self, path: str) -> str:
        return f"{self.root}/versions/{self.name}/{path}"


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

    def add(self, version: StoredVersion, watch: Watch = lambda _: None) -> int:
        manifest = version.manifest
        target = self.open_version(manifest.version)
        place = f"{self.address}: version {manifest.version}"
        self._wait_for_lock()
        if manifest.version in self.list_versions():
            check_same(target.manifest, manifest, place)
            return 0
        num_bytes = self._send_shards(version, watch)
        shards = {shard.path for shard in manifest.shards}
        # What an interrupted attempt left is written again; nothing of it was published.
        for path in version.paths():
            if path not in shards and path != MANIFEST_NAME:
                watch(path)
                with version.open(path) as source:
                    self._send(source, f"{self.root}/versions/{manifest.version}/{path}")
        with version.open(MANIFEST_NAME) as source:
            if not self._create(f"versions/{manifest.version}/{MANIFEST_NAME}", source.read()):
                check_same(target.manifest, manifest, place)
        if self._is_locked():
            # Whoever collects may not have seen this version: once they are done, see that its shards are there.
            self._wait_for_lock()
            num_bytes += self._send_shards(version, watch)
        return num_bytes

    def list_tags(self) -> dict[str, str]:
        return {tag: version for tag, (_, version) in self._read_tags().items() if version}

    def move_tag(self, tag: str, version: str | None, expected: str | None) -> None:
        if version is not None:
            _ = self.open_version(version).manifest  # raises where there is none
        number, now = self._read_tags().get(check_tag(tag), (0, ""))
        entry = f"tags/{tag}/{number + 1:08d}"
        if (now or None) != expected or not self._create(entry, (version or "").encode()):
            now = self.list_tags().get(tag, "")
            raise TagMovedError(
                f"{self.address}: the tag '{tag}' points to {now or 'nothing'}, not to {expected or 'nothing'}"
            )
        if version is not None and self._is_locked():
            # Whoever collects may not have seen the tag, and have removed the version.
            self._wait_for_lock()
            if version not in self.list_versions():
                self.files.rm_file(f"{self.root}/{entry}")
                raise InstructgenError(f"{self.address}: version {version} was removed just now")

    def remove(self, names: list[str], watch: Watch = lambda _: None) -> int:
        if not self._create(_LOCK, json.dumps({"at": time.time()}).encode()):
            raise RunLockedError(f"{self.address}: somebody else is removing versions; {self._lock_cure()}")
        try:
            check_untagged(names, self.list_tags(), self.address)
            for name in names:
                watch(name)
                self.files.rm_file(f"{self.root}/versions/{name}/{MANIFEST_NAME}")
            for name in names:
                for path in list_files(self.files, f"{self.root}/versions/{name}"):
                    self.files.rm_file(path)
            return self._remove_objects(watch)
        finally:
            self.files.rm_file(f"{self.root}/{_LOCK}")

    def _remove_objects(self, watch: Watch) -> int:
        """Remove shards that no version has, and return their bytes."""
        needed = {shard.sha256 for name in self.list_versions() for shard in self.open_version(name).manifest.shards}
        freed = 0
        for path, size in list_files(self.files, f"{self.root}/objects").items():
            name = path.rpartition("/")[2]
            if name.removesuffix(".parquet") not in needed:
                watch(name)
                self.files.rm_file(path)
                freed += size
        return freed

    def _send_shards(self, version: StoredVersion, watch: Watch) -> int:
        """Send what is not there; return its bytes. An object of another size was cut off, and is sent again."""
        there = list_files(self.files, f"{self.root}/objects")
        num_bytes = 0
        for shard in version.manifest.shards:
            path = object_path(self.root, shard)
            if there.get(path) == shard.num_bytes:
                continue
            watch(shard.path)
            with version.open(shard.path) as source:
                if hash_stream(source) != shard.sha256:
                    raise InstructgenError(
                        f"{version.place}: {shard.path} is not the file that its manifest names; `dataset verify` it"
                    )
                source.seek(0)
                self._send(source, path)
            num_bytes += shard.num_bytes
        return num_bytes

    def _send(self, source: BinaryIO, path: str) -> None:
        with self.files.open(path, "wb", block_size=_COPY_BYTES) as target:
            while block := source.read(_COPY_BYTES):
                target.write(block)

    def _create(self, path: str, content: bytes) -> bool:
        """Create a name, and return whether it was free."""
        self.files.invalidate_cache()
        try:
            self.files.pipe_file(f"{self.root}/{path}", content, mode="create")
        except FileExistsError:
            return False
        return True

    def _read_tags(self) -> dict[str, tuple[int, str]]:
        """Return each tag's number and version; "" for one that was removed."""
        newest: dict[str, str] = {}
        for path in sorted(list_files(self.files, f"{self.root}/tags")):
            newest[path.split("/")[-2]] = path
        return {
            tag: (int(path.rpartition("/")[2]), self.files.cat_file(path).decode().strip())
            for tag, path in newest.items()
        }

    def _is_locked(self) -> bool:
        self.files.invalidate_cache()
        return bool(self.files.exists(f"{self.root}/{_LOCK}"))

    def _wait_for_lock(self) -> None:
        ends_at = time.monotonic() + self.lock_wait_s
        while self._is_locked():
            if time.monotonic() > ends_at:
                raise RunLockedError(f"{self.address}: versions are being removed; {self._lock_cure()}")
            time.sleep(_LOCK_POLL_S)

    def _lock_cure(self) -> str:
        return f"wait, or delete {self.address}/{_LOCK} if nobody is: a killed `dataset gc` leaves it"


def object_path(root: str, shard: Shard) -> str:
    return f"{root}/objects/{shard.sha256}.parquet"


def list_files(files: "AbstractFileSystem", folder: str) -> dict[str, int]:
    """Return path -> size of all files below a folder; nothing where there is no such folder."""
    files.invalidate_cache()
    try:
        found = files.find(folder, detail=True)
    except FileNotFoundError:
        return {}
    return {path: int(facts["size"]) for path, facts in found.items() if facts["type"] == "file"}
