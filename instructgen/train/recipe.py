"""A stage of training, as a file: pipelines/*.toml with a [model] table -> frozen, validated settings."""

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from instructgen.errors import InstructgenError
from instructgen.models.spec import ModelSpec, Part, PositiveInt

Fraction = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]


class LoraConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Low-rank adapters on every linear layer of the language model but the head (LLaVA-1.5's finetune_lora)."""

    rank: PositiveInt = 128
    alpha: PositiveInt = 256
    dropout: Fraction = 0.05
    quantised: bool = False
    """Load the frozen weights in 4 bits (QLoRA); needs bitsandbytes and a GPU."""


class OptimConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """AdamW and its schedule; a rate is for a batch as large as the recipe's."""

    learning_rate: NotNegative = 2e-5
    rates: dict[Part, NotNegative] = {}
    """Learning rates of single parts, instead of `learning_rate`."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    weight_decay: NotNegative = 0.0
    """Not for biases and norms (vectors of one dimension)."""
    decays: dict[str, NotNegative] = {}
    """Weight decays of what is below a name of the model, as "connector.resampler"; the longest name counts."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: NotNegative = 0.03
    """Below 1 a share of all steps, from 1 a number of steps."""
    first_rate: NotNegative = 0.0
    """Where the warm-up begins, as a share of the learning rate."""
    last_rate: NotNegative = 0.0
    """Where the schedule ends, as a share of the learning rate."""
    decays_from_start: bool = False
    """Count the schedule from step 0, so that the warm-up covers its beginning (MiniGPT-4's code)."""
    max_grad_norm: NotNegative = 1.0
    """0 does not clip."""


class RowsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How examples become the rows that are computed."""

    batch: PositiveInt = 128
    """Samples in a step, over all processes and rows."""
    max_tokens: PositiveInt = 2048
    """The longest a sample may be, image tokens included; an answer that is cut is reported and counted."""
    row_tokens: PositiveInt | None = None
    """The most tokens of a packed row; None is max_tokens."""
    packing: bool = True
    """Several samples in a row, each blind to the others; false pads samples of similar length."""
    sharing: bool = True
    """Samples of one image share its tokens in a row; the function that is computed is the same."""
    mixed_shards: Annotated[int, Meta(ge=0)] = 0
    """Samples of so many shards at a time are mixed, for data larger than the shard cache; 0 mixes all of them."""
    prefix_lm: bool = False
    """The beginning of each answer, up to a word that is drawn, goes to the encoder (BLIP-2's FlanT5 models)."""


class DocumentsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How documents of texts and pictures become examples; rows.max_tokens cuts them."""

    max_pictures: PositiveInt | None = None
    """A document ends before the picture after so many; what is cut off is counted."""
    p_next: Fraction = 0.0
    """Share of documents whose texts look at the picture after them (Flamingo, 2204.14198, A.3.1); needs gated
    cross-attention."""
    leading_space: Fraction = 0.0
    """Share of pictures with a text alone whose text begins with a space (2204.14198, A.3.2)."""


class MixtureSet(Struct, frozen=True, forbid_unknown_fields=True):
    """Another dataset in every step; the command says where it is (--also NAME=DATA)."""

    name: str
    weight: NotNegative
    """Of its mean loss in the step's; that of the data themselves has the weight 1."""
    batch: PositiveInt
    """Its samples in a step, beside the rows.batch of the data themselves."""


class SavingConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """When a run can be taken up again, and where from."""

    every_steps: PositiveInt = 500
    keep_last: PositiveInt = 2


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What trains, how long, on what hardware."""

    trains: tuple[Part, ...] = ("connector",)
    """Every other part is frozen. A `qformer` that is not named is frozen while its linear layer trains."""
    epochs: NotNegative | None = None
    steps: PositiveInt | None = None
    """Exactly one of the two."""
    seed: int = 0
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the computing (autocast); trained weights and their optimiser stay float32."""
    gradient_checkpointing: bool = False
    compile: bool = False
    lora: LoraConfig | None = None
    sharded_over: Annotated[int, Meta(ge=0)] = 0
    """So many processes share one copy of weights and moments, and the next as many have another; 0 is all."""
    log_every_steps: PositiveInt = 10
    loggers: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)


class Recipe(Struct, frozen=True, forbid_unknown_fields=True):
    """One stage. `template` is "auto" (the tokenizer's own) or a name of instructgen.train.templates."""

    model: ModelSpec
    train: TrainConfig = TrainConfig()
    optim: OptimConfig = OptimConfig()
    rows: RowsConfig = RowsConfig()
    saving: SavingConfig = SavingConfig()
    documents: DocumentsConfig = DocumentsConfig()
    mixture: tuple[MixtureSet, ...] = ()
    """Datasets whose gradients are added up in each step (Flamingo, 2204.14198, section 3.4)."""
    template: str = "auto"
    about: str = ""
    """One line for `instructgen pipelines`."""


class StageRecipe(Protocol):
    """What the loop asks of a recipe, whatever the stage trains."""

    @property
    def train(self) -> TrainConfig: ...

    @property
    def optim(self) -> OptimConfig: ...

    @property
    def saving(self) -> SavingConfig: ...


def is_recipe(path: Path) -> bool:
    """Return whether a file of pipelines/ is a stage of training, and not a build."""
    try:
        return "model" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises InstructgenError naming the file and the key for anything that is not a valid recipe.
    """
    return make_recipe(read_table(path), str(path))


def read_table(path: Path) -> dict[str, Any]:
    """Return a recipe's file as it is written; nothing is known of its keys yet."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InstructgenError(f"no recipe {path}; `instructgen pipelines` lists the shipped ones") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InstructgenError(f"{path} is not valid TOML: {error}") from None


def make_recipe(table: dict[str, Any], where: str) -> Recipe:
    """Return a recipe of a TOML table; `where` names it in errors."""
    try:
        recipe = msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{where}: {error}; docs/training.md lists every key") from None
    for key, value in {**optim_numbers(recipe.optim), "train.epochs": recipe.train.epochs or 0.0}.items():
        if not math.isfinite(value):
            raise InstructgenError(f"{where}: {key} is {value}; give a number")
    if max(recipe.optim.betas) >= 1:
        raise InstructgenError(f"{where}: optim.betas are below 1")
    if len({each.name for each in recipe.mixture}) < len(recipe.mixture):
        raise InstructgenError(f"{where}: two sets of [[mixture]] have the same name")
    if (recipe.train.epochs is None) == (recipe.train.steps is None):
        raise InstructgenError(f"{where}: [train] wants either epochs or steps, one of the two")
    return recipe


def optim_numbers(config: OptimConfig) -> dict[str, float]:
    """Return every number of [optim] by its key; TOML has inf and nan, which pass for not negative."""
    single = ("learning_rate", "weight_decay", "warmup", "first_rate", "last_rate", "max_grad_norm")
    return {
        **{f"optim.{name}": getattr(config, name) for name in single},
        **{f"optim.rates.{part}": rate for part, rate in config.rates.items()},
        **{f"optim.decays.{name}": decay for name, decay in config.decays.items()},
        **{f"optim.betas[{place}]": beta for place, beta in enumerate(config.betas)},
    }
