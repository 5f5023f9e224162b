"""The README's first command: no COCO, no key, no network."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from instructgen.config import FiltersConfig
from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.read import read_rows
from instructgen.dataset.stored import LocalVersion
from instructgen.filters import make_filters
from tests.support.cli import Done, environment, run_cli

TYPES = ["conv", "detail", "reasoning"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("sample") / "ds"
    return run_cli("build", "--source", "coco", "--types", "conv,detail,reasoning", "--out", out, "--json")


def test_sample_builds_without_coco_key_or_network(sample: Done) -> None:
    assert sample.code == 0, sample.err
    assert "bundled sample" in sample.err
    assert "scene-program" in sample.err


def test_every_unit_is_accounted_for(sample: Done) -> None:
    result = sample.result
    assert list(result["planned"]) == TYPES
    for name in TYPES:
        assert result["planned"][name] >= 48
        assert result["accepted"][name] + result["rejected"][name] + result["failed"][name] == result["planned"][name]
    assert sum(result["reasons"].values()) == sum(result["rejected"].values()) + sum(result["failed"].values())
    assert result["cost_usd"] == 0


def test_free_teacher_answers_nearly_every_unit_of_the_sample(sample: Done) -> None:
    for name in TYPES:
        assert sample.result["accepted"][name] >= 0.9 * sample.result["planned"][name]


def test_four_readers_open_the_same_rows(sample: Done) -> None:
    import datasets
    import duckdb
    import pandas as pd
    import polars as pl

    files = f"{sample.result['out']}/data/*.parquet"
    wanted = sum(sample.result["accepted"].values())
    loaded = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(Path(sample.result["out"]).parents[2] / "cache")
    )
    assert loaded.num_rows == wanted
    assert loaded[0]["images"][0].size == (320, 240) or min(loaded[0]["images"][0].size) > 100
    assert [turn["role"] for turn in loaded[0]["messages"]][:2] == ["user", "assistant"]
    paths = sorted(Path(sample.result["out"]).glob("data/*.parquet"))
    assert sum(len(pd.read_parquet(path)) for path in paths) == wanted
    assert pl.read_parquet(files).height == wanted
    assert duckdb.sql(f"SELECT count(*) FROM '{files}'").fetchall() == [(wanted,)]


def test_hugging_face_opens_the_folder_itself_by_its_card(sample: Done) -> None:
    import datasets

    version = Path(sample.result["out"])
    folder = version.parent.parent
    for place in (folder, version):
        loaded = datasets.load_dataset(str(place), cache_dir=str(folder.parent / "cache2"))
        assert {name: part.num_rows for name, part in loaded.items()} == sample.result["splits"]


def test_no_image_is_in_two_splits(sample: Done) -> None:
    import pyarrow.parquet as pq

    by_split: dict[str, set[str]] = {}
    for path in Path(sample.result["out"]).glob("data/*.parquet"):
        ids = pq.read_table(path, columns=["image_id"])["image_id"].to_pylist()
        by_split.setdefault(path.name.split("-")[0], set()).update(ids)
    assert set(by_split) == {"train", "val"}
    assert not by_split["train"] & by_split["val"]


def test_rows_say_where_they_come_from(sample: Done) -> None:
    import pyarrow.parquet as pq

    path = next(Path(sample.result["out"]).glob("data/train-*.parquet"))
    for row in pq.read_table(path).to_pylist()[:20]:
        assert row["sample_id"] == f"{row['image_id']}/{row['sample_type']}/0"
        assert row["teacher"] == "scene-program"
        assert len(row["request_ids"]) == 1
        assert len(row["request_ids"][0]) == 64
        assert len(row["prompt_sha256"]) == 64
        assert set(row["scores"]) == set(make_filters(FiltersConfig()))
        assert all("<image>" not in message["content"] for message in row["messages"])


def test_manifest_holds_the_digest_of_each_shard(sample: Done) -> None:
    from instructgen.dataset.shards import hash_file

    version = Path(sample.result["out"])
    manifest = read_manifest(version)
    assert manifest.version == version.name == sample.result["version"]
    assert {shard.path for shard in manifest.shards} == {f"data/{path.name}" for path in (version / "data").iterdir()}
    for shard in manifest.shards:
        assert hash_file(version / shard.path) == shard.sha256


def test_next_run_asks_nothing_and_makes_no_new_version(sample: Done) -> None:
    out = Path(sample.result["out"]).parent.parent
    again = run_cli("build", "--out", out, "--json")
    assert again.code == 0
    assert again.result["new_requests"] == 0
    assert again.result["version"] == sample.result["version"]
    assert len(list((out / "versions").iterdir())) == 1


def test_output_tells_how_to_look_at_it_and_train_on_it(tmp_path: Path) -> None:
    done = run_cli("build", "--limit", "4", "--out", tmp_path / "ds")
    assert "instructgen show" in done.out
    assert "load_dataset" in done.out
    shown = run_cli("show", tmp_path / "ds", "-n", "4")
    assert shown.code == 0
    assert "Q: " in shown.out
    assert "A: " in shown.out


def test_default_out_is_named_for_the_source(tmp_path: Path) -> None:
    done = run_cli("build", "--limit", "2", "--json", cwd=tmp_path)
    assert Path(done.result["out"]).parts[:2] == ("out", "coco-sample")


def test_rendered_scenes_are_a_source_of_their_own(tmp_path: Path) -> None:
    done = run_cli("build", "--source", "scenes", "--limit", "6", "--seed", "3", "--out", tmp_path / "ds", "--json")
    assert done.code == 0, done.err
    assert done.result["planned"] == dict.fromkeys(TYPES, 6)
    rows = read_rows(LocalVersion(Path(done.result["out"])), None, None, 100)
    assert {row["image_id"].split("/")[0] for row in rows} == {"scenes"}


NO_NETWORK = """
import socket, sys
def refuse(*args, **kwargs):
    print("NETWORK USED", args, file=sys.stderr)
    raise OSError("no network in this test")
