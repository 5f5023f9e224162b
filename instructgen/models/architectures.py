"""Shapes of the parts that papers name, so that a recipe can be counted and built without a hub.

Each stands for the configuration file of the Hugging Face model of that name.
"""

from typing import Any

from instructgen.models.efficientnet import IMAGE_PX as EFFICIENTNET_PX
from instructgen.models.places import EFFICIENTNET

Config = dict[str, Any]


def _clip(image_px: int) -> Config:
    # ViT-L/14 of CLIP (2103.00020, table 20)
    shape = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
    return {
        "model_type": "clip_vision_model",
        "image_size": image_px,
        "patch_size": 14,
        "projection_dim": 768,
        **shape,
    }


# ViT-g/14 of EVA-CLIP (2303.15389) as BLIP-2 has it: its last block is left out.
_EVA: Config = {
    "model_type": "blip_2_vision_model",
    "hidden_size": 1408,
    "intermediate_size": 6144,
    "num_hidden_layers": 39,
    "num_attention_heads": 16,
    "image_size": 224,
    "patch_size": 14,
    "qkv_bias": True,
}


def _llama(size: str, max_position_embeddings: int) -> Config:
    # 2302.13971, table 2
    width, inner, layers, heads = {"7b": (4096, 11008, 32, 32), "13b": (5120, 13824, 40, 40)}[size]
    return {
        "model_type": "llama",
        "vocab_size": 32000,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "max_position_embeddings": max_position_embeddings,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
    }


def _opt(width: int, num_layers: int, num_heads: int) -> Config:
    # 2205.01068, table 1
    return {
        "model_type": "opt",
        "vocab_size": 50272,
        "hidden_size": width,
        "word_embed_proj_dim": width,
        "ffn_dim": 4 * width,
        "num_hidden_layers": num_layers,
        "num_attention_heads": num_heads,
        "max_position_embeddings": 2048,
    }


def _flan_t5(width: int, inner: int, num_heads: int) -> Config:
    # 2210.11416: the shapes of T5 1.1
    return {
        "model_type": "t5",
        "vocab_size": 32128,
        "d_model": width,
        "d_ff": inner,
        "d_kv": 64,
        "num_layers": 24,
        "num_heads": num_heads,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
        "decoder_start_token_id": 0,
    }


def _mpt(width: int, num_layers: int, num_heads: int, vocab_size: int) -> Config:
    # The configuration files of these models. That of 1B has norms on queries and keys too, which are not counted.
    return {
        "model_type": "mpt",
        "d_model": width,
        "n_layers": num_layers,
        "n_heads": num_heads,
        "vocab_size": vocab_size,
        "max_seq_len": 2048,
        "expansion_ratio": 4,
        "no_bias": True,
    }


# GPT-NeoX's shape (2204.06745), as the model's configuration file has it
_REDPAJAMA_3B: Config = {
    "model_type": "gpt_neox",
    "vocab_size": 50432,
    "hidden_size": 2560,
    "intermediate_size": 10240,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "rotary_pct": 1.0,
    "use_parallel_residual": False,
    "tie_word_embeddings": False,
}
VISION: dict[str, Config] = {
    "openai/clip-vit-large-patch14": _clip(224),
    "openai/clip-vit-large-patch14-336": _clip(336),
    "Salesforce/blip2-flan-t5-xxl": _EVA,
    "Salesforce/blip2-flan-t5-xl": _EVA,
    "Salesforce/blip2-opt-2.7b": _EVA,
    "Salesforce/blip2-opt-6.7b": _EVA,
    EFFICIENTNET: {"model_type": EFFICIENTNET, "image_size": EFFICIENTNET_PX},
}
LANGUAGE: dict[str, Config] = {
    "anas-awadalla/mpt-1b-redpajama-200b": _mpt(2048, 24, 16, 50368),
    "anas-awadalla/mpt-7b": _mpt(4096, 32, 32, 50432),
    "togethercomputer/RedPajama-INCITE-Base-3B-v1": _REDPAJAMA_3B,
    "lmsys/vicuna-7b-v1.3": _llama("7b", 2048),
    "lmsys/vicuna-13b-v1.3": _llama("13b", 2048),
    "lmsys/vicuna-7b-v1.5": _llama("7b", 4096),
    "lmsys/vicuna-13b-v1.5": _llama("13b", 4096),
    "meta-llama/Llama-2-7b-chat-hf": _llama("7b", 4096),
    "meta-llama/Llama-2-13b-chat-hf": _llama("13b", 4096),
    "facebook/opt-2.7b": _opt(2560, 32, 32),
    "facebook/opt-6.7b": _opt(4096, 32, 32),
    "google/flan-t5-xl": _flan_t5(2048, 5120, 32),
    "google/flan-t5-xxl": _flan_t5(4096, 10240, 64),
    "smollm2-135m": {
        "model_type": "llama",
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100000.0,
        "tie_word_embeddings": True,
    },
}
