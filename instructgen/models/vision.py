"""A vision tower of any Hugging Face kind, or ours, cut off above the layer that is taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MODEL_MAPPING, PretrainedConfig, PreTrainedModel

from instructgen.errors import InstructgenError
from instructgen.models import efficientnet
from instructgen.models.pictures import Colours
from instructgen.models.places import EFFICIENTNET
from instructgen.models.spec import VisionSpec

# B pictures, C channels, H height, W width, N tokens of the tower, P of them patches, V vision width

FINAL_NORMS = ("post_layernorm", "layernorm", "norm", "final_layer_norm")
POOLERS = ("head", "pooler")
_USUAL_PX = 224  # where a configuration does not say


@dataclass(frozen=True, slots=True)
class TowerShape:
    """What a tower gives; `num_prefix` tokens (class, registers) stand before the patches."""

    image_px: int
    width: int
    num_patches: int
    num_prefix: int


class VisionTower(nn.Module):
    """The tower up to the chosen layer; what lies above is neither held nor computed.

    `num_total_parameters` counts the whole tower, as it was before it was cut, without what is idle in it; `colours`
    are the mean and the deviation of the pixels that it takes.
    """

    def __init__(self, encoder: nn.Module, spec: VisionSpec, shape: TowerShape, colours: Colours) -> None:
        super().__init__()
        self.num_total_parameters = sum(weight.numel() for weight in encoder.parameters()) - count_idle(encoder)
        self.norm_name = find_norm(encoder)
        self.final_norm: nn.Module = cut_off(encoder, spec)
        self.encoder = encoder
        self.shape = shape
        self.colours = colours
        self._num_dropped = shape.num_prefix if spec.drops_class_token else 0
        self._options = _make_options(encoder, shape.image_px)

    @property
    def num_tokens(self) -> int:
        return self.shape.num_patches + self.shape.num_prefix - self._num_dropped

    @property
    def width(self) -> int:
        return self.shape.width

    @property
    def image_px(self) -> int:
        return self.shape.image_px

    @property
    def norm_eps(self) -> float:
        """Of the tower's own norms; where it does not say, of Hugging Face's BLIP-2."""
        return float(getattr(getattr(self.encoder, "config", None), "layer_norm_eps", 1e-6))

    def forward(self, pixels_bchw: Tensor) -> Tensor:
        """Map [B, 3, H, W] to [B, P, V]; a grid of features is read row by row."""
        tokens_bnv: Tensor = self.final_norm(run_encoder(self.encoder, pixels_bchw, self._options))
        return tokens_bnv[:, self._num_dropped :]


def run_encoder(encoder: nn.Module, pixels_bchw: Tensor, options: dict[str, bool]) -> Tensor:
    """Return the encoder's last features as [B, N, V]."""
    given = encoder(pixels_bchw, **options)
    features_bnv: Tensor = given if isinstance(given, Tensor) else given.last_hidden_state
    if features_bnv.dim() == 4:
        features_bnv = features_bnv.flatten(2).transpose(1, 2)
    return features_bnv


def _make_options(encoder: nn.Module, image_px: int) -> dict[str, bool]:
    """Return what the encoder must be told where pictures have another size than its weights were trained on."""
    option = "interpolate_pos_encoding"
    is_resized = read_image_px(getattr(encoder, "config", None)) != image_px
    return {option: True} if is_resized and option in signature(encoder.forward).parameters else {}


def read_image_px(config: object) -> int:
    size = getattr(config, "image_size", None)
    if isinstance(size, dict):
        size = size.get("height")
    if isinstance(size, list | tuple):
        size = size[0]
    return size if isinstance(size, int) else _USUAL_PX


def cut_off(encoder: nn.Module, spec: VisionSpec) -> nn.Module:
    """Take away the layers above the chosen one, the pooling and the final norm; return that norm or nothing's.

    Raises InstructgenError for a layer that the tower does not have.
    """
    norm_name = find_norm(encoder)
    norm = getattr(encoder, norm_name) if norm_name else None
    if norm_name:
        setattr(encoder, norm_name, nn.Identity())
    for name in POOLERS:
        if isinstance(getattr(encoder, name, None), nn.Module):
            setattr(encoder, name, nn.Identity())
    config: Any = getattr(encoder, "config", None)
    if getattr(config, "vision_use_head", False):  # SigLIP's pooling, for whoever reads the saved configuration
        config.vision_use_head = False
    _keep_layers(encoder, spec)
    if not spec.normalises_last:
        return nn.Identity()
    if not isinstance(norm, nn.Module):
        raise InstructgenError(
            f"the vision tower '{spec.name or type(encoder).__name__}' has no final norm;"
            " leave normalises_last out of [model.vision]"
        )
    return norm


