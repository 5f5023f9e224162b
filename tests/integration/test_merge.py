"""Parts of a build, merged, are the version that one build makes: row for row, line for line, by name."""

import importlib.util
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from instructgen.dataset.manifest import read_manifest
from tests.support.cli import Done, run_cli
from tests.support.coco_folder import make_tables, write_coco

NUM_IMAGES = 60
LOOKS_AT_ALL = """
types = ["conv", "detail", "reasoning"]
[filters]
use = ["default", "near_duplicate", "diversity", "contamination"]
[filters.options.near_duplicate]
min_words = 8
threshold = 0.7
[filters.options.diversity]
max_fraction = 0.6
[filters.options.contamination]
against = ["AGAINST"]
"""
NOT_EQUAL = {"created_at", "parent", "shards", "code"}  # of manifests: the day, and how rows are cut into files


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of which two have no caption."""
    captions, instances = make_tables(NUM_IMAGES)
    captions["annotations"] = [one for one in captions["annotations"] if one["image_id"] not in (13, 44)]
    return write_coco(tmp_path_factory.mktemp("coco") / "coco", captions, instances)


def build(out: Path, *more: str | Path, code: int | Sequence[int] = 0) -> Done:
    done = run_cli("build", "--out", out, "--json", *more)
    assert done.code in ([code] if isinstance(code, int) else code), done.err
    return done


def build_parts(folder: Path, num: int, *more: str | Path, code: int | Sequence[int] = 0) -> list[Path]:
    parts = [folder / f"part-{index}" for index in range(num)]
    for index, part in enumerate(parts):
        build(part, *more, "--shard", f"{index}/{num}", code=code)
    return parts


def merge(out: Path, parts: Sequence[Path | str], code: int = 0) -> Done:
    done = run_cli("merge", *parts, "--out", out, "--json")
    assert done.code == code, done.err
    return done


def read_facts(out: Path, version: str) -> dict[str, Any]:
    manifest = msgspec.to_builtins(read_manifest(out / "versions" / version))
    return {name: value for name, value in manifest.items() if name not in NOT_EQUAL}


def read_rows(out: Path, version: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the rows of each series in their order."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for shard in read_manifest(out / "versions" / version).shards:
        table = pq.read_table(out / "versions" / version / shard.path)
        rows.setdefault((shard.split, shard.sample_type), []).extend(table.to_pylist())
    return rows


def check_equal(whole: Path, merged: Path, version: str) -> None:
    """The merged dataset has the whole build's version, with everything in it."""
    assert (merged / "tags" / "latest").read_text() == f"{version}\n"
    assert read_facts(merged, version) == read_facts(whole, version)
    assert read_rows(merged, version) == read_rows(whole, version)
    for name in ("rejected.jsonl", "refined.jsonl"):
        paths = [out / "versions" / version / name for out in (whole, merged)]
        assert paths[0].exists() == paths[1].exists()
        if paths[0].exists():
            assert paths[0].read_bytes() == paths[1].read_bytes()
    verified = run_cli("dataset", "verify", merged, "--deep")
    assert verified.code == 0, verified.err


@pytest.mark.parametrize("num", [1, 2, 5])
def test_merged_parts_are_the_version_of_one_build(coco: Path, tmp_path: Path, num: int) -> None:
    more = ("--root", coco)
    whole = build(tmp_path / "whole", *more)
    assert sum(whole.result["rejected"].values()) > 0, "nothing was rejected: choose other images"
    merged = merge(tmp_path / "all", build_parts(tmp_path, num, *more))
    assert merged.result["version"] == whole.result["version"]
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_scenes_with_their_pictures_merge_to_the_same_version(tmp_path: Path) -> None:
    more = ("--source", "scenes", "--limit", "11", "--types", "conv")
    whole = build(tmp_path / "whole", *more)
    merge(tmp_path / "all", build_parts(tmp_path, 4, *more))
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_more_shares_than_images_leave_some_parts_empty(coco: Path, tmp_path: Path) -> None:
    more = ("--root", coco, "--limit", "2", "--types", "detail")
    whole = build(tmp_path / "whole", *more)
    merge(tmp_path / "all", build_parts(tmp_path, 3, *more))
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_filters_over_the_whole_dataset_look_across_parts(coco: Path, tmp_path: Path) -> None:
    against = tmp_path / "eval.jsonl"
    against.write_text(json.dumps({"image_id": 12}) + "\n", encoding="utf-8")
    pipeline = tmp_path / "look.toml"
    pipeline.write_text(LOOKS_AT_ALL.replace("AGAINST", str(against)), encoding="utf-8")
    more = ("--root", coco, "--pipeline", pipeline)
    whole = build(tmp_path / "whole", *more)
    reasons = whole.result["reasons"]
    assert min(reasons[name] for name in ("near_duplicate", "not_selected", "contaminated_image")) > 0, reasons
    parts = build_parts(tmp_path, 3, *more)
    in_parts = [json.loads(line)["reason"] for part in parts for line in read_rejected(part)]
    assert not {"near_duplicate", "not_selected"}.intersection(in_parts), "a part settled what looks at everything"
    merge(tmp_path / "all", parts)
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def read_rejected(out: Path) -> list[str]:
    version = (out / "tags" / "part").read_text().strip()
    return (out / "versions" / version / "rejected.jsonl").read_text().splitlines()


