"""`build --send-to`: what was built is in the other store too, whole and tagged; equal shards are sent once."""

from pathlib import Path

import pytest

from tests.support.cli import Done, run_cli
from tests.support.s3 import serve_s3

SCENES = ("--source", "scenes", "--limit", "4", "--types", "conv")


def build(out: Path, *flags: str | Path, cwd: Path | None = None) -> Done:
    return run_cli("build", *SCENES, "--out", out, *flags, "--json", cwd=cwd)


def test_version_is_sent_whole_and_becomes_the_latest_there(tmp_path: Path) -> None:
    with serve_s3() as bucket:
        done = build(tmp_path / "ds", "--send-to", f"{bucket}/ds")
        assert done.code == 0, done.err
        version = done.result["version"]
        assert done.result["sent_to"] == f"{bucket}/ds@{version}"
        assert run_cli("dataset", "show", f"{bucket}/ds", "--json").result["version"] == version
        assert run_cli("dataset", "verify", f"{bucket}/ds", "--deep", "--json").result["damaged"] == 0


def test_second_build_sends_only_what_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = run_cli("build", *SCENES, "--out", tmp_path / "ds", "--send-to", store)
    again = run_cli("build", *SCENES, "--out", tmp_path / "ds", "--send-to", store)
    assert "tag latest" in first.out
    assert "tag latest: 0 B were not there" in again.out


def test_part_is_sent_for_the_merge(tmp_path: Path) -> None:
    for index in (0, 1):
        done = build(tmp_path / f"part-{index}", "--shard", f"{index}/2", "--send-to", tmp_path / f"store-{index}")
        assert done.code == 0, done.err
    stores = [f"{tmp_path}/store-{index}@part" for index in (0, 1)]
    merged = run_cli("merge", *stores, "--out", tmp_path / "all", "--json")
    assert merged.result["accepted"] == build(tmp_path / "whole").result["accepted"]


def test_version_that_a_gate_holds_up_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "gated.toml").write_text("[gates.total]\nkept_share = { max = 0.5 }\n")
    done = build(tmp_path / "ds", "--pipeline", tmp_path / "gated.toml", "--send-to", tmp_path / "store")
    assert (done.code, done.result["sent_to"]) == (7, None)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("address", ["nosuch://bucket/ds", "http://127.0.0.1:9/ds"])
def test_store_that_cannot_be_written_is_told_and_what_was_built_stays(tmp_path: Path, address: str) -> None:
    done = build(tmp_path / "ds", "--send-to", address)
    assert done.code == 2
    assert address.partition(":")[0] in done.result["error"]
    assert run_cli("dataset", "verify", tmp_path / "ds").code == 0
