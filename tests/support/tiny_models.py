"""Vision-language models of a few thousand random weights, and tokenizers that need no hub."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models
from transformers import Blip2Config, Blip2ForConditionalGeneration, PreTrainedTokenizerFast

from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, QFormerSpec, VisionSpec
from instructgen.models.vlm import VisionLanguageModel

TOWERS = ("clip_vision_model", "siglip_vision_model", "dinov2", "dinov2_with_registers", "vit", "blip_2_vision_model")
LANGUAGES = ("llama", "qwen2", "qwen3", "opt", "gpt_neox", "gemma2", "gemma3_text", "granite", "gpt2", "cohere")
QFORMER = QFormerSpec(num_queries=5, hidden_size=16, num_layers=2, num_heads=2, intermediate_size=32)


def tower_config(model_type: str = "clip_vision_model", **changes: Any) -> dict[str, Any]:
    """Return a tower of 3 layers of width 24 with 16 patches of 28 pixels."""
    shape = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
    return {"model_type": model_type, "image_size": 28, "patch_size": 7, **shape, **changes}


def language_config(model_type: str = "llama", **changes: Any) -> dict[str, Any]:
    """Return a language model of 2 layers of width 32 with 100 tokens."""
    tokens = {"vocab_size": 100, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    if model_type == "gpt2":
        shape = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
    elif model_type == "opt":
        shape = {"hidden_size": 32, "ffn_dim": 64, "word_embed_proj_dim": 16, "max_position_embeddings": 128}
        shape |= {"num_hidden_layers": 2, "num_attention_heads": 4}
    else:
        shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    if model_type.startswith("qwen"):
        shape["num_key_value_heads"] = 2
    if model_type == "granite":
        shape["logits_scaling"] = 4.0
    return {"model_type": model_type, **tokens, **shape, **changes}


def make_spec(connector: str = "linear", **vision: Any) -> ModelSpec:
    return ModelSpec(
        vision=VisionSpec(config=tower_config(), **vision),
        connector=ConnectorSpec(
            kind=connector,  # type: ignore[arg-type]
            qformer=QFORMER if connector == "qformer" else None,
        ),
        language=LanguageSpec(config=language_config()),
        seed=3,
    )


def make_tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {"<unk>": 0, "a": 1, "cat": 2}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>")), unk_token="<unk>"
    )


def answer(model: VisionLanguageModel, px: int = 28) -> torch.Tensor:
    """Return the logits of a fixed row: one picture, then three tokens."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    tokens_td = model.embed_pictures(torch.rand(1, 3, px, px, generator=generator))[0]
    embeds_ld = torch.cat([tokens_td, model.embed_text(torch.tensor([1, 2, 3]))])
    positions_1l = torch.arange(len(embeds_ld))[None]
    return model.head(model.hidden(embeds_ld[None], positions_1l))


def save_blip2(folder: Path) -> Blip2ForConditionalGeneration:
    """Write a whole BLIP-2 with our tower and Q-Former, and return it."""
    shape = {key: value for key, value in tower_config().items() if key != "model_type"}
    qformer = {
        "hidden_size": QFORMER.hidden_size,
        "num_hidden_layers": QFORMER.num_layers,
        "num_attention_heads": QFORMER.num_heads,
        "intermediate_size": QFORMER.intermediate_size,
        "encoder_hidden_size": 24,
    }
    config = Blip2Config(
        vision_config=shape,
        qformer_config=qformer,
        text_config=language_config("opt"),
        num_query_tokens=QFORMER.num_queries,
    )
    model = Blip2ForConditionalGeneration(config).eval()
    with torch.no_grad():
        model.query_tokens.normal_()
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    return model


def damage(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
