"""Shards of an object store on this machine's disk: whole, each fetched once, no more of them than the limit says."""

import io
import os
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import pytest
from filelock import FileLock

pytest.importorskip("fsspec", reason="fsspec is not installed")

from instructgen.dataset.manifest import Manifest
from instructgen.dataset.reading.shard_cache import CachedVersion, ShardCache, list_files, make_shard_cache
from instructgen.dataset.reading.tables import Wanted, read_tables
from instructgen.dataset.shards import Shard
from instructgen.dataset.stored import LocalVersion, StoredVersion
from instructgen.dataset.stores import open_store, retry
from instructgen.dataset.stores.remote import RemoteVersion, object_path
from instructgen.dataset.stores.retry import StoreFailedError
from instructgen.errors import InstructgenError
from tests.support.versions import make_row_of, write_version

NUM_SHARDS = 4


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_WAIT_S", 0.001)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalVersion:
    """A version of four shards of about one size: one of each type, with pictures that no codec makes smaller."""
    rows = [
        make_row_of(number, f"kind{number % NUM_SHARDS}", picture=os.urandom(60_000))
        for number in range(3 * NUM_SHARDS)
    ]
    return write_version(tmp_path_factory.mktemp("data") / "version", rows)


@pytest.fixture
def far(local: LocalVersion) -> Iterator[RemoteVersion]:
    store = open_store(f"memory://{uuid4().hex}/data")
    store.add(local)
    version = store.open_version(local.manifest.version)
    assert isinstance(version, RemoteVersion)
    yield version
    version.files.rm(version.root, recursive=True)


def shards_of(version: StoredVersion) -> tuple[Shard, ...]:
    shards = version.manifest.shards
    assert len(shards) == NUM_SHARDS
    return shards


def read(cache: ShardCache, version: StoredVersion, shard: Shard) -> bytes:
    with cache.open(version, shard) as file:
        return file.read()


def list_kept(cache: ShardCache) -> set[str]:
    return {path.stem for path in cache.folder.glob("*.parquet")}


def count_bytes(cache: ShardCache) -> int:
    return sum(path.stat().st_size for path in (*cache.folder.glob("*.parquet"), *cache.folder.glob(".new/*")))


@dataclass
class Flaky:
    """A version whose network fails so often before it answers."""

    stored: StoredVersion
    num_failures: int
    error: Exception
    num_opened: int = 0

    @property
    def manifest(self) -> Manifest:
        return self.stored.manifest

    @property
    def place(self) -> str:
        return "s3://bucket/data"

    def open(self, path: str) -> BinaryIO:
        self.num_opened += 1
        if self.num_opened <= self.num_failures:
            raise self.error
        return self.stored.open(path)

    def paths(self) -> Iterator[str]:
        return self.stored.paths()


def test_shard_is_fetched_once_and_then_read_without_the_store(
    tmp_path: Path, local: LocalVersion, far: RemoteVersion
) -> None:
    cache = ShardCache(tmp_path / "cache", 10**6)
    shard = shards_of(far)[1]
    whole = (local.folder / shard.path).read_bytes()
    assert read(cache, far, shard) == whole
    assert list_kept(cache) == {shard.sha256}
    far.files.rm(object_path(far.root, shard))
    assert read(cache, far, shard) == whole
    assert CachedVersion(far, cache).open(shard.path).read() == whole
    assert pickle.loads(pickle.dumps(cache)) == cache


def test_those_used_longest_ago_make_room(tmp_path: Path, far: RemoteVersion) -> None:
    shards = shards_of(far)
    cache = ShardCache(tmp_path / "cache", sum(shard.num_bytes for shard in shards[:2]) + 5000)
    for at in (0, 1, 0, 2):
        read(cache, far, shards[at])
    assert list_kept(cache) == {shards[0].sha256, shards[2].sha256}
    held = cache.open(far, shards[0])
    for at in (1, 3, 1, 3):
        read(cache, far, shards[at])
    assert list_kept(cache) == {shards[1].sha256, shards[3].sha256}
    assert len(held.read()) == shards[0].num_bytes  # what is open stays readable
    held.close()


def test_limit_holds_while_many_threads_fetch(tmp_path: Path, far: RemoteVersion) -> None:
    shards = shards_of(far)
    cache = ShardCache(tmp_path / "cache", 2 * max(shard.num_bytes for shard in shards))
    most = 0
    is_done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not is_done.is_set():
            try:
                with FileLock(cache.folder / ".locks" / "room"):  # else one that goes is counted with one that comes
                    most = max(most, sum(size for _, size, _ in list_files(cache.folder)))
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda at: read(cache, far, shards[at % NUM_SHARDS]), range(16)))
    is_done.set()
    watcher.join()
    assert [len(content) for content in found] == [shards[at % NUM_SHARDS].num_bytes for at in range(16)]
    assert 0 < most <= cache.max_bytes


def test_what_a_killed_process_left_makes_room_and_what_is_cut_off_is_fetched_again(
    tmp_path: Path, far: RemoteVersion
) -> None:
    shards = shards_of(far)
    cache = ShardCache(tmp_path / "cache", max(shard.num_bytes for shard in shards))
    whole = read(cache, far, shards[0])
    (cache.folder / ".new" / shards[1].sha256).write_bytes(bytes(shards[1].num_bytes))
    (cache.folder / f"{shards[0].sha256}.parquet").write_bytes(whole[:-1])
    assert read(cache, far, shards[0]) == whole
    assert list((cache.folder / ".new").iterdir()) == []