for name in ("connect", "connect_ex", "sendto", "bind"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.create_connection = refuse
sys.argv = ["instructgen", *sys.argv[1:]]
from instructgen.cli.app import main
main()
"""


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], ["build", "--limit", "3", "--out", "ds", "--json"]])
def test_no_command_uses_the_network_without_a_server_named(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(OPENAI_API_KEY="sk-planted"),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "NETWORK USED" not in done.stderr


def test_planted_use_of_the_network_is_seen() -> None:
    """The test above can fail: the same patch stops a real connection."""
    script = NO_NETWORK.partition("sys.argv =")[0] + "socket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "NETWORK USED" in done.stderr


def test_pipeline_file_decides_and_flags_override_it(tmp_path: Path) -> None:
    done = run_cli("build", "--pipeline", "smoke", "--types", "detail", "--out", tmp_path / "ds", "--json")
    assert done.code == 0, done.err
    assert done.result["planned"] == {"detail": 24}
    manifest = read_manifest(Path(done.result["out"]))
    assert max(Counter(shard.num_rows for shard in manifest.shards)) <= 20


def test_rejected_and_shown_json_lines_are_readable(tmp_path: Path) -> None:
    (tmp_path / "strict.toml").write_text("[filters.options.length]\nconv = {min_words = 1, max_words = 3}\n")
    done = run_cli(
        "build", "--limit", "4", "--pipeline", tmp_path / "strict.toml", "--out", tmp_path / "ds", "--json"
    )
    assert done.result["rejected"]["conv"] > 0
    shown = run_cli("show", tmp_path / "ds", "--rejected", "--json", "-n", "100")
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert len(lines) == sum(done.result["rejected"].values())
    assert {line["reason"] for line in lines} == set(done.result["reasons"])
    assert all(line["text"] for line in lines if line["stage"] == "filter")
