"""A model as Hugging Face's LlavaForConditionalGeneration: transformers loads the folder without any code of ours.

What the two disagree about is bridged exactly. Llava's projector has two layers, so a linear connector becomes one
with the identity behind it ("linear" as activation). Llava keeps a whole tower and takes a hidden state below its
top; ours ends at that layer, so one layer of zeros is put on top, whose output nobody reads.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from msgspec import Struct
from torch import Tensor
from transformers import GenerationConfig, LlavaConfig, LlavaForConditionalGeneration, PreTrainedModel

from instructgen.errors import InstructgenError
from instructgen.models.atomic import published
from instructgen.models.folder import LoadedModel
from instructgen.models.language import HeadScale, find_decoder, read_head_scale
from instructgen.models.lora import merge_lora
from instructgen.models.pictures import PictureReader
from instructgen.models.vision import VisionTower, read_image_px
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.export_notes import write_notes
from instructgen.student.export_weights import write_weights
from instructgen.student.reading import TEXT_STOPS, find_text_stop
from instructgen.train.encode import Encoder
from instructgen.train.templates_export import for_export

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IMAGE_TOKEN = "<image>"  # noqa: S105  what LlavaProcessor looks for
# Of float32 logits; where the weights are rounded more coarsely, as much more is granted.
_TOLERANCE = {torch.float32: 1e-4, torch.float16: 5e-2, torch.bfloat16: 0.3}


class LlavaExport(Struct, frozen=True):
    """What was written. `max_difference` is between our logits and Llava's, on a picture of noise."""

    out: Path
    num_parameters: int
    image_token_id: int
    max_difference: float


def export_llava(loaded: LoadedModel, out: Path) -> LlavaExport:
    """Write the folder; adapters are merged into `loaded`'s model.

    Raises InstructgenError for a model that Llava has no form for, and where `out` is there already.
    """
    if out.exists():
        raise InstructgenError(f"{out} is there already; name a new folder")
    model = loaded.model
    check_form(loaded)
    merge_lora(model)
    tokenizer = deepcopy(loaded.tokenizer)
    image_token_id = add_image_token(tokenizer)
    llava = make_llava(model, tokenizer, image_token_id)
    difference = compare_logits(model, llava, image_token_id)
    encoder = Encoder(loaded.tokenizer, loaded.template, model.tokens_per_image)
    tokenizer.chat_template = for_export(encoder.template, loaded.tokenizer)
    with published(out, "config.json") as made:
        write_weights(llava, made)
        _make_generation(encoder, tokenizer).save_pretrained(made)
        tokenizer.save_pretrained(made)
        _write_processor(made, llava.config, model.vision, loaded.picture_reader)
        write_notes(made / "README.md", encoder.template.name, encoder.stop)
    return LlavaExport(out, llava.num_parameters(), image_token_id, difference)


