"""A trained model as a folder: what was trained is in it, what has a name elsewhere is named."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch
from msgspec import Struct
from msgspec.structs import replace

from instructgen.errors import InstructgenError
from instructgen.models.atomic import check_files, describe_files, published
from instructgen.models.build import build_model, load_tokenizer, make_picture_reader
from instructgen.models.checkpoints import read_tensors
from instructgen.models.lora import ADAPTER_FOLDER, load_adapter, save_adapter
from instructgen.models.pictures import PictureReader
from instructgen.models.quiet import quiet
from instructgen.models.saved_connector import CONNECTOR_FILE, fill_connector
from instructgen.models.saved_tower import save_tower
from instructgen.models.spec import PARTS, ModelSpec, Part
from instructgen.models.vlm import VisionLanguageModel, part_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CARD_FILE = "instructgen.json"
FORMAT = 1
VISION_FOLDER, LANGUAGE_FOLDER, TOKENIZER_FOLDER = "vision", "language", "tokenizer"


class Card(Struct, frozen=True):
    """instructgen.json. `held` names the parts whose weights are in the folder; the others are those of `spec`."""

    spec: ModelSpec
    template: str
    tokens_per_image: int
    held: tuple[Part, ...]
    has_adapter: bool = False
    format: int = FORMAT
    stage: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    files: dict[str, tuple[int, str]] = {}
    """Of each file its size in bytes and its SHA-256."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What is written beside the weights. `trained` None takes the parts that ask for gradients now."""

    trained: tuple[str, ...] | None = None
    stage: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    self_contained: bool = False


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """`spec` builds the same model again, and names the folder where a part's weights are in it."""

    model: VisionLanguageModel
    spec: ModelSpec
    tokenizer: "PreTrainedTokenizerBase"
    template: str
    picture_reader: PictureReader
    card: Card


def save_model(
    model: VisionLanguageModel,
    spec: ModelSpec,
    folder: Path,
    *,
    tokenizer: "PreTrainedTokenizerBase",
    template: str,
    notes: Notes | None = None,
) -> None:
    """Write the folder at once: it is there whole or not at all; a model that was there before is replaced.

    Parts that were trained, that have no name, or whose name is a part of another such folder are written in full,
    with `self_contained` all are. Raises InstructgenError where something else stands at `folder`.
    """
    notes = notes or Notes()
    held = _choose_held(model, spec, notes)
    with published(folder, CARD_FILE) as made:
        _write_connector(model, made, with_qformer="qformer" in held)
        if "vision" in held:
            save_tower(model.vision, made / VISION_FOLDER)
        if "language" in held:
            _write_language(model, made / LANGUAGE_FOLDER)
        if model.has_adapters:
            save_adapter(model, made / ADAPTER_FOLDER)
        tokenizer.save_pretrained(made / TOKENIZER_FOLDER)
        card = Card(
            spec=_describe_saved(spec, held),
            template=template,
            tokens_per_image=model.tokens_per_image,
            held=held,
            has_adapter=model.has_adapters,
            stage=dict(notes.stage),
            provenance=dict(notes.provenance),
            files=describe_files(made),
        )
        text = json.dumps(msgspec.to_builtins(card), indent=2, ensure_ascii=False)
        (made / CARD_FILE).write_text(text + "\n", encoding="utf-8")


