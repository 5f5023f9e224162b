"""From a recipe's [model.vision] table to a tower."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import ImageProcessingMixin, PretrainedConfig

from instructgen.errors import InstructgenError
from instructgen.models import architectures
from instructgen.models.checkpoints import load_strictly, read_prefixed, read_tensors
from instructgen.models.language import check_origin, fetch_config, make_config, missing_words
from instructgen.models.pictures import Colours, usual_colours
from instructgen.models.places import EFFICIENTNET, find_weights
from instructgen.models.quiet import quiet
from instructgen.models.seeds import seeded
from instructgen.models.spec import VisionSpec
from instructgen.models.vision import (
    FINAL_NORMS,
    POOLERS,
    VisionTower,
    encoder_class,
    make_encoder,
    measure_shape,
    on_meta,
)

_BLIP2 = "blip_2_vision_model"
_WHOLE = "vision_model."  # what stands before the tower's names in the whole model


def build_tower(spec: VisionSpec, seed: int, *, weights: bool, dtype: torch.dtype) -> VisionTower:
    """Return the tower with its weights, or with random ones where it has a `config` or weights are not wanted."""
    config = tower_config(spec, from_table=not weights)
    shape = measure_shape(config, spec)
    has_weights = weights and spec.config is None
    if has_weights:
        encoder = _load_encoder(config, spec, dtype)
    else:
        with seeded(seed, "vision"):
            encoder = make_encoder(config)
    return VisionTower(encoder, spec, shape, _find_colours(config, spec.name if has_weights else ""))


def outline_tower(spec: VisionSpec) -> VisionTower:
    """Return the tower on the meta device."""
    config = tower_config(spec, from_table=True)
    shape = measure_shape(config, spec)
    with on_meta():
        return VisionTower(make_encoder(config), spec, shape, _find_colours(config, ""))


def tower_config(spec: VisionSpec, *, from_table: bool) -> PretrainedConfig | None:
    """Return the tower's configuration, of a model of two halves that of the vision; None is EfficientNet-Lite0."""
    check_origin(spec, "vision")
    table: dict[str, Any] | None = spec.config
    if table is None and not spec.name:
        raise InstructgenError("[model.vision] wants a name (a Hugging Face id or a folder) or a config")
    if table is None and (from_table or spec.name == EFFICIENTNET):
        table = architectures.VISION.get(spec.name)
    if (table is not None and table.get("model_type") == EFFICIENTNET) or _is_ours(spec.name):
        return None
    config = fetch_config(spec.name, "vision") if table is None else make_config(table, "vision")
    return getattr(config, "vision_config", None) or config


def _is_ours(name: str) -> bool:
    path = Path(name) / "config.json"
    if not name or not path.is_file():
        return False
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False  # Hugging Face's own reader says what is wrong
    return isinstance(table, dict) and table.get("model_type") == EFFICIENTNET


def _load_encoder(config: PretrainedConfig | None, spec: VisionSpec, dtype: torch.dtype) -> nn.Module:
    source = find_weights(spec.name)
    if config is None:
        encoder = make_encoder(None)
        load_strictly(encoder, read_tensors(Path(source) / "model.safetensors"), spec.name)
        return encoder  # in float32, for the sake of its running means; it is small
    if config.model_type == _BLIP2:
        return _load_from_blip2(config, spec, dtype)
    loads: Any = encoder_class(config)
    try:
        with quiet():
            model, report = loads.from_pretrained(
                source, config=deepcopy(config), dtype=dtype, output_loading_info=True
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InstructgenError(missing_words(spec.name, "vision", error)) from None
    # A pooler is never taken; nor is the final norm where it is not asked for.
    spared = POOLERS if spec.normalises_last else (*POOLERS, *FINAL_NORMS)
    lacking = sorted(name for name in report["missing_keys"] if name.partition(".")[0] not in spared)
    if lacking:
        raise InstructgenError(
            f"the weights of '{spec.name}' lack {len(lacking)} of its tensors, {lacking[0]} for one"
        )
    loaded: nn.Module = model
    return loaded


def _load_from_blip2(config: PretrainedConfig, spec: VisionSpec, dtype: torch.dtype) -> nn.Module:
    """Load the tower out of a checkpoint of the whole model, or of the tower alone as we save it.

    transformers itself would leave the weights of either random, with a warning.
    """
    source = find_weights(spec.name)
    with on_meta():
        encoder = make_encoder(config)
    tensors = (
        read_prefixed(source, ("",))[""] if _is_tower_alone(source) else read_prefixed(source, (_WHOLE,))[_WHOLE]
    )
    for name in ("post_layernorm.weight", "post_layernorm.bias"):
        if not spec.normalises_last and name not in tensors:  # a tower that was saved without it
            tensors[name] = torch.zeros(config.hidden_size)
    load_strictly(encoder, tensors, spec.name, assign=True)
    return encoder.to(dtype)


def _is_tower_alone(source: str) -> bool:
    path = Path(source) / "config.json"
    return path.is_file() and json.loads(path.read_text(encoding="utf-8")).get("model_type") == _BLIP2


def _find_colours(config: PretrainedConfig | None, name: str) -> Colours:
    """Return mean and deviation: those beside the weights, or else the usual ones of the tower's type."""
    usual = usual_colours(EFFICIENTNET if config is None else config.model_type)
    if not name:
        return usual
    try:
        table, _ = ImageProcessingMixin.get_image_processor_dict(find_weights(name))
    except (OSError, ValueError):
        return usual
    mean, std = table.get("image_mean"), table.get("image_std")
    if not (isinstance(mean, list) and isinstance(std, list) and len(mean) == len(std) == 3):
        return usual
    return (float(mean[0]), float(mean[1]), float(mean[2])), (float(std[0]), float(std[1]), float(std[2]))
