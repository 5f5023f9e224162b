"""A model as a folder of our own that needs nothing else: every part in full, adapters merged."""

from pathlib import Path

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.models.folder import LoadedModel, Notes, save_model
from instructgen.models.lora import merge_lora


class OwnExport(Struct, frozen=True):
    out: Path
    num_parameters: int


def export_own(loaded: LoadedModel, out: Path) -> OwnExport:
    """Write the folder; adapters are merged into `loaded`'s model. Raises InstructgenError where `out` is there."""
    if out.exists():
        raise InstructgenError(f"{out} is there already; name a new folder")
    model = loaded.model
    merge_lora(model)
    notes = Notes(self_contained=True, stage=loaded.card.stage, provenance=loaded.card.provenance)
    save_model(model, loaded.spec, out, tokenizer=loaded.tokenizer, template=loaded.template, notes=notes)
    return OwnExport(out, sum(weight.numel() for weight in model.parameters()))
