"""A model as Hugging Face's Blip2ForConditionalGeneration: transformers loads the folder without any code of ours.

The Q-Former's tensors are the same; its norm is the tower's last one there. The tower becomes a Blip2VisionModel:
EVA's is one, and a ViT is one by other names. CLIP norms the patches before its first layer, SigLIP has no class
token, DINOv2 scales its layers: these have no place there.
"""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from msgspec import Struct
from torch import Tensor, nn
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2VisionConfig,
    Blip2VisionModel,
    GenerationConfig,
    ViTModel,
)

from instructgen.errors import InstructgenError
from instructgen.models.atomic import published
from instructgen.models.folder import LoadedModel
from instructgen.models.lora import merge_lora
from instructgen.models.quiet import quiet
from instructgen.models.vision import VisionTower, read_image_px
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.blip2_folder import TEMPLATE_KEY
from instructgen.student.export_llava import add_image_token, count_rows, describe_reader, find_head, grow_table
from instructgen.student.export_notes import write_blip2_notes
from instructgen.student.reading import TEXT_STOPS, find_text_stop
from instructgen.train.encode import Encoder

# Of float32 logits; where the weights are rounded more coarsely, as much more is granted.
_TOLERANCE = {torch.float32: 1e-4, torch.float16: 5e-2, torch.bfloat16: 0.3}
_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_VIT_NAMES = (
    (r"^embeddings\.cls_token", "embeddings.class_embedding"),
    (r"^embeddings\.position_embeddings", "embeddings.position_embedding"),
    (r"^embeddings\.patch_embeddings\.projection", "embeddings.patch_embedding"),
    (r"^layers\.(\d+)\.attention\.o_proj", r"encoder.layers.\1.self_attn.projection"),
    (r"^layers\.(\d+)\.layernorm_before", r"encoder.layers.\1.layer_norm1"),
    (r"^layers\.(\d+)\.layernorm_after", r"encoder.layers.\1.layer_norm2"),
    (r"^layers\.(\d+)\.mlp", r"encoder.layers.\1.mlp"),
)


class Blip2Export(Struct, frozen=True):
    """What was written. `max_difference` is between our logits and Blip2's, on a picture of noise."""

    out: Path
    num_parameters: int
    image_token_id: int
    max_difference: float


def export_blip2(loaded: LoadedModel, out: Path) -> Blip2Export:
    """Write the folder; adapters are merged into `loaded`'s model.

    Raises InstructgenError for a model that BLIP-2 has no form for, and where `out` is there already.
    """
    if out.exists():
        raise InstructgenError(f"{out} is there already; name a new folder")
    check_form(loaded)
    merge_lora(loaded.model)
    model, tokenizer = loaded.model, deepcopy(loaded.tokenizer)
    encoder = Encoder(loaded.tokenizer, loaded.template, model.tokens_per_image)
    image_token_id = add_image_token(tokenizer)
    blip2 = make_blip2(model, encoder, len(tokenizer), image_token_id)
    difference = compare_logits(model, blip2, image_token_id)
    with published(out, "config.json") as made:
        with quiet():
            blip2.save_pretrained(made)
        _make_generation(blip2, encoder, loaded.template).save_pretrained(made)
        tokenizer.save_pretrained(made)
        _write_processor(made, loaded, model.tokens_per_image)
        notes = made / "README.md"
        write_blip2_notes(notes, encoder.template, encoder.stop, repeats_prompt=not model.is_seq2seq)
    return Blip2Export(out, blip2.num_parameters(), image_token_id, difference)


