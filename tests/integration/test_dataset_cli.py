"""`instructgen dataset` as a user types it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run_cli
from tests.support.s3 import serve_s3


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "ds"
    assert run_cli("build", "--pipeline", "smoke", "--limit", "12", "--out", out, "--json").code == 0
    return out


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with serve_s3() as address:
        yield address


def run_json(*args: str | Path) -> dict[str, Any]:
    done = run_cli("dataset", *args, "--json")
    assert done.code == 0, done.err
    return done.result


def test_built_version_is_listed_shown_and_whole(built: Path) -> None:
    listed = run_cli("dataset", "list", built)
    (line,) = listed.out.splitlines()
    assert "[latest]" in line
    shown = run_cli("dataset", "show", built).out
    assert line.split()[0] in shown
    assert "conv      " in shown
    manifest = run_json("show", built)
    assert manifest["version"] == line.split()[0]
    verified = run_json("verify", built, "--deep")
    assert verified["damaged"] == 0


def test_digests_are_those_of_the_systems_tool(built: Path) -> None:
    (version,) = (built / "versions").iterdir()
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=version, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_sample_is_tagged_and_collected(built: Path, tmp_path: Path) -> None:
    made = run_json("sample", built, "--rows", "5", "--out", tmp_path / "s", "--tag", "five")
    assert (made["rows"], made["tags"]) == (5, ["five", "latest"])
    again = run_json("sample", built, "--rows", "4", "--out", tmp_path / "s")
    assert again["tags"] == []
    looked = run_cli("dataset", "gc", tmp_path / "s")
    assert "--yes does it" in looked.out
    collected = run_json("gc", tmp_path / "s", "--yes")
    assert collected["versions"] == [again["version"]]
    assert [line["version"] for line in json.loads(run_cli("dataset", "list", tmp_path / "s", "--json").out)] == [
        made["version"]
    ]


def test_damage_ends_with_its_own_exit_code(built: Path, tmp_path: Path) -> None:
    run_json("copy", built, tmp_path / "copy")
    (shard, *_) = sorted((tmp_path / "copy").glob("versions/*/data/*.parquet"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    done = run_cli("dataset", "verify", tmp_path / "copy")
    assert done.code == 8
    assert f"data/{shard.name}: differs" in done.out
    assert json.loads(run_cli("dataset", "verify", tmp_path / "copy", "--json").out)["damaged"] == 1


def test_tag_moves_only_from_where_it_is_expected(built: Path, tmp_path: Path) -> None:
    first = run_json("sample", built, "--rows", "5", "--out", tmp_path / "s")
    second = run_json("sample", built, "--rows", "6", "--out", tmp_path / "s")
    assert run_json("tag", second["ref"], "v1", "--expect", "none")["version"] == second["version"]
    refused = run_cli("dataset", "tag", first["ref"], "v1", "--expect", "none")
    assert refused.code == 2
    assert "points to" in refused.err
    assert run_json("tag", first["ref"], "v1", "--expect", second["version"])["before"] == second["version"]
    assert run_json("tag", tmp_path / "s", "v1", "--delete")["version"] is None
    assert run_cli("dataset", "tag", tmp_path / "s", "v1", "--delete").code == 2


def test_version_goes_to_s3_and_back(built: Path, bucket: str, tmp_path: Path) -> None:
    sent = run_json("copy", built, f"{bucket}/ds", "--tag", "v1")
    assert sent["new_bytes"] > 0
    assert run_json("copy", built, f"{bucket}/ds", "--tag", "v1")["new_bytes"] == 0
    assert run_json("verify", f"{bucket}/ds", "--all", "--deep")["damaged"] == 0
    sampled = run_json("sample", f"{bucket}/ds@v1", "--rows", "5", "--out", f"{bucket}/ds")
    assert sampled["rows"] == 5
    back = run_json("copy", f"{bucket}/ds@v1", tmp_path / "back")
    assert back["version"] == sent["version"]
    assert run_json("verify", tmp_path / "back", "--deep")["damaged"] == 0
    assert len(run_cli("dataset", "list", f"{bucket}/ds").out.splitlines()) == 2


def test_shards_in_s3_are_read_by_others_from_their_addresses(built: Path, bucket: str) -> None:
    pandas = pytest.importorskip("pandas")
    sent = run_json("copy", built, f"{bucket}/open")
    places = run_cli("dataset", "show", f"{bucket}/open", "--files").out.split()
    rows = pandas.concat([pandas.read_parquet(place) for place in places])
    assert len(rows) == sent["rows"]


def test_mixture_of_a_build_and_an_import(built: Path, tmp_path: Path) -> None:
    records = [
        {
            "id": f"q{number}",
            "image": f"{number:012d}.jpg",
            "conversations": [
                {"from": "human", "value": "<image>\nWhat color is it?"},
                {"from": "gpt", "value": "Red."},
            ],
        }
        for number in range(1, 9)
    ]
    (tmp_path / "vqa.json").write_text(json.dumps([*records, {"id": "broken"}]))
    imported = run_json("import", "llava", tmp_path / "vqa.json", "--pictures", "paths", "--out", tmp_path / "vqa")
    assert imported["rows"] == 8
    assert sum(count for reasons in imported["rejected"].values() for count in reasons.values()) == 1
    (tmp_path / "mix.toml").write_text(
        f"""
pictures = "paths"
splits = {{val = 0.2}}
[[parts]]
version = "{built}"
types = ["conv"]
[[parts]]
version = "vqa"
suffix = "Answer with one word."
"""
    )
    mixed = run_json("mix", tmp_path / "mix.toml", "--out", tmp_path / "mix")
    assert mixed["rows"] > 8
    shown = run_cli("dataset", "show", tmp_path / "mix").out
    assert str(imported["version"]) in shown
    questions = [
        json.loads(line)["messages"][0]["content"]
        for line in run_cli("show", tmp_path / "mix", "-n", "100", "--json").out.splitlines()
    ]
    assert "What color is it?\nAnswer with one word." in questions


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("list", "nowhere"), "nowhere holds no version"),
        (("show", "nowhere"), "nowhere holds no dataset"),
        (("sample", "nowhere", "--out", "x"), "--rows 1000 or --share 0.1"),
        (("split", "nowhere", "--out", "x"), "--split val=0.05"),
        (("split", "nowhere", "--split", "val", "--out", "x"), "as val=0.05"),
        (("mix", "nowhere.toml", "--out", "x"), "no mixture file"),
        (("import", "nothing", "x", "--out", "y"), "no import called"),
    ],
)
def test_mistakes_are_told_with_their_cure(args: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run_cli("dataset", *args, cwd=tmp_path)
    assert done.code == 2
    assert message in done.err
