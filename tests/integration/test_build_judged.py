"""Builds in which a second model marks what the filters accepted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import answer_like_shots, find_text
from tests.support.batch_server import BatchServer, Ending
from tests.support.chat_server import Act, ChatServer
from tests.support.cli import Done, run_cli
from tests.support.coco_folder import make_coco
from tests.support.rows import read_rows

LIMIT = 12
TYPES = ("conv", "detail")


def is_judging(body: dict[str, Any]) -> bool:
    return "[What is known of the photograph]" in find_text(body["messages"][-1])


def mark(body: dict[str, Any]) -> str:
    """Mark what has an even number of characters high, the rest low; answer in the form that is asked for."""
    if not is_judging(body):
        return answer_like_shots(body)
    return "9 7.5\nFine." if is_good(find_text(body["messages"][-1])) else "4 9\nHalf of it is made up."


def is_good(shown: str) -> bool:
    return len(shown) % 2 == 0


def write_pipeline(folder: Path, server: ChatServer, *, bounds: str = "", more: str = "") -> Path:
    path = folder / "own.toml"
    path.write_text(f"[judge]\n{bounds}\n[judge.teacher]\nmodel = 'j'\nbase_url = '{server.base_url}'\n{more}")
    return path


def build(folder: Path, pipeline: Path | None, *more: str | Path) -> Done:
    chosen = () if pipeline is None else ("--pipeline", pipeline)
    types = () if "--types" in more else ("--types", ",".join(TYPES))
    limit = () if "--root" in more else ("--limit", str(LIMIT))
    return run_cli("build", *chosen, *types, *limit, "--out", folder / "ds", "--json", *more)


def read_rejected(done: Done) -> list[dict[str, Any]]:
    path = Path(done.result["out"]) / "rejected.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def manifest_of(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(done.result["out"]) / "manifest.json").read_bytes())
    return found


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(text=mark) as opened:
        yield opened


def test_marks_decide_what_of_the_sample_is_published(tmp_path: Path, server: ChatServer) -> None:
    plain = build(tmp_path / "plain", None)
    done = build(tmp_path, write_pipeline(tmp_path, server))
    assert done.code == 0, done.err
    assert "judged by j" in done.err
    num_good = sum(is_good(find_text(body["messages"][-1])) for body in server.bodies)
    assert server.num_requests == sum(plain.result["accepted"].values()), "one request for each accepted sample"
    assert 0 < num_good < server.num_requests
    assert sum(done.result["accepted"].values()) == num_good
    assert done.result["reasons"]["judged_low"] == server.num_requests - num_good
    assert server.malformed == []
    rows = read_rows(Path(done.result["out"]))
    assert {(row["scores"]["judge_accuracy"], row["scores"]["judge_relevancy"]) for row in rows} == {(9.0, 7.5)}
    assert all(len(row["request_ids"]) == 2 and row["prompt_tokens"] == 100 for row in rows)
    assert {row["teacher"] for row in rows} == {"scene-program"}
    assert done.result["prompt_tokens"] == 100 * server.num_requests


def test_what_was_marked_low_is_kept_aside_with_its_text_and_its_verdict(tmp_path: Path, server: ChatServer) -> None:
    done = build(tmp_path, write_pipeline(tmp_path, server))
    low = [line for line in read_rejected(done) if line["reason"] == "judged_low"]
    assert low
    for line in low:
        assert line["detail"] == "accuracy 4, relevancy 9: Half of it is made up."
        assert line["text"]
        assert line["judge_request_id"] != line["request_id"]


def test_verdicts_on_what_is_turned_away_stay_in_the_ledger(tmp_path: Path, server: ChatServer) -> None:
    done = build(tmp_path, write_pipeline(tmp_path, server))
    assert "judged_low" in done.result["reasons"]
    unused = ("--unused-to", tmp_path / "unused.jsonl")
    assert run_cli("ledger", "gc", tmp_path / "ds", *unused, "--json").result["dropped"] == 0


def test_second_run_asks_nothing_and_gives_the_same_version(tmp_path: Path, server: ChatServer) -> None:
    pipeline = write_pipeline(tmp_path, server)
    first = build(tmp_path, pipeline)
    num = server.num_requests
    again = build(tmp_path, pipeline)
    assert (again.result["new_requests"], server.num_requests) == (0, num)
    assert again.result["version"] == first.result["version"]


def test_bounds_change_the_version_and_ask_nothing(tmp_path: Path, server: ChatServer) -> None:
    first = build(tmp_path, write_pipeline(tmp_path, server))
    num = server.num_requests
    lax = build(tmp_path, write_pipeline(tmp_path, server, bounds="min_accuracy = 4"))
    assert server.num_requests == num
    assert sum(lax.result["accepted"].values()) == num
    assert lax.result["version"] != first.result["version"]
    judge = manifest_of(lax)["config"]["judge"]
    assert (judge["model"], judge["min_accuracy"], judge["min_relevancy"]) == ("j", 4.0, 6.0)
    assert "assess" in manifest_of(lax)["prompts"]


def test_build_without_a_judge_says_nothing_of_one(tmp_path: Path) -> None:
    done = build(tmp_path, None)
    assert "judge" not in manifest_of(done)["config"]
    assert "assess" not in manifest_of(done)["prompts"]
    assert not any(name.startswith("judge") for name in read_rows(Path(done.result["out"]))[0]["scores"])


@pytest.mark.parametrize("unreadable", ["reject", "keep"])
def test_verdicts_without_marks_are_counted_or_done_without(
    unreadable: str, tmp_path: Path, server: ChatServer
) -> None:
    server.text = lambda _: "It is a fine text."
    done = build(tmp_path, write_pipeline(tmp_path, server, bounds=f"unreadable = '{unreadable}'"), "--no-alarm")
    if unreadable == "reject":
        assert done.result["reasons"]["judge_unreadable"] == server.num_requests
        assert sum(done.result["accepted"].values()) == 0
        return
    assert sum(done.result["accepted"].values()) == server.num_requests
    scores = [row["scores"] for row in read_rows(Path(done.result["out"]))]
    assert {(one["judge_accuracy"], one["judge_relevancy"]) for one in scores} == {(None, None)}


def test_judge_that_is_down_fails_units_and_the_next_run_asks_it_alone(tmp_path: Path, server: ChatServer) -> None:
    server.fault = lambda number, body: Act(400, {}, b'{"error": {"message": "not this one", "code": "bad"}}')
    pipeline = write_pipeline(tmp_path, server)
    failed = build(tmp_path, pipeline, "--no-alarm")
    assert failed.code == 4
    num = server.num_requests
    assert sum(failed.result["failed"].values()) == failed.result["reasons"]["bad_request"] == num
    server.fault = None
    done = build(tmp_path, pipeline)
    assert done.result["new_requests"] == num
    assert sum(done.result["failed"].values()) == 0


def test_replay_of_a_judged_build_gives_the_same_version(tmp_path: Path, server: ChatServer) -> None:
    pipeline = write_pipeline(tmp_path, server, more="[filters]\nuse = ['refusal']\n")
    coco = make_coco(tmp_path / "coco", LIMIT)
    flags = ("--root", coco, "--types", "detail")
    recorded = build(tmp_path, pipeline, *flags, "--base-url", server.base_url, "--model", "m")
    assert recorded.code == 0, recorded.err
    assert {body["model"] for body in server.bodies} == {"m", "j"}
    num = server.num_requests
    run = tmp_path / "ds" / "run"
    replayed = build(tmp_path / "again", pipeline, *flags, "--replay", run, "--model", "m")
    assert replayed.code == 0, replayed.err
    assert replayed.result["version"] == recorded.result["version"]
    assert server.num_requests == num


def test_batch_asks_the_judge_live_and_gives_the_same_version(tmp_path: Path) -> None:
    flags = ("--root", make_coco(tmp_path / "coco", LIMIT), "--types", "detail", "--model", "m")
    (tmp_path / "batch").mkdir()
    with BatchServer(end=lambda *_: Ending(num_looks=1)) as server:
        server.text = mark
        pipeline = write_pipeline(tmp_path, server, more="[filters]\nuse = ['refusal']\n")
        live = build(tmp_path, pipeline, *flags, "--base-url", server.base_url)
        batch = build(tmp_path / "batch", pipeline, *flags, "--base-url", server.base_url, "--batch")
        assert sum(len(one.ids) for one in server.batches.values()) == LIMIT
        assert server.mistakes == []
    assert batch.code == 0, batch.err
    assert batch.result["version"] == live.result["version"]


def test_budget_is_held_against_the_judge_too(tmp_path: Path, server: ChatServer) -> None:
    server.usage = lambda _: (900, 100)
    more = "[judge.teacher.decoding]\nmax_tokens = 200\n"
    pipeline = write_pipeline(tmp_path, server, more=more)
    tight = build(tmp_path, pipeline, "--budget-tokens", "15000")
    assert tight.code == 5, tight.err
    assert 0 < server.billed_tokens <= 15000
    done = build(tmp_path, pipeline, "--budget-tokens", "2000000")
    assert done.code == 0, done.err
    assert set(server.answered.values()) == {1}, "nothing is asked twice"


def test_plan_says_what_the_judge_may_cost(tmp_path: Path, server: ChatServer) -> None:
    pipeline = write_pipeline(tmp_path, server, more="[teacher]\nmodel = 'gpt-4o-mini'\n")
    flags = ("plan", "--pipeline", pipeline, "--types", "detail", "--limit", "5", "--out", tmp_path / "ds")
    judging = run_cli(*flags, "--json").result["judging"]
    assert (judging["model"], judging["requests"]) == ("j", 5)
    assert judging["prompt_tokens"] > 5 * 300
    assert "judge: openai, model j, one more request for each answer to come" in run_cli(*flags).out
    assert server.num_requests == 0
