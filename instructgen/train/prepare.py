"""A model made ready for a stage: in which precision, what is computed again, what is compiled."""

from typing import Any, cast

import torch
from torch import nn

from instructgen.errors import InstructgenError
from instructgen.models.attention import NAME, tree_attention, use_tree_attention
from instructgen.models.connectors.gated_cross_attention import GatedBlock
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.recipe import Recipe


def prepare(model: VisionLanguageModel, recipe: Recipe) -> None:
    """Cast and set up a model in place, as the recipe says; what is frozen asks for no gradients by now.

    What trains is float32. With bfloat16 the frozen weights are held in it, and nothing has a copy of them.
    """
    model.train()
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    model.cast_frozen(torch.bfloat16 if recipe.train.dtype == "bfloat16" else torch.float32)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001  torch has no public name for all of them
            module.eval()  # its running means would be weights that no checkpoint has
    if recipe.rows.packing:
        use_tree_attention(model.causal_lm)
    if recipe.train.gradient_checkpointing:
        _compute_again(model)
    if recipe.train.compile:
        _compile(model)


def trained_parameters(module: nn.Module, prefix: str = "") -> dict[str, nn.Parameter]:
    """Return what trains, by its name in the model; `prefix` is what a wrapper puts before it."""
    return {
        name.removeprefix(prefix): parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    }


def find_blocks(model: VisionLanguageModel) -> list[nn.Module]:
    """Return the layers of the language model's decoder, and the gated blocks before them."""
    return [*find_language_blocks(model), *([] if model.gated is None else model.gated.blocks)]


def find_language_blocks(model: VisionLanguageModel) -> list[nn.Module]:
    """Return the layers of the language model's decoder."""
    names = set(cast(Any, model.causal_lm)._no_split_modules or ())  # noqa: SLF001  transformers has no public name for it
    blocks = [module for module in model.causal_lm.modules() if type(module).__name__ in names]
    if not blocks:
        raise InstructgenError(f"{type(model.causal_lm).__name__} does not say what its layers are")
    return blocks


def _compile(model: VisionLanguageModel) -> None:
    """Compile the decoder's layers, one graph for all lengths of rows, as they are first computed."""
    if model.device.type == "cpu":
        # There attention is a call for each piece of a row: a graph for every layout of trees, and no gain.
        from transformers import AttentionInterface

        keep_as_it_is: Any = torch.compiler.disable
        AttentionInterface.register(NAME, keep_as_it_is(tree_attention))
    for block in find_language_blocks(model):
        block.compile(dynamic=True)


def _compute_again(model: VisionLanguageModel) -> None:
    """Keep no activations inside the decoder's layers; the backward pass computes them again."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    causal_lm: Any = model.causal_lm
    if not causal_lm.supports_gradient_checkpointing:
        raise InstructgenError(f"{type(causal_lm).__name__} has no gradient checkpointing; turn it off in [train]")
    for block in () if model.gated is None else model.gated.blocks:
        cast(GatedBlock, block).computes_again = True
    causal_lm.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    for module in causal_lm.modules():
        if isinstance(module, GradientCheckpointingLayer):
            # A layer asks its own flag; a frozen one, and what is inside it, stays without dropout.
            module.training = True
            if not model.is_trained(module):
                _forget_dropout(module)


def _forget_dropout(layer: nn.Module) -> None:
    """Set to 0 what a layer drops by its own flag and no module of its own (OPT, BART)."""
    for name in ("dropout", "activation_dropout"):
        if isinstance(getattr(layer, name, None), float):
            setattr(layer, name, 0.0)
