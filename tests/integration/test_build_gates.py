"""What is decided about a dataset as a whole: near duplicates, measures, gates."""

import json
from pathlib import Path

from instructgen.dataset.manifest import read_manifest
from tests.support.chat_server import ChatServer
from tests.support.cli import run_cli

GATE = """
[gates.total]
kept_share = { max = 0.5 }
[gates.types.conv]
chair_i = { max = 0.01 }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "pipeline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_measures_of_what_is_published_are_in_the_manifest(tmp_path: Path) -> None:
    done = run_cli("build", "--limit", "6", "--out", tmp_path / "ds", "--json")
    metrics = read_manifest(Path(done.result["out"])).metrics
    assert metrics == done.result["metrics"]
    assert metrics is not None
    assert metrics["total"]["samples"] == 18
    assert metrics["total"]["contradicted_claims"] == 0
    assert metrics["types"]["conv"]["kept_share"] == 1
    assert set(metrics["types"]) == {"conv", "detail", "reasoning"}


def test_version_that_passes_a_gate_is_kept_and_is_not_the_latest(tmp_path: Path) -> None:
    out = tmp_path / "ds"
    first = run_cli("build", "--limit", "6", "--out", out, "--json")
    assert first.code == 0
    second = run_cli(
        "build", "--limit", "8", "--types", "conv", "--out", out, "--pipeline", write(tmp_path, GATE), "--json"
    )
    assert second.code == 7
    assert second.result["gates_failed"] == ["kept_share is 1, above 0.5"]
    assert second.result["version"] != first.result["version"]
    assert Path(second.result["out"], "manifest.json").is_file()
    assert (out / "tags" / "latest").read_text(encoding="utf-8").strip() == first.result["version"]


def test_type_of_which_nothing_is_left_fails_its_gate(tmp_path: Path) -> None:
    pipeline = write(tmp_path, "[filters]\nuse = ['refusal']\n[gates.types.conv]\nkept_share = { min = 0.1 }\n")
    with ChatServer(text="A dog sleeps on a red sofa beside a window.") as server:  # no question: no conversation
        asked = ("--base-url", server.base_url, "--model", "m", "--pipeline", pipeline, "--types", "conv,detail")
        done = run_cli("build", *asked, "--limit", "6", "--out", tmp_path / "ds", "--no-alarm", "--json")
    assert done.code == 7, done.err
    assert done.result["gates_failed"] == ["conv: kept_share is 0, below 0.1"]
    assert done.result["metrics"]["types"]["conv"]["samples"] == 0
    assert done.result["metrics"]["types"]["detail"]["kept_share"] == 1


def test_gate_on_what_does_not_exist_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    pipeline = write(tmp_path, "[gates.total]\nchairs = { max = 0.1 }\n")
    done = run_cli("build", "--limit", "2", "--out", tmp_path / "ds", "--pipeline", pipeline)
    assert done.code == 2
    assert "no measure called 'chairs'" in done.err
    assert not (tmp_path / "ds").exists()


def test_near_duplicates_are_rejected_with_the_one_that_was_kept(tmp_path: Path) -> None:
    text = (
        '[filters]\nuse = ["default", "near_duplicate"]\n[filters.options.near_duplicate]\nthreshold = 0.5\nn = 1\n'
    )
    out = tmp_path / "ds"
    done = run_cli(
        "build", "--limit", "60", "--types", "reasoning", "--out", out, "--pipeline", write(tmp_path, text), "--json"
    )
    assert done.code == 0, done.err
    num = done.result["reasons"]["near_duplicate"]
    assert num > 0
    num_empty = done.result["reasons"].get("empty_reply", 0)
    assert done.result["accepted"]["reasoning"] + num + num_empty == done.result["planned"]["reasoning"]
    lines = Path(done.result["out"], "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    rejected = [json.loads(line) for line in lines]
    assert {line["reason"] for line in rejected} <= {"near_duplicate", "empty_reply"}
    rejected = [line for line in rejected if line["reason"] == "near_duplicate"]
    assert len(rejected) == num
    gone = {line["unit_id"] for line in rejected}
    assert all(line["detail"].split("/0")[0] not in gone for line in rejected)
    assert done.result["metrics"]["total"]["near_duplicate_share"] == 0


def test_file_for_contamination_that_is_not_there_is_told_first(tmp_path: Path) -> None:
    options = f'[filters.options.contamination]\nagainst = ["{tmp_path}/no.jsonl"]\n'
    text = '[filters]\nuse = ["default", "contamination"]\n' + options
    done = run_cli("build", "--limit", "2", "--out", tmp_path / "ds", "--pipeline", write(tmp_path, text))
    assert done.code == 2
    assert "no.jsonl" in done.err
    assert not (tmp_path / "ds").exists()
