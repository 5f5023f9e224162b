"""An evaluation that is killed or stopped, taken up again by the same command."""

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.chat_server import ChatServer
from tests.support.cli import Done, Process, finish, kill, start_cli


def start(server: ChatServer, out: Path) -> Process:
    arguments = ["evaluate", server.base_url, "--model", "m", "--suite", "pope", "--limit", "5", "--batch", "10"]
    return start_cli(*arguments, "--out", out, "--json")


def figures(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = done.result["suites"]["pope"]
    return found


def test_killed_evaluation_pays_for_no_stored_answer_again(tmp_path: Path) -> None:
    with ChatServer(delay_s=0.02, text="Yes.") as server:
        process = start(server, tmp_path)
        server.wait_for(37)
        kill(process)
        num_at_kill = server.num_requests
        found = figures(finish(start(server, tmp_path)))
        asked = Counter(server.asked)
    assert (found["answered"], found["failed"]) == (found["asked"], 0)
    assert (found["accuracy"], found["yes_share"]) == (0.5, 1.0)
    # What was in flight when it was killed, ten at most, may be asked again.
    assert asked.total() - len(asked) <= 10
    assert num_at_kill < len(asked) <= found["asked"]


def test_ctrl_c_stops_and_says_how_to_go_on(tmp_path: Path) -> None:
    with ChatServer(delay_s=0.05, text="Yes.") as server:
        process = start(server, tmp_path)
        server.wait_for(15)
        process.send_signal(signal.SIGINT)
        stopped = finish(process)
        assert stopped.code == 3, stopped.err
        assert "run it again to go on" in json.loads(stopped.out.splitlines()[-1])["error"]
        assert figures(finish(start(server, tmp_path)))["accuracy"] == 0.5
