"""A first stage's model as a folder: what was trained is in it, under the names of transformers' BLIP-2."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch
from msgspec import Struct
from msgspec.structs import replace
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.atomic import check_files, describe_files, published
from instructgen.models.blip2.build import build_representation, make_representation_reader
from instructgen.models.blip2.model import Representation
from instructgen.models.blip2.spec import RepresentationSpec
from instructgen.models.checkpoints import load_strictly, read_tensors
from instructgen.models.folder import CARD_FILE, TOKENIZER_FOLDER, VISION_FOLDER, Notes
from instructgen.models.pictures import PictureReader
from instructgen.models.saved_tower import save_tower

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KIND = "representation"
WEIGHTS_FILE = "model.safetensors"
FORMAT = 1
_OURS, _THEIRS = "ln_vision.", "vision_model.post_layernorm."  # where transformers' BLIP-2 has the norm


class RepresentationCard(Struct, frozen=True):
    """instructgen.json of a first stage; `holds_vision` says that the tower is in the folder."""

    spec: RepresentationSpec
    max_text_tokens: int
    holds_vision: bool
    kind: str = KIND
    format: int = FORMAT
    stage: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    files: dict[str, tuple[int, str]] = {}
    """Of each file its size in bytes and its SHA-256."""


@dataclass(frozen=True, slots=True)
class LoadedRepresentation:
    model: Representation
    spec: RepresentationSpec
    tokenizer: "PreTrainedTokenizerBase"
    reader: PictureReader
    card: RepresentationCard


def save_representation(
    model: Representation,
    spec: RepresentationSpec,
    folder: Path,
    *,
    tokenizer: "PreTrainedTokenizerBase",
    max_text_tokens: int,
    notes: Notes | None = None,
) -> None:
    """Write the folder at once: it is there whole or not at all; a model that was there before is replaced.

    The tower is in it where it has no name elsewhere. Raises InstructgenError where something else stands there.
    """
    from safetensors.torch import save_file

    notes = notes or Notes()
    holds_vision = notes.self_contained or not spec.vision.name
    with published(folder, CARD_FILE) as made:
        save_file(name_tensors(model), made / WEIGHTS_FILE)
        if holds_vision:
            save_tower(model.vision, made / VISION_FOLDER)
        tokenizer.save_pretrained(made / TOKENIZER_FOLDER)
        vision = spec.vision
        if holds_vision:
            vision = replace(vision, name=VISION_FOLDER, config=None, layer=-1)
        elif Path(vision.name).is_dir():
            vision = replace(vision, name=str(Path(vision.name).resolve()))
        card = RepresentationCard(
            spec=replace(spec, vision=vision, text=replace(spec.text, name="", tokenizer=TOKENIZER_FOLDER)),
            max_text_tokens=max_text_tokens,
            holds_vision=holds_vision,
            stage=dict(notes.stage),
            provenance=dict(notes.provenance),
            files=describe_files(made),
        )
        text = json.dumps(msgspec.to_builtins(card), indent=2, ensure_ascii=False)
        (made / CARD_FILE).write_text(text + "\n", encoding="utf-8")


def load_representation(
    folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> LoadedRepresentation:
    """Read a folder that save_representation wrote, or a run's that holds one; the model is in evaluation mode.

    `dtype` is the tower's. Raises InstructgenError that says what is missing, damaged or of another make.
    """
    found = find_representation(folder)
    if found is None:
        raise InstructgenError(
            f"{folder} holds no model of BLIP-2's first stage; name a folder that `instructgen pretrain --recipe"
            " blip2-stage1` made"
        )
    card = read_representation_card(found)
    check_files(found, card.files)
    vision = card.spec.vision
    if card.holds_vision:
        vision = replace(vision, name=str(found / VISION_FOLDER))
    text = replace(card.spec.text, tokenizer=str(found / TOKENIZER_FOLDER))
    spec = replace(card.spec, vision=vision, text=text)
    model, tokenizer = build_representation(spec, dtype=dtype, begins=False)
    fill_representation(model, read_tensors(found / WEIGHTS_FILE), str(found))
    return LoadedRepresentation(
        model.to(device).eval(), spec, tokenizer, make_representation_reader(spec, model), card
    )


def find_representation(folder: str | Path) -> Path | None:
    """Return the folder itself, or the model inside a run's folder; None where neither is a first stage's."""
    for place in (Path(folder), Path(folder) / "model"):
        try:
            table = msgspec.json.decode((place / CARD_FILE).read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        if isinstance(table, dict) and table.get("kind") == KIND:
            return place
    return None


def read_representation_card(folder: Path) -> RepresentationCard:
    path = folder / CARD_FILE
    try:
        card = msgspec.json.decode(path.read_bytes(), type=RepresentationCard)
    except (OSError, msgspec.MsgspecError) as error:
        raise InstructgenError(f"{path} cannot be read ({error}); make the model again") from None
    if card.format != FORMAT:
        raise InstructgenError(
            f"{path} has format {card.format}, this instructgen reads {FORMAT}; install the one that made it"
        )
    return card


def name_tensors(model: Representation) -> dict[str, Tensor]:
    """Return what is trained, on the host, by the names of the file."""
    return {
        _THEIRS + name.removeprefix(_OURS) if name.startswith(_OURS) else name: value.detach().cpu().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith("vision.")
    }


def fill_representation(model: Representation, tensors: dict[str, Tensor], name: str) -> None:
    """Fill all but the tower from the file's tensors."""
    own = {
        _OURS + key.removeprefix(_THEIRS) if key.startswith(_THEIRS) else key: value for key, value in tensors.items()
    }
    tower = {key: value for key, value in model.state_dict().items() if key.startswith("vision.")}
    load_strictly(model, {**own, **tower}, name)
