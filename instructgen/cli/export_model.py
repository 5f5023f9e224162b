"""`instructgen model export`: a trained model in the form that others load."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.students import check_packages, hush_loaders
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.models.folder import LoadedModel

FORMS = ("llava", "blip2", "own")
_DTYPES = ("auto", "float32", "bfloat16", "float16")


def add_to(model_app: typer.Typer) -> None:
    """Add the command to the group `model`."""
    model_app.command("export")(export)


def export(
    model: Path = typer.Argument(help="A run of `finetune` (or its model/), or a model's folder."),
    out: Path = typer.Option(help="Folder to write; must not exist yet."),
    form: str = typer.Option("llava", help="llava, blip2: Hugging Face's classes; own: ours, whole."),
    dtype: str = typer.Option("auto", show_default=False, help="float32, bfloat16 or float16.  [default: float32]"),
    as_json: bool = typer.Option(False, "--json", help="End with one JSON object on standard output."),
) -> None:
    """Write a model with everything it needs: weights, tokenizer, chat template, how pictures are read.

    \b
    Examples:
      instructgen model export runs/stage2 --out my-llava
      instructgen model export runs/stage2 --out my-llava --dtype bfloat16
      instructgen model export runs/blip2 --form blip2 --out my-blip2
      instructgen model export runs/minigpt4 --form own --out my-minigpt4

    \b
    Adapters (LoRA) are merged. The form llava takes linear and mlp2x_gelu connectors, blip2 a Q-Former on an EVA or
    ViT tower; the logits are compared before either is written. Every model goes into the form own. chat, describe
    and serve load all three.
    """
    with told_as_json(as_json=as_json):
        if form not in FORMS:
            raise InstructgenError(f"no form called '{form}'; there are: {', '.join(FORMS)}")
        if dtype not in _DTYPES:
            raise InstructgenError(f"--dtype {dtype}: there are {', '.join(_DTYPES)}")
        if out.exists():
            raise InstructgenError(f"{out} is there already; name a new folder")
        check_packages()
        hush_loaders()
        told = _export(_load(model, dtype), form, out)
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{told['parameters']:,} parameters in {out}")
    if "max_difference" in told:
        typer.echo(f"logits differ from the trained model's by at most {told['max_difference']:.2g}")


def _load(model: Path, dtype: str) -> "LoadedModel":
    """Read the model; adapters are merged in float32, before anything is rounded."""
    import torch

    from instructgen.models.folder import load_model
    from instructgen.models.lora import merge_lora

    loaded = load_model(model)
    merge_lora(loaded.model)
    if dtype != "auto":
        loaded.model.to(dtype=getattr(torch, dtype))
    return loaded


def _export(loaded: "LoadedModel", form: str, out: Path) -> dict[str, object]:
    if form == "own":
        from instructgen.student.export_own import export_own

        whole = export_own(loaded, out)
        return {"out": str(out), "form": form, "parameters": whole.num_parameters}
    from instructgen.student.export_blip2 import export_blip2
    from instructgen.student.export_llava import export_llava

    told = (export_blip2 if form == "blip2" else export_llava)(loaded, out)
    return {
        "out": str(out),
        "form": form,
        "parameters": told.num_parameters,
        "image_token_id": told.image_token_id,
        "max_difference": told.max_difference,
    }
