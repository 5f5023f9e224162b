"""Builds of shares and their merge, killed: going on is the same command again, and nothing is bought twice."""

import signal
import time
from pathlib import Path

from tests.faults.engine import CONCURRENCY, Engine, Life, read_rows
from tests.support.cli import run_cli, start_cli

NUM_SHARES = 3


def start_part(engine: Engine, index: int) -> Life:
    return engine.start("--shard", f"{index}/{NUM_SHARES}", "--out", part_folder(engine, index))


def part_folder(engine: Engine, index: int) -> Path:
    return engine.folder / f"part-{index}"


def test_part_killed_in_mid_run_goes_on_and_merges_to_the_whole(engine: Engine) -> None:
    engine.set_num_images(90)
    server = engine.serve(delay_s=0.02)
    for index in range(NUM_SHARES):
        life = start_part(engine, index)
        server.at(30 * index + 11, life.kill, 0.01)
        assert engine.wait(life).code == -signal.SIGKILL
        assert not (part_folder(engine, index) / "tags").exists()
        assert engine.wait(start_part(engine, index)).code == 0, engine.last
    tally = engine.tally()
    assert tally.beyond == 0
    assert tally.asked_again <= NUM_SHARES * CONCURRENCY
    assert len(server.asked) == 90
    whole = engine.run()
    again = engine.num_requests()
    parts = [part_folder(engine, index) for index in range(NUM_SHARES)]
    merged = run_cli("merge", *parts, "--out", engine.folder / "all", "--json")
    assert merged.code == 0, merged.err
    assert merged.result["version"] == whole.result["version"]
    engine.check_answers()
    goes_on = engine.run("--out", engine.folder / "all")
    assert goes_on.result["new_requests"] == 0
    assert engine.num_requests() == again


def test_merge_killed_at_any_step_leaves_nothing_half_done(engine: Engine) -> None:
    engine.set_num_images(60)
    engine.serve()
    for index in range(NUM_SHARES):
        assert engine.wait(start_part(engine, index)).code == 0, engine.last
    whole = engine.run()
    parts = [part_folder(engine, index) for index in range(NUM_SHARES)]
    out = engine.folder / "all"
    steps = ["run/journal", "run/merging", "run/merging/rejected.jsonl", "run/merging/manifest.json", "versions/*"]
    num_kills = 0
    for step in steps:
        process = start_cli("merge", *parts, "--out", out, "--json")
        while process.poll() is None and not list(out.glob(step)):
            time.sleep(0.001)
        if process.poll() is None:
            process.kill()
            num_kills += 1
        process.communicate(timeout=30)
        check_whole_or_not_there(out, whole.result["version"])
    assert num_kills >= 3
    merged = run_cli("merge", *parts, "--out", out, "--json")
    assert merged.code == 0, merged.err
    assert merged.result["version"] == whole.result["version"]
    assert (out / "tags" / "latest").read_text().strip() == whole.result["version"]
    assert not (out / "run" / "merging").exists()
    assert len(read_rows(whole)) == 60


def check_whole_or_not_there(out: Path, version: str) -> None:
    folder = out / "versions" / version
    if folder.exists():
        done = run_cli("dataset", "verify", folder)
        assert done.code == 0, done.err
    assert [path for path in (out / "versions").glob("[!.]*") if path != folder] == []


def test_part_that_is_still_being_built_is_not_merged(engine: Engine) -> None:
    server = engine.serve(delay_s=0.05)
    life = start_part(engine, 0)
    server.wait_for(3)
    done = run_cli("merge", part_folder(engine, 0), "--out", engine.folder / "all")
    assert done.code == 2
    assert "holds no part that is finished" in done.err
    assert engine.wait(life).code == 0
