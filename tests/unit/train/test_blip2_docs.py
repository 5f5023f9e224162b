"""docs/blip2.md lists every key of the first stage's recipe, with the defaults that the code has."""

import re
import tomllib
from typing import Any

import msgspec

from instructgen.models.blip2.spec import TextSpec
from instructgen.models.spec import QFormerSpec, VisionSpec
from instructgen.train.representation_recipe import AugmentConfig, RepresentationRecipe, make_representation_recipe
from tests.support.cli import ROOT

TEXT = (ROOT / "docs" / "blip2.md").read_text(encoding="utf-8")
_ELSEWHERE = {"train", "optim", "saving"}  # docs/training.md has them
_NOT_FOR_THIS_STAGE = {"name", "normalises"}  # of the Q-Former


def read_block() -> dict[str, Any]:
    """Return the recipe's block, with what is commented out."""
    block = next(found for found in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL) if "[model.text]" in found)
    return tomllib.loads(re.sub(r"^# ", "", block, flags=re.MULTILINE))


def test_every_key_is_explained() -> None:
    table = read_block()
    assert set(table) == set(RepresentationRecipe.__struct_fields__) - _ELSEWHERE
    assert set(table["model"]["text"]) == set(TextSpec.__struct_fields__)
    assert set(table["model"]["qformer"]) == set(QFormerSpec.__struct_fields__) - _NOT_FOR_THIS_STAGE
    for part in ("rows", "losses", "augment"):
        fields = type(getattr(make_bare(), part)).__struct_fields__
        assert set(table[part]) == set(fields), part


def make_bare() -> RepresentationRecipe:
    return make_representation_recipe({"model": {"vision": {}, "text": {}}, "train": {"steps": 1}}, "a test")


def test_defaults_of_the_document_are_the_defaults() -> None:
    table, bare = read_block(), make_bare()
    assert table["augment"].pop("area") == [0.5, 1.0]
    assert table["model"].pop("vision") == {"name": VisionSpec(name="openai/clip-vit-large-patch14").name}
    made = msgspec.convert({**table, "model": {**table["model"], "vision": {}}}, RepresentationRecipe)
    for part in ("model", "rows", "losses", "augment", "about"):
        assert getattr(made, part) == getattr(bare, part), part
    assert AugmentConfig().area is None