def load_model(folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Read a folder that save_model wrote, or a run's that holds one; the model is in evaluation mode.

    Raises InstructgenError that says what is missing, damaged or of another make.
    """
    folder = find_model(folder)
    card = read_card(folder)
    check_files(folder, card.files)
    spec = _point_into(card.spec, card.held, folder)
    model = build_model(spec, device="cpu", dtype=dtype)
    fill_connector(
        model.connector, read_tensors(folder / CONNECTOR_FILE), str(folder), keeps_qformer="qformer" not in card.held
    )
    if card.has_adapter:
        load_adapter(model, str(folder / ADAPTER_FOLDER))
    if model.tokens_per_image != card.tokens_per_image:
        raise InstructgenError(
            f"{folder} was made with {card.tokens_per_image} tokens an image, and its parts give"
            f" {model.tokens_per_image}: the vision tower '{card.spec.vision.name}' is another one by now"
        )
    tokenizer = load_tokenizer(spec.language)
    reader = make_picture_reader(spec, model)
    return LoadedModel(model.to(device).eval(), spec, tokenizer, card.template, reader, card)


def find_model(folder: Path) -> Path:
    """Return the folder itself, or the model inside a run's folder."""
    for place in (folder, folder / "model"):
        if (place / CARD_FILE).is_file():
            return place
    what = "is no folder" if not folder.is_dir() else f"holds no {CARD_FILE}"
    raise InstructgenError(f"{folder} {what}; name a folder that `instructgen pretrain` or `finetune` made")


def read_card(folder: Path) -> Card:
    path = folder / CARD_FILE
    try:
        table = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise InstructgenError(f"{path} cannot be read ({error}); make the model again") from None
    if isinstance(table, dict) and table.get("kind") == "representation":
        raise InstructgenError(
            f"{path.parent} is BLIP-2's first stage, which has no language model: name it in"
            " [model.connector.qformer] of a second stage, or measure it (`instructgen evaluate --suite retrieval`)"
        )
    number = table.get("format") if isinstance(table, dict) else None
    if number != FORMAT:
        raise InstructgenError(
            f"{path} has format {number}, this instructgen reads {FORMAT}; install the one that made it"
        )
    try:
        return msgspec.convert(table, Card)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{path}: {error}; make the model again") from None


def _choose_held(model: VisionLanguageModel, spec: ModelSpec, notes: Notes) -> tuple[Part, ...]:
    if notes.trained is None:
        trained = {part_of(name) for name, weight in model.named_parameters() if weight.requires_grad}
    else:
        trained = {part for part in PARTS if part in notes.trained}
    if model.has_adapters:
        trained.discard("language")
    qformer = spec.connector.qformer
    names = {
        "vision": "" if spec.vision.config is not None else spec.vision.name,
        "language": "" if spec.language.config is not None else spec.language.name,
        "qformer": "" if qformer is None else qformer.name,
        "connector": "",
    }
    parts = [part for part in PARTS if part != "qformer" or spec.connector.kind == "qformer"]
    return tuple(
        part for part in parts if notes.self_contained or part in trained or not _lives_elsewhere(names[part])
    )


def _lives_elsewhere(name: str) -> bool:
    """A name stays good by itself unless it is such a folder, a run's or a part of one, which may be thrown away."""
    places = (Path(name), Path(name).parent, Path(name) / "model")
    return bool(name) and not any((place / CARD_FILE).is_file() for place in places)


def _describe_saved(spec: ModelSpec, held: tuple[Part, ...]) -> ModelSpec:
    """Return the spec with the names of what the folder holds taken out; the tower is saved as it was cut."""
    vision, language = spec.vision, replace(spec.language, tokenizer=TOKENIZER_FOLDER)
    connector = replace(spec.connector, name="")
    if "vision" in held:
        vision = replace(vision, name=VISION_FOLDER, config=None, layer=-1)
    else:
        vision = replace(vision, name=_find_place(vision.name))
    if "language" in held:
        language = replace(language, name=LANGUAGE_FOLDER, config=None)
    else:
        language = replace(language, name=_find_place(language.name))
    if connector.qformer is not None:
        name = "" if "qformer" in held else _find_place(connector.qformer.name)
        connector = replace(connector, qformer=replace(connector.qformer, name=name))
    return replace(spec, vision=vision, language=language, connector=connector)


def _find_place(name: str) -> str:
    """Return a name that is good wherever the reader stands: a folder's whole path, or the name as it is."""
    return str(Path(name).resolve()) if name and Path(name).is_dir() else name


def _point_into(spec: ModelSpec, held: tuple[Part, ...], folder: Path) -> ModelSpec:
    vision = replace(spec.vision, name=str(folder / VISION_FOLDER)) if "vision" in held else spec.vision
    language = replace(spec.language, tokenizer=str(folder / TOKENIZER_FOLDER))
    if "language" in held:
        language = replace(language, name=str(folder / LANGUAGE_FOLDER))
    return replace(spec, vision=vision, language=language)


def _write_connector(model: VisionLanguageModel, folder: Path, *, with_qformer: bool) -> None:
    from safetensors.torch import save_file

    tensors = {
        name: value.detach().cpu().contiguous()
        for name, value in model.connector.state_dict().items()
        if with_qformer or not name.startswith("qformer.")
    }
    save_file(tensors, folder / CONNECTOR_FILE)


def _write_language(model: VisionLanguageModel, folder: Path) -> None:
    """Write the language model without its adapters, under the names that Hugging Face's class has."""
    causal_lm = model.causal_lm
    state = {
        name.replace(".base_layer.", "."): value
        for name, value in causal_lm.state_dict().items()
        if ".lora_" not in name
    }
    with quiet():
        causal_lm.save_pretrained(folder, state_dict=state)
