"""What a tiny training run needs: a dataset with pictures, a tokenizer's folder, a recipe for models from nothing."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.tokenizers import make_tokenizer
from tests.support.versions import make_row_of, write_version

if TYPE_CHECKING:
    from instructgen.jobs.training_parts import TrainingOptions

_COLOURS = ("red", "green", "blue", "white", "black", "gray", "orange", "purple", "brown", "pink")
VISION = {
    "model_type": "clip_vision_model",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 16,
    "patch_size": 8,
}
LANGUAGE = {
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 700,
}
FLAMINGO = {"num_heads": 2, "head_width": 8, "num_latents": 4, "depth": 1, "num_frames": 2}
QFORMER = {"num_queries": 4, "hidden_size": 16, "num_layers": 2, "num_heads": 2, "intermediate_size": 32}


def write_data(folder: Path, num_images: int = 8) -> Path:
    """Write a version with two samples to each image, one a text longer than the other."""
    rows = []
    for number in range(num_images):
        colour = _COLOURS[number % len(_COLOURS)]
        pairs = [("What colour is it?", f"It is {colour}.")] * (1 + number % 3)
        rows.append(make_row_of(number, "conv", pairs, make_picture(colour)))
        rows.append(make_row_of(number, "detail", [("Say all.", f"A plain {colour} picture.")], make_picture(colour)))
    write_version(folder, rows)
    return folder


def make_picture(colour: str) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (20, 12), colour).save(file, "PNG")
    return file.getvalue()


def make_table(tokenizer: Path, kind: str = "linear", **changes: Any) -> dict[str, Any]:
    """Return a recipe's table; `changes` are of its tables, as train={"steps": 3}."""
    make_tokenizer("byte-level").save_pretrained(tokenizer)
    connector: dict[str, Any] = {"kind": kind}
    trains = ["connector", "language"]
    if kind == "qformer":
        connector["qformer"] = QFORMER
        trains.append("qformer")
    if kind == "gated_cross_attention":
        connector["flamingo"] = FLAMINGO
    table: dict[str, Any] = {
        "template": "vicuna_v1",
        "model": {
            "vision": {"config": VISION},
            "connector": connector,
            "language": {"config": LANGUAGE, "tokenizer": str(tokenizer)},
        },
        "train": {"steps": 6, "dtype": "float32", "trains": trains, "loggers": []},
        "optim": {"learning_rate": 1e-2},
        "rows": {"batch": 4, "max_tokens": 256},
        "saving": {"every_steps": 2},
    }
    for name, change in changes.items():
        table[name] = {**table[name], **change} if isinstance(change, dict) else change
    return table


def make_options(folder: Path, out: str, kind: str = "linear", **changes: Any) -> "TrainingOptions":
    """Return a run in folder/out on the data of folder/data, which is written when it is not there."""
    from instructgen.jobs.training_parts import TrainingOptions
    from instructgen.train.recipe import make_recipe

    data = folder / "data"
    if not data.is_dir():
        write_data(data)
    recipe = make_recipe(make_table(folder / "tokenizer", kind, **changes), "a test")
    return TrainingOptions("finetune", recipe, str(data), folder / out, device="cpu")


def write_recipe(path: Path, table: dict[str, Any]) -> Path:
    """Write a table as TOML: values and inline tables."""
    lines = [f"{key} = {_to_toml(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for name, part in table.items():
        if isinstance(part, dict):
            lines += [f"[{name}]", *(f"{key} = {_to_toml(value)}" for key, value in part.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _to_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_to_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_to_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (int, float)) else '"' + str(value).replace("\\", "\\\\") + '"'
