"""Low-rank adapters (2106.09685) on the language model, through peft."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from instructgen.errors import InstructgenError
from instructgen.models.seeds import seeded
from instructgen.models.vlm import VisionLanguageModel

ADAPTER_FOLDER = "adapter"
_EXTRA = "pip install 'instructgen[train]'"


def apply_lora(model: VisionLanguageModel, *, rank: int, alpha: int, dropout: float, seed: int = 0) -> None:
    """Put an adapter beside every linear layer of the language model but its head; of it only they train from now on.

    They begin as if they were not there, with weights that are a function of `seed`. Other parts stay as they are.
    """
    peft = _import_peft()
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        bias="none",
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    # An outline's adapters are outlines too; they would be drawn first, by the gigabyte.
    place = model.device if model.device.type == "meta" else torch.device("cpu")
    with seeded(seed, "lora"), place, _without_notices():
        model.language = peft.get_peft_model(model.causal_lm, config)
    model.train(model.training)


def merge_lora(model: VisionLanguageModel) -> None:
    """Add the adapters to the weights that they stand beside, and take them away."""
    if model.has_adapters:
        wrapped: Any = model.language
        model.language = wrapped.merge_and_unload()


def save_adapter(model: VisionLanguageModel, folder: Path) -> None:
    wrapped: Any = model.language
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # a form for the hub that nobody has filled in


def load_adapter(model: VisionLanguageModel, folder: str) -> None:
    """Put saved adapters on the language model. Raises InstructgenError where they do not fit."""
    peft = _import_peft()
    try:
        with _without_notices():
            wrapped: nn.Module = peft.PeftModel.from_pretrained(model.causal_lm, folder, is_trainable=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InstructgenError(f"the adapter in {folder} cannot be put on the language model: {error}") from None
    model.language = wrapped
    model.train(model.training)


def quantised_options(dtype: torch.dtype) -> dict[str, Any]:
    """Return what loads a language model in 4 bits (QLoRA, 2305.14314): NormalFloat, doubly quantised.

    Raises InstructgenError without bitsandbytes or without a GPU.
    """
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes") is None:
        raise InstructgenError("quantised = true needs the package bitsandbytes: pip install bitsandbytes")
    if not torch.cuda.is_available():
        raise InstructgenError(
            "quantised = true needs a GPU that CUDA knows; leave it out of [train.lora] without one"
        )
    make_config: Any = BitsAndBytesConfig
    config = make_config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": config, "device_map": {"": torch.cuda.current_device()}}


@contextmanager
def _without_notices() -> Iterator[None]:
    """Leave out what transformers tells peft of coming changes; it is not for our users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _import_peft() -> Any:
    try:
        import peft
    except ImportError:
        raise InstructgenError(f"adapters ([train.lora]) need the package peft: {_EXTRA}") from None
    return peft
