"""Builds whose units take more than one request, and builds whose teacher sees the pictures."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import answer_like_shots, find_picture, find_text
from tests.support.chat_server import Act, ChatServer
from tests.support.cli import Done, run_cli
from tests.support.coco_folder import make_coco
from tests.support.rows import read_rows

NUM_IMAGES = 12
ANY_ANSWER = '[filters]\nuse = ["refusal"]\n'
LIE = "Three zebras stand on a sofa."
TRUE = (
    "A brown dog plays with a red ball. The dog takes up the left part of the picture, and the ball lies near the "
    "right edge of it. The dog is running after the ball."
)


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as opened:
        yield opened


def build(
    server: ChatServer, coco: Path, folder: Path, toml: str = "", *more: str | Path, types: str = "detail"
) -> Done:
    pipeline = folder / "own.toml"
    pipeline.write_text(toml if "[filters" in toml else f'[filters]\nuse = ["refusal", "grounding"]\n{toml}')
    flags = ("--root", coco, "--base-url", server.base_url, "--model", "m", "--out", folder / "ds", "--types", types)
    return run_cli("build", "--pipeline", pipeline, *flags, "--json", *more)


def collect_unused(folder: Path) -> Done:
    return run_cli("ledger", "gc", folder / "ds", "--unused-to", folder / "unused.jsonl", "--json")


def is_repair(body: dict[str, Any]) -> bool:
    return "What is wrong with it" in find_text(body["messages"][-1])


def is_rewrite(body: dict[str, Any]) -> bool:
    return "copy editor" in find_text(body["messages"][0])


def echo_or_answer(body: dict[str, Any]) -> str:
    """Give a text back as it came; answer everything else in the form that is asked for."""
    return find_text(body["messages"][-1]) if is_rewrite(body) else answer_like_shots(body)


def read_lines(done: Done, name: str) -> list[dict[str, Any]]:
    path = Path(done.result["out"]) / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def number_of(text: str) -> int:
    return int(text.partition(" number ")[2].split(".")[0].split()[0])


def lie_of_each_third(body: dict[str, Any]) -> str:
    """Lie of each third image; tell the truth where a lie is to be corrected."""
    text = find_text(body["messages"][-1])
    return f"{TRUE} {LIE}" if number_of(text) % 3 == 0 and not is_repair(body) else TRUE


def test_lies_are_repaired_claim_by_claim_and_only_they(coco: Path, tmp_path: Path, server: ChatServer) -> None:
    server.text = lie_of_each_third
    done = build(server, coco, tmp_path, "[refine]\nrepair_rounds = 2\n")
    assert done.code == 0, done.err
    assert done.result["accepted"] == {"detail": NUM_IMAGES}
    repairs = [body for body in server.bodies if is_repair(body)]
    assert len(repairs) == NUM_IMAGES // 3
    assert all("zebra" in find_text(body["messages"][1]) for body in repairs)
    assert all(row["messages"][1]["content"] == TRUE for row in read_rows(Path(done.result["out"])))
    assert done.result["refined"] == {"repair": {"accepted": 4, "changed": 4, "unchanged": 0}}
    assert {line["outcome"] for line in read_lines(done, "refined.jsonl")} == {"accepted"}


def test_lies_that_nobody_mends_are_dropped_with_their_reason(coco: Path, tmp_path: Path, server: ChatServer) -> None:
    server.text = lambda body: f"{TRUE} {LIE}"
    done = build(server, coco, tmp_path, "[refine]\nrepair_rounds = 2\n", "--no-alarm")
    assert done.result["reasons"] == {"contradicted_claim": NUM_IMAGES}
    assert server.num_requests == 2 * NUM_IMAGES  # what comes back unchanged is not asked a second time
    assert done.result["kept_share"] == 0.0


def test_second_teacher_rewrites_and_pays_its_own_way(coco: Path, tmp_path: Path, server: ChatServer) -> None:
    server.text = lambda body: TRUE
    with ChatServer(text=lambda body: find_text(body["messages"][-1]) + " It is day.") as second:
        toml = f"[refine]\nrewrite = true\n[refine.teacher]\nmodel = 'editor'\nbase_url = '{second.base_url}'\n"
        done = build(server, coco, tmp_path, toml)
        assert (server.num_requests, second.num_requests) == (NUM_IMAGES, 1), "one text is rewritten once"
    assert done.code == 0, done.err
    assert {body["model"] for body in second.bodies} == {"editor"}
    rows = read_rows(Path(done.result["out"]))
    assert {row["messages"][1]["content"] for row in rows} == {f"{TRUE} It is day."}
    assert {row["model"] for row in rows} == {"m"}
    assert done.result["prompt_tokens"] == 100 * (NUM_IMAGES + 1)


def test_refiner_that_is_down_fails_units_and_the_next_run_asks_it_alone(
    coco: Path, tmp_path: Path, server: ChatServer
) -> None:
    refusal = Act(400, {}, b'{"error": {"message": "not this one", "code": "bad"}}')
    server.fault = lambda number, body: refusal if is_rewrite(body) else None
    server.text = echo_or_answer
    toml = f"{ANY_ANSWER}[refine]\nrewrite = true\n"
    failed = build(server, coco, tmp_path, toml)
    assert failed.code == 4
    assert failed.result["failed"] == {"detail": NUM_IMAGES}
    assert failed.result["reasons"] == {"bad_request": NUM_IMAGES}
    server.fault = None
    done = build(server, coco, tmp_path, toml)
    assert done.result["new_requests"] == NUM_IMAGES
    assert server.num_requests == 3 * NUM_IMAGES


def test_answers_whose_refinement_failed_are_named_and_stay_in_the_ledger(
    coco: Path, tmp_path: Path, server: ChatServer
) -> None:
    refusal = Act(400, {}, b'{"error": {"message": "not this one", "code": "bad"}}')
    server.fault = lambda number, body: refusal if is_rewrite(body) else None
    failed = build(server, coco, tmp_path, f"{ANY_ANSWER}[refine]\nrewrite = true\n")
    assert [len(line["request_ids"]) for line in read_lines(failed, "rejected.jsonl")] == [1] * NUM_IMAGES
    assert collect_unused(tmp_path).result["dropped"] == 0


def test_repairs_of_rejected_units_stay_in_the_ledger(coco: Path, tmp_path: Path, server: ChatServer) -> None:
    server.text = lambda body: f"{TRUE} {LIE}"
    done = build(server, coco, tmp_path, "[refine]\nrepair_rounds = 2\n", "--no-alarm")
    assert {len(line["request_ids"]) for line in read_lines(done, "rejected.jsonl")} == {2}
    assert collect_unused(tmp_path).result["dropped"] == 0


def test_refined_text_that_repeats_another_is_not_told_as_accepted(
    coco: Path, tmp_path: Path, server: ChatServer
) -> None:
    server.text = lambda body: find_text(body["messages"][-1]) if is_rewrite(body) else TRUE
    toml = '[filters]\nuse = ["refusal", "near_duplicate"]\n[refine]\nrewrite = true\n'
    done = build(server, coco, tmp_path, toml, "--no-alarm")
    assert done.result["reasons"] == {"near_duplicate": NUM_IMAGES - 1}
    outcomes = [line["outcome"] for line in read_lines(done, "refined.jsonl")]
    assert sorted(outcomes) == ["accepted"] + ["near_duplicate"] * (NUM_IMAGES - 1)
    assert done.result["refined"]["rewrite"]["accepted"] == sum(done.result["accepted"].values()) == 1


def test_changing_how_texts_are_refined_asks_for_what_is_new_alone(
    coco: Path, tmp_path: Path, server: ChatServer
) -> None:
    server.text = echo_or_answer
    plain = build(server, coco, tmp_path, ANY_ANSWER, types="conv,detail,reasoning")
    assert server.num_requests == 3 * NUM_IMAGES
    assert not (Path(plain.result["out"]) / "refined.jsonl").exists()
    refined = build(server, coco, tmp_path, f"{ANY_ANSWER}[refine]\nrewrite = true\n", types="conv,detail,reasoning")
    assert server.num_requests == 6 * NUM_IMAGES
    assert refined.result["version"] != plain.result["version"]
    back = build(server, coco, tmp_path, ANY_ANSWER, types="conv,detail,reasoning")
    assert back.result["version"] == plain.result["version"]
    assert server.num_requests == 6 * NUM_IMAGES


def test_budget_ends_a_run_between_the_steps_of_a_unit_and_more_goes_on(
    coco: Path, tmp_path: Path, server: ChatServer
) -> None:
    server.text, server.usage = echo_or_answer, lambda _: (900, 100)
    toml = f"{ANY_ANSWER}[refine]\nrewrite = true\n[teacher.decoding]\nmax_tokens = 200\n"
    tight = build(server, coco, tmp_path, toml, "--budget-tokens", "20000", "--concurrency", "2")
    assert tight.code == 5, tight.err
    assert 0 < server.num_requests < 2 * NUM_IMAGES
    assert server.billed_tokens <= 20000
    done = build(server, coco, tmp_path, toml, "--budget-tokens", "2000000")
    assert done.code == 0, done.err
    assert server.num_requests == 2 * NUM_IMAGES


@pytest.mark.parametrize("how", ["beside", "only"])
def test_teacher_that_sees_is_sent_every_picture_once(how: str, tmp_path: Path, server: ChatServer) -> None:
    flags = ("--base-url", server.base_url, "--model", "m", "--limit", "6", "--types", "detail", "--json")
    done = run_cli("build", *flags, "--see-image", how, "--out", tmp_path / "ds", "--no-alarm")
    assert done.code in (0, 4), done.err
    assert server.malformed == []
    assert len({find_picture(body) for body in server.bodies}) == server.num_requests == 6
    shows_boxes = ["person: [" in find_text(body["messages"][-1]) for body in server.bodies]
    assert any(shows_boxes) == (how == "beside")
    again = run_cli("build", *flags, "--see-image", how, "--out", tmp_path / "ds", "--no-alarm")
    assert again.result["new_requests"] == 0
    assert again.result["version"] == done.result["version"]


def test_picture_that_is_missing_is_rejected_before_anything_is_spent(tmp_path: Path, server: ChatServer) -> None:
    from instructgen.resources import shared_folder

    root = Path(shutil.copytree(shared_folder("data") / "sample", tmp_path / "sample"))
    (root / "sample" / "000000000002.jpg").unlink()
    (root / "sample" / "000000000003.jpg").write_bytes(b"no picture")
    flags = ("--root", root, "--base-url", server.base_url, "--model", "m", "--limit", "4", "--types", "detail")
    done = run_cli("build", *flags, "--see-image", "only", "--out", tmp_path / "ds", "--json")
    assert server.num_requests == 2
    by_image = {line["unit_id"]: line["reason"] for line in read_lines(done, "rejected.jsonl")}
    assert by_image["coco/000000000002/detail"] == "image_missing"
    assert by_image["coco/000000000003/detail"] == "image_unreadable"


def test_replay_of_a_refined_build_gives_the_same_version(coco: Path, tmp_path: Path, server: ChatServer) -> None:
    server.text = lie_of_each_third
    recorded = build(server, coco, tmp_path, "[refine]\nrepair_rounds = 1\nclean = true\n")
    num = server.num_requests
    pipeline, run = tmp_path / "own.toml", tmp_path / "ds" / "run"
    flags = ("--root", coco, "--types", "detail", "--replay", run, "--pipeline", pipeline, "--json")
    replayed = run_cli("build", *flags, "--out", tmp_path / "again")
    assert replayed.code == 0, replayed.err
    assert replayed.result["version"] == recorded.result["version"]
    assert server.num_requests == num


def test_plan_counts_pictures_and_says_what_refinement_may_add(tmp_path: Path) -> None:
    flags = ("plan", "--pipeline", "minigpt4", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--limit", "5")
    done = run_cli(*flags, "--out", tmp_path / "ds", "--json")
    assert done.code == 0, done.err
    assert done.result["refinement"]["most_requests_per_answer"] == 2
    assert done.result["refinement"]["requests"] == 5
    assert done.result["total"]["prompt_tokens"] > 5 * (85 + 170)
    said = run_cli(*flags, "--out", tmp_path / "ds").out
    assert "up to 2 more requests for each answer" in said
