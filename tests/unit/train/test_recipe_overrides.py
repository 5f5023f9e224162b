"""--set changes a recipe's keys, and no others."""

import pytest

from instructgen.errors import InstructgenError
from instructgen.train.overrides import apply_overrides, list_keys
from instructgen.train.recipe import make_recipe

MODEL = {"vision": {"name": "v"}, "connector": {}, "language": {"name": "l"}}


def test_values_are_toml_and_bare_words_are_text() -> None:
    given = [
        'train.trains=["connector", "language"]',
        "optim.learning_rate=1e-4",
        "train.dtype=float32",
        "rows.batch=8",
    ]
    recipe = make_recipe(apply_overrides({"model": MODEL, "train": {"epochs": 1}}, given), "x")
    assert recipe.train.trains == ("connector", "language")
    assert recipe.optim.learning_rate == 1e-4
    assert recipe.train.dtype == "float32"
    assert recipe.rows.batch == 8


def test_a_single_part_gets_its_rate() -> None:
    recipe = make_recipe(
        apply_overrides({"model": MODEL, "train": {"steps": 1}}, ["optim.rates.connector=2e-5"]), "x"
    )
    assert recipe.optim.rates == {"connector": 2e-5}


def test_steps_take_the_place_of_epochs() -> None:
    table = {"train": {"epochs": 3}}
    assert apply_overrides(table, ["train.steps=10"])["train"] == {"steps": 10}
    assert apply_overrides({"train": {"steps": 3}}, ["train.epochs=0.5"])["train"] == {"epochs": 0.5}
    assert table == {"train": {"epochs": 3}}, "the recipe's own table stays as it was"


def test_both_lengths_at_once_are_refused() -> None:
    table = apply_overrides({"model": MODEL}, ["train.steps=10", "train.epochs=1"])
    with pytest.raises(InstructgenError, match="either epochs or steps"):
        make_recipe(table, "x")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("optim.lerning_rate=1", "optim.learning_rate"),
        ("learning_rate=1", "optim.learning_rate"),
        ("optm.warmup=1", "optim.warmup"),
        ("train.lora.rnk=3", "train.lora.rank"),
        ("saving.every_step=3", "saving.every_steps"),
    ],
)
def test_unknown_key_is_told_with_the_one_that_was_meant(given: str, hint: str) -> None:
    with pytest.raises(InstructgenError, match=f"did you mean {hint}\\?"):
        apply_overrides({}, [given])


def test_a_value_of_the_wrong_kind_is_told_with_its_key() -> None:
    table = apply_overrides({"model": MODEL, "train": {"steps": 1}}, ["rows.batch=many"])
    with pytest.raises(InstructgenError, match=r"my\.toml: .*rows\.batch"):
        make_recipe(table, "my.toml")


def test_keys_of_a_hugging_face_configuration_are_free() -> None:
    table = apply_overrides({}, ["model.language.config.num_hidden_layers=3"])
    assert table == {"model": {"language": {"config": {"num_hidden_layers": 3}}}}


def test_an_assignment_without_a_value_is_refused() -> None:
    with pytest.raises(InstructgenError, match="KEY=VALUE"):
        apply_overrides({}, ["rows.batch"])


def test_every_key_of_a_recipe_can_be_set() -> None:
    keys = list_keys()
    assert {"model.connector.qformer.num_queries", "train.lora.rank", "template", "rows.sharing"} <= set(keys)
    for key in keys:
        apply_overrides({}, [f"{key}=1"])


@pytest.mark.parametrize("change", ["optim.learning_rate=inf", "optim.rates.connector=inf", "optim.betas=[0.9, 1.0]"])
def test_numbers_that_no_optimiser_takes_are_refused_with_their_key(change: str) -> None:
    table = apply_overrides({"model": MODEL, "train": {"steps": 1}}, [change])
    with pytest.raises(InstructgenError, match=change.partition("=")[0].replace(".", r"\.")):
        make_recipe(table, "x")


def test_a_mixture_is_left_out_by_an_empty_list() -> None:
    table = {"model": MODEL, "train": {"steps": 1}, "mixture": [{"name": "pairs", "weight": 0.2, "batch": 8}]}
    assert make_recipe(table, "x").mixture[0].name == "pairs"
    assert make_recipe(apply_overrides(table, ["mixture=[]"]), "x").mixture == ()
