"""Stage 0, vision: a small tower learns which words hold for each patch of other scenes.

It stands for CLIP, which learnt from 400 million pictures with texts. Words for what a thing is and for its colour
leave no trace of left and right in the features, so that it also tells where the middle of the thing is.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from instructgen.jobs.demo_descent import Descent, Tell
from instructgen.jobs.demo_scenes import COLOURS, GRID, NOUNS, OtherScene, SeenThing
from instructgen.models.pictures import PictureReader
from instructgen.models.saved_tower import save_tower
from instructgen.models.spec import VisionSpec
from instructgen.models.towers import build_tower
from instructgen.models.vision import VisionTower

# B pictures, C channels, H height, W width, P patches, V vision width, N words

IMAGE_PX = 60
_WIDTH, _LAYERS, _HEAD_WIDTH = 128, 3, 32
_COLUMNS, _ROWS = 3, 3  # how finely it tells where a thing's middle is
_BATCH = 48
_WARM_STEPS = 30


def make_spec() -> VisionSpec:
    """Return the tower's spec with random weights; what is saved is loaded by `name` with the same layer and norm."""
    config = {
        "model_type": "clip_vision_model",
        "hidden_size": _WIDTH,
        "intermediate_size": 4 * _WIDTH,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _WIDTH // _HEAD_WIDTH,
        "image_size": IMAGE_PX,
        "patch_size": IMAGE_PX // GRID,
        "hidden_act": "gelu",
    }
    return VisionSpec(config=config, layer=-1, normalises_last=True, aspect="squash")


def train_vision(scenes: Sequence[OtherScene], folder: Path, *, num_steps: int, seed: int, tell: Tell) -> None:
    """Train a tower and write its folder, which must not be there yet."""
    tower = build_tower(make_spec(), seed, weights=True, dtype=torch.float32).train()
    mean, std = tower.colours
    read = PictureReader(IMAGE_PX, "squash", mean, std)
    pixels_bchw = torch.stack([read(scene.jpeg) for scene in scenes])
    truths_bpn = torch.from_numpy(np.stack([_tell_words(scene.things) for scene in scenes]))
    torch.manual_seed(seed)
    head = nn.Linear(tower.width, truths_bpn.shape[2])
    descent = Descent([tower, head], num_steps, num_warm=_WARM_STEPS)
    draw = np.random.default_rng(seed)
    for step in range(num_steps):
        chosen = draw.integers(len(scenes), size=_BATCH)
        pixels, truth_bpn = pixels_bchw[chosen], truths_bpn[chosen].float()
        if step % 2:
            pixels, truth_bpn = pixels.flip(3), _mirror(truth_bpn)
        with torch.autocast("cpu", torch.bfloat16):
            told_bpn: Tensor = head(tower(pixels))
        loss = functional.binary_cross_entropy_with_logits(told_bpn.float(), truth_bpn) * truth_bpn.shape[2]
        tell(step + 1, num_steps, descent.take_step(loss))
    centre(tower.eval(), pixels_bchw)
    save_tower(tower, folder)


@torch.no_grad()
def centre(tower: VisionTower, pixels_bchw: Tensor) -> None:
    """Shift and scale the final norm, so that features have mean 0 and deviation 1 over these pictures.

    An offset that all patches share, larger than what tells them apart, is what a connector would learn from first.
    """
    starts = range(0, len(pixels_bchw), _BATCH)
    features_bpv = torch.cat([tower(pixels_bchw[start : start + _BATCH]) for start in starts])
    mean_v = features_bpv.mean(dim=(0, 1))
    spread = (features_bpv - mean_v).std()
    norm = tower.final_norm
    assert isinstance(norm, nn.LayerNorm)
    norm.bias.sub_(mean_v).div_(spread)
    norm.weight.div_(spread)


def _tell_words(things: Sequence[SeenThing]) -> NDArray[np.bool_]:
    """Return [P, N]: nouns, colours, the column and the row of the middle, of all things that are at a patch."""
    first_place = len(NOUNS) + len(COLOURS)
    truth = np.zeros((GRID * GRID, first_place + _COLUMNS + _ROWS), bool)
    for thing in things:
        at = list(thing.patches)
        truth[at, NOUNS.index(thing.noun)] = True
        if thing.colour is not None:
            truth[at, len(NOUNS) + COLOURS.index(thing.colour)] = True
        truth[at, first_place + min(_COLUMNS - 1, int(thing.x * _COLUMNS))] = True
        truth[at, first_place + _COLUMNS + min(_ROWS - 1, int(thing.y * _ROWS))] = True
    return truth


def _mirror(truth_bpn: Tensor) -> Tensor:
    """Return the truths of the pictures seen in a mirror."""
    num_pictures, _, num_words = truth_bpn.shape
    turned = truth_bpn.view(num_pictures, GRID, GRID, num_words).flip(2).reshape(truth_bpn.shape)
    first, last = num_words - _COLUMNS - _ROWS, num_words - _ROWS
    return torch.cat((turned[..., :first], turned[..., first:last].flip(-1), turned[..., last:]), -1)
