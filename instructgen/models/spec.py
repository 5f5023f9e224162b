"""What a model is made of, as a recipe's [model] table says it; no weights and no torch."""

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

PositiveInt = Annotated[int, Meta(gt=0)]
ConnectorKind = Literal["linear", "mlp2x_gelu", "qformer", "gated_cross_attention"]
Part = Literal["vision", "qformer", "connector", "language"]
PARTS: tuple[Part, ...] = get_args(Part)
Aspect = Literal["squash", "crop", "pad"]


class VisionSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A vision tower, by the name of its weights or, with `config`, from nothing.

    `name` is a Hugging Face id, a folder, one of instructgen.models.architectures, or a tower of ours
    ("efficientnet-lite0"). `config` is a Hugging Face vision configuration with its `model_type`; weights are random.
    """

    name: str = ""
    config: dict[str, Any] | None = None
    layer: int = -2
    """Which hidden state is taken: LLaVA takes the last but one (2304.08485, section 4.1); -1 is the last."""
    drops_class_token: bool = True
    normalises_last: bool = False
    """Apply the tower's final LayerNorm to the chosen layer, as BLIP-2's ln_vision is."""
    aspect: Aspect = "crop"
    """How a picture becomes square: stretched, its middle cut out (CLIP's own), or padded with the mean colour
    (LLaVA-1.5)."""
    image_px: PositiveInt | None = None
    """Side of the square that the tower sees; None is what the tower was made for."""


class QFormerSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """BLIP-2's Q-Former (2301.12597, section 3.1)."""

    name: str = ""
    """Where its weights are: a Blip2 checkpoint (Hugging Face id or folder), or a run or model of ours that has one;
    empty makes random ones."""
    num_queries: PositiveInt = 32
    hidden_size: PositiveInt = 768
    num_layers: PositiveInt = 12
    num_heads: PositiveInt = 12
    intermediate_size: PositiveInt = 3072
    cross_attention_every: PositiveInt = 2
    normalises: bool = False
    """A LayerNorm of its own on the tower's tokens, which trains with it: BLIP-2's ln_vision."""


class GatedSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A resampler and gated blocks between the language model's layers (Flamingo, 2204.14198, section 3.1).

    The defaults are OpenFlamingo's (2308.01390 and its code).
    """

    every: PositiveInt = 1
    """A block stands before every so many layers of the language model ..."""
    first_layer: Annotated[int, Meta(ge=0)] = 0
    """... from this one on: 0 is Flamingo's, every - 1 OpenFlamingo's."""
    num_heads: PositiveInt = 8
    head_width: PositiveInt = 64
    mult: PositiveInt = 4
    """How many times wider the inside of a feed-forward layer is."""
    activation: Literal["gelu", "squared_relu"] = "gelu"
    num_latents: PositiveInt = 64
    """Keys that a picture, or a clip, becomes; it takes one position of the text."""
    depth: PositiveInt = 6
    """Layers of the resampler."""
    resampler_heads: PositiveInt | None = None
    """Heads of the resampler; None is `num_heads`."""
    resampler_head_width: PositiveInt | None = None
    """Width of each; None is `head_width`."""
    num_frames: Annotated[int, Meta(ge=0)] = 0
    """Frames that have a learned time embedding (Flamingo: 8); 0 has none, as OpenFlamingo."""


class ConnectorSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What maps the tower's tokens [B, P, V] to the language model's width [B, T, D]."""

    kind: ConnectorKind = "linear"
    qformer: QFormerSpec | None = None
    """With kind "qformer": a Q-Former, then one linear layer."""
    flamingo: GatedSpec | None = None
    """With kind "gated_cross_attention"."""
    name: str = ""
    """Weights of an earlier stage: a run's or a model's folder; empty makes random ones."""
    merge: PositiveInt = 1
    """So many neighbouring tokens are joined into one before the connector (MiniGPT-4's Llama-2 variant: 4)."""


class LanguageSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A causal language model, by the name of its weights or, with `config`, from nothing."""

    name: str = ""
    config: dict[str, Any] | None = None
    tokenizer: str = ""
    """A Hugging Face id or a folder; empty is `name`."""


class ModelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The parts, and the seed of whatever has no weights yet."""

    vision: VisionSpec
    connector: ConnectorSpec
    language: LanguageSpec
    seed: int = 0
