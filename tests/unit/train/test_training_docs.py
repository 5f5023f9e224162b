"""docs/training.md lists every key of a recipe, with the defaults that the code has."""

import re
import tomllib
from typing import Any

import msgspec
from msgspec import structs

from instructgen.models.spec import GatedSpec, QFormerSpec
from instructgen.train.overrides import list_keys
from instructgen.train.recipe import DocumentsConfig, LoraConfig, MixtureSet, Recipe
from tests.support.cli import ROOT

TEXT = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


def read_block() -> str:
    block = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert block is not None
    return block.group(1)


def read_all_keys() -> dict[str, Any]:
    """Return the block with what is commented out, too."""
    return tomllib.loads(re.sub(r"^# ", "", read_block(), flags=re.MULTILINE))


def flatten(table: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        is_table = isinstance(value, dict) and key not in ("config", "rates", "decays")
        found |= flatten(value, f"{prefix}{key}.") if is_table else {prefix + key}
    return found


def test_every_key_is_explained() -> None:
    assert flatten(read_all_keys()) == set(list_keys())


def test_defaults_of_the_document_are_the_defaults() -> None:
    table = tomllib.loads(read_block())
    made = msgspec.convert(table, Recipe)
    bare = msgspec.convert({"model": {"vision": {}, "connector": {}, "language": {}}}, Recipe)
    for part in ("train", "optim", "rows", "saving", "template", "about"):
        assert getattr(made, part) == getattr(bare, part), part
    assert made.model.connector == bare.model.connector
    hidden = read_all_keys()
    assert msgspec.convert(hidden["model"]["connector"]["qformer"], QFormerSpec) == QFormerSpec()
    assert msgspec.convert(hidden["train"]["lora"], LoraConfig) == LoraConfig()
    found = msgspec.convert(hidden["model"]["connector"]["flamingo"], GatedSpec)
    assert structs.replace(found, resampler_heads=None, resampler_head_width=None) == GatedSpec()
    documents = msgspec.convert(hidden["documents"], DocumentsConfig)
    assert structs.replace(documents, max_pictures=None) == DocumentsConfig()
    assert len(msgspec.convert(hidden["mixture"], tuple[MixtureSet, ...])) == 1


def test_flags_of_the_document_exist() -> None:
    from inspect import getsource

    from instructgen.cli import train

    known = set(re.findall(r'"(--[a-z-]+)"', getsource(train))) | {
        "--data",
        "--out",
        "--recipe",
        "--steps",
        "--split",
    }
    known |= {"--images", "--device", "--model", "--nproc-per-node", "--logdir", "--kills"}
    assert set(re.findall(r"--[a-z][a-z-]+", TEXT)) <= known
