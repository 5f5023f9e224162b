"""A model of a folder, from its weights to its figures."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

pytest.importorskip("torch", reason="the extra [train] is not installed")

from instructgen.cli.evaluate import add_to


def run_command(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_to(app)
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny_students import make_spec, save_student

    return save_student(tmp_path_factory.mktemp("students") / "tiny", make_spec(max_position_embeddings=2048))


def test_figures_of_a_folder_are_the_same_again_and_asked_once(model: Path, tmp_path: Path) -> None:
    arguments = (model, "--limit", "2", "--max-tokens", "3", "--device", "cpu", "--json")
    first = run_command(*arguments, "--suite", "pope,chair", "--out", tmp_path / "a")
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout.splitlines()[-1])
    assert 0 <= found["suites"]["pope"]["accuracy"] <= 1
    assert found["suites"]["chair"]["counts"]["cut_at_max_tokens"] <= 2
    lines = (tmp_path / "a" / "predictions.jsonl").read_text()
    again = json.loads(run_command(*arguments, "--suite", "pope,chair", "--out", tmp_path / "a").stdout)
    assert again == found
    assert (tmp_path / "a" / "predictions.jsonl").read_text() == lines
    other = json.loads(run_command(*arguments, "--suite", "pope,chair", "--out", tmp_path / "b").stdout)
    assert other["suites"] == found["suites"]


def test_likeliest_candidates_of_a_real_model_are_weighed(model: Path, tmp_path: Path) -> None:
    done = run_command(
        model, "--suite", "qa", "--qa-by", "likeliest", "--limit", "3", "--out", tmp_path, "--json", "--device", "cpu"
    )
    assert done.exit_code == 0, done.output
    qa = json.loads(done.stdout.splitlines()[-1])["suites"]["qa"]
    assert qa["samples"] == qa["counts"]["questions"] > 0
    assert qa["counts"]["unread_seen"] == 0
