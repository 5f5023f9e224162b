"""From a recipe's [model] table to a model: with its weights, with random ones, or without any (meta)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from instructgen.errors import InstructgenError
from instructgen.models.checkpoints import load_strictly, read_prefixed, read_tensors
from instructgen.models.connectors import make_connector
from instructgen.models.connectors.base import Connector
from instructgen.models.language import check_head, language_config, load_language, load_tokenizer, make_language
from instructgen.models.lora import quantised_options
from instructgen.models.pictures import PictureReader
from instructgen.models.seeds import seeded
from instructgen.models.spec import ConnectorSpec, ModelSpec, QFormerSpec
from instructgen.models.towers import build_tower, outline_tower
from instructgen.models.vision import on_meta
from instructgen.models.vlm import VisionLanguageModel

__all__ = ["build_model", "build_on_meta", "load_tokenizer", "make_picture_reader"]

CONNECTOR_FILE = "connector.safetensors"
_QFORMER = "qformer."


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
        connector = make_connector(spec.connector, vision.width, _read_width(language))
    if weights:
        _load_connector(connector, spec.connector)
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
        connector = make_connector(spec.connector, vision.width, _read_width(language))
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


def _read_width(language: PreTrainedModel) -> int:
    embeddings: Any = language.get_input_embeddings()
    return int(embeddings.weight.shape[1])


def _load_connector(connector: Connector, spec: ConnectorSpec) -> None:
    qformer = spec.qformer or QFormerSpec()
    has_named_qformer = spec.kind == "qformer" and bool(qformer.name)
    if has_named_qformer:
        found = read_prefixed(qformer.name, (_QFORMER, "query_tokens"))
        tensors = {f"model.{name}": value for name, value in found[_QFORMER].items()}
        tensors["query_tokens"] = found["query_tokens"][""]
        load_strictly(connector.get_submodule("qformer"), tensors, qformer.name)
    if spec.name:
        fill_connector(connector, read_tensors(find_connector(spec.name)), spec.name, keeps_qformer=has_named_qformer)


def fill_connector(connector: Connector, tensors: Mapping[str, Tensor], name: str, *, keeps_qformer: bool) -> None:
    """Fill the connector from a saved one; `keeps_qformer` allows one that was saved without its frozen Q-Former."""
    if keeps_qformer and not any(key.startswith(_QFORMER) for key in tensors):
        kept = {key: value for key, value in connector.state_dict().items() if key.startswith(_QFORMER)}
        tensors = {**tensors, **kept}
    load_strictly(connector, tensors, name)


def find_connector(name: str) -> Path:
    """Return the connector's file of a model's folder, or of the run that made it."""
    for folder in (Path(name), Path(name) / "model"):
        if (folder / CONNECTOR_FILE).is_file():
            return folder / CONNECTOR_FILE
    raise InstructgenError(
        f"no {CONNECTOR_FILE} in {name}: name of [model.connector] wants the folder of an earlier run or model"
    )