def check_form(loaded: LoadedModel) -> None:
    """Raises InstructgenError saying why a model has no Llava form."""
    vision, connector, causal_lm = loaded.spec.vision, loaded.spec.connector, loaded.model.causal_lm
    tower = loaded.model.vision
    head = find_head(causal_lm)
    num_prefix = tower.shape.num_prefix
    reasons = {
        f"its connector is '{connector.kind}'": connector.kind not in ("linear", "mlp2x_gelu"),
        "its tower is none of Hugging Face's": not isinstance(tower.encoder, PreTrainedModel),
        "its connector joins neighbouring tokens (merge)": connector.merge != 1,
        "its tower's last norm is applied (normalises_last)": vision.normalises_last,
        f"its tower puts {num_prefix} tokens before the patches, of which Llava drops one": (
            vision.drops_class_token and num_prefix > 1
        ),
        f"its tower sees {tower.image_px} px and was made for another size": (
            tower.image_px != read_image_px(getattr(tower.encoder, "config", None))
        ),
        "its language model's head has a bias": getattr(head, "bias", None) is not None,
        "its language model scales its logits": read_head_scale(causal_lm.config) != HeadScale(),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise InstructgenError(
            f"this model has no form as LlavaForConditionalGeneration: {'; '.join(found)}. "
            "--form own writes a folder that holds everything, for instructgen itself"
        )


def make_llava(
    model: VisionLanguageModel, tokenizer: "PreTrainedTokenizerBase", image_token_id: int
) -> LlavaForConditionalGeneration:
    """Return the same model as Llava; it holds our own tensors and no copies, but for a table that had to grow."""
    from transformers.initialization import no_init_weights

    config = _make_config(model, len(tokenizer), image_token_id)
    try:
        with no_init_weights():  # its memory is never touched: ours takes its place
            llava: Any = LlavaForConditionalGeneration(config)
    except (ValueError, KeyError) as error:
        raise InstructgenError(f"Llava does not take these parts: {error}") from None
    state = _make_state(model, config)
    own_dtype = next(model.vision.parameters()).dtype
    for name, wanted in llava.state_dict().items():
        if name.startswith("model.vision_tower.") and name not in state:  # the layer on top, and the unused norm
            state[name] = torch.zeros(wanted.shape, dtype=own_dtype, device=model.device)
    try:
        llava.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise InstructgenError(f"the weights do not fit Llava's: {str(error).splitlines()[-1].strip()}") from None
    llava.tie_weights()
    llava.to(model.device)  # what is computed from the configuration alone
    llava.config.architectures = [type(llava).__name__]
    llava.config.dtype = own_dtype
    llava.eval()
    made: LlavaForConditionalGeneration = llava
    return made


def _make_config(model: VisionLanguageModel, num_tokens: int, image_token_id: int) -> LlavaConfig:
    encoder, causal_lm = model.vision.encoder, model.causal_lm
    vision_config: Any = deepcopy(encoder.config)
    vision_config.num_hidden_layers += 1
    text_config = deepcopy(causal_lm.config)
    text_config.vocab_size = max(num_tokens, count_rows(causal_lm))
    text_config.architectures = [type(causal_lm).__name__]  # vLLM chooses the language model by it
    is_linear = hasattr(model.connector, "linear")
    drops_one = model.vision.num_tokens < model.vision.shape.num_patches + model.vision.shape.num_prefix
    return LlavaConfig(
        vision_config=vision_config,
        text_config=text_config,
        image_token_index=image_token_id,
        image_seq_length=model.tokens_per_image,
        projector_hidden_act="linear" if is_linear else "gelu",
        vision_feature_select_strategy="default" if drops_one else "full",
        vision_feature_layer=-2,
        tie_word_embeddings=bool(text_config.tie_word_embeddings),
    )


def _make_state(model: VisionLanguageModel, config: LlavaConfig) -> dict[str, Tensor]:
    tower = {f"model.vision_tower.{name}": value for name, value in model.vision.encoder.state_dict().items()}
    decoder = {
        f"model.language_model.{name}": value for name, value in find_decoder(model.causal_lm).state_dict().items()
    }
    head = find_head(model.causal_lm)
    table: Any = model.causal_lm.get_input_embeddings()
    [table_name] = [name for name, value in decoder.items() if value.data_ptr() == table.weight.data_ptr()]
    text_config: Any = config.text_config
    num_rows = int(text_config.vocab_size)
    decoder[table_name] = grow_table(table.weight.data, num_rows)
    is_tied = head.weight.data_ptr() == table.weight.data_ptr()
    lm_head = decoder[table_name] if is_tied else grow_table(head.weight.data, num_rows)
    return {**tower, **_make_projector(model), **decoder, "lm_head.weight": lm_head}


def _make_projector(model: VisionLanguageModel) -> dict[str, Tensor]:
    connector = dict(model.connector.state_dict())
    if "linear.weight" in connector:
        first, second = "linear", None
    else:
        first, second = "first", "second"
    width, like = connector[f"{first}.weight"].shape[0], connector[f"{first}.weight"]
    identity = torch.eye(width, dtype=like.dtype, device=like.device)
    nothing = torch.zeros(width, dtype=like.dtype, device=like.device)
    prefix = "model.multi_modal_projector"
    return {
        f"{prefix}.linear_1.weight": connector[f"{first}.weight"],
        f"{prefix}.linear_1.bias": connector[f"{first}.bias"],
        f"{prefix}.linear_2.weight": identity if second is None else connector[f"{second}.weight"],
        f"{prefix}.linear_2.bias": nothing if second is None else connector[f"{second}.bias"],
    }


def grow_table(table: Tensor, num_rows: int) -> Tensor:
    """Add rows that are the mean of all: the logit of such a token is the mean logit, and never the largest."""
    missing = num_rows - table.shape[0]
    if missing <= 0:
        return table
    mean = table.float().mean(dim=0, keepdim=True).to(table.dtype)
    return torch.cat([table, mean.expand(missing, -1)])


def find_head(causal_lm: PreTrainedModel) -> Any:
    model: Any = causal_lm
    return model.get_output_embeddings()


def count_rows(causal_lm: PreTrainedModel) -> int:
    table: Any = causal_lm.get_input_embeddings()
    return int(table.weight.shape[0])


def add_image_token(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the id of the picture's mark, which becomes a token of its own if it is none."""
    if IMAGE_TOKEN not in tokenizer.get_vocab():
        tokenizer.add_tokens([IMAGE_TOKEN], special_tokens=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    tokenizer.padding_side = "left"  # as answers in batches want it
    found = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    assert isinstance(found, int)
    return found


@torch.no_grad()
def compare_logits(model: VisionLanguageModel, llava: LlavaForConditionalGeneration, image_token_id: int) -> float:
    """Return the largest difference between both models' logits on noise; raises InstructgenError for a large one."""
    side, device, generator = model.vision.image_px, model.device, torch.Generator().manual_seed(0)
    dtype = next(model.vision.parameters()).dtype
    pixels_1chw = torch.randn(1, 3, side, side, generator=generator).to(device, dtype)
    num_rows = count_rows(model.causal_lm)
    ids_1l = torch.randint(0, min(num_rows, image_token_id), (1, 12), generator=generator).to(device)
    slots_1t = torch.full((1, model.tokens_per_image), image_token_id, device=device)
    full_1l = torch.cat([ids_1l[:, :2], slots_1t, ids_1l[:, 2:]], dim=1)
    theirs = llava(input_ids=full_1l, pixel_values=pixels_1chw).logits[..., :num_rows]
    text_1ld, seen_1td = model.embed_text(ids_1l), model.embed_pictures(pixels_1chw)
    embeds_1ld = torch.cat([text_1ld[:, :2], seen_1td.to(text_1ld.dtype), text_1ld[:, 2:]], dim=1)
    ours = model.causal_lm(inputs_embeds=embeds_1ld).logits
    difference = float((ours.float() - theirs.float()).abs().max())
    allowed = _TOLERANCE.get(ours.dtype, 1e-4) * max(1.0, float(ours.float().abs().max()))
    if not difference <= allowed:
        raise InstructgenError(
            f"as Llava the model gives other logits (they differ by {difference:.3g}): transformers reads this tower "
            "or language model in another way. --form own writes a folder for instructgen itself"
        )
    return difference


def _make_generation(encoder: Encoder, tokenizer: "PreTrainedTokenizerBase") -> GenerationConfig:
    stop_ids = list(encoder.stop.token_ids)
    text_stop = find_text_stop(encoder.stop)
    return GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=stop_ids[0] if len(stop_ids) == 1 else stop_ids or None,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        **({TEXT_STOPS: [text_stop]} if text_stop else {}),
    )


def _write_processor(folder: Path, config: LlavaConfig, tower: VisionTower, reader: PictureReader) -> None:
    """Write how pictures are read; by hand, so that transformers of any age can."""
    vision_config: Any = config.vision_config
    processor = {
        "processor_class": "LlavaProcessor",
        "image_token": IMAGE_TOKEN,
        "patch_size": vision_config.patch_size,
        "vision_feature_select_strategy": config.vision_feature_select_strategy,
        "num_additional_image_tokens": tower.shape.num_prefix,
    }
    pictures = describe_reader(reader)
    for name, table in (("processor_config.json", processor), ("preprocessor_config.json", pictures)):
        (folder / name).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def describe_reader(reader: PictureReader) -> dict[str, Any]:
    """Return what Hugging Face's image processors call the same treatment of pictures."""
    side = {"height": reader.image_px, "width": reader.image_px}
    is_squashed = reader.aspect == "squash"
    return {
        "image_processor_type": "LlavaImageProcessor" if reader.aspect == "pad" else "CLIPImageProcessor",
        "processor_class": "LlavaProcessor",
        "do_convert_rgb": True,
        "do_pad": reader.aspect == "pad",
        "do_resize": True,
        "size": side if is_squashed else {"shortest_edge": reader.image_px},
        "resample": 3,
        "do_center_crop": not is_squashed,
        "crop_size": side,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(reader.mean),
        "image_std": list(reader.std),
    }