def count_idle(encoder: nn.Module) -> int:
    """Return how many weights of an EVA tower do nothing: transformers gives its keys a bias, EVA-CLIP has none.

    A bias of the keys moves all scores of a query alike, which softmax takes out again; checkpoints have zeros there.
    """
    from transformers.models.blip_2.modeling_blip_2 import Blip2Attention

    attentions = [part for part in encoder.modules() if isinstance(part, Blip2Attention)]
    return sum(part.embed_dim for part in attentions if isinstance(part.qkv.bias, torch.Tensor))


def find_norm(encoder: nn.Module) -> str:
    """Return the name of the encoder's final norm, or "" where it has none."""
    return next((name for name in FINAL_NORMS if isinstance(getattr(encoder, name, None), nn.Module)), "")


def _keep_layers(encoder: nn.Module, spec: VisionSpec) -> None:
    if spec.layer == -1:
        return
    config = getattr(encoder, "config", None)
    num_layers = getattr(config, "num_hidden_layers", None)
    lists = [part for part in encoder.modules() if isinstance(part, nn.ModuleList) and len(part) == num_layers]
    where = f"the vision tower '{spec.name or type(encoder).__name__}'"
    if config is None or num_layers is None or len(lists) != 1:
        raise InstructgenError(
            f"{where} has no single row of layers to choose from; set layer = -1 in [model.vision]"
        )
    num_kept = spec.layer if spec.layer >= 0 else num_layers + 1 + spec.layer
    if not 0 <= num_kept <= num_layers:
        raise InstructgenError(f"{where} has {num_layers} layers: layer goes from {-num_layers - 1} to {num_layers}")
    del lists[0][num_kept:]
    config.num_hidden_layers = num_kept


@contextmanager
def on_meta() -> Iterator[None]:
    with torch.device("meta"):
        yield


def encoder_class(config: PretrainedConfig) -> type[PreTrainedModel]:
    """Return the class of the tower that a configuration describes."""
    if config.model_type == "blip_2_vision_model":  # in none of Hugging Face's tables
        from transformers import Blip2VisionModel

        return Blip2VisionModel
    try:
        found: Any = MODEL_MAPPING[type(config)]
    except KeyError:
        found = None
    is_model = isinstance(found, type) and issubclass(found, PreTrainedModel)
    if not is_model or found.main_input_name != "pixel_values":
        raise InstructgenError(f"'{config.model_type}' is no vision tower that transformers can build")
    chosen: type[PreTrainedModel] = found
    return chosen


def make_encoder(config: PretrainedConfig | None) -> nn.Module:
    """Return a tower with random weights, from torch's generator; None is EfficientNet-Lite0."""
    return efficientnet.EfficientNetLite0() if config is None else encoder_class(config)(deepcopy(config))


def measure_shape(config: PretrainedConfig | None, spec: VisionSpec) -> TowerShape:
    """Run the tower on the meta device, where nothing is computed, and look at what comes out."""
    image_px = spec.image_px or read_image_px(config)
    with on_meta():
        pixels_bchw = torch.empty(1, 3, image_px, image_px)
        try:
            encoder = make_encoder(config)
            cut_off(encoder, spec)
            given = encoder(pixels_bchw, **_make_options(encoder, image_px))
        except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
            name = spec.name or getattr(config, "model_type", EFFICIENTNET)
            raise InstructgenError(f"the vision tower '{name}' does not take {image_px} px: {error}") from None
    features: Tensor = given if isinstance(given, Tensor) else given.last_hidden_state
    if features.dim() == 4:
        return TowerShape(image_px, int(features.shape[1]), int(features.shape[2] * features.shape[3]), 0)
    num_tokens, width = int(features.shape[1]), int(features.shape[2])
    num_patches = (image_px // _read_patch_px(config)) ** 2
    num_prefix = num_tokens - num_patches if 0 <= num_tokens - num_patches < num_tokens else 0
    return TowerShape(image_px, width, num_tokens - num_prefix, num_prefix)


def _read_patch_px(config: Any) -> int:
    size = getattr(config, "patch_size", 1)
    return int(size[0]) if isinstance(size, list | tuple) else int(size)
