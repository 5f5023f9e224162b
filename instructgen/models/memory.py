"""How much memory a stage of training takes, roughly; exact for weights, gradients and AdamW's moments."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from instructgen.models.connectors.gated_cross_attention import GatedConnector
from instructgen.models.counts import count_parameters
from instructgen.models.vlm import VisionLanguageModel

_FLOAT32 = 4
_BFLOAT16 = 2
_FOUR_BITS = 0.5 + 4 / 64 / 4  # with a scale for each 64 weights, itself in 8 bits (QLoRA, 2305.14314)
_LOGITS_HELD = 1 << 24  # the loss computes the logits of a row in pieces of this size


class Workload(Struct, frozen=True):
    """What a step computes at a time: rows of `row_tokens`, in each of `num_processes`."""

    row_tokens: int
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    gradient_checkpointing: bool = False
    quantised: bool = False
    num_processes: int = 1
    sample_tokens: int | None = None
    """Where a picture takes one position, as Flamingo's: of each so many positions ..."""
    sample_pictures: int = 1
    """... so many are pictures."""


class Memory(Struct, frozen=True):
    """Bytes in one process. Activations are an estimate, the rest is counted."""

    weights: int
    gradients: int
    optimiser: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimiser + self.activations


def estimate_memory(model: VisionLanguageModel, work: Workload) -> Memory:
    """Return the memory of training what asks for gradients now, the rest frozen.

    Trained weights are held in float32, with a gradient and AdamW's two moments of the same size; frozen weights in
    `dtype`, of a quantised language model in 4 bits. Several processes share all of these evenly (FSDP2).

    Activations, for L tokens of a row, b bytes of `dtype`, width D, inner width I, width of the keys K, N layers:
    a layer keeps 8 D + 2 K + 4 I values a token (its input, two norms, queries, keys, values, what attention gives,
    residuals; the two halves of the gated layer, their product and its activation), so N * L * b * (8 D + 2 K + 4 I);
    with gradient checkpointing N * L * b * D and one layer in full. Added: in bfloat16 a copy of the trained weights,
    three times the logits that are held at a time in float32, and one layer of the tower for as many pictures as a
    row takes, or all of its layers where the tower is trained.
    """
    counts = count_parameters(model)
    value_bytes = _BFLOAT16 if work.dtype == "bfloat16" else _FLOAT32
    frozen_bytes = 0.0
    for part, count in counts.parts.items():
        weight_bytes = _FOUR_BITS if work.quantised and part == "language" else value_bytes
        frozen_bytes += (count.used - count.trained) * weight_bytes
    shared = work.num_processes
    trained_bytes = counts.trained * _FLOAT32
    casts = counts.trained * _BFLOAT16 if work.dtype == "bfloat16" else 0
    return Memory(
        weights=round((trained_bytes + frozen_bytes) / shared),
        gradients=round(trained_bytes / shared),
        optimiser=round(2 * trained_bytes / shared),
        activations=round(casts / shared) + _activations(model, work, value_bytes),
    )


def _activations(model: VisionLanguageModel, work: Workload, value_bytes: int) -> int:
    config: Any = model.causal_lm.config
    width, num_layers = int(config.hidden_size), _count_layers(config)
    layer_values = _layer_values(config)
    if work.gradient_checkpointing:
        language = work.row_tokens * (num_layers * width + layer_values)
    else:
        language = work.row_tokens * num_layers * layer_values
    if model.gated is not None:
        language += work.row_tokens * _gated_values(model.gated, width, computes_again=work.gradient_checkpointing)
    logits = 3 * min(work.row_tokens * int(config.vocab_size), _LOGITS_HELD) * _FLOAT32
    return value_bytes * (language + _tower_values(model, _count_pictures(model, work))) + logits


def _count_pictures(model: VisionLanguageModel, work: Workload) -> int:
    """Return the pictures of a row: all of it, where each takes many positions."""
    if model.gated is None or work.sample_tokens is None:
        return max(1, work.row_tokens // model.tokens_per_image)
    return max(1, work.row_tokens // work.sample_tokens) * work.sample_pictures


def _gated_values(gated: GatedConnector, width: int, *, computes_again: bool) -> int:
    """Return how many values all gated blocks keep of a token: two norms, queries, what is seen, both halves of the
    feed-forward layer, and two sums; or their inputs, and all of one."""
    spec = gated.spec
    one = 6 * width + 2 * spec.num_heads * spec.head_width + 2 * spec.mult * width
    return len(gated.blocks) * width + one if computes_again else len(gated.blocks) * one


def _layer_values(config: Any) -> int:
    """Return how many values a layer of a transformer keeps of a token for its gradient."""
    width = int(config.hidden_size)
    inner = next(_find(config, "intermediate_size", "ffn_dim", "d_ff", "encoder_ffn_dim", "n_inner"), 4 * width)
    num_heads = next(_find(config, "num_attention_heads"), 1)
    num_key_heads = next(_find(config, "num_key_value_heads"), num_heads)
    return 8 * width + 2 * width * num_key_heads // num_heads + 4 * inner


def _count_layers(config: Any) -> int:
    """Return the layers that a row goes through; of an encoder-decoder model the encoder's and the decoder's."""
    num_layers = int(config.num_hidden_layers)
    if not getattr(config, "is_encoder_decoder", False):
        return num_layers
    return num_layers + next(_find(config, "num_decoder_layers", "decoder_layers"), num_layers)


def _find(config: Any, *names: str) -> Iterator[int]:
    return (value for name in names if isinstance(value := getattr(config, name, None), int))


def _tower_values(model: VisionLanguageModel, num_pictures: int) -> int:
    tower = model.vision
    num_tokens = tower.shape.num_patches + tower.shape.num_prefix
    config = getattr(tower.encoder, "config", None)
    if not hasattr(config, "hidden_size"):
        return num_pictures * num_tokens * tower.width
    num_layers = int(getattr(config, "num_hidden_layers", 1)) if model.is_trained(tower) else 1
    return num_pictures * num_tokens * num_layers * _layer_values(config)
