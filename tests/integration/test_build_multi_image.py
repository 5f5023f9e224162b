"""Two images compared in one conversation, from the command line to whoever reads the rows."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.manifest import read_manifest
from tests.support.cli import Done, run_cli
from tests.support.rows import read_rows

NUM_IMAGES = 48
BUILD = ("build", "--source", "coco", "--types", "multi-image,conv", "--limit", str(NUM_IMAGES), "--json")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Done:
    done = run_cli(*BUILD, "--out", tmp_path_factory.mktemp("multi") / "ds")
    assert done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def version(built: Done) -> Path:
    return Path(built.result["out"])


@pytest.fixture(scope="module")
def rows(version: Path) -> list[dict[str, Any]]:
    return [row for row in read_rows(version) if row["sample_type"] == "multi-image"]


def test_every_unit_is_accounted_for(built: Done, version: Path) -> None:
    counts = read_manifest(version).counts
    assert counts.planned == {"multi-image": NUM_IMAGES, "conv": NUM_IMAGES}
    for name in counts.planned:
        assert counts.accepted[name] + counts.rejected[name] + counts.failed[name] == NUM_IMAGES
    assert counts.accepted["multi-image"] >= 0.9 * NUM_IMAGES
    assert counts.failed["multi-image"] == 0


def test_first_image_of_each_split_has_none_to_be_compared_with(built: Done, version: Path) -> None:
    counts = read_manifest(version).counts
    assert counts.reasons["multi-image"] == {"empty_reply": 2}
    shown = run_cli("show", version, "--rejected", "--type", "multi-image", "--json", "-n", "10")
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert [line["reason"] for line in lines] == ["empty_reply"] * 2
    assert lines[0]["image_id"] == "sample/000000000001"


def test_rows_hold_both_pictures_the_one_before_first(rows: list[dict[str, Any]]) -> None:
    stored = {row["images"][-1]["path"]: row["images"][-1]["bytes"] for row in rows}
    for row in rows:
        first, own = row["images"]
        assert first["path"] < own["path"], "the source's order"
        assert own["path"] == f"{row['image_id'].rpartition('/')[2]}.jpg"
        assert first["bytes"][:2] == own["bytes"][:2] == b"\xff\xd8"
        assert first["bytes"] != own["bytes"]
        assert stored.get(first["path"], first["bytes"]) == first["bytes"]
        assert row["sample_id"] == f"{row['image_id']}/multi-image/0"
    assert len({row["images"][0]["path"] for row in rows}) == len(rows), "each image is partner once"


def test_no_picture_is_in_two_splits(version: Path) -> None:
    by_split: dict[str, set[str]] = {}
    for path in version.glob("data/*.parquet"):
        import pyarrow.parquet as pq

        for row in pq.read_table(path).to_pylist():
            names = {picture["path"] for picture in row["images"]}
            by_split.setdefault(path.name.split("-")[0], set()).update(names)
    assert set(by_split) == {"train", "val"}
    assert not by_split["train"] & by_split["val"]


def test_messages_are_written_as_for_one_image(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert [one["role"] for one in row["messages"]] == ["user", "assistant"] * (len(row["messages"]) // 2)
        assert 4 <= len(row["messages"]) <= 8
        assert all("<image>" not in one["content"] for one in row["messages"])
    kinds = Counter(len(row["messages"]) for row in rows)
    assert len(kinds) == 3


def test_hugging_face_reads_two_pictures_of_a_row(version: Path, rows: list[dict[str, Any]]) -> None:
    import datasets

    loaded = datasets.load_dataset(
        "parquet",
        data_files=str(version / "data" / "*.parquet"),
        split="train",
        cache_dir=str(version.parents[2] / "cache"),
    )
    pairs = [row for row in loaded if row["sample_type"] == "multi-image"]
    assert len(pairs) == len(rows)
    for row in pairs:
        assert [picture.size for picture in row["images"]] == [(480, 360)] * 2
    singles = [row for row in loaded if row["sample_type"] == "conv"]
    assert singles
    assert all(len(row["images"]) == 1 for row in singles)


def test_card_counts_them_and_says_what_they_are(version: Path, rows: list[dict[str, Any]]) -> None:
    card = (version / "README.md").read_text(encoding="utf-8")
    assert f"| multi-image | {NUM_IMAGES} | {len(rows)} | 2 | 0 |" in card
    assert "- multi-image: 2 x `empty_reply`" in card
    assert "have two pictures" in card
    plain = run_cli("build", "--types", "conv", "--limit", "3", "--out", version.parents[2] / "conv", "--json")
    assert "have two pictures" not in (Path(plain.result["out"]) / "README.md").read_text(encoding="utf-8")


def test_measures_know_both_images(version: Path) -> None:
    metrics = read_manifest(version).metrics
    assert metrics is not None
    found = metrics["types"]["multi-image"]
    assert found["verdicts"]["contradicted"] == 0
    assert found["chair_i"] == 0.0
    assert found["claims"] > NUM_IMAGES


def test_same_build_again_asks_nothing_and_changes_nothing(built: Done, version: Path) -> None:
    again = run_cli(*BUILD, "--out", version.parents[1])
    assert again.code == 0, again.err
    assert again.result["new_requests"] == 0
    assert again.result["version"] == built.result["version"]


def test_run_that_is_resumed_pairs_alike(built: Done, version: Path, tmp_path: Path) -> None:
    """A part first, then the rest, then all of it: pairs do not depend on where a run began."""
    part = run_cli(*BUILD[:-2], "20", "--json", "--out", tmp_path / "ds")
    assert part.result["planned"]["multi-image"] == 20
    whole = run_cli(*BUILD, "--out", tmp_path / "ds")
    assert whole.result["new_requests"] == 2 * (NUM_IMAGES - 20)
    assert read_rows(Path(whole.result["out"])) == read_rows(version)


def test_rows_by_path_name_both_files(version: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    done = run_cli(*BUILD, "--images", "reference", "--out", tmp_path / "ds")
    assert done.code == 0, done.err
    found = [row for row in read_rows(Path(done.result["out"])) if row["sample_type"] == "multi-image"]
    assert [[one["path"] for one in row["images"]] for row in found] == [
        [one["path"] for one in row["images"]] for row in rows
    ]
    assert all(one["bytes"] is None for row in found for one in row["images"])


def test_export_and_audit_leave_them_out_and_say_so(version: Path, tmp_path: Path) -> None:
    dataset = shutil.copytree(version.parents[1], tmp_path / "ds")
    refused = run_cli("export", "filter-cap", dataset, "--out", tmp_path / "cap")
    assert refused.code != 0
    assert "no sample of the types caption or detail" in " ".join(refused.err.split())
    audited = run_cli("audit", version, "--json")
    assert audited.code == 0, audited.err
    found = audited.result
    num_pairs = read_manifest(version).counts.accepted["multi-image"]
    assert found["unusable"]["several_images"] == num_pairs
    assert found["records"] - found["checked"] == num_pairs


def test_review_shows_both_pictures(version: Path, tmp_path: Path) -> None:
    from instructgen.jobs.review import Evidence, QueueOptions, Reviewed, open_desk

    reviewed = Reviewed(version, read_manifest(version), tmp_path)
    options = QueueOptions("multi-image", 3)
    with open_desk(reviewed, "me", options, Evidence(), lambda _: None) as desk:
        view, first, own = desk.view(0), desk.picture(0, 0), desk.picture(0)
        row = next(row for row in read_rows(version) if row["sample_id"] == view.sample_id)
    assert view.num_images == 2
    assert view.image_path == " and ".join(one["path"] for one in row["images"])
    assert (first, own) == tuple(one["bytes"] for one in row["images"])
    assert not any("contradicted" in line for line in view.doubts)


@pytest.mark.parametrize("teacher", [("--teacher", "openai"), ("--base-url", "http://127.0.0.1:9/v1")])
def test_no_model_is_asked_for_it(teacher: tuple[str, str], tmp_path: Path) -> None:
    done = run_cli("build", "--types", "multi-image", *teacher, "--model", "m", "--out", tmp_path / "ds")
    assert done.code != 0
    assert "--teacher scene-program --types multi-image" in " ".join(done.err.split())
