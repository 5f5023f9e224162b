"""A tiny Flamingo with open gates, documents of random tokens, and what one picture changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from instructgen.models.attention import use_tree_attention
from instructgen.models.build import build_model
from instructgen.models.spec import ConnectorSpec, GatedSpec, LanguageSpec, ModelSpec, VisionSpec
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.example import IMAGE_SLOT, Example
from tests.support.tiny_vlm import LLAMA, VISION, VOCABULARY

GATED = GatedSpec(num_heads=2, head_width=8, num_latents=5, depth=2, num_frames=3)


def make_spec(language: dict[str, Any] = LLAMA, flamingo: GatedSpec = GATED) -> ModelSpec:
    return ModelSpec(
        vision=VisionSpec(config=VISION),
        connector=ConnectorSpec(kind="gated_cross_attention", flamingo=flamingo),
        language=LanguageSpec(config=language),
    )


def make_flamingo(
    language: dict[str, Any] = LLAMA, flamingo: GatedSpec = GATED, *, gate: float = 0.8, by_trees: bool = True
) -> VisionLanguageModel:
    """Return a model of float32 whose gates are open by tanh(gate); 0 leaves them as they begin."""
    model = build_model(make_spec(language, flamingo))
    if by_trees:
        use_tree_attention(model.causal_lm)
    open_gates(model, gate)
    return model


@torch.no_grad()
def open_gates(model: VisionLanguageModel, gate: float) -> None:
    assert model.gated is not None
    for name, parameter in model.gated.named_parameters():
        if name.endswith("_gate"):
            parameter.fill_(gate)


def make_document(
    seed: int, texts: Sequence[int], *, frames: Sequence[int] = (), sees_next: bool = False, name: str = ""
) -> Example:
    """Return a document: texts of so many tokens with a slot between each two; what follows the first slot trains."""
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    for place, length in enumerate(texts):
        ids += [IMAGE_SLOT] * (place > 0)
        ids += rng.integers(3, VOCABULARY, length).tolist()
    array = np.array(ids, np.int32)
    is_slot = array == IMAGE_SLOT
    is_trained = (np.cumsum(is_slot) > 0) & ~is_slot
    counts = tuple(frames) or (1,) * (len(texts) - 1)
    pictures = tuple(f"{name or seed}-{number}" for number in range(sum(counts)))
    return Example(f"document{seed}", array, is_trained, pictures, tuple(frames), sees_next)