def test_failures_and_rejections_of_a_replay_merge_too(coco: Path, tmp_path: Path) -> None:
    build(tmp_path / "recorded", "--root", coco, "--limit", "25")
    more = ("--root", coco, "--replay", tmp_path / "recorded" / "run")
    whole = build(tmp_path / "whole", *more, code=4)
    num_failed = 3 * (NUM_IMAGES - 25 - 1)  # one of them has no caption
    assert whole.result["reasons"]["not_recorded"] == num_failed
    parts = build_parts(tmp_path, 3, *more, code=[0, 4])
    merged = merge(tmp_path / "all", parts, code=4)
    assert sum(merged.result["failed"].values()) == num_failed
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_refined_texts_keep_their_lines_across_parts(coco: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "clean.toml"
    text = '[refine]\nclean = true\n[filters]\nuse = ["default", "near_duplicate"]\n'
    text += "[filters.options.near_duplicate]\nmin_words = 8\nthreshold = 0.7\n"
    pipeline.write_text(text, encoding="utf-8")
    more = ("--root", coco, "--pipeline", pipeline)
    whole = build(tmp_path / "whole", *more)
    merge(tmp_path / "all", build_parts(tmp_path, 2, *more))
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_images_are_paired_across_the_border_of_two_parts(coco: Path, tmp_path: Path) -> None:
    more = ("--root", coco, "--types", "multi-image,conv")
    whole = build(tmp_path / "whole", *more)
    merge(tmp_path / "all", build_parts(tmp_path, 4, *more))
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


def test_issues_of_annotations_are_counted_once(tmp_path: Path) -> None:
    captions, instances = make_tables(9)
    for number, image_id in enumerate((10, 18, 999)):
        box = {**instances["annotations"][0], "id": 5000 + number, "image_id": image_id, "category_id": 77}
        instances["annotations"].append(box)
    root = write_coco(tmp_path / "coco", captions, instances)
    whole = build(tmp_path / "whole", "--root", root, "--types", "detail")
    assert sum(whole.result["source_issues"].values()) == 3
    merge(tmp_path / "all", build_parts(tmp_path, 4, "--root", root, "--types", "detail"))
    check_equal(tmp_path / "whole", tmp_path / "all", whole.result["version"])


@pytest.fixture(scope="module")
def parts(coco: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    return build_parts(folder, 3, "--root", coco, "--types", "detail")


def test_build_in_the_merged_dataset_asks_nothing(coco: Path, parts: list[Path], tmp_path: Path) -> None:
    merged = merge(tmp_path / "all", parts)
    assert merged.result["new_answers"] == NUM_IMAGES - 2
    again = build(tmp_path / "all", "--root", coco, "--types", "detail")
    assert again.result["new_requests"] == 0
    assert again.result["version"] == merged.result["version"]


def test_merge_done_twice_changes_nothing(parts: list[Path], tmp_path: Path) -> None:
    first = merge(tmp_path / "all", parts)
    (tmp_path / "all" / "run" / "merging" / "data").mkdir(parents=True)  # what a killed merge leaves
    second = merge(tmp_path / "all", list(reversed(parts)))
    assert second.result["version"] == first.result["version"]
    assert second.result["new_answers"] == 0
    assert len(list((tmp_path / "all" / "versions").iterdir())) == 1


def test_part_that_lacks_is_named(parts: list[Path], tmp_path: Path) -> None:
    done = merge(tmp_path / "all", [parts[0], parts[2]], code=2)
    assert "1 of 3 parts are not there: 1/3" in done.err
    assert not (tmp_path / "all").exists()


def test_part_given_twice_is_refused(parts: list[Path], tmp_path: Path) -> None:
    done = merge(tmp_path / "all", [*parts, parts[1]], code=2)
    assert "both share 1/3" in done.err


def test_parts_of_other_settings_are_refused_with_what_differs(coco: Path, parts: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    build(other, "--root", coco, "--types", "detail", "--seed", "5", "--shard", "1/3")
    done = merge(tmp_path / "all", [parts[0], other, parts[2]], code=2)
    assert "the setting 'seed' differs, 0 and 5" in done.err


def test_parts_of_a_changed_source_are_refused(parts: list[Path], tmp_path: Path) -> None:
    captions, instances = make_tables(NUM_IMAGES + 1)
    captions["images"] = instances["images"] = instances["images"][1:]  # as many as before, and other ones
    root = write_coco(tmp_path / "coco", captions, instances)
    other = tmp_path / "other"
    build(other, "--root", root, "--types", "detail", "--shard", "1/3")
    done = merge(tmp_path / "all", [parts[0], other, parts[2]], code=2)
    assert "the source changed between the builds" in done.err


def test_version_that_is_no_part_is_refused(coco: Path, parts: list[Path], tmp_path: Path) -> None:
    build(tmp_path / "whole", "--root", coco, "--limit", "2", "--types", "detail")
    done = merge(tmp_path / "all", [tmp_path / "whole", *parts[1:]], code=2)
    assert "holds no part that is finished" in done.err


def test_damaged_part_is_refused_and_nothing_is_published(parts: list[Path], tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(part, tmp_path / part.name)) for part in parts]
    shard = next((copies[1] / "versions").glob("*/data/train-*.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    done = merge(tmp_path / "all", copies, code=2)
    assert "not the file that was published" in done.err
    assert not (tmp_path / "all" / "versions").exists()


def test_out_that_is_a_part_is_refused(parts: list[Path]) -> None:
    done = merge(parts[1], parts, code=2)
    assert "is the folder of share 1/3 itself" in done.err


def test_gate_of_the_pipeline_is_held_against_the_whole(coco: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "gated.toml"
    pipeline.write_text('types = ["detail"]\n[gates.total]\nanswer_words_mean = {max = 1.0}\n', encoding="utf-8")
    parts = build_parts(tmp_path, 2, "--root", coco, "--pipeline", pipeline)
    done = merge(tmp_path / "all", parts, code=7)
    assert "answer_words_mean" in done.result["gates_failed"][0]
    assert not (tmp_path / "all" / "tags" / "latest").exists()


def test_small_shards_of_parts_are_put_together(parts: list[Path], tmp_path: Path) -> None:
    merged = merge(tmp_path / "all", parts)
    shards = read_manifest(tmp_path / "all" / "versions" / merged.result["version"]).shards
    assert [(shard.split, shard.num_rows) for shard in shards] == [("train", 56), ("val", 2)]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--shard", "3/3"], "wants i/N with i from 0 to N - 1"),
        (["--whole-limits"], "--whole-limits goes with --shard i/N"),
        (["--engine", "ray", "--shard", "0/2"], "--engine ray builds all shares by itself"),
        (["--shards", "4"], "--shards and --address go with --engine ray"),
        (["--source", "interleaved", "--root", ".", "--shard", "0/2"], "documents are read in one go"),
    ],
)
def test_flags_of_parts_that_do_not_go_together_are_refused(tmp_path: Path, flags: list[str], told: str) -> None:
    done = build(tmp_path / "out", *flags, code=2)
    assert told in done.err
    assert not (tmp_path / "out").exists()


def test_engine_that_is_not_installed_says_how_to_get_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("ray is installed here")
    done = build(tmp_path / "out", "--limit", "2", "--engine", "ray", code=2)
    assert "pip install 'instructgen[ray]'" in done.err
