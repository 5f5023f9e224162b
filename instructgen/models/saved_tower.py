"""A vision tower on disk, as it was cut: a Hugging Face folder, or the same for the tower of ours."""

import json
from pathlib import Path

from transformers import PreTrainedModel

from instructgen.models.efficientnet import PICTURES_FILE, write_descriptions
from instructgen.models.quiet import quiet
from instructgen.models.vision import VisionTower

_STAGES = ("stage_names", "out_features", "out_indices")


def save_tower(tower: VisionTower, folder: Path) -> None:
    """Write the layers that are used; the final norm too where it is."""
    folder.mkdir()
    encoder = tower.encoder
    mean, std = tower.colours
    state = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    for name, value in tower.final_norm.state_dict().items():
        state[f"{tower.norm_name}.{name}"] = value.detach().cpu().contiguous()
    if not isinstance(encoder, PreTrainedModel):
        from safetensors.torch import save_file

        save_file(state, folder / "model.safetensors")
        write_descriptions(folder, tower.image_px, mean, std)
        return
    with quiet():
        encoder.save_pretrained(folder, state_dict=state)
    _forget_stages(folder / "config.json")
    pictures = {"image_mean": list(mean), "image_std": list(std), "size": tower.image_px}
    (folder / PICTURES_FILE).write_text(json.dumps(pictures) + "\n", encoding="utf-8")


def _forget_stages(path: Path) -> None:
    """Take out which layers a backbone gives, of DINOv2 for one: the names are of the tower before it was cut."""
    config = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in config.items() if key not in _STAGES}
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
