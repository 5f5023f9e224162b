"""`instructgen pretrain` and `finetune`, as they are typed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.cli import train  # noqa: E402
from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.report.training_facts import collect_training  # noqa: E402
from instructgen.train.recipe_notes import DEFAULT, OF_FILE, SET_BY_HAND  # noqa: E402
from tests.support.cli import environment  # noqa: E402
from tests.support.training import make_table, write_data, write_recipe  # noqa: E402


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a recipe for each stage."""
    folder = tmp_path_factory.mktemp("training")
    write_data(folder / "data")
    table = make_table(folder / "tokenizer", train={"steps": 3})
    write_recipe(folder / "stage2.toml", table)
    table["train"]["trains"] = ["connector"]
    write_recipe(folder / "stage1.toml", table)
    return folder


def call(*arguments: str | Path) -> str:
    """Return what the command prints on standard output; its error is raised."""
    app = typer.Typer()
    train.add_to(app)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def call_json(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(*arguments, "--json").splitlines()[-1])
    return found


def test_run_notes_where_its_numbers_come_from(work: Path) -> None:
    recipe, first, second = work / "noted.toml", work / "noted" / "stage1", work / "noted" / "stage2"
    text = (work / "stage1.toml").read_text(encoding="utf-8")
    assert text.count("learning_rate = 0.01") == 1
    recipe.write_text(text.replace("learning_rate = 0.01", "learning_rate = 0.01  # a paper"), encoding="utf-8")
    call("pretrain", "--data", work / "data", "--recipe", recipe, "--out", first, "--steps", "1")
    more = ("--model", first, "--set", "train.steps=1")
    call("finetune", "--data", work / "data", "--recipe", recipe, *more, "--out", second)
    notes = {one.key: one.note for one in collect_training(first).settings}
    assert notes["optim.learning_rate"] == "a paper"
    assert notes["train.steps"] == SET_BY_HAND
    assert notes["rows.batch"] == OF_FILE
    assert notes["optim.warmup"] == DEFAULT
    assert notes["model.connector.kind"] == OF_FILE
    notes = {one.key: one.note for one in collect_training(second).settings}
    assert notes["model.connector.kind"] == "the model that it began with"
    assert notes["model.vision.aspect"] == DEFAULT


def test_both_stages_one_after_the_other(work: Path) -> None:
    data, first, second = work / "data", work / "runs" / "stage1", work / "runs" / "stage2"
    aligned = call_json("pretrain", "--data", data, "--recipe", work / "stage1.toml", "--out", first)
    assert aligned["parameters"]["parts"]["language"]["trained"] == 0
    told = call("finetune", "--data", data, "--recipe", work / "stage2.toml", "--model", first, "--out", second)
    assert "3 steps over 12 samples" in told
    assert str(second / "model") in told
    assert str(second / "report.html") in told
    names = {path.name for path in second.iterdir() if not path.name.startswith(".")}
    left = {"checkpoints", "history.jsonl", "loss.svg", "metrics.jsonl", "model", "report.html", "run.json"}
    assert names == left
    again = call_json("finetune", "--data", data, "--recipe", work / "stage2.toml", "--model", first, "--out", second)
    assert again["was_finished"]
    assert again["steps"] == 3


def test_keys_and_steps_are_set_from_the_command_line(work: Path, tmp_path: Path) -> None:
    arguments = ("--data", work / "data", "--recipe", work / "stage2.toml", "--out", tmp_path / "run")
    result = call_json("finetune", *arguments, "--set", "rows.batch=2", "--set", "train.seed=7", "--steps", "2")
    assert (result["steps"], result["samples"]) == (2, 4)
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["recipe"]["train"]["seed"] == 7


def test_dry_run_plans_and_writes_nothing(work: Path, tmp_path: Path) -> None:
    arguments = ("--data", work / "data", "--recipe", work / "stage2.toml", "--out", tmp_path / "run", "--dry-run")
    told = call("finetune", *arguments)
    for part in ("16 samples of 16 rows", "3 steps, 4 an epoch", "rows a step", "27,088 train", "memory about"):
        assert part in told
    plan = call_json("finetune", *arguments)
    assert plan["parameters"]["parts"]["connector"]["trained"] == 272
    assert plan["memory"]["optimiser"] == 8 * (272 + 27088)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "llava"), "no stage of training"),
        (("--recipe", "nowhere"), "no stage of training called 'nowhere'"),
        (("--set", "optim.lerning_rate=1"), "did you mean optim.learning_rate"),
        (("--set", "optim.warmup=often"), "optim.warmup"),
        (("--device", "tpu"), "--device tpu"),
        (("--model", "nowhere"), "is no folder"),
        (("--split", "nowhere"), "no split 'nowhere'"),
    ],
)
def test_wrong_use_is_told_with_the_cure(
    work: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    usual = ("--recipe", str(work / "stage2.toml")) if "--recipe" not in arguments else ()
    with pytest.raises(InstructgenError, match=message):
        call("finetune", "--data", work / "data", "--out", tmp_path / "run", *usual, *arguments)


def test_error_is_the_object_that_json_promises(work: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    train.add_to(app)
    arguments = ["pretrain", "--data", work / "data", "--recipe", work / "stage2.toml", "--out", tmp_path, "--json"]
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert json.loads(done.stdout)["exit_code"] == 2
    assert "leaves the language model alone" in json.loads(done.stdout)["error"]


def test_training_packages_are_named_where_they_are_missing(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InstructgenError, match=r"training needs matplotlib: pip install 'instructgen\[train\]'"):
        call("pretrain", "--data", work / "data", "--recipe", work / "stage1.toml", "--out", tmp_path / "run")


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
def test_torchrun_starts_the_same_command(work: Path, tmp_path: Path) -> None:
    command = (
        *(
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            "2",
            "-m",
            "instructgen",
        ),
        *("finetune", "--data", str(work / "data"), "--recipe", str(work / "stage2.toml"), "--device", "cpu"),
        *("--out", str(tmp_path / "run"), "--json"),
    )
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(OMP_NUM_THREADS="1"), timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["steps"] == 3
    assert (tmp_path / "run" / "model" / "instructgen.json").is_file()
