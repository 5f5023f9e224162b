"""From a recipe's [model] table with [model.text] to a model: with weights, with random ones, or without (meta)."""

from typing import TYPE_CHECKING

import torch

from instructgen.errors import InstructgenError
from instructgen.models.blip2.bert import begin_from_bert, count_tokens, load_text_tokenizer
from instructgen.models.blip2.model import Representation
from instructgen.models.blip2.spec import RepresentationSpec
from instructgen.models.pictures import PictureReader
from instructgen.models.seeds import seeded
from instructgen.models.towers import build_tower, outline_tower
from instructgen.models.vision import VisionTower, on_meta

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def build_representation(
    spec: RepresentationSpec, *, dtype: torch.dtype = torch.float32, begins: bool = True
) -> "tuple[Representation, PreTrainedTokenizerBase]":
    """Return the model, in evaluation mode, and its tokenizer; `dtype` is that of the tower's loaded weights.

    What has no weights of its own is a function of `spec.seed`. Without `begins` BERT's weights are not read: the
    caller fills the model.
    """
    check_spec(spec)
    tokenizer = load_text_tokenizer(spec.text)
    vision = build_tower(spec.vision, spec.seed, weights=True, dtype=dtype)
    with seeded(spec.seed, "qformer"):
        model = _make(vision, spec, len(tokenizer))
    if spec.text.name and begins:
        begin_from_bert(model, spec.text.name)
    return model.eval(), tokenizer


def outline_representation(spec: RepresentationSpec) -> Representation:
    """Return the model on the meta device; no hub is asked for names that are known (models.architectures)."""
    check_spec(spec)
    vision = outline_tower(spec.vision)
    num_tokens = count_tokens(spec.text)
    with on_meta():
        return _make(vision, spec, num_tokens).eval()


def check_spec(spec: RepresentationSpec) -> None:
    if spec.vision.normalises_last:
        raise InstructgenError(
            "stage 1 trains a norm of its own behind the tower (BLIP-2's ln_vision): leave normalises_last out of"
            " [model.vision]; stage 2 sets it"
        )
    if spec.qformer.name:
        raise InstructgenError(
            "[model.qformer] is trained here and takes no name; [model.text] names the BERT that it begins from"
        )


def make_representation_reader(spec: RepresentationSpec, model: Representation) -> PictureReader:
    """Return what turns pictures into the tower's pixels."""
    mean, std = model.vision.colours
    return PictureReader(model.vision.image_px, spec.vision.aspect, mean, std)


def _make(vision: VisionTower, spec: RepresentationSpec, num_tokens: int) -> Representation:
    try:
        model = Representation(vision, spec, num_tokens)
    except ValueError as error:
        raise InstructgenError(f"[model.qformer]: {error}") from None
    model.freeze_tower()
    return model
