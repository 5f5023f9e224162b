"""A build against a real HTTP server: what is sent, what is kept, and what is never asked twice."""

import json
import shutil
import signal
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from instructgen.errors import InstructgenError
from instructgen.ledger.reading import open_for_replay
from instructgen.resources import shared_folder
from tests.support.chat_server import ChatServer
from tests.support.cli import Done, finish, kill, run_cli, start_cli
from tests.support.coco_folder import make_coco

NUM_IMAGES = 20
NUM_UNITS = 3 * NUM_IMAGES


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


def arguments(server: ChatServer, coco: Path, out: Path, *more: str) -> list[str | Path]:
    return ["build", "--root", coco, "--base-url", server.base_url, "--model", "m", "--out", out, "--json", *more]


def rows(done: Done) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    paths = sorted(Path(done.result["out"]).glob("data/*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def num_stored(out: Path) -> int:
    """Count the answers in the ledger, with those that only the journal has yet."""
    try:
        with closing(open_for_replay(out / "run")) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM replies").fetchone()[0])
    except InstructgenError:
        return 0  # it is not there yet


def wait_for_stored(out: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while num_stored(out) < count:
        assert time.monotonic() < deadline, "the run never got that far"
        time.sleep(0.01)


def test_every_request_is_well_formed_and_sent_once(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds"))
    assert done.code == 0, done.err
    assert server.malformed == []
    assert server.num_requests == len(server.asked) == NUM_UNITS
    assert done.result["accepted"] == dict.fromkeys(["conv", "detail", "reasoning"], NUM_IMAGES), done.result
    assert done.result["prompt_tokens"] == 100 * NUM_UNITS
    assert done.result["completion_tokens"] == 20 * NUM_UNITS
    assert {body["model"] for body in server.bodies} == {"m"}
    assert {body["temperature"] for body in server.bodies} == {0.7}


def test_prompts_are_few_shot_chats_of_the_lengths_that_llava_used(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        run_cli(*arguments(server, coco, tmp_path / "ds", "--limit", "1"))
    lengths = sorted(len(body["messages"]) for body in server.bodies)
    assert lengths == [1 + 2 * 2 + 1, 1 + 2 * 3 + 1, 1 + 2 * 3 + 1]
    query = server.bodies[0]["messages"][-1]["content"]
    assert "dog: [0.062, 0.417, 0.375, 0.73]" in query or "dog: [0.0625" in query


def test_concurrency_changes_no_row(coco: Path, tmp_path: Path) -> None:
    with ChatServer(delay_s=0.01) as server:
        one = run_cli(*arguments(server, coco, tmp_path / "a", "--concurrency", "1"))
        many = run_cli(*arguments(server, coco, tmp_path / "b", "--concurrency", "16"))
    assert 4 < server.max_in_flight <= 16
    assert one.result["version"] == many.result["version"]
    assert rows(one) == rows(many)


@pytest.mark.parametrize("num_before_kill", [1, 13, 31, 55])
def test_killed_run_goes_on_without_asking_twice_for_what_was_answered(
    coco: Path, tmp_path: Path, num_before_kill: int
) -> None:
    out = tmp_path / "ds"
    in_flight = 4
    with ChatServer(delay_s=0.02) as server:
        process = start_cli(*arguments(server, coco, out, "--concurrency", str(in_flight)))
        wait_for_stored(out, num_before_kill)
        kill(process)
        num_kept = num_stored(out)
        time.sleep(0.1)  # let the server finish what it was asked
        num_asked = server.num_requests
        resumed = run_cli(*arguments(server, coco, out, "--concurrency", str(in_flight)))
        whole = run_cli(*arguments(server, coco, tmp_path / "whole"))
    assert resumed.code == 0, resumed.err
    assert num_asked - num_kept <= in_flight
    assert resumed.result["new_requests"] == NUM_UNITS - num_kept
    assert resumed.result["in_doubt"] <= in_flight
    assert resumed.result["version"] == whole.result["version"]
    assert rows(resumed) == rows(whole)


def test_requests_in_flight_at_a_kill_are_told_as_in_doubt(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer(delay_s=30) as hanging:
        process = start_cli(*arguments(hanging, coco, out, "--concurrency", "4"))
        deadline = time.monotonic() + 60
        while hanging.num_requests < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(process)
    with ChatServer() as server:
        done = run_cli(*arguments(server, coco, out))
    assert done.result["in_doubt"] == 4


def test_ctrl_c_keeps_what_is_in_flight_and_says_how_to_go_on(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer(delay_s=0.05) as server:
        process = start_cli(*arguments(server, coco, out, "--concurrency", "4"))
        wait_for_stored(out, 5)
        process.send_signal(signal.SIGINT)
        stopped = finish(process)
        num_asked = server.num_requests
        assert stopped.code == 3
        assert "the same command goes on" in stopped.err
        assert json.loads(stopped.out.splitlines()[-1])["exit_code"] == 3
        assert num_stored(out) == num_asked
        again = run_cli(*arguments(server, coco, out))
        assert again.code == 0
        assert server.num_requests == NUM_UNITS


def test_second_ctrl_c_ends_at_once_where_the_server_hangs(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer(delay_s=60) as server:
        process = start_cli(*arguments(server, coco, out, "--concurrency", "2"))
        deadline = time.monotonic() + 60
        while server.num_requests < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stopped = finish(process, timeout_s=30)
    assert stopped.code == 3
    assert "stopped at once" in stopped.err
    assert "Traceback" not in stopped.err


def test_second_process_is_refused_and_sends_nothing(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer(delay_s=0.2) as first_server, ChatServer() as second_server:
        process = start_cli(*arguments(first_server, coco, out, "--concurrency", "2"))
        wait_for_stored(out, 1)
        refused = run_cli(*arguments(second_server, coco, out))
        kill(process)
    assert refused.code == 2
    assert "in use by another" in refused.err
    assert second_server.num_requests == 0


def test_one_bad_request_fails_alone_and_is_asked_again(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"

    def refuse_one(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        return (400, {}, b'{"error": {"message": "no thanks", "code": "bad"}}') if number == 7 else None

    with ChatServer(fault=refuse_one) as server:
        done = run_cli(*arguments(server, coco, out))
        assert done.code == 4
        assert sum(done.result["failed"].values()) == 1
        assert done.result["reasons"] == {"bad_request": 1}
        assert sum(done.result["accepted"].values()) == NUM_UNITS - 1
        server.fault = None
        again = run_cli(*arguments(server, coco, out))
    assert again.code == 0
    assert again.result["new_requests"] == 1
    assert server.num_requests == NUM_UNITS + 1
    assert again.result["version"] != done.result["version"]
    assert Path(done.result["out"]).is_dir()


def test_wrong_key_stops_the_run_after_a_few_answers(coco: Path, tmp_path: Path) -> None:
    def refuse(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return (401, {}, b'{"error": {"message": "bad key sk-planted-123"}}')

    with ChatServer(fault=refuse) as server:
        done = run_cli(
            *arguments(server, coco, tmp_path / "ds", "--concurrency", "2"), OPENAI_API_KEY="sk-planted-123"
        )
    assert done.code == 3
    assert "unauthorized" in done.err
    assert server.num_requests <= 5
    assert "sk-planted-123" not in done.err + done.out


def test_key_is_in_no_file_of_a_run(coco: Path, tmp_path: Path) -> None:
    def refuse_one(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        return (400, {}, b'{"error": {"message": "key sk-planted-123 may not"}}') if number == 1 else None

    with ChatServer(fault=refuse_one) as server:
        run_cli(*arguments(server, coco, tmp_path / "ds"), OPENAI_API_KEY="sk-planted-123")
    files = [path for path in (tmp_path / "ds").rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if b"sk-planted-123" in path.read_bytes()]


def test_rate_limits_and_server_errors_are_tried_again(coco: Path, tmp_path: Path) -> None:
    tries: Counter[str] = Counter()

    def fail_twice(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        prompt = json.dumps(body["messages"])
        if len(prompt) % 4:
            return None
        tries[prompt] += 1
        if tries[prompt] == 1:
            return (429, {"retry-after": "0"}, b'{"error": {"message": "slow down"}}')
        return (503, {"retry-after": "0"}, b"<html>busy</html>") if tries[prompt] == 2 else None

    with ChatServer(fault=fail_twice) as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds"))
    assert done.code == 0, done.err
    assert done.result["new_requests"] == NUM_UNITS
    assert set(server.asked.values()) == {1, 3}
    assert set(server.answered.values()) == {1}


BROKEN_ANSWERS = {
    "truncated JSON": b'{"choices": [{"mess',
    "a page of HTML": b"<html>hello</html>",
    "invalid UTF-8": b'{"choices": "\xff\xfe"}',
    "an empty object": b"{}",
    "no choices": b'{"choices": []}',
    "content that is a number": b'{"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}',
    "a list": b"[]",
    "model that is a number": b'{"model": 7, "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}',
    "finish reason that is a list": b'{"choices": [{"message": {"content": "x"}, "finish_reason": []}]}',
    "message that is text": b'{"model": "m", "choices": [{"message": "x", "finish_reason": "stop"}]}',
    "an empty body": b"",
}


@pytest.mark.parametrize("payload", BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS.keys())
def test_broken_answer_is_a_counted_failure_and_nothing_is_lost(coco: Path, tmp_path: Path, payload: bytes) -> None:
    (tmp_path / "once.toml").write_text("[teacher]\nmax_attempts = 1\n")

    def break_one(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        return (200, {"retry-after": "0"}, payload) if number == 3 else None

    with ChatServer(fault=break_one) as server:
        command = arguments(server, coco, tmp_path / "ds", "--limit", "4", "--pipeline", str(tmp_path / "once.toml"))
        done = run_cli(*command)
    assert done.code == 4, done.err
    reason = "no_choices" if payload == BROKEN_ANSWERS["no choices"] else "bad_response"
    assert done.result["reasons"] == {reason: 1}
    assert sum(done.result["accepted"].values()) == 11


def test_half_of_a_surrogate_pair_is_replaced_and_the_answer_kept(coco: Path, tmp_path: Path) -> None:
    text = "A brown dog plays with a red ball in the park, and nobody else is to be seen anywhere near it. \ud83d"
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    payload = json.dumps({"model": "m", "choices": [choice]}).encode()

    def answer(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, payload)

    with ChatServer(fault=answer) as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds", "--types", "detail", "--limit", "2"))
    assert done.code == 0, done.err
    assert all(row["messages"][1]["content"].endswith("\ufffd") for row in rows(done))


def test_many_requests_refused_for_themselves_never_stop_the_others(tmp_path: Path) -> None:
    def refuse_conversations(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        is_conversation = len(body["messages"]) == 6
        return (400, {}, b'{"error": {"message": "too long"}}') if is_conversation else None

    large = make_coco(tmp_path / "large", 30)
    with ChatServer(fault=refuse_conversations) as server:
        first = run_cli(*arguments(server, large, tmp_path / "ds"))
        second = run_cli(*arguments(server, large, tmp_path / "ds"))
    assert first.code == second.code == 4
    assert first.result["failed"] == second.result["failed"] == {"conv": 30, "detail": 0, "reasoning": 0}
    assert first.result["version"] == second.result["version"]


def test_ctrl_c_does_not_wait_for_retries(coco: Path, tmp_path: Path) -> None:
    def busy(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return (503, {"retry-after": "50"}, b"busy")

    with ChatServer(fault=busy) as server:
        process = start_cli(*arguments(server, coco, tmp_path / "ds", "--concurrency", "2"))
        deadline = time.monotonic() + 60
        while server.num_requests < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        stopped = finish(process, timeout_s=30)
    assert stopped.code == 3
    assert "waiting for" in stopped.err
    assert server.num_requests == 2


def test_run_recorded_from_two_models_is_replayed_from_the_one_that_is_named(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        first = run_cli(*arguments(server, coco, tmp_path / "ds", "--limit", "2"))
        run_cli(*arguments(server, coco, tmp_path / "ds", "--limit", "2", "--model", "other"))
    replay = ["build", "--root", coco, "--limit", "2", "--replay", tmp_path / "ds" / "run", "--json"]
    unclear = run_cli(*replay, "--out", tmp_path / "a")
    assert unclear.code == 2
    assert "--model chooses" in unclear.err
    named = run_cli(*replay, "--out", tmp_path / "b", "--model", "m")
    assert named.result["version"] == first.result["version"]


def test_replay_leaves_nothing_in_the_recorded_run(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        run_cli(*arguments(server, coco, tmp_path / "ds", "--limit", "2"))
    run = tmp_path / "ds" / "run"
    before = {path: path.read_bytes() for path in run.iterdir()}
    done = run_cli("build", "--root", coco, "--limit", "2", "--replay", run, "--out", tmp_path / "b", "--json")
    assert done.code == 0
    assert {path: path.read_bytes() for path in run.iterdir()} == before


def test_build_that_accepted_nothing_does_not_become_the_latest(coco: Path, tmp_path: Path) -> None:
    from instructgen.dataset.publish import find_version

    out = tmp_path / "ds"
    with ChatServer() as server:
        good = run_cli(*arguments(server, coco, out, "--limit", "2"))
    card = (out / "README.md").read_text()
    with ChatServer(text=" ") as server:
        empty = run_cli(*arguments(server, coco, out, "--limit", "2", "--model", "mute"))
    assert empty.code == 4
    assert Path(empty.result["out"]).is_dir()
    assert find_version(out) == Path(good.result["out"])
    assert (out / "README.md").read_text() == card


def test_changed_filter_and_shard_size_ask_nothing(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    (tmp_path / "other.toml").write_text("[dataset]\nrows_per_shard = 3\n[filters]\nuse = ['leakage']\n")
    with ChatServer() as server:
        first = run_cli(*arguments(server, coco, out))
        second = run_cli(*arguments(server, coco, out, "--pipeline", str(tmp_path / "other.toml")))
    assert server.num_requests == NUM_UNITS
    assert second.result["new_requests"] == 0
    assert second.result["version"] != first.result["version"]
    assert len(list((out / "versions").iterdir())) == 2


def test_changed_prompt_asks_just_its_own_type_again(coco: Path, tmp_path: Path) -> None:
    out, prompts = tmp_path / "ds", tmp_path / "prompts"
    shutil.copytree(shared_folder("prompts"), prompts)
    (tmp_path / "own.toml").write_text(f"[teacher]\nprompts = '{prompts}'\n")
    with ChatServer() as server:
        run_cli(*arguments(server, coco, out))
        same = run_cli(*arguments(server, coco, out, "--pipeline", str(tmp_path / "own.toml")))
        assert same.result["new_requests"] == 0
        system = prompts / "detail" / "system.j2"
        system.write_text(system.read_text() + "\nWrite in the present tense.\n")
        changed = run_cli(*arguments(server, coco, out, "--pipeline", str(tmp_path / "own.toml")))
    assert changed.result["new_requests"] == NUM_IMAGES


def test_changed_model_asks_everything_again(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        run_cli(*arguments(server, coco, tmp_path / "ds"))
        other = run_cli(*arguments(server, coco, tmp_path / "ds", "--model", "other"))
    assert other.result["new_requests"] == NUM_UNITS


def test_added_image_asks_just_its_own_units(tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer() as server:
        run_cli(*arguments(server, make_coco(tmp_path / "small", 5), out))
        more = run_cli(*arguments(server, make_coco(tmp_path / "large", 6), out))
    assert more.result["new_requests"] == 3


def test_images_with_the_same_surrogate_share_one_request(tmp_path: Path) -> None:
    from tests.support.coco_folder import make_tables, write_coco

    captions, instances = make_tables(5)
    for k, annotation in enumerate(captions["annotations"]):
        annotation["caption"] = captions["annotations"][k % 5]["caption"]
    with ChatServer(delay_s=0.05) as server:
        done = run_cli(*arguments(server, write_coco(tmp_path / "twins", captions, instances), tmp_path / "ds"))
    assert server.num_requests == 3
    assert sum(done.result["accepted"].values()) == 15
    assert done.result["prompt_tokens"] == 300


def test_replay_gives_the_same_version_without_a_server(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        recorded = run_cli(*arguments(server, coco, tmp_path / "ds"))
    run = tmp_path / "ds" / "run"
    replayed = run_cli("build", "--root", coco, "--replay", run, "--out", tmp_path / "again", "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.result["version"] == recorded.result["version"]
    assert rows(replayed) == rows(recorded)


def test_replay_fails_what_was_never_recorded(tmp_path: Path) -> None:
    with ChatServer() as server:
        run_cli(*arguments(server, make_coco(tmp_path / "small", 2), tmp_path / "ds"))
    large = make_coco(tmp_path / "large", 3)
    done = run_cli("build", "--root", large, "--replay", tmp_path / "ds" / "run", "--out", tmp_path / "b", "--json")
    assert done.code == 4
    assert done.result["reasons"] == {"not_recorded": 3}


def test_json_format_asks_with_a_schema_and_gives_the_same_kind_of_rows(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds", "--output-format", "json"))
    assert done.code == 0, done.err
    assert {body["response_format"]["type"] for body in server.bodies} == {"json_schema"}
    assert sum(done.result["accepted"].values()) == NUM_UNITS, done.result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, but I cannot see the image.", {"refusal"}),
        ("Question:\nWhat is it?\n===\nAnswer:\nThe caption says it is a dog.", {"source_leak"}),
        ("Question:\nWhat is it?\n===\nAnswer:\nA dog.</s> ### Human: hello", {"control_string"}),
        ("   ", {"empty_reply"}),
        ("Question:\nWhat is it?", {"dangling_question"}),
    ],
)
def test_bad_reply_is_rejected_with_a_reason_and_kept_beside(
    coco: Path, tmp_path: Path, text: str, reason: set[str]
) -> None:
    with ChatServer(text=text) as server:
        done = run_cli(*arguments(server, coco, tmp_path / "ds", "--limit", "2"))
    assert reason <= set(done.result["reasons"]), done.result
    lines = [json.loads(line) for line in (Path(done.result["out"]) / "rejected.jsonl").read_text().splitlines()]
    assert len(lines) == sum(done.result["rejected"].values()) > 0
    assert {line["text"] for line in lines} == {text}


def test_answer_without_usage_is_kept_and_its_cost_is_unknown_where_tokens_have_a_price(
    coco: Path, tmp_path: Path
) -> None:
    (tmp_path / "prices.toml").write_text('as_of = "2026-11-24"\n[models.m]\nprompt = 2.0\ncompletion = 10.0\n')
    answer = {
        "message": {"role": "assistant", "content": "A brown dog plays with a ball. " * 8},
        "finish_reason": "stop",
    }
    payload = json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [answer]})

    def leave_usage_out(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, payload.encode())

    with ChatServer(fault=leave_usage_out) as server:
        free = run_cli(*arguments(server, coco, tmp_path / "free", "--types", "detail", "--limit", "2"))
        command = arguments(server, coco, tmp_path / "priced", "--types", "detail", "--limit", "2")
        priced = run_cli(*command, "--prices", tmp_path / "prices.toml")
    assert free.result["new_requests"] == priced.result["new_requests"] == 2
    assert free.result["cost_usd"] == 0
    assert priced.result["cost_usd"] is None


def test_cost_is_added_up_from_the_configured_price(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('as_of = "2026-11-24"\n[models.m]\nprompt = 2.0\ncompletion = 10.0\n')
    with ChatServer() as server:
        done = run_cli(
            *arguments(server, coco, tmp_path / "ds", "--limit", "2", "--prices", str(tmp_path / "prices.toml"))
        )
    assert done.result["cost_usd"] == pytest.approx(6 * (100 * 2 + 20 * 10) / 1e6)