def test_network_that_fails_for_a_while_is_waited_for(tmp_path: Path, local: LocalVersion) -> None:
    flaky = Flaky(local, 3, ConnectionResetError("reset by peer"))
    shard = shards_of(local)[0]
    assert read(ShardCache(tmp_path / "cache", 10**6), flaky, shard) == (local.folder / shard.path).read_bytes()
    assert flaky.num_opened == 4


def test_network_that_fails_for_long_is_told_with_the_address_and_nothing_is_left(
    tmp_path: Path, local: LocalVersion
) -> None:
    cache = ShardCache(tmp_path / "cache", 10**6)
    flaky = Flaky(local, 99, ConnectionResetError("reset by peer"))
    with pytest.raises(StoreFailedError, match=r"^s3://bucket/data: data/.* reset by peer; .* \(tried 6 times\)$"):
        cache.open(flaky, shards_of(local)[0])
    assert count_bytes(cache) == 0
    cache.is_over.set()
    flaky.num_opened = 0
    with pytest.raises(StoreFailedError, match="tried 1 times"):
        cache.open(flaky, shards_of(local)[0])


@pytest.mark.parametrize(
    ("error", "told"),
    [(PermissionError(13, "no rights"), "no rights; check"), (FileNotFoundError(2, "gone"), "dataset verify")],
)
def test_what_no_try_mends_is_told_at_once(tmp_path: Path, local: LocalVersion, error: Exception, told: str) -> None:
    flaky = Flaky(local, 99, error)
    with pytest.raises(InstructgenError, match=told) as caught:
        ShardCache(tmp_path / "cache", 10**6).open(flaky, shards_of(local)[0])
    assert not isinstance(caught.value, StoreFailedError)
    assert flaky.num_opened == 1


def test_another_file_in_the_store_is_refused(tmp_path: Path, far: RemoteVersion) -> None:
    shard = shards_of(far)[0]
    cache = ShardCache(tmp_path / "cache", 10**6)
    far.files.pipe_file(object_path(far.root, shard), bytes(shard.num_bytes))
    with pytest.raises(InstructgenError, match="is not the file that was published"):
        cache.open(far, shard)
    assert count_bytes(cache) == 0


def test_shard_larger_than_the_limit_is_told(tmp_path: Path, far: RemoteVersion) -> None:
    with pytest.raises(InstructgenError, match="the shard cache may hold 1,000; raise its limit"):
        ShardCache(tmp_path / "cache", 1000).open(far, shards_of(far)[0])


def test_cache_is_the_users_own_and_leaves_half_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = make_shard_cache()
    assert cache.folder == tmp_path / "instructgen" / "shards"
    facts = os.statvfs(tmp_path)
    assert 0 < cache.max_bytes < facts.f_bavail * facts.f_frsize
    assert make_shard_cache(tmp_path, 7) == ShardCache(tmp_path, 7)


def test_columns_of_a_far_version_are_those_of_the_local_one_and_pictures_stay_where_they_are(
    local: LocalVersion, far: RemoteVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFile

    num_read = 0

    def count(self: MemoryFile, size: int = -1) -> bytes:
        nonlocal num_read
        content = io.BytesIO.read(self, size)
        num_read += len(content)
        return content

    monkeypatch.setattr(MemoryFile, "read", count)
    wanted = Wanted(("sample_id", "messages"), optional=("image_at",), leaves=("images.list.element.path",))
    here = [(group, table.to_pylist()) for group, table in read_tables(local, local.manifest.shards, wanted)]
    there = [(group, table.to_pylist()) for group, table in read_tables(far, far.manifest.shards, wanted)]
    assert there == here
    assert sum(len(rows) for _, rows in there) == 3 * NUM_SHARDS
    assert 0 < num_read < 0.6 * sum(shard.num_bytes for shard in far.manifest.shards)


def test_column_that_a_version_lacks_is_told(local: LocalVersion, far: RemoteVersion) -> None:
    for version in (local, far):
        with pytest.raises(InstructgenError, match="has no column 'colour'; there are: sample_id, "):
            list(read_tables(version, version.manifest.shards, Wanted(("colour",))))


def test_far_columns_are_waited_for_too(
    far: RemoteVersion, monkeypatch: pytest.MonkeyPatch, local: LocalVersion
) -> None:
    from fsspec.implementations.memory import MemoryFile

    left = 3

    def fail(self: MemoryFile, size: int = -1) -> bytes:
        nonlocal left
        left -= 1
        if left >= 0:
            raise ConnectionResetError("reset by peer")
        return io.BytesIO.read(self, size)

    shards = local.manifest.shards
    monkeypatch.setattr(MemoryFile, "read", fail)
    tables = [table for _, table in read_tables(far, shards, Wanted(("sample_id",)))]
    assert sum(len(table) for table in tables) == 3 * NUM_SHARDS
    left = 10**6
    with pytest.raises(StoreFailedError, match="reset by peer"):
        list(read_tables(far, shards[:1], Wanted(("sample_id",))))
