"""`instructgen build --batch` against a real server with a batch API, through the command line."""

import signal
import time
from pathlib import Path

import pytest

from tests.support.batch_server import BatchServer, Ending
from tests.support.cli import ROOT, Done, finish, run_cli, start_cli
from tests.support.coco_folder import make_coco

NUM_IMAGES = 6
NUM_UNITS = 3 * NUM_IMAGES


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


def arguments(server: BatchServer, coco: Path, out: Path, *more: str | Path) -> list[str | Path]:
    return ["build", "--root", coco, "--base-url", server.base_url, "--model", "m", "--out", out, "--json", *more]


def in_batches(server: BatchServer) -> int:
    return sum(len(batch.ids) for batch in server.batches.values())


def test_batch_and_live_give_the_same_dataset(coco: Path, tmp_path: Path) -> None:
    with BatchServer(end=lambda *_: Ending(num_looks=1)) as server:
        live = run_cli(*arguments(server, coco, tmp_path / "live"))
        num_live = server.num_requests
        batch = run_cli(*arguments(server, coco, tmp_path / "batch", "--batch"))
    assert batch.code == 0, batch.err
    assert num_live == NUM_UNITS
    assert in_batches(server) == NUM_UNITS
    assert server.mistakes == []
    assert batch.result["version"] == live.result["version"]
    assert batch.result["in_doubt"] == 0


def test_ctrl_c_leaves_the_batch_running_and_the_same_command_collects_it(coco: Path, tmp_path: Path) -> None:
    with BatchServer(end=lambda *_: Ending(num_looks=1)) as server:
        server.hold = True
        process = start_cli(*arguments(server, coco, tmp_path / "ds", "--batch"))
        deadline = time.monotonic() + 60
        while not server.batches:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        stopped = finish(process)
        assert stopped.code == 3, stopped.err
        assert "run the same command again to collect" in stopped.err
        assert_live_run_is_refused(run_cli(*arguments(server, coco, tmp_path / "ds")), server)
        server.hold = False
        done = run_cli(*arguments(server, coco, tmp_path / "ds", "--batch"))
    assert done.code == 0, done.err
    assert len(server.batches) == 1
    assert done.result["in_doubt"] == 0
    assert sum(done.result["accepted"].values()) == NUM_UNITS


def assert_live_run_is_refused(done: Done, server: BatchServer) -> None:
    assert done.code == 2
    assert f"1 batches with {NUM_UNITS} requests are out" in done.err
    assert server.num_requests == 0


def test_rest_of_an_expired_batch_is_asked_live_on_request(coco: Path, tmp_path: Path) -> None:
    with BatchServer(end=lambda *_: Ending("expired", num_looks=1, num_answered=10)) as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds", "--batch-live-rest"))
    assert done.code == 0, done.err
    assert server.num_requests == NUM_UNITS - 10
    assert sum(done.result["accepted"].values()) == NUM_UNITS


def test_batch_wants_a_server_to_ask(tmp_path: Path) -> None:
    done = run_cli("build", "--limit", "2", "--batch", "--out", tmp_path / "ds", cwd=ROOT)
    assert done.code == 2
    assert "--batch wants the openai teacher" in done.err