def check_form(loaded: LoadedModel) -> None:
    """Raises InstructgenError saying why a model has no form as BLIP-2."""
    model, vision, connector = loaded.model, loaded.spec.vision, loaded.spec.connector
    tower = model.vision
    kind = getattr(getattr(tower.encoder, "config", None), "model_type", type(tower.encoder).__name__)
    table: Any = model.causal_lm.get_input_embeddings()
    width = getattr(model.causal_lm.config, "hidden_size", None)
    num_prefix = tower.shape.num_prefix
    reasons = {
        f"its connector is '{connector.kind}'": connector.kind != "qformer",
        f"its tower is of the type '{kind}', and BLIP-2 takes blip_2_vision_model and vit": (
            not isinstance(tower.encoder, Blip2VisionModel | ViTModel)
        ),
        "its tower's class token is dropped (drops_class_token), which BLIP-2's Q-Former sees": (
            vision.drops_class_token and num_prefix > 0
        ),
        "nothing norms the tower's tokens (normalises of the Q-Former), as BLIP-2 does": _find_norm(model) is None,
        f"its tower sees {tower.image_px} px and was made for another size": (
            tower.image_px != read_image_px(getattr(tower.encoder, "config", None))
        ),
        "its language model embeds in another width than it computes in": width != table.weight.shape[1],
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise InstructgenError(
            f"this model has no form as Blip2ForConditionalGeneration: {'; '.join(found)}. "
            "--form own writes a folder that holds everything, for instructgen itself"
        )


def _find_norm(model: VisionLanguageModel) -> nn.LayerNorm | None:
    """Return the norm between tower and Q-Former, whosever it is."""
    own = getattr(getattr(model.connector, "qformer", None), "vision_norm", None)
    norms = (norm for norm in (own, model.vision.final_norm) if isinstance(norm, nn.LayerNorm))
    return next(norms, None)


def make_blip2(
    model: VisionLanguageModel, encoder: Encoder, num_tokens: int, image_token_id: int
) -> Blip2ForConditionalGeneration:
    """Return the same model as BLIP-2; it holds our own tensors, and copies of those that another form has."""
    from transformers.initialization import no_init_weights

    config = _make_config(model, encoder, num_tokens, image_token_id)
    if config.use_decoder_only_language_model == model.is_seq2seq:
        kind = model.causal_lm.config.model_type
        raise InstructgenError(f"transformers reads BLIP-2 with '{kind}' as decoder-only; --form own keeps it whole")
    try:
        with no_init_weights():  # its memory is never touched: ours takes its place
            blip2: Any = Blip2ForConditionalGeneration(config)
    except (ValueError, KeyError) as error:
        raise InstructgenError(f"BLIP-2 does not take these parts: {error}") from None
    language = _make_language(model, config)
    try:
        blip2.load_state_dict({**_make_tower(model), **_make_connector(model), **language}, strict=True, assign=True)
    except RuntimeError as error:
        raise InstructgenError(f"the weights do not fit BLIP-2's: {str(error).splitlines()[-1].strip()}") from None
    if _is_tied(model):
        blip2.language_model.tie_weights()
    blip2.to(model.device)  # what is computed from the configuration alone
    blip2.config.architectures = [type(blip2).__name__]
    blip2.config.dtype = next(model.vision.parameters()).dtype
    made: Blip2ForConditionalGeneration = blip2.eval()
    return made


def _make_config(model: VisionLanguageModel, encoder: Encoder, num_tokens: int, image_token_id: int) -> Blip2Config:
    tower: Any = model.vision.encoder
    qformer: Any = model.connector.get_submodule("qformer")
    text_config = deepcopy(model.causal_lm.config)
    text_config.vocab_size = max(num_tokens, count_rows(model.causal_lm))
    text_config.architectures = [type(model.causal_lm).__name__]
    stop = encoder.stop
    # `generate` asks the language model's own configuration what ends an answer.
    text_config.eos_token_id = stop.sequence[0] if len(stop.sequence) == 1 else text_config.eos_token_id
    norm = _find_norm(model)
    assert norm is not None, "check_form has seen to it"
    return Blip2Config(
        vision_config=_describe_tower(tower.config, norm.eps),
        qformer_config=deepcopy(qformer.model.config),
        text_config=text_config,
        num_query_tokens=qformer.num_queries,
        image_token_index=image_token_id,
    )


def _describe_tower(config: Any, eps: float) -> Blip2VisionConfig:
    if config.layer_norm_eps != eps:
        raise InstructgenError(f"the tower's norms have epsilon {config.layer_norm_eps}, the last one {eps}")
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size")
    shape = {name: getattr(config, name) for name in (*names, "patch_size", "hidden_act", "layer_norm_eps")}
    return Blip2VisionConfig(qkv_bias=bool(config.qkv_bias), **shape)


def _make_tower(model: VisionLanguageModel) -> dict[str, Tensor]:
    tower: VisionTower = model.vision
    state = dict(tower.encoder.state_dict())
    if isinstance(tower.encoder, ViTModel):
        state = _rename_vit(state)
    norm = _find_norm(model)
    assert norm is not None, "check_form has seen to it"
    state |= {f"post_layernorm.{name}": value for name, value in norm.state_dict().items()}
    return {f"vision_model.{name}": value for name, value in state.items()}


def _rename_vit(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a ViT's tensors by Blip2VisionModel's names; queries, keys and values become one matrix."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if "_proj." in name and ".o_proj." not in name:
            continue
        for pattern, new in _VIT_NAMES:
            name = re.sub(pattern, new, name)  # noqa: PLW2901  at most one pattern fits
        found[name] = value
    layers = sorted({name.split(".")[1] for name in state if name.startswith("layers.")}, key=int)
    for layer in layers:
        for kind in ("weight", "bias"):
            parts = [state.get(f"layers.{layer}.attention.{one}_proj.{kind}") for one in "qkv"]
            if all(part is not None for part in parts):
                found[f"encoder.layers.{layer}.self_attn.qkv.{kind}"] = torch.cat([p for p in parts if p is not None])
    return found


def _make_connector(model: VisionLanguageModel) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for name, value in model.connector.state_dict().items():
        if name.startswith("qformer.model."):
            state[name.replace("qformer.model.", "qformer.", 1)] = value
        elif name == "qformer.query_tokens":
            state["query_tokens"] = value
        elif name.startswith("linear."):
            state[name.replace("linear.", "language_projection.", 1)] = value
    return state


def _make_language(model: VisionLanguageModel, config: Blip2Config) -> dict[str, Tensor]:
    causal_lm: Any = model.causal_lm
    text_config: Any = config.text_config
    tables = {causal_lm.get_input_embeddings().weight.data_ptr(), find_head(causal_lm).weight.data_ptr()}
    grown: dict[int, Tensor] = {}
    state: dict[str, Tensor] = {}
    for name, value in causal_lm.state_dict().items():
        place = value.data_ptr()
        if place in tables:
            value = grown.setdefault(place, grow_table(value, int(text_config.vocab_size)))  # noqa: PLW2901
        state[f"language_model.{name}"] = value
    return state


def _is_tied(model: VisionLanguageModel) -> bool:
    causal_lm: Any = model.causal_lm
    tied: bool = find_head(causal_lm).weight.data_ptr() == causal_lm.get_input_embeddings().weight.data_ptr()
    return tied


@torch.no_grad()
def compare_logits(model: VisionLanguageModel, blip2: Blip2ForConditionalGeneration, image_token_id: int) -> float:
    """Return the largest difference between both models' logits on noise; raises InstructgenError for a large one."""
    side, device, generator = model.vision.image_px, model.device, torch.Generator().manual_seed(0)
    pixels_1chw = torch.randn(1, 3, side, side, generator=generator).to(device, next(model.vision.parameters()).dtype)
    num_rows = count_rows(model.causal_lm)
    ids_1l = torch.randint(0, min(num_rows, image_token_id), (1, 12), generator=generator).to(device)
    slots_1t = torch.full((1, model.tokens_per_image), image_token_id, device=device)
    written = {"decoder_input_ids": ids_1l[:, :5]} if model.is_seq2seq else {}
    full_1l = torch.cat([slots_1t, ids_1l], dim=1)
    theirs = blip2(input_ids=full_1l, pixel_values=pixels_1chw, **written).logits[..., :num_rows]
    text_1ld, seen_1td = model.embed_text(ids_1l), model.embed_pictures(pixels_1chw)
    embeds_1ld = torch.cat([seen_1td.to(text_1ld.dtype), text_1ld], dim=1)
    ours = model.causal_lm(inputs_embeds=embeds_1ld, **written).logits
    difference = float((ours.float() - theirs.float()).abs().max())
    allowed = _TOLERANCE.get(ours.dtype, 1e-4) * max(1.0, float(ours.float().abs().max()))
    if not difference <= allowed:
        raise InstructgenError(
            f"as BLIP-2 the model gives other logits (they differ by {difference:.3g}): transformers reads this "
            "tower or language model in another way. --form own writes a folder for instructgen itself"
        )
    return difference


def _make_generation(blip2: Blip2ForConditionalGeneration, encoder: Encoder, template: str) -> GenerationConfig:
    text_config: Any = blip2.config.text_config
    text_stop = find_text_stop(encoder.stop)
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=False,
        **{name: getattr(text_config, name, None) for name in _TOKENS},
        **{TEMPLATE_KEY: template},
        **({TEXT_STOPS: [text_stop]} if text_stop else {}),
    )


def _write_processor(folder: Path, loaded: LoadedModel, num_queries: int) -> None:
    """Write how pictures are read; by hand, so that transformers of any age can."""
    pictures = {**describe_reader(loaded.picture_reader), "processor_class": "Blip2Processor"}
    if loaded.picture_reader.aspect == "squash":
        pictures |= {"image_processor_type": "BlipImageProcessor"}
    processor = {"processor_class": "Blip2Processor", "num_query_tokens": num_queries}
    for name, table in (("processor_config.json", processor), ("preprocessor_config.json", pictures)):
        (folder / name).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
