"""Students of some random weights, with tokenizers trained on a few sentences: right in form, wise in nothing."""

import io
import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from instructgen.models.build import build_model, make_picture_reader
from instructgen.models.folder import Card, LoadedModel, Notes, save_model
from instructgen.models.spec import ConnectorSpec, GatedSpec, LanguageSpec, ModelSpec, QFormerSpec, VisionSpec
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.load import make_student
from instructgen.student.local import LocalStudent

_SENTENCES = (
    "USER: What is in the picture? ASSISTANT: A red cup stands on a small table beside a window.",
    "Human: Describe this image in detail. Assistant: Two dogs run over the grass, and a child looks at them.",
    "system user assistant Continue. Say everything you see: colours, shapes, places, weather and people.",
    "Drei Männer stehen im Café — größer als 10 Häuser. 你好,世界。 Привет, мир! 🙂🙃",
)
_CONTROLS = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 400


def make_tokenizer(kind: str = "bytes") -> PreTrainedTokenizerBase:
    """Return a byte-level BPE ("bytes", as GPT-2 and Qwen) or one with "▁" and byte fallback ("spaces", as Llama)."""
    if kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=_CONTROLS, initial_alphabet=alphabet, show_progress=False
        )
    else:
        made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        made.pre_tokenizer = pre_tokenizers.Metaspace()  # so that "▁" only begins tokens, as SentencePiece has it
        steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        made.decoder = decoders.Sequence(steps)
        controls = [*_CONTROLS, *(f"<0x{number:02X}>" for number in range(256))]
        trainer = trainers.BpeTrainer(vocab_size=VOCABULARY + 40, special_tokens=controls, show_progress=False)
    made.train_from_iterator(_SENTENCES * 4, trainer)
    if kind != "bytes":
        made = _unspecial(made)
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )


def _unspecial(made: Tokenizer) -> Tokenizer:
    """Let bytes be ordinary tokens, and read texts without cutting them, as Llama's tokenizer has both."""
    settings = json.loads(made.to_str())
    settings["pre_tokenizer"] = None
    settings["added_tokens"] = [one for one in settings["added_tokens"] if one["content"] in _CONTROLS]
    return Tokenizer.from_str(json.dumps(settings))


def vision_config(kind: str) -> dict[str, Any]:
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2}
    return {"model_type": f"{kind}_vision_model", "image_size": 28, "patch_size": 14, **shape}


def make_spec(
    vision: str = "clip", connector: str = "mlp2x_gelu", *, aspect: str = "crop", layer: int = -2, **language: Any
) -> ModelSpec:
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": 1, "eos_token_id": 2}
    config = {
        "model_type": "llama",
        "vocab_size": VOCABULARY + 40,
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "initializer_range": 0.4,
        **shape,
        **ends,
        **language,
    }
    qformer = QFormerSpec(
        num_queries=3, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=48, cross_attention_every=2
    )
    flamingo = GatedSpec(num_heads=2, head_width=8, num_latents=6, depth=1, num_frames=3)
    return ModelSpec(
        vision=VisionSpec(config=vision_config(vision), aspect=aspect, layer=layer),  # type: ignore[arg-type]
        connector=ConnectorSpec(
            kind=connector,  # type: ignore[arg-type]
            qformer=qformer if connector == "qformer" else None,
            flamingo=flamingo if connector == "gated_cross_attention" else None,
        ),
        language=LanguageSpec(config=config),
        seed=7,
    )


def make_model(spec: ModelSpec) -> VisionLanguageModel:
    """Return the model with weights large enough that no two tokens are nearly as likely."""
    torch.set_num_threads(1)
    model = build_model(spec)
    with torch.no_grad():
        for name, weight in model.connector.named_parameters():
            weight.mul_(4)
            if name.endswith("_gate"):
                weight.fill_(0.8)
    return model


def make_loaded(
    spec: ModelSpec | None = None, *, template: str = "vicuna_v1", tokenizer: str = "bytes"
) -> LoadedModel:
    """Return a model as if it had been read from a folder."""
    spec = spec or make_spec()
    model = make_model(spec)
    card = Card(spec, template, model.tokens_per_image, ())
    return LoadedModel(model, spec, make_tokenizer(tokenizer), template, make_picture_reader(spec, model), card)


def make_tiny(
    spec: ModelSpec | None = None, *, template: str = "vicuna_v1", tokenizer: str = "bytes"
) -> LocalStudent:
    loaded = make_loaded(spec, template=template, tokenizer=tokenizer)
    return make_student(loaded, "tiny", torch.device("cpu"), torch.float32)


def save_student(
    folder: Path, spec: ModelSpec | None = None, *, template: str = "vicuna_v1", tokenizer: str = "bytes"
) -> Path:
    """Write a model's folder and return it."""
    spec = spec or make_spec()
    notes = Notes(self_contained=True)
    save_model(make_model(spec), spec, folder, tokenizer=make_tokenizer(tokenizer), template=template, notes=notes)
    return folder


def make_picture(number: int = 0, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    """Return a picture of blocks; no two numbers give the same."""
    import random

    draw = random.Random(number)
    image = Image.new("RGB", (4, 4))
    image.putdata([(draw.randrange(256), draw.randrange(256), draw.randrange(256)) for _ in range(16)])
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.BILINEAR).save(buffer, kind)
    return buffer.getvalue()
