"""Every shipped stage of training: it loads, it builds, and it says what the papers say."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.counts import count_parameters  # noqa: E402
from instructgen.models.lora import apply_lora  # noqa: E402
from instructgen.resources import shared_folder  # noqa: E402
from instructgen.train.recipe import is_recipe, load_recipe, read_table  # noqa: E402
from instructgen.train.representation_recipe import is_representation  # noqa: E402

# The demo's parts are folders that the demo makes; its own test runs its recipes. BLIP-2's first stage has tests too.
RECIPES = [
    path
    for path in sorted(shared_folder("pipelines").glob("*.toml"))
    if is_recipe(path) and not path.stem.startswith("demo-") and not is_representation(read_table(path))
]
PAPERS = [
    # learning rate, samples a step, epochs, steps, trained parameters
    ("llava-stage1", 2e-3, 128, 1, None, 5_248_000),
    ("llava-stage2", 2e-5, 32, 3, None, 5_248_000 + 13_015_864_320),
    ("llava15-stage1", 1e-3, 256, 1, None, 31_467_520),
    ("llava15-stage2", 2e-5, 128, 1, None, 31_467_520 + 13_015_864_320),
    ("llava15-stage2-lora", 2e-4, 128, 1, None, 31_467_520 + 500_695_040),
    ("minigpt4-stage1", 1e-4, 256, None, 20_000, 3_937_280),
    ("minigpt4-stage2", 3e-5, 12, None, 400, 3_937_280),
    ("openflamingo-3b", 1e-4, 480, None, 125_000, 944_019_504 + 3 * 2048),
    ("openflamingo-4b", 1e-4, 480, None, 125_000, 960_763_936 + 3 * 2560),
    ("openflamingo-9b", 1e-4, 480, None, 125_000, 1_178_834_960 + 3 * 4096),
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


SCHEDULES = [
    # template, aspect, layer, warm-up, first, last and middle learning rate, weight decay, clipping, longest sample
    ("llava-stage1", "plain", "crop", -2, 0.03, 0, 0, 0, 1, 2048),
    ("llava-stage2", "vicuna_v1", "crop", -2, 0.03, 0, 0, 0, 1, 2048),
    ("llava15-stage1", "plain", "crop", -2, 0.03, 0, 0, 0, 1, 2048),
    ("llava15-stage2", "vicuna_v1", "pad", -2, 0.03, 0, 0, 0, 1, 2048),
    ("llava15-stage2-lora", "vicuna_v1", "pad", -2, 0.03, 0, 0, 0, 1, 2048),
    ("minigpt4-stage1", "plain", "squash", -1, 5000, 1e-6, 8e-5, 0.05, 0, 65),
    ("minigpt4-stage2", "minigpt4", "squash", -1, 200, 1e-6, 1e-5, 0.05, 0, 256),
]


@pytest.mark.parametrize(
    ("name", "template", "aspect", "layer", "warmup", "first", "last", "decay", "clipping", "longest"), SCHEDULES
)
def test_recipe_has_the_papers_schedule_template_and_pictures(
    name: str,
    template: str,
    aspect: str,
    layer: int,
    warmup: float,
    first: float,
    last: float,
    decay: float,
    clipping: float,
    longest: int,
) -> None:
    recipe = load_recipe(shared_folder("pipelines") / f"{name}.toml")
    optim, vision = recipe.optim, recipe.model.vision
    assert (recipe.template, vision.aspect, vision.layer) == (template, aspect, layer)
    assert vision.drops_class_token == name.startswith("llava")
    assert (optim.schedule, optim.warmup, optim.betas) == ("cosine", warmup, (0.9, 0.999))
    assert optim.first_rate * optim.learning_rate == pytest.approx(first, rel=1e-5)
    assert optim.last_rate * optim.learning_rate == pytest.approx(last, rel=1e-5)
    assert (optim.weight_decay, optim.max_grad_norm, recipe.rows.max_tokens) == (decay, clipping, longest)
    assert recipe.train.dtype == "bfloat16"


def test_lora_recipe_has_llavas_adapters_and_a_rate_of_the_connectors_own() -> None:
    recipe = load_recipe(shared_folder("pipelines") / "llava15-stage2-lora.toml")
    assert recipe.train.lora is not None
    assert (recipe.train.lora.rank, recipe.train.lora.alpha, recipe.train.lora.dropout) == (128, 256, 0.05)
    assert recipe.optim.rates == {"connector": 2e-5}


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
