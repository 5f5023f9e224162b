"""From a recipe's [model] table to a model: with its weights, with random ones, or without any (meta)."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from instructgen.errors import InstructgenError
from instructgen.models.connectors import make_connector
from instructgen.models.connectors.base import Connector
from instructgen.models.connectors.gated_cross_attention import GatedConnector, LayerShape
from instructgen.models.language import (
    check_head,
    find_layers,
    language_config,
    load_language,
    load_tokenizer,
    make_language,
)
from instructgen.models.lora import quantised_options
from instructgen.models.pictures import PictureReader
from instructgen.models.saved_connector import load_connector
from instructgen.models.seeds import seeded
from instructgen.models.spec import ConnectorSpec, ModelSpec
from instructgen.models.towers import build_tower, outline_tower
from instructgen.models.vision import VisionTower, on_meta
from instructgen.models.vlm import VisionLanguageModel

__all__ = ["build_model", "build_on_meta", "load_tokenizer", "make_picture_reader"]


def build_model(
    spec: ModelSpec,
    *,
    device: str = "cpu",
    weights: bool = True,
    dtype: torch.dtype = torch.float32,
    quantised: bool = False,
) -> VisionLanguageModel:
    """Return the model, in evaluation mode, with every parameter trainable.

    A part that has a name gets its weights; one that has a `config` gets random ones, a function of `spec.seed`
    alone, as do all with weights=False. `dtype` is that of loaded weights; `quantised` loads the language model in
    4 bits.
    """
    vision = build_tower(spec.vision, spec.seed, weights=weights, dtype=dtype)
    has_language = weights and spec.language.config is None and bool(spec.language.name)
    if quantised and not has_language:
        raise InstructgenError(
            "quantised = true holds weights in 4 bits: [model.language] wants a name, and no config"
        )
    if has_language:
        options: dict[str, Any] = quantised_options(torch.bfloat16) if quantised else {}
        language = load_language(spec.language.name, dtype, **options)
    else:
        config = language_config(spec.language, from_table=not weights)
        with seeded(spec.seed, "language"):
            language = make_language(config)
    check_head(language)
    with seeded(spec.seed, "connector"):
        connector = _make_connector(spec.connector, vision.width, language)
    if isinstance(connector, GatedConnector):
        connector.start_rows(*_read_rows(language))
    if weights:
        load_connector(connector, spec.connector)
    _match_norms(connector, vision)
    model = VisionLanguageModel(vision, connector, language)
    _check_tokens(model)
    return model.to(device).eval()


def build_on_meta(spec: ModelSpec) -> VisionLanguageModel:
    """Return the model without weights, on the meta device: for counts and shapes.

    No hub is asked for a name of instructgen.models.architectures.
    """
    vision = outline_tower(spec.vision)
    config = language_config(spec.language, from_table=True)
    with on_meta():
        language = make_language(config)
        connector = _make_connector(spec.connector, vision.width, language)
    _match_norms(connector, vision)
    model = VisionLanguageModel(vision, connector, language)
    _check_tokens(model)
    return model.eval()


def make_picture_reader(spec: ModelSpec, model: VisionLanguageModel) -> PictureReader:
    """Return what turns pictures into the model's pixels."""
    mean, std = model.vision.colours
    return PictureReader(model.vision.image_px, spec.vision.aspect, mean, std)


def _check_tokens(model: VisionLanguageModel) -> None:
    """Fail now, and not in the first step, where the connector cannot take the tower's number of tokens."""
    assert model.tokens_per_image > 0


def _make_connector(spec: ConnectorSpec, vision_width: int, language: PreTrainedModel) -> Connector:
    config: Any = language.config
    layers = LayerShape(len(find_layers(language)), int(config.get_text_config().hidden_size))
    return make_connector(spec, vision_width, _read_width(language), layers)


def _read_rows(language: PreTrainedModel) -> tuple[Tensor, Tensor]:
    """Return the input and output embeddings, [V, D] each."""
    model: Any = language
    return model.get_input_embeddings().weight, model.get_output_embeddings().weight


def _match_norms(connector: Connector, vision: VisionTower) -> None:
    """Give a Q-Former's norm the tower's epsilon, which Hugging Face's form of the whole has for both."""
    norm = getattr(getattr(connector, "qformer", None), "vision_norm", None)
    if not isinstance(norm, nn.LayerNorm):
        return
    if not isinstance(vision.final_norm, nn.Identity):
        raise InstructgenError(
            "normalises_last of [model.vision] and normalises of the Q-Former would norm the same tokens twice;"
            " leave one of them out"
        )
    norm.eps = vision.norm_eps


def _read_width(language: PreTrainedModel) -> int:
    embeddings: Any = language.get_input_embeddings()
    return int(embeddings.weight.shape[1])
