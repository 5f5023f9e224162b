"""What the commands share that use a trained model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.student.local import LocalStudent

MODEL = typer.Argument(help="A run of `finetune` (or its model/), a model's folder, or Llava's or BLIP-2's.")
DEVICE = typer.Option("auto", show_default=False, help="cpu, cuda or cuda:N.  [default: a GPU where there is one]")
DTYPE = typer.Option(
    "auto", show_default=False, help="float32, bfloat16 or float16.  [default: bfloat16 on a GPU, else float32]"
)
TEMPLATE = typer.Option("", help="Prompts of another template than the model's own: blip2_opt_vqa, say.")
_DTYPES = ("auto", "float32", "bfloat16", "float16")


def check_packages() -> None:
    """Raises InstructgenError where the extra [train] is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "safetensors") if find_spec(name) is None]
    if missing:
        raise InstructgenError(f"models need {', '.join(missing)}: pip install 'instructgen[train]'")


def open_student(
    model: Path, device: str, dtype: Any, *, max_rows: int = 16, name: str = "", template: str = ""
) -> "LocalStudent":
    """Load a model without what Hugging Face's loaders say meanwhile."""
    check_packages()
    if dtype not in _DTYPES:
        raise InstructgenError(f"--dtype {dtype}: there are {', '.join(_DTYPES)}")
    hush_loaders()
    from instructgen.student.load import load_student
    from instructgen.student.local import BatchLimits

    return load_student(model, device, dtype, limits=BatchLimits(max_rows=max_rows), name=name, template=template)


def hush_loaders() -> None:
    from transformers import utils

    logging: Any = utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
