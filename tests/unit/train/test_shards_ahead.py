"""Shards of coming rows are fetched before the rows are asked for, and no more of them than fit."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("fsspec", reason="fsspec is not installed")

from instructgen.dataset.reading.shard_cache import CachedVersion, ShardCache
from instructgen.dataset.stores import open_store, retry
from instructgen.dataset.stores.remote import RemoteVersion, object_path
from instructgen.train.example_pictures import PictureStore
from instructgen.train.example_rows import ParquetFiles, PicturePlace
from instructgen.train.example_set import ExampleSet, Summary
from instructgen.train.mixture import JoinedExamples
from instructgen.train.rows import Row
from instructgen.train.shards_ahead import find_strain, look_ahead, look_ahead_of_pictures
from tests.support.versions import make_row_of, write_version

NUM_SHARDS = 8


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteVersion]:
    """A version of eight shards with one picture each."""
    rows = [make_row_of(number, f"kind{number}", picture=os.urandom(20_000)) for number in range(NUM_SHARDS)]
    store = open_store(f"memory://{uuid4().hex}/data")
    local = write_version(tmp_path_factory.mktemp("data") / "version", rows)
    store.add(local)
    version = store.open_version(local.manifest.version)
    assert isinstance(version, RemoteVersion)
    yield version
    version.files.rm(version.root, recursive=True)


def make_pictures(far: RemoteVersion, folder: Path, num_fitting: int) -> PictureStore:
    """Return the pictures, one to a shard, with a cache that holds so many shards."""
    shards = far.manifest.shards
    cache = ShardCache(folder, num_fitting * max(shard.num_bytes for shard in shards))
    keys = [f"picture {number}" for number in range(NUM_SHARDS)]
    places = [PicturePlace(f"{number}.jpg", shard=number, group=0, row=0) for number in range(NUM_SHARDS)]
    return PictureStore(keys, places, ParquetFiles(CachedVersion(far, cache), shards), None)


def wait_for(folder: Path, names: set[str]) -> None:
    end_s = time.monotonic() + 20
    while {path.stem for path in folder.glob("*.parquet")} != names:
        assert time.monotonic() < end_s, "the shards did not come"
        time.sleep(0.01)


def test_rows_come_in_their_order_behind_the_shards_that_fit(
    far: RemoteVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    pictures = make_pictures(far, tmp_path, num_fitting=6)
    ahead = look_ahead_of_pictures(pictures)
    assert ahead is not None
    rows: list[tuple[int, Row]] = [(0, ((number,),)) for number in (3, 3, 1, 0, 2, 4, 5)]
    names = [shard.sha256 for shard in far.manifest.shards]
    coming = ahead.follow(rows)
    assert next(coming) == rows[0]
    # Half of the cache is three shards. That of picture 2 is fetched when both rows of picture 3 have left.
    wait_for(tmp_path, {names[number] for number in (3, 1, 0, 2)})
    assert next(coming) == rows[1]
    assert next(coming) == rows[2]
    wait_for(tmp_path, {names[number] for number in (3, 1, 0, 2, 4)})
    assert list(coming) == rows[3:]


def test_fetch_that_fails_is_told_where_the_picture_is_read(
    far: RemoteVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "_FIRST_WAIT_S", 0.001)
    pictures = make_pictures(far, tmp_path, num_fitting=6)
    ahead = look_ahead_of_pictures(pictures)
    assert ahead is not None
    path = object_path(far.root, far.manifest.shards[7])
    content = far.files.cat_file(path)
    far.files.rm(path)
    rows: list[tuple[int, Row]] = [(0, ((6, 7),))]
    coming = ahead.follow(rows)
    assert next(coming) == rows[0]
    wait_for(tmp_path, {far.manifest.shards[6].sha256})
    far.files.pipe_file(path, content)
    assert list(coming) == []
    assert pictures.read("picture 7"), "rows that were given out are still loaded"
    ahead.stop()


SUMMARY = Summary(1, 1, {}, {}, 0, 0, 1, 0, 1, 1, 0, 1)


def make_examples(pictures: PictureStore, shown: list[list[int]]) -> ExampleSet:
    """Return samples of one token that show these pictures."""
    num = len(shown)
    return ExampleSet(
        ids=np.zeros(num, np.int32),
        is_trained=np.ones(num, np.bool_),
        offsets=np.arange(num + 1),
        picture_numbers=np.array([number for each in shown for number in each], np.int32),
        picture_offsets=np.cumsum([0, *map(len, shown)]),
        sample_ids=[str(number) for number in range(num)],
        pictures=pictures,
        tokens_per_image=1,
        summary=SUMMARY,
        frames=np.zeros(0, np.int32),
        frame_offsets=np.zeros(num + 1, np.int64),
        sees_next=np.zeros(num, np.bool_),
    )


def test_sample_is_of_the_shard_of_its_own_picture_and_needs_those_of_all(far: RemoteVersion, tmp_path: Path) -> None:
    pictures = make_pictures(far, tmp_path / "far", num_fitting=6)
    examples = make_examples(pictures, [[2], [], [0, 3], [1]])
    assert examples.shards.tolist() == [2, -1, 3, 1]
    assert list(examples.far_shards([0, 1, 2])) == [(pictures, 2), (pictures, 0), (pictures, 3)]
    near = make_examples(PictureStore(["a"], [PicturePlace("a.jpg")], None, tmp_path), [[0], []])
    assert near.shards.tolist() == [-1, -1]
    assert look_ahead(near) is None
    joined = JoinedExamples([near, examples])
    assert list(joined.far_shards([0, 1, 2, 5])) == [(pictures, 2), (pictures, 1)]
    ahead = look_ahead(joined)
    assert ahead is not None
    assert list(ahead.follow([(0, ((2, 1), (5,)))])) == [(0, ((2, 1), (5,)))]
    names = {far.manifest.shards[number].sha256 for number in (2, 1)}
    wait_for(tmp_path / "far", names)


def test_data_that_a_cache_cannot_hold_are_told_with_how_many_shards_it_can_mix(
    far: RemoteVersion, tmp_path: Path
) -> None:
    examples = [make_examples(make_pictures(far, tmp_path, num), [[0]]) for num in (NUM_SHARDS, 5)]
    assert find_strain(examples[0], 0) == ""
    told = find_strain(examples[1], 0)
    assert "set rows.mixed_shards to 2 or less, or raise --shard-cache-gib" in told
    assert find_strain(examples[1], 3) == told
    assert find_strain(examples[1], 2) == ""


def test_pictures_of_this_machine_are_not_looked_ahead_for(far: RemoteVersion, tmp_path: Path) -> None:
    pictures = PictureStore(["a"], [PicturePlace("a.jpg")], None, tmp_path)
    assert look_ahead_of_pictures(pictures) is None
