"""Evaluations that ask servers: a student behind one, a judge, who writes reference answers."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from instructgen.cli.evaluate import add_to
from instructgen.config import SourceConfig, TeacherConfig
from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.evaluate.predictions import PREDICTIONS_NAME
from instructgen.evaluate.results import Model
from instructgen.jobs.evaluate import JUDGE_DECODING, EvaluateOptions, Evaluation, SuiteResult, hash_model
from instructgen.student.ask import Ask, Sampling
from tests.support.answers import find_picture, find_text
from tests.support.chat_server import Act, ChatServer
from tests.support.students import ScriptedStudent, always

SAMPLE = SourceConfig()
MODEL = Model("scripted", "0" * 64)
QUESTIONS = [
    {"question_id": 0, "image": "a.png", "category": "conv", "text": "What is it?"},
    {"question_id": 1, "image": "a.png", "category": "detail", "text": "Tell me more."},
    {"question_id": 2, "image": "b.png", "category": "conv", "text": "And this?"},
]
CONTEXTS = [
    {"id": "a", "image": "a.png", "caption": ["A dog.", "A brown dog."]},
    {"image": "b.png", "captions": ["A cat."], "instances": [{"category": "cat", "bbox": [0.1, 0.2, 0.3, 0.4]}]},
]
ANSWERS = [{"question_id": number, "text": f"reference {number}", "model_id": "gpt"} for number in range(3)]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    (folder / "images").mkdir(parents=True)
    write_lines(folder / "questions.jsonl", QUESTIONS)
    write_lines(folder / "context.jsonl", CONTEXTS)
    write_lines(folder / "answers_gpt4.jsonl", ANSWERS)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8), "red").save(folder / "images" / name)
    return folder


def asks(server: ChatServer, name: str = "judge") -> TeacherConfig:
    return TeacherConfig(name="openai", model=name, base_url=server.base_url, decoding=JUDGE_DECODING)


def judge(out: Path, server: ChatServer, student: ScriptedStudent, **changes: Any) -> SuiteResult:
    options = EvaluateOptions(("llava-bench",), out, **{"source": SAMPLE, "judge": asks(server), **changes})
    _, (measured,) = Evaluation(options).run(student, MODEL)
    return measured


def part_of(shown: str, name: str) -> str:
    return shown.partition(f"[{name}]\n")[2].partition("\n\n[")[0]


def test_judge_is_shown_the_reference_first_and_marks_give_a_relative_score(tmp_path: Path, bench: Path) -> None:
    marks = {"reference 0": "8 6", "reference 1": "10, 5\nThe second is short.", "reference 2": "8, 4"}

    def mark(body: dict[str, Any]) -> str:
        return marks[part_of(find_text(body["messages"][-1]), "Assistant 1")]

    with ChatServer(text=mark) as server:
        measured = judge(tmp_path / "out", server, always("A dog, I think."), bench=bench)
        assert server.malformed == []
        texts = [find_text(body["messages"][-1]) for body in server.bodies]
        assert {body["temperature"] for body in server.bodies} == {0.2}
        assert {body["max_tokens"] for body in server.bodies} == {1024}
    shown = {part_of(text, "Question"): text for text in texts}
    assert part_of(shown["What is it?"], "Context") == "A dog.\nA brown dog."
    assert shown["And this?"].startswith("[Context]\nA cat.\n\ncat: [0.1, 0.2, 0.3, 0.4]\n\n[Question]")
    assert {part_of(text, "Assistant 2") for text in shown.values()} == {"A dog, I think."}
    assert shown["And this?"].index("[End of Assistant 2]") < shown["And this?"].index("[System]")
    figures = measured.described
    assert figures["score"] == pytest.approx(100 * 15 / 26, abs=1e-6)
    assert figures["groups"]["category"]["conv"]["score"] == pytest.approx(100 * 10 / 16, abs=1e-6)
    assert figures["groups"]["category"]["detail"]["score"] == 50.0
    assert figures["counts"]["judged"] == figures["samples"] == 3


def test_what_is_no_pair_of_marks_is_left_out_and_counted(tmp_path: Path, bench: Path) -> None:
    replies = {"reference 0": "Assistant 1 is better.", "reference 1": "8 8 8", "reference 2": "8 4"}

    def mark(body: dict[str, Any]) -> str:
        return replies[part_of(find_text(body["messages"][-1]), "Assistant 1")]

    with ChatServer(text=mark) as server:
        measured = judge(tmp_path / "out", server, always("A dog."), bench=bench)
    assert measured.described["score"] == 50.0
    assert measured.described["counts"] == {
        "judged": 1, "reference_failed": 0, "judge_failed": 0, "judge_unreadable": 2,
    }  # fmt: skip
    assert measured.described["groups"]["category"]["detail"]["score"] is None


def test_judge_that_fails_is_counted_and_asked_again_later_and_nothing_else_is(tmp_path: Path, bench: Path) -> None:
    def fail_on_two(number: int, body: dict[str, Any]) -> Act | None:
        is_two = part_of(find_text(body["messages"][-1]), "Assistant 1") == "reference 2"
        return Act(400, body=b'{"error": {"message": "no"}}') if is_two else None

    student = always("A dog.")
    with ChatServer(text="8 8", fault=fail_on_two) as server:
        first = judge(tmp_path / "out", server, student, bench=bench)
        assert (first.described["counts"]["judge_failed"], first.num_failed) == (1, 1)
        server.fault = None
        num_before = server.num_requests
        second = judge(tmp_path / "out", server, student, bench=bench)
        assert server.num_requests == num_before + 1
    assert (second.described["counts"]["judged"], second.num_failed) == (3, 0)
    assert second.described["score"] == 100.0
    assert len(student.asked) == 3


def test_reference_answers_are_written_from_the_context_alone(tmp_path: Path, bench: Path) -> None:
    (bench / "answers_gpt4.jsonl").unlink()

    def answer(body: dict[str, Any]) -> str:
        return "A fine dog." if body["model"] == "writer" else "9 9"

    with pytest.raises(InstructgenError, match="--reference"), ChatServer() as server:
        judge(tmp_path / "out", server, always("A dog."), bench=bench)
    with ChatServer(text=answer) as server:
        judge(tmp_path / "out", server, always("A dog."), bench=bench, reference=asks(server, "writer"))
        written = [body for body in server.bodies if body["model"] == "writer"]
        judged = [find_text(body["messages"][-1]) for body in server.bodies if body["model"] == "judge"]
    assert len(written) == 3
    assert all(find_picture(body) is None for body in server.bodies)
    assert "A brown dog." in find_text(written[0]["messages"][-1])
    assert {part_of(text, "Assistant 1") for text in judged} == {"A fine dog."}


def test_questions_made_of_a_source_have_the_scene_programs_answers_as_reference(tmp_path: Path) -> None:
    with ChatServer(text="8 7") as server:
        measured = judge(tmp_path / "out", server, always("A park."), limit=3)
        shown = [find_text(body["messages"][-1]) for body in server.bodies]
    assert measured.described["samples"] == 9
    assert set(measured.described["groups"]["category"]) == {"conv", "detail", "complex"}
    assert measured.described["score"] == 87.5
    assert all(len(part_of(text, "Assistant 1")) > 10 for text in shown)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("questions.jsonl", {"question_id": 1}, r"questions.jsonl line 1"),
        ("context.jsonl", {"image": "c.png", "caption": "A cow."}, "of which no context tells"),
        ("answers_gpt4.jsonl", {"question_id": 9, "text": "x"}, "no answer to question 0"),
        ("questions.jsonl", QUESTIONS[0], "question 0 is there twice"),
    ],
)
def test_files_of_a_bench_that_do_not_fit_are_named(
    tmp_path: Path, bench: Path, name: str, line: dict[str, Any], message: str
) -> None:
    write_lines(bench / name, [line, line])
    with ChatServer() as server, pytest.raises(InstructgenError, match=message):
        judge(tmp_path / "out", server, always("A dog."), bench=bench)
    assert server.num_requests == 0


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(text="Yes, there is.") as opened:
        yield opened


def run_command(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_to(app)
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_model_behind_a_server_is_evaluated_and_not_asked_twice(tmp_path: Path, server: ChatServer) -> None:
    arguments = (server.base_url, "--model", "m", "--suite", "pope", "--limit", "4", "--out", tmp_path / "out")
    done = run_command(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout.splitlines()[-1])
    pope = found["suites"]["pope"]
    assert (pope["accuracy"], pope["yes_share"]) == (0.5, 1.0)
    assert found["model"]["name"] == "m"
    pictures = [find_picture(body) for body in server.bodies]
    assert all(url is not None and url.startswith("data:image/jpeg;base64,") for url in pictures)
    num_asked = server.num_requests
    # The answers are in the ledger too: a lost file costs nothing.
    (tmp_path / "out" / "predictions.jsonl").unlink()
    again = run_command(*arguments)
    assert again.exit_code == 0, again.output
    assert server.num_requests == num_asked
    assert "setting adversarial" in again.stdout
    assert "±" in again.stdout


def test_question_that_the_server_cannot_answer_is_counted_and_the_exit_code_says_so(
    tmp_path: Path, server: ChatServer
) -> None:
    server.fault = lambda number, _body: Act(400, body=b'{"error": {"message": "no"}}') if number == 3 else None
    done = run_command(
        server.base_url, "--model", "m", "--suite", "pope", "--limit", "2", "--out", tmp_path, "--json"
    )
    assert done.exit_code == 4, done.output
    pope = json.loads(done.stdout.splitlines()[-1])["suites"]["pope"]
    assert pope["failed"] >= 1
    assert pope["answered"] + pope["failed"] == pope["asked"]
    assert sum(pope["failures"].values()) == pope["failed"]


def test_zeros_are_sent_as_a_picture_of_one_colour(tmp_path: Path, server: ChatServer) -> None:
    options = EvaluateOptions(("pope",), tmp_path, SAMPLE)
    evaluation = Evaluation(options)
    student = evaluation.open_endpoint(asks(server, "m"))
    from instructgen.records import Message

    answers = student.answer_all([Ask((Message("user", "What is it?"),), (None,))], Sampling(5))
    assert answers[0].text == "Yes, there is."
    url = find_picture(server.bodies[0])
    assert url is not None
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert {high - low for low, high in picture.getextrema()} == {0}
    assert server.bodies[0]["max_tokens"] == 5
    with pytest.raises(InstructgenError, match="--qa-by answer"):
        student.score(Ask((Message("user", "What is it?"),)), ["A", "B"])
    evaluation.close()


def test_server_that_refuses_everything_stops_the_run(tmp_path: Path, server: ChatServer) -> None:
    server.fault = lambda _number, _body: Act(401, body=b'{"error": {"message": "bad key"}}')
    options = EvaluateOptions(("pope",), tmp_path, SAMPLE, limit=4)
    evaluation = Evaluation(options)
    with pytest.raises(RunStoppedError):
        evaluation.run(evaluation.open_endpoint(asks(server, "m")), MODEL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("http://127.0.0.1:1/v1",), "--model NAME"),
        (("nowhere",), "no model nowhere"),
        (("http://127.0.0.1:1/v1", "--model", "m", "--source", "scenes"), "scenes:7"),
        (("http://127.0.0.1:1/v1", "--model", "m", "--source", "coco:3"), "only scenes"),
        (("http://127.0.0.1:1/v1", "--model", "m", "--source", "pairs"), "coco, scenes:SEED or simple-scenes:SEED"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run_command(*arguments, "--out", tmp_path / "out", "--json")
    assert isinstance(done.exception, InstructgenError)
    assert message in json.loads(done.stdout.splitlines()[-1])["error"]
    assert not (tmp_path / "out").exists()


def test_mistake_in_a_suite_is_told_before_the_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "no-model").mkdir()
    done = run_command(tmp_path / "no-model", "--suite", "mmlu", "--out", tmp_path / "out")
    assert isinstance(done.exception, InstructgenError)
    assert "no suite called 'mmlu'" in str(done.exception)


def test_digest_of_a_model_is_of_its_weights_not_of_what_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = hash_model(tmp_path)
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-5" / "optimizer.bin").write_bytes(b"2")
    (tmp_path / "loss.png").write_bytes(b"3")
    (tmp_path / "figures" / "run").mkdir(parents=True)
    for name in (PREDICTIONS_NAME, "results.json", "run/made.json"):
        (tmp_path / "figures" / name).write_bytes(b"{}")
    assert hash_model(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"4")
    assert hash_model(tmp_path) != before
