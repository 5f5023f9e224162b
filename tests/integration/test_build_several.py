"""Samples of several images that are alike, from the command line to whoever reads the rows."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.places import find_places
from tests.support.cli import Done, run_cli
from tests.support.rows import read_rows

NUM_IMAGES = 40
TYPES = ("compare", "few-shot", "interleaved")
BUILD = ("build", "--source", "coco", "--types", ",".join((*TYPES, "conv")), "--limit", str(NUM_IMAGES), "--json")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Done:
    done = run_cli(*BUILD, "--out", tmp_path_factory.mktemp("several") / "ds")
    assert done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def version(built: Done) -> Path:
    return Path(built.result["out"])


@pytest.fixture(scope="module")
def rows(version: Path) -> list[dict[str, Any]]:
    return read_rows(version)


def test_every_unit_is_accounted_for_and_most_are_told(version: Path) -> None:
    counts = read_manifest(version).counts
    for name in TYPES:
        assert counts.planned[name] == NUM_IMAGES
        assert counts.accepted[name] + counts.rejected[name] + counts.failed[name] == NUM_IMAGES
        assert counts.accepted[name] >= 0.8 * NUM_IMAGES
        assert set(counts.reasons[name]) <= {"empty_reply"}, counts.reasons[name]


def test_comparisons_hold_two_pictures_before_the_question(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["sample_type"] == "compare":
            assert len(row["images"]) == 2
            assert row["image_at"] is None
            assert row["messages"][0]["role"] == "user"
            assert find_places(row) == [0, 0]


def test_few_shot_chats_have_an_image_before_each_question(rows: list[dict[str, Any]]) -> None:
    sizes: Counter[int] = Counter()
    for row in rows:
        if row["sample_type"] == "few-shot":
            num = len(row["images"])
            sizes[num] += 1
            assert row["image_at"] == list(range(0, 2 * num, 2))
            assert [one["role"] for one in row["messages"]] == ["user", "assistant"] * num
            assert len({one["content"] for one in row["messages"][::2]}) == 1
    assert set(sizes) <= {3, 4, 5}
    assert len(sizes) > 1


def test_documents_have_an_image_before_each_text(rows: list[dict[str, Any]]) -> None:
    found = [row for row in rows if row["sample_type"] == "interleaved"]
    for row in found:
        assert row["image_at"] == list(range(len(row["images"]))) == list(range(len(row["messages"])))
        assert {one["role"] for one in row["messages"]} == {"assistant"}
    assert any("Short answer:" in row["messages"][0]["content"] for row in found)


def test_own_picture_is_the_last_and_no_picture_comes_twice(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        paths = [one["path"] for one in row["images"]]
        assert paths[-1] == f"{row['image_id'].rpartition('/')[2]}.jpg"
        assert len(set(paths)) == len(paths)
        assert all(one["bytes"][:2] == b"\xff\xd8" for one in row["images"])


def test_no_picture_is_in_two_splits(version: Path) -> None:
    import pyarrow.parquet as pq

    by_split: dict[str, set[str]] = {}
    for path in version.glob("data/*.parquet"):
        for row in pq.read_table(path).to_pylist():
            by_split.setdefault(path.name.split("-")[0], set()).update(one["path"] for one in row["images"])
    assert set(by_split) == {"train", "val"}
    assert not by_split["train"] & by_split["val"]


def test_nothing_that_is_told_is_contradicted(version: Path) -> None:
    metrics = read_manifest(version).metrics
    assert metrics is not None
    for name in TYPES:
        assert metrics["types"][name]["verdicts"]["contradicted"] == 0
        assert metrics["types"][name]["claims"] > NUM_IMAGES / 2


def test_same_build_again_asks_nothing_and_changes_nothing(built: Done, version: Path) -> None:
    again = run_cli(*BUILD, "--out", version.parents[1])
    assert again.code == 0, again.err
    assert (again.result["new_requests"], again.result["version"]) == (0, built.result["version"])


def test_version_can_be_verified_shown_exported_and_audited(version: Path, tmp_path: Path) -> None:
    dataset = shutil.copytree(version.parents[1], tmp_path / "ds")
    verified = run_cli("dataset", "verify", dataset, "--deep")
    assert verified.code == 0, verified.err
    for name in TYPES:
        shown = run_cli("show", dataset, "--type", name, "-n", "2")
        assert shown.code == 0, shown.err
    for form in ("interleaved", "obelics", "messages", "llava"):
        exported = run_cli("export", form, dataset, "--out", tmp_path / form)
        assert exported.code == 0, (form, exported.err)
    audited = run_cli("audit", dataset, "--json")
    assert audited.code == 0, audited.err
    reported = run_cli("report", dataset)
    assert reported.code == 0, reported.err


def test_plan_says_what_it_will_cost(tmp_path: Path) -> None:
    planned = run_cli("plan", "--source", "coco", "--types", ",".join(TYPES), "--limit", "10", "--json")
    assert planned.code == 0, planned.err


@pytest.mark.parametrize("name", TYPES)
def test_no_model_is_asked_for_it(name: str, tmp_path: Path) -> None:
    done = run_cli("build", "--types", name, "--teacher", "openai", "--model", "m", "--out", tmp_path / "ds")
    assert done.code != 0
    assert f"--teacher scene-program --types {name}" in " ".join(done.err.split())


def test_parts_of_a_build_are_merged_to_the_version_of_the_whole(tmp_path: Path) -> None:
    """Which images go together does not depend on the share of the source that a part reads."""
    build = ("build", "--types", "compare,interleaved", "--limit", "12", "--json")
    parts = [tmp_path / f"part{index}" for index in range(2)]
    for index, part in enumerate(parts):
        done = run_cli(*build, "--shard", f"{index}/2", "--out", part)
        assert done.code == 0, done.err
    merged = run_cli("merge", *parts, "--out", tmp_path / "merged", "--json")
    assert merged.code == 0, merged.err
    whole = run_cli(*build, "--out", tmp_path / "whole")
    assert merged.result["version"] == whole.result["version"]
