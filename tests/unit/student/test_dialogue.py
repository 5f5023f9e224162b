"""Talks in one document: what is shown when, examples from a file, and the command that holds them."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.cli import chat
from instructgen.errors import InstructgenError
from instructgen.evaluate.shots.forms import write_prompt
from instructgen.student.dialogue import Dialogue, Exchange, read_exchanges
from tests.support.tiny_students import make_picture, make_spec, save_student


def run(*arguments: str | Path, text: str) -> list[dict[str, Any]]:
    app = typer.Typer()
    app.callback()(lambda: None)
    chat.add_to(app)
    done = CliRunner().invoke(app, ["chat", *map(str, arguments), "--json"], input=text)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def write_shots(folder: Path, *lines: object) -> Path:
    for number in range(3):
        (folder / f"{number}.png").write_bytes(make_picture(number))
    path = folder / "shots.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_talk_is_one_document_with_pictures_where_they_were_shown() -> None:
    talk = Dialogue("They talk.", (Exchange("What is it?", "A cup.", (b"one",)),))
    talk.add("Which color?", "Red.", (b"two", b"three"))
    talk.add("Sure?", "Yes.")
    document = talk.ask("And this?", (b"four",))
    assert write_prompt(document.parts) == (
        "They talk.\n"
        "<image>User: What is it?\nAssistant: A cup.<|endofchunk|>\n"
        "<image><image>User: Which color?\nAssistant: Red.<|endofchunk|>\n"
        "User: Sure?\nAssistant: Yes.<|endofchunk|>\n"
        "<image>User: And this?\nAssistant:"
    )
    assert document.pictures == (b"one", b"two", b"three", b"four")
    talk.begin_anew()
    assert talk.ask("And this?").pictures == (b"one",)


def test_examples_are_read_from_beside_their_file(tmp_path: Path) -> None:
    path = write_shots(
        tmp_path,
        {"image": "0.png", "question": " What? ", "answer": "A cup."},
        {"image": "1.png", "answer": "A dog."},
    )
    assert read_exchanges(path) == (
        Exchange("What?", "A cup.", (make_picture(0),)),
        Exchange("", "A dog.", (make_picture(1),)),
    )


@pytest.mark.parametrize(
    "line",
    [
        {"image": "9.png", "answer": "x"},
        {"image": "shots.jsonl", "answer": "x"},
        {"image": "0.png"},
        {"image": "0.png", "answer": "x", "wrong": 1},
    ],
)
def test_line_that_is_no_example_is_told_with_its_number(tmp_path: Path, line: object) -> None:
    path = write_shots(tmp_path, {"image": "0.png", "answer": "A cup."}, line)
    with pytest.raises(InstructgenError, match=r"shots.jsonl line 2: "):
        read_exchanges(path)


def test_command_talks_in_a_document_and_adds_pictures(tmp_path: Path) -> None:
    model = save_student(tmp_path / "tiny", make_spec(max_position_embeddings=4096))
    path = write_shots(tmp_path, {"image": "0.png", "question": "What is it?", "answer": "A cup."})
    flags = ("--shots", path, "--max-tokens", 4, "--temperature", 0, "--device", "cpu")
    told = run(model, tmp_path / "1.png", *flags, text=f"What is it?\nAnd?\n/image {tmp_path / '2.png'}\nNow?\n")
    first, second, third = (one["prompt_tokens"] for one in told)
    per_picture = 4
    assert second > first
    assert third > second + per_picture
    anew = run(model, tmp_path / "1.png", *flags, text="/reset\nWhat is it?\n")
    assert anew == told[:1]
    bare = run(model, tmp_path / "1.png", "--document", *flags[2:], text="What is it?\n")
    assert bare[0]["prompt_tokens"] < first
    chatted = run(model, tmp_path / "1.png", *flags[2:], text="What is it?\n")
    assert chatted[0]["prompt_tokens"] < bare[0]["prompt_tokens"]
