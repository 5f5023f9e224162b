"""How versions are named by those who use them."""

from pathlib import Path, PureWindowsPath
from uuid import uuid4

import pytest

from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.local import LocalStore
from instructgen.dataset.versions import (
    find_name,
    list_lines,
    open_named,
    open_version,
    split_folder,
    split_store,
    split_version,
)
from instructgen.errors import InstructgenError
from instructgen.jobs.datasets import collect_versions, copy_version
from tests.support.versions import make_row_of, write_version


def make_version(folder: Path, num_rows: int) -> LocalVersion:
    return write_version(folder, [make_row_of(number) for number in range(1, num_rows + 1)], rejected=b"")


@pytest.fixture
def version(tmp_path: Path) -> LocalVersion:
    return make_version(tmp_path / "loose", 3)


@pytest.fixture
def store(tmp_path: Path, version: LocalVersion) -> LocalStore:
    made = LocalStore(tmp_path / "store")
    made.add(version)
    return made


def test_whole_name_of_a_version_is_before_a_tag_of_that_name(
    store: LocalStore, version: LocalVersion, tmp_path: Path
) -> None:
    other = make_version(tmp_path / "other", 4)
    store.add(other)
    # No tag can be made of a version's name any more; one that was made before, or by hand, is still there.
    (store.folder / "tags").mkdir(exist_ok=True)
    (store.folder / "tags" / version.manifest.version).write_text(other.manifest.version + "\n")
    assert find_name(store, version.manifest.version) == version.manifest.version


def test_tag_is_before_the_beginning_of_a_name(store: LocalStore, version: LocalVersion, tmp_path: Path) -> None:
    other = make_version(tmp_path / "other", 4)
    store.add(other)
    beginning = version.manifest.version[:4]
    store.move_tag(beginning, other.manifest.version, None)
    assert find_name(store, beginning) == other.manifest.version


def test_folder_below_versions_names_the_version_of_the_store(
    store: LocalStore, version: LocalVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = version.manifest.version
    assert split_version(f"{store.folder}/versions/{name}/") == (str(store.folder), name)
    monkeypatch.chdir(store.folder)
    assert split_version(f"versions/{name}") == (".", name)
    assert split_version(f"./versions/{name}") == (".", name)
    monkeypatch.chdir(store.folder / "versions")
    assert split_version(name) == (str(store.folder), name)
    monkeypatch.chdir(store.folder / "versions" / name)
    assert split_version(".") == (str(store.folder), name)


def test_folders_of_windows_are_split_as_well() -> None:
    assert split_folder(PureWindowsPath(r"C:\data\coco\versions\3f9c81d2a0b7")) == (r"C:\data\coco", "3f9c81d2a0b7")
    assert split_folder(PureWindowsPath(r"versions\3f9c81d2a0b7")) == (".", "3f9c81d2a0b7")
    assert split_folder(PureWindowsPath(r"C:\data\coco")) is None


def test_store_in_a_folder_called_versions_is_a_store(version: LocalVersion, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "versions" / "coco")
    store.add(version)
    assert split_version(str(store.folder)) == (str(store.folder), "")
    assert open_version(f"{store.folder}@{version.manifest.version}").manifest == version.manifest


def test_name_in_an_address_is_split_as_in_a_path() -> None:
    assert split_version("s3://bucket/coco/versions/3f9c") == ("s3://bucket/coco", "3f9c")
    assert split_version("s3://bucket/coco@v1") == ("s3://bucket/coco", "v1")
    assert split_version("s3://bucket/coco") == ("s3://bucket/coco", "")


def test_folder_in_no_store_is_named_by_itself(version: LocalVersion) -> None:
    (named,) = open_named(str(version.folder))
    assert (named.ref, named.name) == (str(version.folder), version.manifest.version)
    (named,) = open_named(f"file://{version.folder}")
    assert named.name == version.manifest.version


def test_folder_with_a_damaged_manifest_has_the_name_of_the_folder(version: LocalVersion) -> None:
    (version.folder / "manifest.json").write_text("{")
    (named,) = open_named(str(version.folder))
    assert named.name == "loose"


def test_folder_in_no_store_cannot_be_tagged(version: LocalVersion) -> None:
    with pytest.raises(InstructgenError, match="in no store; `dataset copy` it"):
        split_store(str(version.folder))


def test_all_versions_of_one_version_are_refused(store: LocalStore, version: LocalVersion) -> None:
    store.move_tag("v1", version.manifest.version, None)
    for ref in (f"{store.folder}@v1", f"{store.folder}/versions/{version.manifest.version}", str(version.folder)):
        with pytest.raises(InstructgenError, match="names one version, and --all"):
            open_named(ref, is_all=True)
    assert [one.name for one in open_named(str(store.folder), is_all=True)] == [version.manifest.version]


def test_home_folder_is_found(store: LocalStore, version: LocalVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(store.folder.parent))
    assert open_store("~/store").address == str(store.folder)
    assert open_version(f"~/store@{version.manifest.version}").manifest == version.manifest
    assert open_version("~/loose").manifest == version.manifest


def test_store_in_memory_that_is_new_is_empty_and_not_missing() -> None:
    assert list_lines(open_store(f"memory://{uuid4().hex}/data")) == []


def test_damaged_version_does_not_hide_the_others_and_stops_collecting(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    versions = [write_version(tmp_path / str(n), [make_row_of(n)]) for n in (1, 2)]
    for version in versions:
        store.add(version)
    name = versions[0].manifest.version
    (tmp_path / "store" / "versions" / name / "manifest.json").write_text("{")
    assert {line.version: line.made_by for line in list_lines(store)} == {
        name: "damaged",
        versions[1].manifest.version: "build",
    }
    with pytest.raises(InstructgenError, match=f"{name} cannot be read.*--repair"):
        collect_versions(store, 0, is_done=True)
    copy_version(versions[0], str(tmp_path / "store"), [], repairs=True)
    assert {line.made_by for line in list_lines(store)} == {"build"}
