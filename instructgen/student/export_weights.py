"""Writes Llava's weights under the names of the published checkpoints, which every reader knows.

transformers has renamed its modules more than once and reads the old names for good; servers and older versions read
nothing else.
"""

import json
import re
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import LlavaForConditionalGeneration

_PUBLISHED = (
    (re.compile(r"^model\.language_model\."), "language_model.model."),
    (re.compile(r"^lm_head\."), "language_model.lm_head."),
    (re.compile(r"^model\.(vision_tower|multi_modal_projector)\."), r"\1."),
)
_NESTED_TOWERS = ("clip_vision_model", "siglip_vision_model")
_SHARD_SIZE = "5GB"


def name_published(name: str, tower_type: str) -> str:
    """Return the name that a weight of LlavaForConditionalGeneration has in a checkpoint."""
    for pattern, published in _PUBLISHED:
        name = pattern.sub(published, name)
    if tower_type in _NESTED_TOWERS and not name.startswith("vision_tower.vision_model."):
        name = re.sub(r"^vision_tower\.", "vision_tower.vision_model.", name)
    return name


def write_weights(llava: LlavaForConditionalGeneration, folder: Path) -> None:
    """Write the weights, in parts where they are large, and config.json."""
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file

    config: Any = llava.config
    tower_type: str = config.vision_config.model_type
    is_tied: bool = config.tie_word_embeddings
    state: dict[str, Tensor] = {
        name_published(name, tower_type): value.detach()
        for name, value in llava.state_dict().items()
        if not (is_tied and name == "lm_head.weight")
    }
    parts = split_torch_state_dict_into_shards(state, max_shard_size=_SHARD_SIZE)
    for file, names in parts.filename_to_tensors.items():
        # One part at a time is brought from a GPU.
        tensors = {name: state[name].cpu().contiguous() for name in names}
        save_file(tensors, folder / file, metadata={"format": "pt"})
    if parts.is_sharded:
        index = {"metadata": parts.metadata, "weight_map": parts.tensor_to_filename}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    config.save_pretrained(folder)
