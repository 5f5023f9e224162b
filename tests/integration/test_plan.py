"""`instructgen plan`: what it shows agrees with what a build then asks, and it leaves no trace."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_server import ChatServer
from tests.support.cli import Done, run_cli
from tests.support.coco_folder import make_coco, make_tables, write_coco

NUM_IMAGES = 25
TYPES = ["conv", "detail", "reasoning"]


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


def plan(*arguments: str | Path, cwd: Path) -> Done:
    return run_cli("plan", *arguments, cwd=cwd, TIKTOKEN_CACHE_DIR=str(cwd / "no-vocabulary"))


def list_files(folder: Path) -> list[tuple[str, int, int]]:
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))]


def answer_counts(done: Done) -> dict[str, Any]:
    return {name: (of_type["answered"], of_type["to_send"]) for name, of_type in done.result["types"].items()}


def test_plan_needs_no_key_and_leaves_no_trace(coco: Path, tmp_path: Path) -> None:
    before = list_files(tmp_path)
    done = plan("--root", coco, "--model", "gpt-4o-mini", cwd=tmp_path)
    assert done.code == 0, done.err
    assert list_files(tmp_path) == before
    assert "gpt-4o-mini" in done.out
    assert "No request is sent" in done.out


def test_plan_asks_what_a_build_then_sends_and_then_finds_it_answered(coco: Path, tmp_path: Path) -> None:
    with ChatServer() as server:
        flags = ["--root", coco, "--base-url", server.base_url, "--model", "m", "--out", tmp_path / "ds", "--json"]
        before = plan(*flags, cwd=tmp_path)
        assert before.code == 0, before.err
        assert server.num_requests == 0
        assert not (tmp_path / "ds").exists()
        built = run_cli("build", *flags)
        assert built.code == 0, built.err
        assert before.result["total"]["to_send"] == len(server.asked) == built.result["new_requests"]
        files = list_files(tmp_path / "ds")
        after = plan(*flags, cwd=tmp_path)
        assert server.num_requests == 3 * NUM_IMAGES
    assert answer_counts(after) == dict.fromkeys(TYPES, ({"ledger": NUM_IMAGES}, 0))
    assert list_files(tmp_path / "ds") == files
    assert after.result["time"]["latency_from"].endswith("latest run in this folder")


def test_plan_goes_by_what_the_first_images_cost(tmp_path: Path) -> None:
    coco = make_coco(tmp_path / "coco", 2 * NUM_IMAGES)
    with ChatServer() as server:
        flags = ["--root", coco, "--base-url", server.base_url, "--model", "m", "--out", tmp_path / "ds", "--json"]
        assert run_cli("build", *flags, "--limit", str(NUM_IMAGES)).code == 0
        done = plan(*flags, cwd=tmp_path)
    # The server says 100 and 20 tokens for whatever it is asked.
    assert done.result["total"]["to_send"] == 3 * NUM_IMAGES
    assert done.result["total"]["prompt_tokens"] == pytest.approx(100 * 3 * NUM_IMAGES, rel=0.02)
    assert done.result["total"]["completion_tokens"] == 20 * 3 * NUM_IMAGES


def test_planned_identity_is_the_one_that_json_output_and_other_settings_give(coco: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.toml"
    pipeline.write_text(
        "types = ['detail']\n[surrogate]\nmax_boxes = 1\n[teacher]\nmodel = 'm'\n"
        "[teacher.decoding]\ntemperature = 0.1\noutput_format = 'json'\n"
    )
    with ChatServer() as server:
        flags = ["--root", coco, "--base-url", server.base_url, "--pipeline", pipeline, "--out", tmp_path / "ds"]
        assert run_cli("build", *flags, "--json").code == 0
        assert answer_counts(plan(*flags, "--json", cwd=tmp_path)) == {"detail": ({"ledger": NUM_IMAGES}, 0)}


def test_budget_and_limits_are_told_in_words(coco: Path, tmp_path: Path) -> None:
    done = plan(
        "--root", coco, "--model", "gpt-4o-mini", "--budget-usd", "0.01", "--budget-tokens", "100000000",
        "--requests-per-minute", "10", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "not enough, it is expected to cover about" in done.out
    assert "enough even if every answer is as long as it can be" in done.out
    assert "bound by 10 requests a minute" in done.out
    assert "the shipped table" in done.out


def test_rejections_before_asking_are_shown_with_their_reason(tmp_path: Path) -> None:
    captions, instances = make_tables(4)
    captions["annotations"] = [one for one in captions["annotations"] if one["image_id"] != 11]
    coco = write_coco(tmp_path / "coco", captions, instances)
    done = plan("--root", coco, "--model", "gpt-4o-mini", "--json", cwd=tmp_path)
    (reason,) = done.result["types"]["conv"]["rejected"]
    told = plan("--root", coco, "--model", "gpt-4o-mini", cwd=tmp_path)
    assert f"rejected before asking, conv: {reason} 1" in told.out


def test_free_teacher_and_replay_cost_nothing_and_say_so(coco: Path, tmp_path: Path) -> None:
    free = plan("--root", coco, cwd=tmp_path)
    assert "cost: none; the teacher answers inside this process" in free.out
    assert "$" not in free.out
    assert run_cli("build", "--root", coco, "--limit", "5", "--out", tmp_path / "ds", "--json").code == 0
    replay = plan("--root", coco, "--replay", tmp_path / "ds" / "run", "--json", cwd=tmp_path)
    assert replay.code == 0, replay.err
    assert replay.result["total"]["cost_usd"] == 0
    assert replay.result["num_not_recorded"] == 3 * (NUM_IMAGES - 5)


def test_a_plan_refuses_what_a_build_refuses(coco: Path, tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text("[models.m]\nprompt = -1\ncompletion = 1\n")
    wrong = (
        (["--types", "poem"], "poem"),
        (["--model", "m", "--prices", table], "prompt"),
        (["--model", "m", "--base-url", "nonsense"], "nonsense"),
        (["--model", "m", "--requests-per-minute", "0"], "--requests-per-minute"),
        (["--model", "m", "--budget-usd", "-1"], "--budget-usd"),
    )
    for flags, named in wrong:
        done = plan("--root", coco, *flags, "--json", cwd=tmp_path)
        assert done.code == 2, flags
        assert named in json.loads(done.out.splitlines()[-1])["error"]
        assert "Traceback" not in done.err


def test_plan_of_many_images_goes_by_the_build_that_is_there(tmp_path: Path) -> None:
    coco = make_coco(tmp_path / "coco", 70)
    with ChatServer() as server:
        flags = ["--root", coco, "--base-url", server.base_url, "--model", "m", "--out", tmp_path / "ds", "--json"]
        built = run_cli("build", *flags)
        done = plan(*flags, "--images", "1M", cwd=tmp_path)
        assert server.num_requests == 210
    assert done.code == 0, done.err
    scale = done.result["at_scale"]
    assert (scale["num_images"], scale["sample_images"]) == (1_000_000, 70)
    # The server says 100 and 20 tokens for whatever it is asked.
    assert scale["total"]["requests"] == 3_000_000
    assert scale["total"]["prompt_tokens"] == pytest.approx(300_000_000, rel=1e-3)
    assert scale["total"]["completion_tokens"] == pytest.approx(60_000_000, rel=1e-3)
    accepted = sum(built.result["accepted"].values())
    assert scale["stores"]["num_rows"] == pytest.approx(3_000_000 * accepted / 210, abs=2)
    told = "\n".join(scale["measured"])
    assert f"version {built.result['version']}, 210 units" in told
    assert "the mean of 70 earlier answers" in told
    assert "CPU time of building: the run that made it" in told
    # A run that finds answers tells nothing of what asking takes, and another build nothing at all.
    assert run_cli("build", *flags).code == 0
    again = "\n".join(plan(*flags, "--images", "1M", cwd=tmp_path).result["at_scale"]["measured"])
    assert f"version {built.result['version']}" in again
    assert "CPU time of building" not in again
    other = plan(*flags, "--images", "1M", "--types", "conv", cwd=tmp_path)
    assert "version" not in "\n".join(other.result["at_scale"]["measured"])


def test_plan_of_many_images_is_told_in_words(coco: Path, tmp_path: Path) -> None:
    flags = ("--root", coco, "--model", "gpt-4o-mini", "--images", "100e6", "--images", "reference")
    done = plan(*flags, "--nodes", "2", "--cores-per-node", "4", "--budget-usd", "100", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"with 100,000,000 images, extrapolated from {NUM_IMAGES} of" in done.out
    assert "8 at a time on 2 nodes of 4 cores" in done.out
    assert "bound by 256 requests in flight" in done.out
    assert "makes about 3,000" in done.out
    assert "budget: it is expected to cover" in done.out
    assert "\nassumed:\n  all images are like the sample's" in done.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--nodes", "3"), "--nodes goes with a number of images"),
        (("--images", "embed", "--images", "auto"), "give one number, and one of auto, embed, reference"),
        (("--images", "none"), "none is no number of images"),
        (("--images", "1M", "--tokens-per-second", "0"), "wants more than 0"),
    ],
)
def test_flags_that_say_nothing_of_many_images_are_refused(flags: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = plan(*flags, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
