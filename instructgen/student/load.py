"""A student from a folder: a run's or a model's of ours, or one in Hugging Face's Llava or BLIP-2 form."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.folder import CARD_FILE, LoadedModel, find_model, load_model, read_card
from instructgen.models.lora import merge_lora
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.ask import Ask, split_pictures
from instructgen.student.documents import DocumentWording
from instructgen.student.generate import Rules
from instructgen.student.local import BatchLimits, LocalStudent
from instructgen.student.looking import GatedNetwork
from instructgen.student.network import CausalNetwork, Network
from instructgen.student.reading import decode, find_text_stop, open_checked
from instructgen.student.seq2seq import Seq2SeqNetwork
from instructgen.train.documents import DocumentRules
from instructgen.train.encode import Encoder
from instructgen.train.templates import find_ending

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# N pictures, C channels, H height, W width, T tokens of a picture, D language width

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Form = Literal["llava", "blip-2", ""]


def load_student(
    folder: str | Path,
    device: str = "auto",
    dtype: Dtype = "auto",
    *,
    limits: BatchLimits = BatchLimits(),  # noqa: B008  frozen
    name: str = "",
    template: str = "",
) -> LocalStudent:
    """Return the model of a folder, ready to answer; without a `name` it is called as the folder is.

    `template` asks in another one's words than the model was trained on: BLIP-2's zero-shot prompts.
    "auto" takes a GPU where there is one, and bfloat16 there, float32 elsewhere. Raises InstructgenError for a folder
    that holds no model.
    """
    folder = Path(folder)
    name = name or name_student(folder)
    where = choose_device(device)
    kind = choose_dtype(dtype, where)
    form = read_form(folder)
    if form == "llava":
        from instructgen.student.llava_folder import load_llava_student

        if template:
            raise InstructgenError(f"{folder} has a chat template of its own; leave the other one out")
        return load_llava_student(folder, name, where, kind, limits)
    if form == "blip-2":
        from instructgen.student.blip2_folder import Blip2Loading, load_blip2_student

        return load_blip2_student(folder, name, Blip2Loading(where, kind, limits, template))
    # Adapters are added to the weights before those are rounded.
    read_as = torch.float32 if read_card(find_model(folder)).has_adapter else kind
    loaded = load_model(folder, dtype=read_as)
    return make_student(replace(loaded, template=template or loaded.template), name, where, kind, limits)


def name_student(folder: Path) -> str:
    """Return what a model is called: its folder, or the run's that it is in."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "model" and folder.parent.name else folder.name


def read_form(name: str | Path) -> Form:
    """Return which of Hugging Face's forms a folder has; "" for one of ours, or none."""
    try:
        config = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    kind = config.get("model_type") if isinstance(config, dict) else ""
    known: tuple[Form, ...] = ("llava", "blip-2")
    return next((form for form in known if form == kind), "")


def make_student(
    loaded: LoadedModel,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
    limits: BatchLimits = BatchLimits(),  # noqa: B008
) -> LocalStudent:
    merge_lora(loaded.model)
    model = loaded.model.to(device=device, dtype=dtype).eval()
    rules = DocumentRules(model.end_of_chunk_id, groups_frames=model.gated is not None)
    encoder = Encoder(loaded.tokenizer, loaded.template, model.tokens_per_image, documents=rules)
    wording = EncodedWording(encoder, loaded.tokenizer, find_ending(loaded.tokenizer) if model.is_seq2seq else ())
    documents = DocumentWording(encoder, loaded.tokenizer.eos_token_id, wording.rules.decode)

    def read_picture(picture: bytes | None) -> Tensor:
        return loaded.picture_reader(None if picture is None else open_checked(picture))

    return LocalStudent(name, make_network(model), wording, read_picture, limits, documents)


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


def make_network(model: VisionLanguageModel) -> Network:
    """Return the model as answers are made with it, by the kind of its language model."""
    if model.is_seq2seq:
        return Seq2SeqNetwork(model.causal_lm, model.embed_pictures, model.tokens_per_image)
    return StudentNetwork(model) if model.gated is None else GatedNetwork(model)


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

    def pool_pictures(self, pixels_nchw: Tensor) -> Tensor:
        """See instructgen.student.local.Pooling."""
        return self._model.see(pixels_nchw).mean(dim=1)


class EncodedWording:
    """Implements instructgen.student.local.Wording with the encoder that the model was trained with.

    `end_ids` stand behind each prompt of an encoder-decoder model, as in training.
    """

    def __init__(self, encoder: Encoder, tokenizer: "PreTrainedTokenizerBase", end_ids: Sequence[int] = ()) -> None:
        self._encoder = encoder
        self._end_ids = end_ids
        self._tokenizer = tokenizer
        stop = encoder.stop
        # A stop that is a control token of its own is known by its id; one of ordinary text has to be looked for.
        text = find_text_stop(stop)
        self.rules = Rules(frozenset(stop.token_ids), (text,) if text else (), self._decode)

    def prompt_ids(self, ask: Ask) -> list[int]:
        num_places = len(split_pictures(ask, groups_frames=self._encoder.groups_frames))
        found: list[int] = self._encoder.prompt_ids(ask.turns, num_places, ask.system or None).tolist()
        return [*found, *self._end_ids]

    def answer_ids(self, answer: str) -> list[int]:
        found: list[int] = self._encoder.answer_ids(answer).tolist()
        return found

    def _decode(self, ids: Sequence[int]) -> str:
        return decode(self._tokenizer, ids)


def identify_model(name: str | Path) -> str:
    """Return a digest that other weights do not have, without reading them: of the card, which has theirs.

    Of a folder in a form of Hugging Face's it is of the configuration and of the weights' files' sizes and times.
    """
    digest = hashlib.sha256()
    if read_form(name):
        folder = Path(name)
        digest.update((folder / "config.json").read_bytes())
        for path in sorted(folder.glob("*.safetensors")):
            digest.update(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    else:
        digest.update((find_model(Path(name)) / CARD_FILE).read_bytes())
    return digest.hexdigest()
