"""Killed at any moment of publishing, the old version is whole, and the new one is whole or not there."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from instructgen.dataset.publish import REJECTED_NAME, publish
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.base import Store
from instructgen.dataset.stores.local import LocalStore
from instructgen.dataset.stores.remote import RemoteStore
from instructgen.dataset.verify import verify_version
from tests.support.versions import make_row_of, write_version

NUM_KILLS = 60
_EVENTS = ("open", "os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "shutil.rmtree")


class KilledError(BaseException):
    """Stands for the end of the process."""


def make_versions(tmp_path: Path) -> tuple[LocalVersion, LocalVersion]:
    """Return two versions of four shards, which share two: what is done for each of the others is done twice."""
    types = [f"type{number}" for number in range(4)]
    old = [make_row_of(number, kind) for kind in types for number in range(3)]
    new = old[:6] + [make_row_of(number, kind) for kind in types[2:] for number in range(3, 6)]
    return write_version(tmp_path / "old", old), write_version(tmp_path / "new", new)


def check(store: Store, old: LocalVersion, new: LocalVersion) -> bool:
    """Return whether the new version is there; whatever is there must be whole."""
    names = store.list_versions()
    assert old.manifest.version in names
    assert set(names) <= {old.manifest.version, new.manifest.version}
    for name in names:
        assert verify_version(store.open_version(name), name) == []
    assert store.list_tags()["latest"] in names
    return new.manifest.version in names


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of the test, which this system does not have")
def test_folder_killed_at_each_call_of_publishing(memory_path: Path) -> None:
    old, new = make_versions(memory_path)
    before = LocalStore(memory_path / "before")
    before.add(old)
    before.move_tag("latest", old.manifest.version, None)
    num_killed, num_whole = 0, 0
    for calls in range(10_000):
        folder = memory_path / str(calls)
        shutil.copytree(memory_path / "before", folder, symlinks=True)
        store = LocalStore(folder)
        was_killed = run_and_kill(folder, new, calls)
        num_whole += check(store, old, new)
        if not was_killed:
            break
        num_killed += 1
        store.add(new)  # what was left by the killed one is in nobody's way
        assert check(store, old, new)
    assert num_killed >= NUM_KILLS
    assert 1 < num_whole < num_killed, "some kills came after the version was there, and most before"


def run_and_kill(folder: Path, new: LocalVersion, calls: int) -> bool:
    """Publish in a fork that is killed at the call of this number; return whether it was."""

    def add_and_tag() -> None:
        store = LocalStore(folder)
        store.add(new)
        store.move_tag("latest", new.manifest.version, store.list_tags()["latest"])

    return kill_fork(add_and_tag, calls)


def kill_fork(act: Callable[[], object], calls: int) -> bool:
    """Act in a fork that is killed at the file-system call of this number; return whether it was."""
    child = os.fork()
    if child == 0:
        left = calls

        def watch(event: str, _args: object) -> None:
            nonlocal left
            if event in _EVENTS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of the test, which this system does not have")
def test_build_killed_at_each_call_of_publishing(memory_path: Path) -> None:
    """From the finished rows on: the card, the digests, the rename, the tag, the README above the versions."""
    old, new = make_versions(memory_path)
    before = memory_path / "before"
    publish(stage(old, before), old.manifest, before)
    num_killed = 0
    for calls in range(0, 10_000, 3):
        out = memory_path / str(calls)
        shutil.copytree(before, out, symlinks=True)
        staging = stage(new, out)
        was_killed = kill_fork(lambda: publish(staging, new.manifest, out), calls)  # noqa: B023
        assert check(LocalStore(out), old, new) or was_killed
        if not was_killed:
            break
        num_killed += 1
    assert num_killed > 10


def stage(version: LocalVersion, out: Path) -> Path:
    """Return a folder with what a build has written of a version before it publishes it."""
    staging = out / "run" / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(version.folder / "data", staging / "data")
    shutil.copy(version.folder / REJECTED_NAME, staging)
    return staging


class Dying:
    """A file system whose calls end the process from some number on."""

    def __init__(self, files: Any, calls: int) -> None:
        self.files = files
        self.left = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.files, name)
        if not callable(found) or name == "invalidate_cache":
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return found(*args, **kwargs)

        return call


def test_object_store_left_at_each_call_of_publishing(memory_path: Path) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    old, new = make_versions(memory_path)
    num_killed, num_whole = 0, 0
    for calls in range(10_000):
        store = open_store(f"memory://{uuid4().hex}")
        assert isinstance(store, RemoteStore)
        store.add(old)
        store.move_tag("latest", old.manifest.version, None)
        dying = RemoteStore(Dying(store.files, calls), store.root, store.address)
        try:
            dying.add(new)
            dying.move_tag("latest", new.manifest.version, old.manifest.version)
        except KilledError:
            num_killed += 1
        else:
            break
        num_whole += check(store, old, new)
        store.add(new)
        assert check(store, old, new)
    assert num_killed > 10
    assert num_whole >= 1


def test_collecting_left_at_each_call_harms_no_tagged_version(memory_path: Path) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    old, new = make_versions(memory_path)
    num_killed = 0
    for calls in range(10_000):
        store = open_store(f"memory://{uuid4().hex}")
        assert isinstance(store, RemoteStore)
        store.add(old)
        store.add(new)
        store.move_tag("keep", new.manifest.version, None)
        try:
            RemoteStore(Dying(store.files, calls), store.root, store.address).remove([old.manifest.version])
        except KilledError:
            num_killed += 1
        else:
            break
        assert verify_version(store.open_version(new.manifest.version), new.manifest.version) == []
        assert old.manifest.version not in store.list_versions() or (
            verify_version(store.open_version(old.manifest.version), old.manifest.version) == []
        )
    assert num_killed > 10
