"""A student from a folder: a run's or a model's of ours, or one in Hugging Face's Llava form."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.folder import CARD_FILE, LoadedModel, find_model, load_model, read_card
from instructgen.models.lora import merge_lora
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.ask import Ask
from instructgen.student.generate import Rules
from instructgen.student.local import BatchLimits, LocalStudent
from instructgen.student.network import CausalNetwork
from instructgen.student.reading import decode, find_text_stop, open_checked
from instructgen.train.encode import Encoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# N pictures, C channels, H height, W width, T tokens of a picture, D language width

Dtype = Literal["auto", "float32", "bfloat16", "float16"]


def load_student(
    folder: str | Path,
    device: str = "auto",
    dtype: Dtype = "auto",
    *,
    limits: BatchLimits = BatchLimits(),  # noqa: B008  frozen
    name: str = "",
) -> LocalStudent:
    """Return the model of a folder, ready to answer; without a `name` it is called as the folder is.

    "auto" takes a GPU where there is one, and bfloat16 there, float32 elsewhere. Raises InstructgenError for a folder
    that holds no model.
    """
    folder = Path(folder)
    name = name or name_student(folder)
    where = choose_device(device)
    kind = choose_dtype(dtype, where)
    if is_llava_folder(folder):
        from instructgen.student.llava_folder import load_llava_student

        return load_llava_student(folder, name, where, kind, limits)
    # Adapters are added to the weights before those are rounded.
    read_as = torch.float32 if read_card(find_model(folder)).has_adapter else kind
    return make_student(load_model(folder, dtype=read_as), name, where, kind, limits)


def name_student(folder: Path) -> str:
    """Return what a model is called: its folder, or the run's that it is in."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "model" and folder.parent.name else folder.name


def is_llava_folder(name: str | Path) -> bool:
    try:
        config = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == "llava"


def make_student(
    loaded: LoadedModel,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
    limits: BatchLimits = BatchLimits(),  # noqa: B008
) -> LocalStudent:
    merge_lora(loaded.model)
    model = loaded.model.to(device=device, dtype=dtype).eval()
    wording = EncodedWording(Encoder(loaded.tokenizer, loaded.template, model.tokens_per_image), loaded.tokenizer)

    def read_picture(picture: bytes | None) -> Tensor:
        return loaded.picture_reader(None if picture is None else open_checked(picture))

    return LocalStudent(name, StudentNetwork(model), wording, read_picture, limits)


def choose_device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise InstructgenError(f"--device {device} cannot be used: {str(error).splitlines()[0]}") from None
    return chosen


def choose_dtype(dtype: Dtype, device: torch.device) -> torch.dtype:
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    found: torch.dtype = getattr(torch, dtype)
    return found


class StudentNetwork(CausalNetwork):
    """Implements instructgen.student.network.Network for a model of ours."""

    def __init__(self, model: VisionLanguageModel) -> None:
        super().__init__(model.causal_lm)
        self._model = model

    @property
    def tokens_per_image(self) -> int:
        return self._model.tokens_per_image

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        return self._model.embed_pictures(pixels_nchw)


class EncodedWording:
    """Implements instructgen.student.local.Wording with the encoder that the model was trained with."""

    def __init__(self, encoder: Encoder, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer
        stop = encoder.stop
        # A stop that is a control token of its own is known by its id; one of ordinary text has to be looked for.
        text = find_text_stop(stop)
        self.rules = Rules(frozenset(stop.token_ids), (text,) if text else (), self._decode)

    def prompt_ids(self, ask: Ask) -> list[int]:
        found: list[int] = self._encoder.prompt_ids(ask.turns, len(ask.pictures), ask.system or None).tolist()
        return found

    def answer_ids(self, answer: str) -> list[int]:
        found: list[int] = self._encoder.answer_ids(answer).tolist()
        return found

    def _decode(self, ids: Sequence[int]) -> str:
        return decode(self._tokenizer, ids)


def identify_model(name: str | Path) -> str:
    """Return a digest that other weights do not have, without reading them: of the card, which has theirs.

    Of a folder in Llava's form it is of the configuration and of the sizes and times of the weights' files.
    """
    digest = hashlib.sha256()
    if is_llava_folder(name):
        folder = Path(name)
        digest.update((folder / "config.json").read_bytes())
        for path in sorted(folder.glob("*.safetensors")):
            digest.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    else:
        digest.update((find_model(Path(name)) / CARD_FILE).read_bytes())
    return digest.hexdigest()
