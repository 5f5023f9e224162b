"""One made-up task for every trainer: the same model, the same weights, the same samples and pictures.

Shapes are a LLaVA's, made small: CLIP ViT of 6 layers and width 192 at 224 px and patch 14 (256 tokens an image), a
two-layer connector, Llama of 8 layers and width 384, vocabulary 8,192. Weights are random; what is measured is work.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IMAGE_ID = 5
FIRST_TEXT_ID = 10
PAD_ID = 0


@dataclass(frozen=True)
class Shapes:
    """Sizes of a run; `tiny` is for trying the scripts, `small` what docs/benchmarks.md reports, `gpu` for a GPU."""

    vocabulary: int = 8192
    width: int = 384
    inner: int = 1024
    layers: int = 8
    heads: int = 6
    kv_heads: int = 6
    vision_width: int = 192
    vision_inner: int = 768
    vision_layers: int = 6
    vision_heads: int = 3
    image_px: int = 224
    patch_px: int = 14
    shortest: int = 40
    longest: int = 400

    @property
    def tokens_per_image(self) -> int:
        return (self.image_px // self.patch_px) ** 2


SHAPES = {
    "small": Shapes(),
    "tiny": Shapes(512, 64, 128, 2, 2, 2, 32, 64, 3, 2, 56, 14, 8, 40),
    # A language model of 1.1 billion parameters (TinyLlama's shapes) behind CLIP ViT-L/14.
    "gpu": Shapes(32000, 2048, 5632, 22, 32, 4, 1024, 4096, 24, 16, 224, 14, 40, 400),
}


@dataclass(frozen=True)
class Sample:
    """`ids` hold IMAGE_ID once for each image token; `is_trained` marks the answer."""

    ids: NDArray[np.int64]
    is_trained: NDArray[np.bool_]
    image: int


def make_samples(shapes: Shapes, num_samples: int, per_image: int, seed: int = 0) -> list[Sample]:
    """Return samples of one image one after another: an image, then text of log-uniform length, 60% of it answer."""
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    for number in range(num_samples):
        length = int(np.exp(rng.uniform(np.log(shapes.shortest), np.log(shapes.longest))))
        text = rng.integers(FIRST_TEXT_ID, shapes.vocabulary, length)
        ids = np.concatenate([[1], np.full(shapes.tokens_per_image, IMAGE_ID), text])
        is_trained = np.zeros(len(ids), np.bool_)
        is_trained[len(ids) - int(0.6 * length) :] = True
        samples.append(Sample(ids, is_trained, number // per_image))
    return samples


def make_pictures(shapes: Shapes, num_images: int) -> Tensor:
    """Return pixels [N, 3, H, W]."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_images, 3, shapes.image_px, shapes.image_px, generator=generator)


def vision_table(shapes: Shapes) -> dict[str, Any]:
    return {
        "model_type": "clip_vision_model",
        "hidden_size": shapes.vision_width,
        "intermediate_size": shapes.vision_inner,
        "num_hidden_layers": shapes.vision_layers,
        "num_attention_heads": shapes.vision_heads,
        "image_size": shapes.image_px,
        "patch_size": shapes.patch_px,
    }


def language_table(shapes: Shapes) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "vocab_size": shapes.vocabulary,
        "hidden_size": shapes.width,
        "intermediate_size": shapes.inner,
        "num_hidden_layers": shapes.layers,
        "num_attention_heads": shapes.heads,
        "num_key_value_heads": shapes.kv_heads,
        "max_position_embeddings": 4096,
        "pad_token_id": PAD_ID,
        "tie_word_embeddings": False,
    }


def make_llava(shapes: Shapes, device: str = "cpu") -> Any:
    """Return Hugging Face's own class with random weights, always the same ones."""
    from transformers import AutoConfig, LlavaConfig, LlavaForConditionalGeneration

    def config_of(table: dict[str, Any]) -> Any:
        table = dict(table)
        return AutoConfig.for_model(table.pop("model_type"), **table)

    config = LlavaConfig(
        vision_config=config_of(vision_table(shapes)),
        text_config=config_of(language_table(shapes)),
        image_token_id=IMAGE_ID,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
        pad_token_id=PAD_ID,
    )
    torch.manual_seed(0)
    with torch.device(device):
        return LlavaForConditionalGeneration(config)


def freeze(model: Any, stage: int) -> None:
    """Leave to Hugging Face's model what a stage trains: 1 the connector, 2 the language model too."""
    for name, parameter in model.named_parameters():
        wanted = "multi_modal_projector" in name or (stage == 2 and "vision_tower" not in name)
        parameter.requires_grad_(wanted)


def pad_batch(samples: list[Sample], pictures: Tensor) -> dict[str, Tensor]:
    """Return what a padded loop feeds to Hugging Face's model."""
    length = max(len(sample.ids) for sample in samples)
    ids = torch.full((len(samples), length), PAD_ID)
    labels = torch.full((len(samples), length), -100)
    mask = torch.zeros((len(samples), length), dtype=torch.long)
    for row, sample in enumerate(samples):
        size = len(sample.ids)
        ids[row, :size] = torch.from_numpy(sample.ids)
        labels[row, :size] = torch.from_numpy(np.where(sample.is_trained, sample.ids, -100))
        mask[row, :size] = 1
    images = torch.stack([pictures[sample.image] for sample in samples])
    return {"input_ids": ids, "labels": labels, "attention_mask": mask, "pixel_values": images}


def count_flops(shapes: Shapes, stage: int, tokens: int, pairs: int, num_images: int) -> float:
    """Return the operations that a step needs: 2 for a weight and token forward, as many for each gradient.

    `pairs` are the query and key positions that see each other. The tower is computed forward only, the language
    model's weights get a gradient in stage 2 alone. The head is counted for every token, as a plain loop computes it.
    """
    head_width = shapes.width // shapes.heads
    attention = shapes.width * (2 * shapes.width + 2 * shapes.kv_heads * head_width)
    layer = attention + 3 * shapes.width * shapes.inner
    weights = shapes.layers * layer + shapes.vocabulary * shapes.width
    passes = 3 if stage == 2 else 2
    language = 2 * passes * weights * tokens + 3 * 4 * shapes.width * shapes.layers * pairs
    tower = (shapes.vision_layers - 1) * (4 * shapes.vision_width**2 + 2 * shapes.vision_width * shapes.vision_inner)
    return language + 2 * tower * shapes.tokens_per_image * num_images
