import json

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from pathlib import Path  # noqa: E402

import typer  # noqa: E402
from typer.testing import CliRunner, Result  # noqa: E402

from instructgen.cli import model, pipelines  # noqa: E402
from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.memory import Memory, Workload, estimate_memory  # noqa: E402
from tests.support.tiny_models import make_spec  # noqa: E402


def run(*words: str) -> Result:
    app = typer.Typer()
    model.add_to(app)
    pipelines.add_to(app)
    return CliRunner().invoke(app, words)


def test_table_shows_parts_training_tokens_and_memory() -> None:
    shown = run("model", "describe", "llava-stage1").output
    assert "vision           303,179,776     290,581,504               0  openai/clip-vit-large-patch14" in shown
    assert "connector          5,248,000       5,248,000       5,248,000  linear" in shown
    assert "256 tokens an image, of 224 px a side" in shown
    assert "memory of one process, about, with rows of 4096 tokens" in shown


def test_json_has_the_same_and_changes_are_applied() -> None:
    told = json.loads(
        run(
            "model", "describe", "llava15-stage2-lora", "--set", "model.language.name=lmsys/vicuna-7b-v1.5", "--json"
        ).output
    )
    assert told["parameters"]["connector"] == 20_979_712
    assert told["parts"]["vision"] == {"total": 303_507_456, "used": 290_909_184, "trained": 0}
    assert told["lora"] == {"rank": 128, "parameters": 319_815_680}
    assert told["trained_parameters"] == 319_815_680 + 20_979_712
    assert told["visual_tokens_per_image"] == 576
    assert told["memory"]["row_tokens"] == 4096


def test_processes_share_weights_gradients_and_moments() -> None:
    one, eight = (
        json.loads(run("model", "describe", "llava-stage2", "--json", "--processes", number).output)["memory"]
        for number in ("1", "8")
    )
    for key in ("weights_bytes", "gradients_bytes", "optimiser_bytes"):
        assert eight[key] == pytest.approx(one[key] / 8, abs=1)
    assert eight["activations_bytes"] > one["activations_bytes"] / 8


def test_unknown_recipe_is_named_beside_those_that_there_are() -> None:
    error = run("model", "describe", "lava-stage1").exception
    assert isinstance(error, InstructgenError)
    assert error.exit_code == 2
    assert "no stage of training called 'lava-stage1'; there are: " in str(error)
    assert " llava-stage1, llava-stage2, " in str(error)
    assert "smoke" not in str(error)


def test_build_is_not_taken_for_a_recipe_nor_a_recipe_for_a_build() -> None:
    error = run("model", "describe", "llava").exception
    assert isinstance(error, InstructgenError)
    assert "llava is no stage of training" in str(error)
    with pytest.raises(InstructgenError, match="llava-stage1 is a stage of training, and no build"):
        pipelines.find_pipeline("llava-stage1")
    assert pipelines.find_pipeline("llava").stem == "llava"


def test_recipe_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[model.vision]\nlayer = = 2\n")
    error = run("model", "describe", str(tmp_path / "mine.toml")).exception
    assert isinstance(error, InstructgenError)
    assert "mine.toml is not valid TOML" in str(error)
    assert "line 2" in str(error)


def test_pipeline_that_is_no_text_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    error = run("pipelines", str(tmp_path / "mine.toml")).exception
    assert isinstance(error, InstructgenError)
    assert "mine.toml cannot be read as a text file" in str(error)


def test_error_is_json_where_json_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[model.vision]\nname = 3\n[model.connector]\n[model.language]\n")
    told = json.loads(run("model", "describe", str(tmp_path / "mine.toml"), "--json").output)
    assert told["exit_code"] == 2
    assert "$.model.vision.name" in told["error"]


def test_pipelines_lists_builds_and_stages_apart() -> None:
    shown = run("pipelines").output
    builds, stages = shown.split("Stages of training:")
    assert "\n  llava " in builds
    assert "\n  llava-stage1 " in stages
    assert "LLaVA-1.5 stage 2 with LoRA: adapters and connector learn the mixture of 665K" in stages
    assert run("pipelines", "minigpt4-stage2").output.startswith("# MiniGPT-4's second stage")


def estimate(**changes: object) -> Memory:
    outline = build_on_meta(make_spec())
    outline.freeze_all_but(["connector"])
    work = {"row_tokens": 64, "dtype": "float32", **changes}
    return estimate_memory(outline, Workload(**work))  # type: ignore[arg-type]


def test_memory_of_weights_gradients_and_moments_is_counted() -> None:
    memory = estimate()
    outline = build_on_meta(make_spec())
    used = sum(weight.numel() for weight in outline.parameters())
    assert (memory.weights, memory.gradients, memory.optimiser) == (4 * used, 4 * 800, 8 * 800)
    halved = estimate(dtype="bfloat16")
    assert halved.weights == 2 * (used - 800) + 4 * 800
    assert memory.total == memory.weights + memory.gradients + memory.optimiser + memory.activations


def test_longer_rows_take_more_and_checkpointing_takes_less() -> None:
    plain, longer, again = estimate(), estimate(row_tokens=128), estimate(gradient_checkpointing=True)
    assert again.activations < plain.activations < longer.activations
    assert estimate(quantised=True).weights < plain.weights
