"""BLIP-2's first stage as a file: pipelines/*.toml whose [model] has a [model.text] -> frozen, validated settings."""

import math
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from instructgen.errors import InstructgenError
from instructgen.models.blip2.spec import RepresentationSpec
from instructgen.models.spec import Part
from instructgen.train.recipe import (
    Fraction,
    NotNegative,
    OptimConfig,
    SavingConfig,
    TrainConfig,
    optim_numbers,
    read_table,
)

_TRAINED: tuple[Part, ...] = ("qformer",)


class PairsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How pictures and their captions become steps."""

    batch: Annotated[int, Meta(gt=1)] = 64
    """Pictures in a step, over all processes; each is the negative of all others."""
    text_tokens: Annotated[int, Meta(gt=2)] = 32
    """The longest caption, with its first and last token; a longer one loses its end (LAVIS' code: 32)."""


class LossesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the three losses and what bends them; 0 leaves a loss out, and is not computed."""

    contrastive: NotNegative = 1.0
    matching: NotNegative = 1.0
    generation: NotNegative = 1.0
    label_smoothing: Fraction = 0.1
    """Of contrast and generation (LAVIS' code)."""


class AugmentConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is drawn of a picture in each epoch; without `area` the picture is seen as `aspect` makes it square."""

    area: tuple[Fraction, Fraction] | None = None
    """The least and the most of a picture's area that a random crop shows."""
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """The least and the most width over height of the crop, before it is made square."""
    flip: bool = False
    """Mirror half of the pictures: only for captions that do not tell left from right."""


class RepresentationRecipe(Struct, frozen=True, forbid_unknown_fields=True):
    """The stage. All but the tower trains; rates of parts go by their names in models.blip2.model."""

    model: RepresentationSpec
    train: TrainConfig = TrainConfig(trains=_TRAINED)
    optim: OptimConfig = OptimConfig()
    rows: PairsConfig = PairsConfig()
    losses: LossesConfig = LossesConfig()
    augment: AugmentConfig = AugmentConfig()
    saving: SavingConfig = SavingConfig()
    about: str = ""
    """One line for `instructgen pipelines`."""


def is_representation(table: dict[str, Any]) -> bool:
    """Return whether a recipe's table is of this stage, and not of one with a language model."""
    model = table.get("model")
    return isinstance(model, dict) and "text" in model


def load_representation_recipe(path: Path) -> RepresentationRecipe:
    """Read a recipe.

    Raises InstructgenError naming the file and the key for anything that is not a valid recipe.
    """
    return make_representation_recipe(read_table(path), str(path))


def make_representation_recipe(table: dict[str, Any], where: str) -> RepresentationRecipe:
    """Return a recipe of a TOML table; `where` names it in errors."""
    try:
        recipe = msgspec.convert(table, RepresentationRecipe)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{where}: {error}; docs/blip2.md lists every key of this stage") from None
    if "trains" not in table.get("train", {}):
        recipe = replace(recipe, train=replace(recipe.train, trains=_TRAINED))
    _check_train(recipe.train, where)
    for key, value in optim_numbers(recipe.optim).items():
        if not math.isfinite(value):
            raise InstructgenError(f"{where}: {key} is {value}; give a number")
    if max(recipe.optim.betas) >= 1:
        raise InstructgenError(f"{where}: optim.betas are below 1")
    losses = recipe.losses
    if not any((losses.contrastive, losses.matching, losses.generation)):
        raise InstructgenError(f"{where}: [losses] leaves all three out; give one of them a weight")
    _check_augment(recipe.augment, where)
    return recipe


def _check_train(train: TrainConfig, where: str) -> None:
    if train.trains != _TRAINED or train.lora is not None or train.compile:
        raise InstructgenError(
            f"{where}: this stage trains the whole Q-Former and nothing else; leave trains, lora and compile out of"
            " [train]"
        )
    if (train.epochs is None) == (train.steps is None):
        raise InstructgenError(f"{where}: [train] wants either epochs or steps, one of the two")
    if not math.isfinite(train.epochs or 0.0):
        raise InstructgenError(f"{where}: train.epochs is {train.epochs}; give a number")


def _check_augment(augment: AugmentConfig, where: str) -> None:
    if augment.area is not None and not 0 < augment.area[0] <= augment.area[1]:
        raise InstructgenError(f"{where}: augment.area is {list(augment.area)}, give two shares, the smaller first")
    if not 0 < augment.ratio[0] <= augment.ratio[1] < math.inf:
        raise InstructgenError(
            f"{where}: augment.ratio is {list(augment.ratio)}, give two numbers, the smaller first"
        )
