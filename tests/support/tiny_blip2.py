"""A tiny first stage of BLIP-2: its model, a recipe, pairs with one or several captions a picture."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from instructgen.models.blip2.build import build_representation
from instructgen.models.blip2.model import Representation
from instructgen.models.blip2.spec import RepresentationSpec, TextSpec
from instructgen.models.spec import QFormerSpec, VisionSpec
from tests.support.tokenizers import make_tokenizer
from tests.support.training import make_picture

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from instructgen.jobs.representation import RepresentationOptions

COLOURS = ("red", "green", "blue", "white", "black", "gray", "orange", "purple", "brown", "pink")
QFORMER = {"num_queries": 5, "hidden_size": 16, "num_layers": 2, "num_heads": 2, "intermediate_size": 32}
VISION = {
    "model_type": "clip_vision_model",
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 28,
    "patch_size": 14,
}


def save_text_tokenizer(folder: Path) -> Path:
    """Write a tokenizer that lacks BERT's own tokens."""
    if not folder.is_dir():
        make_tokenizer("wordpiece").save_pretrained(folder)
    return folder


def make_spec(folder: Path, vision: dict[str, Any] | None = None, **changes: Any) -> RepresentationSpec:
    return RepresentationSpec(
        vision=VisionSpec(config=vision or VISION, layer=-1, drops_class_token=False),
        text=TextSpec(tokenizer=str(save_text_tokenizer(folder / "tokenizer"))),
        qformer=QFormerSpec(**QFORMER),
        projection_size=8,
        **changes,
    )


def make_model(
    folder: Path, vision: dict[str, Any] | None = None
) -> "tuple[Representation, PreTrainedTokenizerBase]":
    """Return a model whose weights are large enough for every path through it to be felt."""
    torch.set_num_threads(1)
    model, tokenizer = build_representation(make_spec(folder, vision))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and name != "temperature":
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    return model, tokenizer


def make_texts(lengths: tuple[int, ...], num_tokens: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random ids [B, L] and which of them are tokens."""
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(6, num_tokens, (len(lengths), max(lengths)), generator=generator)
    is_token = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~is_token, 0), is_token


def make_pixels(count: int, px: int = 28) -> torch.Tensor:
    return torch.rand(count, 3, px, px, generator=torch.Generator().manual_seed(3))


def write_pairs(folder: Path, num_pictures: int = 10, num_captions: int = 1) -> Path:
    """Write pictures of one colour each, and JSON lines with captions that name it."""
    folder.mkdir(exist_ok=True)
    lines = []
    for number in range(num_pictures):
        colour = COLOURS[number % len(COLOURS)]
        (folder / f"{number}.png").write_bytes(make_picture(colour))
        for caption in (f"A {colour} picture.", f"All of it is {colour}.", f"Nothing but {colour}.")[:num_captions]:
            chat = [{"role": "user", "content": "Say what it is."}, {"role": "assistant", "content": caption}]
            lines.append(json.dumps({"messages": chat, "images": [f"{number}.png"]}))
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_table(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a recipe's table; `changes` are of its tables, as train={"steps": 3}."""
    table: dict[str, Any] = {
        "model": {
            "vision": {"config": VISION, "layer": -1, "drops_class_token": False},
            "text": {"tokenizer": str(save_text_tokenizer(folder / "tokenizer"))},
            "qformer": QFORMER,
            "projection_size": 8,
        },
        "train": {"steps": 6, "dtype": "float32", "loggers": []},
        "optim": {"learning_rate": 1e-3},
        "rows": {"batch": 4},
        "saving": {"every_steps": 2},
    }
    for name, change in changes.items():
        table[name] = {**table.get(name, {}), **change}
    return table


def make_options(folder: Path, out: str, **changes: Any) -> "RepresentationOptions":
    """Return a run in folder/out on folder/pairs, which are written when they are not there."""
    from instructgen.jobs.representation import RepresentationOptions
    from instructgen.train.representation_recipe import make_representation_recipe

    data = folder / "pairs" / "pairs.jsonl"
    if not data.is_file():
        write_pairs(folder / "pairs", num_captions=2)
    recipe = make_representation_recipe(make_table(folder, **changes), "a test")
    return RepresentationOptions(recipe, str(data), folder / out, device="cpu")
