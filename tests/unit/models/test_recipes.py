"""Every shipped stage of training: it loads, it builds, and it says what the papers say."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.counts import count_parameters  # noqa: E402
from instructgen.models.lora import apply_lora  # noqa: E402
from instructgen.resources import shared_folder  # noqa: E402
from instructgen.train.recipe import is_recipe, load_recipe  # noqa: E402

RECIPES = [path for path in sorted(shared_folder("pipelines").glob("*.toml")) if is_recipe(path)]
PAPERS = [
    # learning rate, samples a step, epochs, steps, trained parameters
    ("llava-stage1", 2e-3, 128, 1, None, 5_248_000),
    ("llava-stage2", 2e-5, 32, 3, None, 5_248_000 + 13_015_864_320),
    ("llava15-stage1", 1e-3, 256, 1, None, 31_467_520),
    ("llava15-stage2", 2e-5, 128, 1, None, 31_467_520 + 13_015_864_320),
    ("llava15-stage2-lora", 2e-4, 128, 1, None, 31_467_520 + 500_695_040),
    ("minigpt4-stage1", 1e-4, 256, None, 20_000, 3_937_280),
    ("minigpt4-stage2", 3e-5, 12, None, 400, 3_937_280),
]


def test_papers_recipes_are_shipped() -> None:
    assert {name for name, *_ in PAPERS} <= {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipe_loads_and_builds_without_weights(path: Path) -> None:
    recipe = load_recipe(path)
    model = build_on_meta(recipe.model)
    assert recipe.about
    assert all(weight.is_meta for weight in model.parameters())
    assert model.tokens_per_image < recipe.rows.max_tokens


@pytest.mark.parametrize(("name", "learning_rate", "batch", "epochs", "steps", "trained"), PAPERS)
def test_recipe_has_the_papers_values(
    name: str, learning_rate: float, batch: int, epochs: int | None, steps: int | None, trained: int
) -> None:
    recipe = load_recipe(shared_folder("pipelines") / f"{name}.toml")
    assert (recipe.optim.learning_rate, recipe.rows.batch) == (learning_rate, batch)
    assert (recipe.train.epochs, recipe.train.steps) == (epochs, steps)
    model = build_on_meta(recipe.model)
    if (lora := recipe.train.lora) is not None:
        apply_lora(model, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout)
    model.freeze_all_but(recipe.train.trains)
    assert count_parameters(model).trained == trained


@pytest.mark.parametrize("name", [name for name, *_ in PAPERS])
def test_every_value_of_a_papers_recipe_names_its_source(name: str) -> None:
    text = (shared_folder("pipelines") / f"{name}.toml").read_text(encoding="utf-8")
    sections = ("[train]", "[train.lora]", "[optim]", "[rows]")
    section = ""
    for line in text.splitlines():
        section = line if line.startswith("[") else section
        is_value = " = " in line and not line.startswith("#")
        if section in sections and is_value and not line.startswith("trains"):
            assert "#" in line, line
