"""A student in Hugging Face's Llava form: one that was exported, or LLaVA-1.5 itself."""

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.student.ask import Ask
from instructgen.student.documents import DocumentWording
from instructgen.student.generate import Rules
from instructgen.student.local import BatchLimits, LocalStudent
from instructgen.student.network import CausalNetwork
from instructgen.student.reading import TEXT_STOPS, decode, open_checked
from instructgen.train.encode import Encoder
from instructgen.train.example import IMAGE_SLOT
from instructgen.train.marks import Part

if TYPE_CHECKING:
    from transformers import LlavaForConditionalGeneration, LlavaProcessor

# N pictures, C channels, H height, W width, T tokens of a picture, D language width


def load_llava_student(
    folder: Path, name: str, device: torch.device, dtype: torch.dtype, limits: BatchLimits
) -> LocalStudent:
    """Raises InstructgenError where the folder is not whole, or its processor has no chat template."""
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    try:
        model: Any = LlavaForConditionalGeneration.from_pretrained(folder, dtype=dtype)
        processor = AutoProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, RuntimeError) as error:
        raise InstructgenError(f"{folder} cannot be read as a Llava model: {error}") from None
    if not getattr(processor, "chat_template", None):
        raise InstructgenError(f"{folder} has no chat template (chat_template.jinja); nobody knows how to ask it")
    model.to(device).eval()
    pictures = ProcessorPictures(processor)
    wording = LlavaWording(model, processor)
    documents = DocumentWording(wording, processor.tokenizer.eos_token_id, wording.rules.decode)
    return LocalStudent(name, LlavaNetwork(model), wording, pictures, limits, documents)


class LlavaNetwork(CausalNetwork):
    """Implements instructgen.student.network.Network."""

    def __init__(self, model: "LlavaForConditionalGeneration") -> None:
        super().__init__(model)
        self._model = model

    @property
    def tokens_per_image(self) -> int:
        return int(self._model.config.image_seq_length)

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        dtype = next(self._model.model.vision_tower.parameters()).dtype
        found: Any = self._model.model.get_image_features(pixels_nchw.to(dtype))
        return torch.stack(list(getattr(found, "pooler_output", found)))


class LlavaWording:
    """Implements instructgen.student.local.Wording with the folder's chat template."""

    def __init__(self, model: "LlavaForConditionalGeneration", processor: "LlavaProcessor") -> None:
        self._processor: Any = processor
        self._tokenizer: Any = processor.tokenizer
        self._image_token_id = int(model.config.image_token_index)
        ends = model.generation_config.eos_token_id
        ids = [] if ends is None else ends if isinstance(ends, list) else [ends]
        if self._tokenizer.eos_token_id is not None:
            ids = [*ids, self._tokenizer.eos_token_id]
        texts = model.generation_config.stop_strings or getattr(model.generation_config, TEXT_STOPS, ())
        self.rules = Rules(frozenset(ids), (texts,) if isinstance(texts, str) else tuple(texts), self._decode)

    def prompt_ids(self, ask: Ask) -> list[int]:
        ids = self._encode(self._render(ask))
        found = [IMAGE_SLOT if number == self._image_token_id else number for number in ids]
        if found.count(IMAGE_SLOT) != len(ask.pictures):
            raise InstructgenError(
                f"the prompt has {found.count(IMAGE_SLOT)} places for {len(ask.pictures)} pictures: the model's chat "
                f"template leaves some out, or a text holds '{self._processor.image_token}'"
            )
        return found

    def answer_ids(self, answer: str) -> list[int]:
        """Return the ids of the answer and its stop, as the template writes them behind a question."""
        from instructgen.records import Message

        asked = Ask((Message("user", "?"),))
        before = self._render(asked)
        after = self._processor.apply_chat_template(
            [*_write(asked), {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
        )
        if not after.startswith(before):
            raise InstructgenError(
                "this model's chat template writes an answer in another place than it asks for one"
            )
        ids, num_before = self._encode(after), len(self._encode(before))
        return ids[num_before:]

    def document_ids(self, parts: Sequence[Part]) -> list[int]:
        """Documents know no template: they are written as for our own models, an end of text for that of a chunk."""
        return list(map(int, self._encoder.document_ids(parts)))

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._tokenizer, "plain")

    def _render(self, ask: Ask) -> str:
        text: str = self._processor.apply_chat_template(_write(ask), add_generation_prompt=True)
        return text

    def _encode(self, text: str) -> list[int]:
        begins = self._tokenizer.bos_token is not None and text.startswith(self._tokenizer.bos_token)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=not begins)
        return ids

    def _decode(self, ids: Sequence[int]) -> str:
        return decode(self._tokenizer, ids)


def _write(ask: Ask) -> list[dict[str, Any]]:
    """Return the talk as processors take it; the pictures come with the first question."""
    system = [{"role": "system", "content": [{"type": "text", "text": ask.system}]}] if ask.system else []
    talk = [{"role": turn.role, "content": [{"type": "text", "text": turn.content}]} for turn in ask.turns]
    first = next((turn for turn in talk if turn["role"] == "user"), None)
    if first is not None:
        first["content"] = [*({"type": "image"} for _ in ask.pictures), *first["content"]]
    return [*system, *talk]


class ProcessorPictures:
    """Reads pictures with the folder's own image processor."""

    def __init__(self, processor: "LlavaProcessor") -> None:
        self._process: Any = processor.image_processor

    def __call__(self, picture: bytes | None) -> Tensor:
        if picture is None:
            return torch.zeros_like(self(_write_blank()))
        pixels: Tensor = self._process(open_checked(picture), return_tensors="pt")["pixel_values"][0]
        return pixels


def _write_blank() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()
