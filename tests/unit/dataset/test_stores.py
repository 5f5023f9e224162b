"""What holds for a store of versions, whether it is a folder, S3 or memory."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from instructgen.dataset.manifest import MANIFEST_NAME, encode_manifest
from instructgen.dataset.stored import LocalVersion, StoredVersion, read_rows
from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.base import Store, TagMovedError
from instructgen.dataset.stores.remote import RemoteStore
from instructgen.dataset.sums import SUMS_NAME, make_sums
from instructgen.dataset.verify import verify_version
from instructgen.dataset.versions import find_name, list_lines, open_version, split_ref
from instructgen.errors import InstructgenError, RunLockedError
from tests.support.s3 import serve_s3
from tests.support.versions import make_row_of, write_version


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with serve_s3() as address:
        yield address


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    if request.param == "memory":
        return open_store(f"memory://{uuid4().hex}/data")
    return open_store(f"{request.getfixturevalue('bucket')}/{uuid4().hex}/data")


def make_version(folder: Path, numbers: range, text: str = "A dog.") -> LocalVersion:
    """Return a version of two shards, whose conversations are of these images and whose description is always one."""
    rows = [make_row_of(number, pairs=[("What is there?", text)]) for number in numbers]
    return write_version(folder, [*rows, make_row_of(1, "detail")], rejected=b'{"unit_id": "x"}\n')


def read_files(version: StoredVersion) -> dict[str, bytes]:
    files = {}
    for path in version.paths():
        with version.open(path) as file:
            files[path] = file.read()
    return files


def test_version_comes_back_byte_for_byte(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    assert store.list_versions() == []
    assert store.add(version) == sum(shard.num_bytes for shard in version.manifest.shards)
    name = version.manifest.version
    assert store.list_versions() == [name]
    stored = store.open_version(name)
    assert read_files(stored) == read_files(version)
    assert stored.manifest == version.manifest
    assert list(read_rows(stored)) == list(read_rows(version))
    assert verify_version(stored, name, is_deep=True) == []


def test_shards_that_are_there_are_not_stored_again(store: Store, tmp_path: Path) -> None:
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    shared = [shard for shard in new.manifest.shards if shard.sample_type == "detail"]
    assert shared[0].sha256 in {shard.sha256 for shard in old.manifest.shards}
    added = store.add(new)
    assert added == sum(shard.num_bytes for shard in new.manifest.shards) - shared[0].num_bytes
    for version in (old, new):
        assert verify_version(store.open_version(version.manifest.version), version.manifest.version) == []


def test_same_version_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    store.add(version)
    assert store.add(version) == 0


def test_another_content_under_a_published_name_is_refused(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    store.add(version)
    before = read_files(store.open_version(version.manifest.version))
    other = make_version(tmp_path / "w", range(5, 9))
    forged = replace(other.manifest, version=version.manifest.version)
    (other.folder / MANIFEST_NAME).write_bytes(encode_manifest(forged))
    (other.folder / SUMS_NAME).write_bytes(make_sums(other.folder))
    with pytest.raises(InstructgenError, match="published already with another content"):
        store.add(LocalVersion(other.folder))
    assert read_files(store.open_version(version.manifest.version)) == before


@pytest.mark.parametrize("path", ["data/train-00000-of-00002.parquet", "rejected.jsonl", "README.md"])
def test_damaged_file_is_not_published(store: Store, tmp_path: Path, path: str) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    file = version.folder / path
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(InstructgenError, match=f"{path} is not the file that was published"):
        store.add(version)
    assert store.list_versions() == []


def test_missing_shard_is_not_published(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    (version.folder / version.manifest.shards[0].path).unlink()
    with pytest.raises(InstructgenError, match="has no data/train"):
        store.add(version)
    assert store.list_versions() == []


def test_what_does_not_belong_to_a_version_is_not_copied(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    (version.folder / ".DS_Store").write_bytes(b"x")
    store.add(version)
    assert verify_version(store.open_version(version.manifest.version), version.manifest.version) == []


@pytest.mark.parametrize("path", ["data/train-00000-of-00002.parquet", "manifest.json", "README.md"])
def test_damaged_version_is_repaired_on_request(store: Store, tmp_path: Path, path: str) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    name = version.manifest.version
    store.add(version)
    damage(store, name, path)
    assert verify_version(store.open_version(name), name) != []
    store.add(version, repairs=True)
    assert verify_version(store.open_version(name), name) == []
    assert store.list_versions() == [name]


def damage(store: Store, name: str, path: str) -> None:
    if isinstance(store, RemoteStore):
        (at,) = [one for one in store.files.find(store.root) if is_at(store, name, path, one)]
        store.files.pipe_file(at, b"?" + store.files.cat_file(at)[1:])
    else:
        file = Path(store.address) / "versions" / name / path
        file.write_bytes(b"?" + file.read_bytes()[1:])


def is_at(store: RemoteStore, name: str, path: str, found: str) -> bool:
    if not path.startswith("data/"):
        return found.endswith(f"/{path}")
    (sha256,) = [shard.sha256 for shard in store.open_version(name).manifest.shards if shard.path == path]
    return found.endswith(f"/{sha256}.parquet")


def test_what_is_collected_during_an_upload_is_sent_again(tmp_path: Path) -> None:
    """Someone removes while shards are on their way: they see no version that needs them."""
    store = open_store(f"memory://{uuid4().hex}")
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)

    def collect(path: str) -> None:
        if path == "README.md":  # after the shards, before the manifest
            store.remove([old.manifest.version])

    store.add(new, collect)
    assert store.list_versions() == [new.manifest.version]
    assert verify_version(store.open_version(new.manifest.version), new.manifest.version, is_deep=True) == []


def test_tag_of_a_version_that_is_removed_meanwhile_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"memory://{uuid4().hex}")
    assert isinstance(store, RemoteStore)
    version = make_version(tmp_path / "v", range(1, 4))
    store.add(version)
    create = RemoteStore._create

    def remove_first(self: RemoteStore, path: str, content: bytes) -> bool:
        monkeypatch.setattr(RemoteStore, "_create", create)
        self.remove([version.manifest.version])
        return create(self, path, content)

    monkeypatch.setattr(RemoteStore, "_create", remove_first)
    with pytest.raises(InstructgenError, match="was removed just now"):
        store.move_tag("v1", version.manifest.version, None)
    assert store.list_tags() == {}


def test_broken_upload_leaves_a_whole_object_as_it_is(bucket: str, tmp_path: Path) -> None:
    store = open_store(f"{bucket}/{uuid4().hex}")
    assert isinstance(store, RemoteStore)
    version = make_version(tmp_path / "v", range(1, 4))
    store.add(version)
    whole = store.files.find(f"{store.root}/objects", detail=True)
    (version.folder / version.manifest.shards[0].path).write_bytes(b"damaged since")
    with pytest.raises(InstructgenError, match="is not the file that was published"):
        store._send_shards(version, lambda _: None, is_all=True)
    gc.collect()
    again = store.files.find(f"{store.root}/objects", detail=True)
    assert {path: facts["ETag"] for path, facts in again.items()} == {
        path: facts["ETag"] for path, facts in whole.items()
    }


def test_two_who_publish_the_same_rows_at_other_times_do_not_mix_their_files(store: Store, tmp_path: Path) -> None:
    rows = [make_row_of(1)]
    one = write_version(tmp_path / "one", rows)
    two = write_version(tmp_path / "two", rows, created_at="2027-01-01T00:00:00+00:00")
    assert one.manifest.version == two.manifest.version
    other = []

    def publish_other(path: str) -> None:
        if path == "README.md" and not other:
            other.append(store.add(two))

    store.add(one, publish_other)
    assert other
    assert verify_version(store.open_version(one.manifest.version), one.manifest.version) == []


def test_publishing_beside_a_version_that_lost_a_shard(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    for shard in old.manifest.shards:
        (tmp_path / "store" / "versions" / old.manifest.version / shard.path).unlink()
    store.add(new)
    assert verify_version(store.open_version(new.manifest.version), new.manifest.version) == []


def test_version_that_is_removed_already_is_not_missed(store: Store, tmp_path: Path) -> None:
    store.add(make_version(tmp_path / "v", range(1, 4)))
    assert store.remove(["0" * 12]) == 0
    assert len(store.list_versions()) == 1


def test_tag_moves_from_where_it_is_said_to_be(store: Store, tmp_path: Path) -> None:
    first, second = make_version(tmp_path / "a", range(1, 3)), make_version(tmp_path / "b", range(1, 4))
    names = [version.manifest.version for version in (first, second)]
    store.add(first)
    store.add(second)
    store.move_tag("v1", names[0], None)
    assert store.list_tags() == {"v1": names[0]}
    with pytest.raises(TagMovedError, match=f"points to {names[0]}, not to nothing"):
        store.move_tag("v1", names[1], None)
    store.move_tag("v1", names[1], names[0])
    store.move_tag("latest", names[0], None)
    assert store.list_tags() == {"latest": names[0], "v1": names[1]}
    store.move_tag("v1", None, names[1])
    assert store.list_tags() == {"latest": names[0]}
    store.move_tag("v1", names[0], None)
    assert store.list_tags()["v1"] == names[0]


def test_tag_of_no_version_and_tag_with_a_strange_name_are_refused(store: Store, tmp_path: Path) -> None:
    store.add(make_version(tmp_path / "a", range(1, 3)))
    with pytest.raises(InstructgenError, match="is not a dataset"):
        store.move_tag("v1", "0" * 12, None)
    for tag in ("../x", "", ".hidden", "a b", "x" * 101, "3f9c81d2a0b7", "é"):
        with pytest.raises(InstructgenError, match="cannot be a tag"):
            store.move_tag(tag, store.list_versions()[0], None)
    assert store.list_tags() == {}


def test_of_many_movers_of_a_tag_one_wins(store: Store, tmp_path: Path) -> None:
    versions = [make_version(tmp_path / str(n), range(1, n)) for n in range(3, 9)]
    for version in versions:
        store.add(version)
    won: list[str] = []

    def move(name: str) -> None:
        try:
            store.move_tag("v1", name, None)
        except TagMovedError:
            return
        won.append(name)

    threads = [threading.Thread(target=move, args=(version.manifest.version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.list_tags()["v1"]]


def test_removing_frees_what_no_other_version_has(store: Store, tmp_path: Path) -> None:
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    store.add(new)
    store.move_tag("keep", new.manifest.version, None)
    freed = store.remove([old.manifest.version])
    own = [shard for shard in old.manifest.shards if shard.sample_type == "conv"]
    assert freed >= own[0].num_bytes
    assert store.list_versions() == [new.manifest.version]
    assert verify_version(store.open_version(new.manifest.version), new.manifest.version) == []
    assert store.add(old) == own[0].num_bytes


def test_tagged_version_is_never_removed(store: Store, tmp_path: Path) -> None:
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    store.add(new)
    store.move_tag("v1", old.manifest.version, None)
    with pytest.raises(InstructgenError, match="has the tag 'v1'"):
        store.remove([new.manifest.version, old.manifest.version])
    assert sorted(store.list_versions()) == sorted([old.manifest.version, new.manifest.version])


def test_nobody_publishes_or_removes_while_somebody_removes(store: Store, tmp_path: Path) -> None:
    if not isinstance(store, RemoteStore):
        pytest.skip("a folder's lock is filelock's")
    quick = replace_wait(store)
    quick.files.pipe_file(f"{quick.root}/gc.lock", b"{}")
    with pytest.raises(RunLockedError, match="versions are being removed"):
        quick.add(make_version(tmp_path / "v", range(1, 4)))
    with pytest.raises(RunLockedError, match="somebody else is removing"):
        quick.remove([])
    assert quick.list_versions() == []


def replace_wait(store: RemoteStore) -> RemoteStore:
    return RemoteStore(store.files, store.root, store.address, lock_wait_s=0.0)


def test_names_of_versions(store: Store, tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", range(1, 4))
    store.add(version)
    name = version.manifest.version
    store.move_tag("v1.0", name, None)
    for ref in ("@v1.0", f"@{name}", f"@{name[:5]}", f"/versions/{name}"):
        assert open_version(f"{store.address}{ref}").manifest == version.manifest
    with pytest.raises(InstructgenError, match="'latest'"):
        open_version(store.address)
    with pytest.raises(InstructgenError, match=f"there are: v1.0, {name}"):
        find_name(store, "nothing")
    (line,) = list_lines(store)
    assert (line.version, line.tags, line.num_rows, line.types) == (name, ("v1.0",), 4, {"conv": 3, "detail": 1})


def test_sign_in_a_path_that_exists_is_no_tag(tmp_path: Path) -> None:
    (tmp_path / "me@home").mkdir()
    assert split_ref(f"{tmp_path}/me@home") == (f"{tmp_path}/me@home", "")
    assert split_ref("out/me@v1") == ("out/me", "v1")
    assert split_ref("s3://user@host/data") == ("s3://user@host/data", "")
    assert split_ref("s3://bucket/data@v1") == ("s3://bucket/data", "v1")


def test_unknown_address_says_what_to_install() -> None:
    with pytest.raises(InstructgenError, match="nosuch"):
        open_store("nosuch://x/y")


def test_version_in_a_folder_links_what_an_older_one_has(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    store.add(new)
    paths = [
        tmp_path / "store" / "versions" / version.manifest.version / shard.path
        for version in (old, new)
        for shard in version.manifest.shards
        if shard.sample_type == "detail"
    ]
    assert paths[0].samefile(paths[1])


def test_damage_is_not_linked_into_a_new_version(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    old, new = make_version(tmp_path / "old", range(1, 4)), make_version(tmp_path / "new", range(1, 5))
    store.add(old)
    shard = next(shard for shard in old.manifest.shards if shard.sample_type == "detail")
    damaged = tmp_path / "store" / "versions" / old.manifest.version / shard.path
    damaged.write_bytes(b"x" + damaged.read_bytes()[1:])
    store.add(new)
    assert verify_version(store.open_version(new.manifest.version), new.manifest.version) == []
