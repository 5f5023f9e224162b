"""A trained first stage, ready to say how well texts fit pictures."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from instructgen.models.blip2.folder import load_representation
from instructgen.models.blip2.scoring import RepresentationComparer
from instructgen.train.distributed import find_device
from instructgen.train.representation_data import CaptionEncoder


def load_comparer(folder: Path, device: str = "auto") -> RepresentationComparer:
    """Return the comparer of a run or a model; the tower is in bfloat16 on a GPU, in float32 elsewhere.

    Raises InstructgenError for a folder that holds no first stage.
    """
    where = find_device(device)
    dtype = torch.float32 if where.type == "cpu" else torch.bfloat16
    loaded = load_representation(folder, device=str(where), dtype=dtype)
    encoder = CaptionEncoder(loaded.tokenizer, loaded.model.num_queries, loaded.card.max_text_tokens)

    def pad(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        return encoder.pad_texts([encoder.spell(text) for text in texts])

    return RepresentationComparer(loaded, pad)
