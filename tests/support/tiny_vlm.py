"""A tiny vision-language model, random chats and what a row does to them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from instructgen.models.attention import use_tree_attention
from instructgen.models.build import build_model
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, VisionSpec
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.objective import row_loss

VOCABULARY = 97
IMAGE_PX = 28
VISION: dict[str, Any] = {
    "model_type": "clip_vision_model",
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": IMAGE_PX,
    "patch_size": 14,
}
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
GPT2: dict[str, Any] = {
    "model_type": "gpt2",
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 512,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def make_model(language: dict[str, Any], *, by_trees: bool = True) -> VisionLanguageModel:
    """Return a model of float32 with 4 tokens an image."""
    spec = ModelSpec(
        vision=VisionSpec(config=VISION),
        connector=ConnectorSpec(kind="mlp2x_gelu"),
        language=LanguageSpec(config=language),
    )
    model = build_model(spec)
    if by_trees:
        use_tree_attention(model.causal_lm)
    return model


def make_precise(model: VisionLanguageModel) -> VisionLanguageModel:
    """Return the model in float64 throughout: Llama's norm, always computed in float32, gives way to torch's."""
    for module in model.modules():
        for name, child in module.named_children():
            if type(child).__name__ == "LlamaRMSNorm":
                norm = nn.RMSNorm(child.weight.shape, eps=child.variance_epsilon)
                norm.weight = child.weight
                setattr(module, name, norm)
    return model.double()


def make_chats(seed: int, num_images: Sequence[int], per_image: int = 1) -> list[Example]:
    """Return chats with so many images; `per_image` chats in a row see the same ones, after the same words."""
    rng = np.random.default_rng(seed)
    chats: list[Example] = []
    for number, count in enumerate(num_images):
        shown = number // per_image
        begin = [1, 5, *[IMAGE_SLOT, 6] * count]
        question = rng.integers(10, VOCABULARY, rng.integers(1, 9)).tolist()
        answer = rng.integers(10, VOCABULARY, rng.integers(1, 9)).tolist()
        ids = np.array([*begin, *question, *answer, 2], np.int32)
        is_trained = np.zeros(len(ids), np.bool_)
        is_trained[len(begin) + len(question) :] = True
        pictures = tuple(f"{shown}-{place}" for place in range(count))
        chats.append(Example(f"chat{number}", ids, is_trained, pictures))
    return chats


def pixels_of(pictures: Sequence[str], dtype: torch.dtype = torch.float32) -> Tensor:
    """Return pixels [N, 3, H, W] that depend on the pictures' names alone."""
    made = []
    for name in pictures:
        generator = torch.Generator().manual_seed(sum(ord(letter) * 31**at for at, letter in enumerate(name)))
        made.append(torch.randn(3, IMAGE_PX, IMAGE_PX, generator=generator).to(dtype))
    return torch.stack(made) if made else torch.zeros(0, 3, IMAGE_PX, IMAGE_PX, dtype=dtype)


def loss_and_gradients(model: VisionLanguageModel, rows: Iterable[Any]) -> tuple[float, dict[str, Tensor]]:
    """Return the rows' summed loss, and the gradient of every parameter."""
    model.zero_grad()
    total = 0.0
    dtype = next(model.parameters()).dtype
    for row in rows:
        loss = row_loss(model, row, pixels_of(row.pictures, dtype))
        loss.backward()
        total += float(loss.detach())
    gradients = {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        for name, parameter in model.named_parameters()
    }
    return total, gradients


def furthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Return the largest difference of two sets of gradients, over the largest gradient."""
    size = max(float(value.abs().max()) for value in one.values())
    return max(float((one[name] - other[name]).abs().max()) for name in one) / size
