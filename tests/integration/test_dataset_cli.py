"""`instructgen dataset` as a user types it."""

import json
import os
import shutil
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
    assert "conv       24 planned: 24 accepted" in shown or "conv       12 planned" in shown
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
        (("verify", "nowhere", "--all"), "nowhere: there is no version to verify"),
        (("list", "s3:/bucket/x"), "did you mean s3://bucket/x?"),
        (("split", "s3:/bucket/x", "--split", "val=0.1", "--out", "x"), "did you mean s3://bucket/x?"),
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


def run_mistake(*args: str | Path, code: int = 2, cwd: Path | None = None, **env: str) -> str:
    """Return what a command that fails prints; with --json it is the same in an object."""
    done = run_cli("dataset", *args, "--json", cwd=cwd, **env)
    assert (done.code, done.result["exit_code"]) == (code, code), done.err
    assert "Traceback" not in done.err
    return str(done.result["error"])


def test_version_is_verified_and_tagged_by_what_shows_it(built: Path, tmp_path: Path) -> None:
    store, loose = tmp_path / "store", tmp_path / "loose"
    name = run_json("copy", built, store)["version"]
    shutil.copytree(store / "versions" / name, loose)
    assert run_json("show", loose)["version"] == name
    assert run_json("verify", loose)["versions"] == {str(loose): []}
    assert run_json("verify", store / "versions" / name)["versions"] == {f"{store}@{name}": []}
    inside = run_cli("dataset", "verify", f"versions/{name}", "--json", cwd=store)
    assert inside.result == {"versions": {f".@{name}": []}, "damaged": 0}
    tagged = run_cli("dataset", "tag", f"versions/{name}", "v1", "--json", cwd=store)
    assert tagged.result["version"] == name
    assert run_json("tag", store / "versions" / name, "v2")["version"] == name
    assert (store / "tags" / "v2").read_text() == f"{name}\n"
    assert "in no store" in run_mistake("tag", loose, "v1")
    assert "names one version" in run_mistake("verify", f"{store}@v1", "--all")
    (loose / "rejected.jsonl").write_text("{}")
    assert run_cli("dataset", "verify", loose).code == 8


def test_store_with_a_tag_in_its_name_is_no_new_store(built: Path, bucket: str, tmp_path: Path) -> None:
    for out in (f"{tmp_path}/ds@v9", f"{bucket}/ds-signs@v9"):
        address = out.removesuffix("@v9")
        assert f"{address} --tag v9" in run_mistake("sample", built, "--rows", "5", "--out", out)
        assert f"{address} --tag v9" in run_mistake("copy", built, out)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "me@home").mkdir()
    assert run_json("copy", built, tmp_path / "me@home")["new_bytes"] > 0


def test_failed_attempt_leaves_no_folder(built: Path, tmp_path: Path) -> None:
    assert "has no type" in run_mistake("sample", built, "--rows", "5", "--types", "x", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    assert "has no type" in run_mistake("sample", built, "--rows", "5", "--types", "x", "--out", tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_home_folder_after_an_equals_sign_is_the_home_folder(built: Path, tmp_path: Path) -> None:
    done = run_cli(
        "dataset", "sample", built, "--rows", "5", "--out=~/ds", "--json", cwd=tmp_path, HOME=str(tmp_path)
    )
    assert done.result["ref"].startswith(f"{tmp_path}/ds@")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["ds"]


def test_out_below_a_file_is_a_mistake_and_no_bug(built: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "ds"
    for command in (("copy", built, out), ("sample", built, "--rows", "5", "--out", out)):
        told = run_mistake(*command)
        assert str(out) in told
        assert "Not a directory" in told


def test_store_that_cannot_be_written_is_a_mistake_and_no_bug(built: Path, tmp_path: Path) -> None:
    name = run_json("copy", built, tmp_path / "store")["version"]
    shutil.rmtree(tmp_path / "store" / "tags")
    (tmp_path / "store" / "tags").write_text("")  # stops root as well, whom a read-only folder does not
    assert "check the path, its permissions" in run_mistake("tag", f"{tmp_path}/store@{name}", "v1")


def test_what_may_not_be_read_or_written_is_a_mistake_and_no_bug(built: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    name = run_json("copy", built, store)["version"]
    shard = next((store / "versions" / name / "data").iterdir())
    shard.chmod(0)
    if os.access(shard, os.R_OK):
        pytest.skip("root reads and writes everything")
    assert "Permission denied" in run_mistake("copy", store, tmp_path / "other")
    shard.chmod(0o644)
    for path in (store, store / "tags", store / ".work", store / ".work" / "lock"):
        path.chmod(0o555)
    try:
        assert "Permission denied" in run_mistake("tag", store, "v1")
        assert "Permission denied" in run_mistake("sample", built, "--rows", "5", "--out", store)
    finally:
        for folder in (store, store / "tags", store / ".work"):
            folder.chmod(0o755)


def test_bucket_that_is_not_there_is_told_and_a_new_folder_of_one_is_empty(built: Path, bucket: str) -> None:
    for command in ("list", "show", "gc", "verify"):
        assert "there is no bucket 'no-such-bucket'" in run_mistake(command, "s3://no-such-bucket/data")
    assert "there is no bucket" in run_mistake("verify", "s3://no-such-bucket/data", "--all")
    assert "bucket does not exist" in run_mistake("copy", built, "s3://no-such-bucket/data")
    assert 'Invalid bucket name "No_Bucket!"' in run_mistake("list", "s3://No_Bucket!/data")
    assert run_cli("dataset", "list", f"{bucket}/new", "--json").result == []
    assert "holds no dataset" in run_mistake("show", f"{bucket}/new@v1")


def test_store_without_credentials_or_answer_is_a_mistake_and_no_bug(
    built: Path, bucket: str, tmp_path: Path
) -> None:
    without = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    without |= {"HOME": str(tmp_path)}
    for command in (("list", f"{bucket}/ds"), ("show", f"{bucket}/ds@v1"), ("copy", built, f"{bucket}/ds")):
        told = run_mistake(*command, **without)
        assert f"{bucket}/ds" in told
        assert "Unable to locate credentials" in told
    silent = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    assert "cannot be reached, read or written" in run_mistake("list", f"{bucket}/ds", **silent)
    done = run_cli("show", f"{bucket}/ds@v1", **without)
    assert (done.code, "Unable to locate credentials" in done.err) == (2, True)


def test_push_takes_a_version_by_its_tag_and_none_from_elsewhere(built: Path, bucket: str, tmp_path: Path) -> None:
    run_json("copy", built, f"{bucket}/pushed")
    push = ("push", "group/data", "--dry-run", "--dataset")
    assert "has no version or tag 'v9'" in run_mistake(*push, f"{built}@v9")
    assert f"`dataset copy {bucket}/pushed FOLDER`" in run_mistake(*push, f"{bucket}/pushed")
    assert "give one of them" in run_mistake(*push, f"{built}@latest", "--tag", "v1")
