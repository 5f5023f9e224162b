"""A student in Hugging Face's BLIP-2 form: one that was exported, or BLIP-2 itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.language import is_seq2seq
from instructgen.models.quiet import quiet
from instructgen.student.documents import DocumentWording
from instructgen.student.llava_folder import ProcessorPictures
from instructgen.student.load import EncodedWording
from instructgen.student.local import BatchLimits, LocalStudent
from instructgen.student.network import CausalNetwork, Network
from instructgen.student.seq2seq import Seq2SeqNetwork
from instructgen.train.encode import Encoder
from instructgen.train.templates import find_ending

if TYPE_CHECKING:
    from transformers import Blip2ForConditionalGeneration

# N pictures, C channels, H height, W width, T tokens of a picture, D language width

TEMPLATE_KEY = "instructgen_template"
"""Where generation_config.json has the template that an exported model was trained with."""


@dataclass(frozen=True, slots=True)
class Blip2Loading:
    """Where and how a folder's model computes; without a `template` it is asked in its own words, or BLIP-2's."""

    device: torch.device
    dtype: torch.dtype
    limits: BatchLimits
    template: str = ""


def load_blip2_student(folder: Path, name: str, loading: Blip2Loading) -> LocalStudent:
    """Raises InstructgenError where the folder is not whole."""
    from transformers import AutoProcessor, Blip2ForConditionalGeneration

    try:
        with quiet():
            model: Any = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=loading.dtype)
            processor: Any = AutoProcessor.from_pretrained(folder)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, RuntimeError) as error:
        raise InstructgenError(f"{folder} cannot be read as a BLIP-2 model: {error}") from None
    model.to(loading.device).eval()
    tokenizer, reads_whole = processor.tokenizer, is_seq2seq(model.language_model.config)
    own = getattr(model.generation_config, TEMPLATE_KEY, "blip2_t5_vqa" if reads_whole else "blip2_opt_vqa")
    encoder = Encoder(tokenizer, loading.template or own, int(model.config.num_query_tokens))
    wording = EncodedWording(encoder, tokenizer, find_ending(tokenizer) if reads_whole else ())
    documents = DocumentWording(encoder, tokenizer.eos_token_id, wording.rules.decode)
    pictures = ProcessorPictures(processor)
    return LocalStudent(name, make_network(model), wording, pictures, loading.limits, documents)


def make_network(model: "Blip2ForConditionalGeneration") -> Network:
    def see(pixels_nchw: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, T, D]."""
        found: Any = model.get_image_features(pixels_nchw.to(model.vision_model.dtype), return_dict=True)
        tokens_ntd: Tensor = found.pooler_output
        return tokens_ntd

    num_tokens = int(model.config.num_query_tokens)
    if is_seq2seq(model.language_model.config):
        return Seq2SeqNetwork(model.language_model, see, num_tokens)
    return Blip2Network(model.language_model, see, num_tokens)


class Blip2Network(CausalNetwork):
    """Implements instructgen.student.network.Network."""

    def __init__(self, language: Any, see: Callable[[Tensor], Tensor], tokens_per_image: int) -> None:
        super().__init__(language)
        self.tokens_per_image = tokens_per_image
        self._see = see

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        return self._see(pixels_nchw)
