"""What the text half takes from BERT: its tokenizer and, where weights are given, the beginning of both halves."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.blip2.model import Representation
from instructgen.models.blip2.spec import TextSpec
from instructgen.models.language import load_tokenizer, missing_words
from instructgen.models.places import find_weights
from instructgen.models.quiet import quiet
from instructgen.models.spec import LanguageSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DECODE = "[DEC]"
"""Stands first where a text is written, instead of what stands first where one is read (LAVIS' code)."""
# Known without a hub, for counts: BERT's vocabulary.
_VOCABULARIES = {"bert-base-uncased": 30522, "google-bert/bert-base-uncased": 30522}
_USUAL = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}


def load_text_tokenizer(spec: TextSpec) -> "PreTrainedTokenizerBase":
    """Return the tokenizer with a [DEC] and whatever else the stage wants and it lacks."""
    if not (spec.name or spec.tokenizer):
        raise InstructgenError(
            "[model.text] wants a name (a BERT: Hugging Face id or folder) or a tokenizer to begin from nothing"
        )
    tokenizer = load_tokenizer(LanguageSpec(name=spec.name, tokenizer=spec.tokenizer))
    lacking = {key: token for key, token in _USUAL.items() if getattr(tokenizer, key) is None}
    adds: Any = tokenizer
    adds.add_special_tokens({**lacking, "bos_token": DECODE})
    return tokenizer


def count_tokens(spec: TextSpec) -> int:
    """Return the size of the vocabulary with [DEC]; no hub is asked for BERT's own."""
    name = spec.tokenizer or spec.name
    if name in _VOCABULARIES:
        return _VOCABULARIES[name] + 1
    return len(load_text_tokenizer(spec))


def begin_from_bert(model: Representation, name: str) -> None:
    """Copy a BERT's weights into both halves: the queries' feed-forward begins as the text's.

    Cross-attention, queries and what BERT has no weights of stay as they are. Raises InstructgenError for a model
    that is no BERT of the Q-Former's shape.
    """
    found = _read_bert(name)
    wanted = model.state_dict()
    filled: dict[str, Tensor] = {}
    for key, value in found.items():
        for place in _find_places(key):
            if place not in wanted:
                raise InstructgenError(f"'{name}' has more layers than [model.qformer] ({key})")
            filled[place] = _fit(place, value, wanted[place], name)
    lacking = sorted(key for key in wanted if _comes_from_bert(key) and key not in filled)
    if lacking:
        raise InstructgenError(f"'{name}' lacks {len(lacking)} tensors of the Q-Former, {lacking[0]} for one")
    model.load_state_dict({**wanted, **filled})


def _read_bert(name: str) -> dict[str, Tensor]:
    from transformers import BertForMaskedLM

    loads: Any = BertForMaskedLM
    try:
        with quiet():
            model, report = loads.from_pretrained(find_weights(name), dtype=torch.float32, output_loading_info=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InstructgenError(missing_words(name, "text", error)) from None
    missing = set(report["missing_keys"])
    if any(key.startswith("bert.") for key in missing):
        raise InstructgenError(f"'{name}' is no BERT: {sorted(missing)[0]} is missing")
    return {key: value for key, value in model.state_dict().items() if key not in missing}


def _find_places(key: str) -> list[str]:
    """Return where a tensor of BERT goes; nowhere for its pooler, token types and the shared matrix."""
    for start, place in (
        ("bert.embeddings.word_embeddings.", "embeddings.word_embeddings."),
        ("bert.embeddings.position_embeddings.", "embeddings.position_embeddings."),
        ("bert.embeddings.LayerNorm.", "qformer.layernorm."),
        ("cls.predictions.transform.dense.", "language_head.dense."),
        ("cls.predictions.transform.LayerNorm.", "language_head.norm."),
    ):
        if key.startswith(start):
            return [place + key.removeprefix(start)]
    if key == "cls.predictions.bias":
        return ["language_head.bias"]
    if not key.startswith("bert.encoder.layer."):
        return []
    place = "qformer." + key.removeprefix("bert.").replace(".attention.self.", ".attention.attention.")
    number, _, rest = place.removeprefix("qformer.encoder.layer.").partition(".")
    for part in ("intermediate", "output"):
        if rest.startswith(f"{part}."):
            other = rest.replace(part, f"{part}_query", 1)
            return [place, f"qformer.encoder.layer.{number}.{other}"]
    return [place]


def _fit(place: str, value: Tensor, like: Tensor, name: str) -> Tensor:
    """Return the tensor; where the vocabulary has grown, the new rows are those that the model began with."""
    grows = place in ("embeddings.word_embeddings.weight", "language_head.bias")
    if grows and value.shape[1:] == like.shape[1:] and len(value) <= len(like):
        return torch.cat((value, like[len(value) :]))
    if value.shape != like.shape:
        raise InstructgenError(
            f"'{name}' does not fit [model.qformer]: {place} is {tuple(value.shape)}, wants {tuple(like.shape)}"
        )
    return value


def _comes_from_bert(key: str) -> bool:
    return key.startswith(("embeddings.", "qformer.")) and ".crossattention." not in key
