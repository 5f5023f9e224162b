"""Pictures as single features, for retrieval by likeness: of a student's own vision tower, or of a whole CLIP."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.pictures import PictureReader, usual_colours
from instructgen.models.quiet import quiet
from instructgen.student.load import choose_device, identify_model, load_student
from instructgen.student.local import LocalStudent
from instructgen.student.reading import open_checked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# N pictures, C channels, H height, W width

_CLIP = "clip"


class StudentEmbedder:
    """What a student's vision tower makes of pictures, averaged over their tokens."""

    def __init__(self, student: LocalStudent, digest: str) -> None:
        self._student = student
        self.digest = digest

    def embed(self, pictures: Sequence[bytes | None]) -> "NDArray[np.float32]":
        return _to_numpy(self._student.pool(pictures))


class ClipEmbedder:
    """CLIP's own image features, projected to where its texts are: what OpenFlamingo retrieves by."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import CLIPVisionModelWithProjection

        with quiet():
            model: Any = CLIPVisionModelWithProjection.from_pretrained(folder)
        self._model = model.to(device).eval()
        self._device = device
        self._read = PictureReader(int(model.config.image_size), "crop", *usual_colours(_CLIP))
        self.digest = _hash_folder(folder)

    def embed(self, pictures: Sequence[bytes | None]) -> "NDArray[np.float32]":
        pixels = [self._read(None if picture is None else open_checked(picture)) for picture in pictures]
        with torch.inference_mode():
            return _to_numpy(self._model(torch.stack(pixels).to(self._device)).image_embeds)


def load_embedder(folder: Path, device: str) -> StudentEmbedder | ClipEmbedder:
    """Return an embedder from a folder: a CLIP's, as Hugging Face saves it, or a student's.

    Raises InstructgenError where it is neither.
    """
    if _read_type(folder) in (_CLIP, "clip_vision_model"):
        try:
            return ClipEmbedder(folder, choose_device(device))
        except (OSError, ValueError, RuntimeError) as error:
            raise InstructgenError(f"{folder} cannot be read as a CLIP: {error}") from None
    return StudentEmbedder(load_student(folder, device), identify_model(folder))


def _read_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _hash_folder(folder: Path) -> str:
    """Return a digest of the configuration and of the sizes and times of the weights."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def _to_numpy(features_nd: Tensor) -> "NDArray[np.float32]":
    found: NDArray[np.float32] = features_nd.float().cpu().numpy()
    return found
