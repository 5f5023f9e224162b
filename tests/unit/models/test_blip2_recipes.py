"""BLIP-2's second stages as they are shipped: the paper's values, each with its source."""

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.counts import count_parameters  # noqa: E402
from instructgen.resources import shared_folder  # noqa: E402
from instructgen.train.recipe import load_recipe  # noqa: E402

STAGES = [
    # samples a step, trained, template, packing, prefix language modelling
    ("blip2-stage2-opt", 1920, 107_133_696, "blip2_opt", True, False),
    ("blip2-stage2-t5", 1520, 106_739_968, "blip2_t5", False, True),
]


@pytest.mark.parametrize(("name", "batch", "trained", "template", "packing", "prefix_lm"), STAGES)
def test_recipe_has_the_papers_values(
    name: str, batch: int, trained: int, template: str, packing: bool, prefix_lm: bool
) -> None:
    recipe = load_recipe(shared_folder("pipelines") / f"{name}.toml")
    optim, rows = recipe.optim, recipe.rows
    assert (optim.learning_rate, optim.betas, optim.weight_decay) == (1e-4, (0.9, 0.98), 0.05)
    assert (optim.schedule, optim.warmup, optim.first_rate) == ("cosine", 2000, 0)
    assert optim.last_rate * optim.learning_rate == pytest.approx(5e-5)
    assert (recipe.train.steps, rows.batch, rows.max_tokens) == (80_000, batch, 64)
    assert (recipe.template, rows.packing, rows.prefix_lm) == (template, packing, prefix_lm)
    model = build_on_meta(recipe.model)
    model.freeze_all_but(recipe.train.trains)
    assert count_parameters(model).trained == trained
    assert (model.is_seq2seq, model.tokens_per_image) == (prefix_lm, 32)


@pytest.mark.parametrize("name", [name for name, *_ in STAGES])
def test_every_value_of_the_recipe_names_its_source(name: str) -> None:
    text = (shared_folder("pipelines") / f"{name}.toml").read_text(encoding="utf-8")
    values = [line for line in text.splitlines() if " = " in line and not line.startswith(("#", "about", "kind"))]
    assert all("#" in line for line in values if not line.startswith("steps = 1")), values
