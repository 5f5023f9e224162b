"""chat, describe, serve and model export as people call them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.cli import chat, describe, export_model, serve
from instructgen.errors import InstructgenError
from tests.support.cli import run_cli
from tests.support.tiny_students import make_picture, make_spec, save_student

_WAIT_S = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = make_spec(max_position_embeddings=60_000)
    return save_student(tmp_path_factory.mktemp("models") / "tiny", spec, template="chatml")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(4):
        (tmp_path / "photos" / f"{number}.png").write_bytes(make_picture(number))
    return tmp_path / "photos"


def run(*arguments: str | Path, text: str = "") -> tuple[int, list[str], str]:
    """Run a command in this process; return exit code, lines of its output, and its errors."""
    app = typer.Typer()
    for command in (chat, describe, serve, export_model):
        command.add_to(app)
    done = CliRunner().invoke(app, [*map(str, arguments)], input=text, catch_exceptions=True)
    error = done.exception
    if isinstance(error, InstructgenError):
        return error.exit_code, done.stdout.splitlines(), str(error)
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return done.exit_code, done.stdout.splitlines(), done.stderr


def read_json(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_each_line_of_a_pipe_is_a_question_and_the_talk_goes_on(model: Path, photos: Path) -> None:
    flags = ("--max-tokens", 8, "--temperature", 0, "--json")
    code, lines, _ = run("chat", model, photos / "0.png", *flags, text="What is it?\n\nAnd now?\n")
    assert code == 0
    first, second = read_json(lines)
    assert [first["question"], second["question"]] == ["What is it?", "And now?"]
    assert second["prompt_tokens"] > first["prompt_tokens"]
    _, alone, _ = run("chat", model, photos / "0.png", *flags, text="And now?\n")
    assert read_json(alone)[0]["prompt_tokens"] < second["prompt_tokens"]


def test_without_json_the_answers_stand_alone_on_standard_output(model: Path, photos: Path) -> None:
    flags = ("--max-tokens", 8, "--temperature", 0)
    _, told, _ = run("chat", model, photos / "0.png", *flags, "--json", text="What is it?\n")
    code, lines, errors = run("chat", model, photos / "0.png", *flags, text="What is it?\n/help\n")
    assert code == 0
    assert "\n".join(lines) == read_json(told)[0]["answer"]
    assert "/reset" in errors


def test_other_picture_and_reset_begin_anew(model: Path, photos: Path) -> None:
    talk = f"What is it?\n/image {photos / '1.png'}\nWhat is it?\n/reset\nWhat is it?\n/quit\nnever asked\n"
    code, lines, _ = run("chat", model, photos / "0.png", "--max-tokens", 8, "--temperature", 0, "--json", text=talk)
    first, second, third = read_json(lines)
    assert code == 0
    assert first["prompt_tokens"] == second["prompt_tokens"] == third["prompt_tokens"]
    assert first["answer"] != second["answer"] == third["answer"]


def test_mistake_within_the_talk_is_told_and_the_talk_goes_on(model: Path, photos: Path) -> None:
    talk = "/image none.png\n/dance\nWhat is it?\n"
    code, lines, _ = run("chat", model, photos / "0.png", "--max-tokens", 4, "--json", text=talk)
    told = read_json(lines)
    assert code == 4
    assert "none.png cannot be read" in told[0]["error"]
    assert "no command /dance" in told[1]["error"]
    assert told[2]["answer"] is not None


@pytest.mark.parametrize("name", ["none.png", "notes.txt"])
def test_picture_that_is_none_ends_the_command(model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("words")
    code, _, error = run("chat", model, tmp_path / name)
    assert code == 2
    assert name in error


def test_folder_without_a_model_is_told(tmp_path: Path) -> None:
    code, _, error = run("chat", tmp_path)
    assert (code, "instructgen.json" in error) == (2, True)


def test_what_a_model_writes_cannot_command_the_terminal() -> None:
    assert chat._make_safe("a\x1b[2Jb\x07\n\tc\x9b") == "a\ufffd[2Jb\ufffd\n\tc\ufffd"


def test_descriptions_are_counted_and_written_twice_the_same(model: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.png").write_bytes(b"none")
    flags = ("--max-tokens", 8, "--json")
    code, lines, _ = run("describe", model, photos, *flags)
    told = read_json(lines)[-1]
    assert code == 4
    assert (told["images"], told["described"], told["new"], told["failed"]) == (5, 4, 4, {"image_unreadable": 1})
    assert told["continued"] == 4
    (photos / "bad.png").unlink()
    code, lines, _ = run("describe", model, photos, *flags)
    assert (code, read_json(lines)[-1]["new"]) == (0, 0)
    run("describe", model, photos, *flags, "--batch", 1, "--out", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (photos / "captions.jsonl").read_bytes()


def test_described_folder_is_built_as_pairs(model: Path, photos: Path, tmp_path: Path) -> None:
    run("describe", model, photos, "--max-tokens", 8)
    captions = [json.loads(line)["caption"] for line in (photos / "captions.jsonl").read_text().splitlines()]
    (tmp_path / "plain.toml").write_text('types = ["brief"]\n[filters]\nuse = []\n')
    done = run_cli(
        *("build", "--pipeline", tmp_path / "plain.toml", "--source", "pairs", "--root", photos / "captions.jsonl"),
        *("--types", "brief", "--images", "embed", "--out", tmp_path / "ds", "--json"),
    )
    assert done.code == 0, done.err
    from tests.support.rows import read_rows

    rows = read_rows(Path(done.result["out"]))
    assert sorted(row["messages"][1]["content"] for row in rows) == sorted(" ".join(one.split()) for one in captions)
    assert {row["images"][0]["bytes"] for row in rows} == {make_picture(number) for number in range(4)}


def test_described_folder_is_minigpt4s_second_stage(model: Path, photos: Path, tmp_path: Path) -> None:
    code, lines, _ = run("describe", model, photos, "--max-tokens", 8, "--filter-cap", tmp_path / "align", "--json")
    assert (code, read_json(lines)[-1]["listed"]) == (0, 4)
    listed = json.loads((tmp_path / "align" / "filter_cap.json").read_text())["annotations"]
    captions = [json.loads(line)["caption"] for line in (photos / "captions.jsonl").read_text().splitlines()]
    assert [one["caption"] for one in listed] == captions
    for number, one in enumerate(listed):
        assert (tmp_path / "align" / "image" / f"{one['image_id']}.jpg").read_bytes() == make_picture(number)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--host", "0.0.0.0"), "give --api-key-env"),
        (("--api-key-env", "NO_SUCH_KEY_ANYWHERE"), "there is no NO_SUCH_KEY_ANYWHERE"),
        (("--allow-files", "/nowhere/at/all"), "no folder"),
        (("--device", "warp"), "--device warp cannot be used"),
        (("--dtype", "int4"), "--dtype int4"),
    ],
)
def test_server_that_cannot_be_meant_so_is_refused(
    model: Path, flags: tuple[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    code, _, error = run("serve", model, *flags)
    assert code == 2
    assert words in error


def test_export_says_what_it_wrote(model: Path, tmp_path: Path) -> None:
    code, lines, _ = run("export", model, "--out", tmp_path / "llava", "--json")
    told = read_json(lines)[-1]
    assert (code, told["form"], told["max_difference"] < 1e-5) == (0, "llava", True)
    code, lines, _ = run("chat", tmp_path / "llava", "--max-tokens", 4, "--json", text="What?\n")
    assert (code, len(lines)) == (0, 1)
    code, lines, _ = run("export", model, "--out", tmp_path / "own", "--form", "own", "--dtype", "bfloat16")
    assert code == 0
    assert run("export", model, "--out", tmp_path / "own")[0] == 2
    assert "there are: llava, blip2, own" in run("export", model, "--out", tmp_path / "x", "--form", "onnx")[2]


@pytest.mark.parametrize("command", ["chat", "describe", "serve", "export"])
def test_help_has_examples_and_needs_no_torch(command: str) -> None:
    code, lines, _ = run(command, "--help")
    assert code == 0
    assert sum("instructgen " in line for line in lines) >= 3
    script = (
        "import sys; from instructgen.cli import chat, describe, serve, export_model; "
        "print([name for name in ('torch', 'transformers', 'aiohttp', 'PIL', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
