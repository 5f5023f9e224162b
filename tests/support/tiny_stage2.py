"""BLIP-2's second stage in a few thousand random weights, with OPT, T5 or BART as its language model."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace
from transformers import PreTrainedTokenizerBase

from instructgen.models.build import build_model, make_picture_reader
from instructgen.models.folder import Card, LoadedModel, Notes, save_model
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, QFormerSpec, VisionSpec
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.ask import Ask, Sampling
from instructgen.student.generate import Rules, answer_rows, make_row
from instructgen.student.local import LocalStudent
from instructgen.student.sampling import Draw
from tests.support.tiny_students import VOCABULARY
from tests.support.tiny_students import make_tokenizer as make_plain

QFORMER = QFormerSpec(num_queries=3, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=48, normalises=True)
TOWERS: dict[str, dict[str, Any]] = {
    "eva": {"model_type": "blip_2_vision_model", "qkv_bias": True, "initializer_range": 0.3},
    "vit": {"model_type": "vit", "hidden_dropout_prob": 0.0, "initializer_range": 0.3},
    "clip": {"model_type": "clip_vision_model"},
}
LANGUAGES: dict[str, dict[str, Any]] = {
    "opt": {
        "model_type": "opt",
        "hidden_size": 32,
        "word_embed_proj_dim": 32,
        "ffn_dim": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 200,
        "init_std": 0.4,
        "pad_token_id": 1,
        "bos_token_id": 2,
        "eos_token_id": 2,
    },
    "t5": {
        "model_type": "t5",
        "d_model": 32,
        "d_ff": 48,
        "d_kv": 16,
        "num_layers": 2,
        "num_heads": 2,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "initializer_factor": 2.0,
        "decoder_start_token_id": 0,
        "pad_token_id": 0,
        "eos_token_id": 2,
    },
    "bart": {
        "model_type": "bart",
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": 200,
        "init_std": 0.4,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
        "forced_eos_token_id": None,
    },
}


def make_tokenizer(language: str) -> PreTrainedTokenizerBase:
    """Return a tokenizer that writes </s> of its own accord: before a text, as OPT's, or behind it, as T5's."""
    from tokenizers import processors

    tokenizer: Any = make_plain("bytes" if language == "opt" else "spaces")
    backend = tokenizer.backend_tokenizer
    single = "</s> $A" if language == "opt" else "$A </s>"
    backend.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("</s>", 2)])
    tokenizer.bos_token = "</s>" if language == "opt" else None
    tokenizer.pad_token = "<unk>"
    made: PreTrainedTokenizerBase = tokenizer
    return made


def make_spec(language: str = "opt", tower: str = "eva", *, normalises: bool = True, **changes: Any) -> ModelSpec:
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = {**TOWERS[tower], "image_size": 28, "patch_size": 14, **shape}
    return ModelSpec(
        vision=VisionSpec(config=vision, layer=-1, drops_class_token=False, aspect="squash"),
        connector=ConnectorSpec(kind="qformer", qformer=replace(QFORMER, normalises=normalises)),
        language=LanguageSpec(config={**LANGUAGES[language], "vocab_size": VOCABULARY + 40, **changes}),
        seed=5,
    )


def make_model(spec: ModelSpec) -> VisionLanguageModel:
    """Return the model, with a connector large enough that pictures tell."""
    torch.set_num_threads(1)
    model = build_model(spec)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.connector.named_parameters():
            if "vision_norm" in name:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.3)
            elif "query_tokens" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator))
            else:
                weight.mul_(3)
    return model


def make_loaded(language: str = "opt", tower: str = "eva", *, template: str = "", **options: Any) -> LoadedModel:
    """Return a model as if it had been read from a folder."""
    spec = make_spec(language, tower, **options)
    model = make_model(spec)
    template = template or name_template(language)
    card = Card(spec, template, model.tokens_per_image, ())
    reader = make_picture_reader(spec, model)
    return LoadedModel(model, spec, make_tokenizer(language), template, reader, card)


def name_template(language: str, kind: str = "vqa") -> str:
    return f"blip2_{'opt' if language == 'opt' else 't5'}{'_' * bool(kind)}{kind}"


def save_loaded(loaded: LoadedModel, folder: Path) -> Path:
    """Write the model's folder and return it."""
    notes = Notes(self_contained=True)
    save_model(loaded.model, loaded.spec, folder, tokenizer=loaded.tokenizer, template=loaded.template, notes=notes)
    return folder


def write_likeliest(student: LocalStudent, ask: Ask, num_tokens: int, stop_ids: Iterable[int]) -> list[int]:
    """Return the ids that a student writes, without what ended them."""
    rules = Rules(frozenset(stop_ids), (), student._wording.rules.decode)
    row = make_row(0, student.prompt(ask), Draw(Sampling(num_tokens), random.Random(0)), rules, None)
    with torch.inference_mode():
        list(answer_rows(student.network, [row], rules))
    return row.draw.ids
