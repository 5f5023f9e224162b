"""Tensors out of checkpoints: whole files, or of a large one only what begins with a given word."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor, nn

from instructgen.errors import InstructgenError

_FILE = "model.safetensors"
_INDEX = "model.safetensors.index.json"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file. Raises InstructgenError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise InstructgenError(
            f"{path} is missing; the model's folder is not complete, make or fetch it again"
        ) from None
    except (SafetensorError, OSError) as error:
        raise InstructgenError(f"{path} is damaged ({error}); make or fetch the model again") from None


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], name: str, *, assign: bool = False) -> None:
    """Fill the module; every tensor must have its place and every place its tensor, of the same shape.

    Raises InstructgenError, which calls the tensors those of `name`.
    """
    wanted = module.state_dict()
    missing, unknown = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or unknown:
        lacks = f"{len(missing)} are missing ({missing[0]})" if missing else f"{len(unknown)} too many ({unknown[0]})"
        raise InstructgenError(
            f"the weights of '{name}' are not those of the part that the recipe describes: {lacks}"
        )
    for key, value in tensors.items():
        if value.shape != wanted[key].shape:
            shapes = f"{tuple(value.shape)}, wants {tuple(wanted[key].shape)}"
            raise InstructgenError(f"the weights of '{name}' do not fit the recipe: {key} is {shapes}")
    module.load_state_dict(dict(tensors), strict=True, assign=assign)


def read_prefixed(source: str, prefixes: Iterable[str]) -> dict[str, dict[str, Tensor]]:
    """Return, by prefix, the tensors of a checkpoint whose names begin with it, named by what follows.

    `source` is a folder or an id of the Hugging Face hub; of a checkpoint in several files only those are fetched and
    read that hold something wanted. Raises InstructgenError where a prefix has no tensor.
    """
    from safetensors import SafetensorError, safe_open

    found: dict[str, dict[str, Tensor]] = {prefix: {} for prefix in prefixes}
    for file in _find_files(source, tuple(found)):
        try:
            with safe_open(_get(source, file), framework="pt") as tensors:
                for key in tensors.keys():  # noqa: SIM118  # no mapping, it has only the method
                    for prefix, named in found.items():
                        if key.startswith(prefix):
                            named[key.removeprefix(prefix)] = tensors.get_tensor(key)
        except (SafetensorError, OSError) as error:
            raise InstructgenError(f"{file} of '{source}' cannot be read: {error}") from None
    for prefix, named in found.items():
        if not named:
            raise InstructgenError(f"'{source}' holds no tensor called {prefix}*; it is no checkpoint of BLIP-2")
    return found


def _find_files(source: str, prefixes: tuple[str, ...]) -> list[str]:
    index = _get(source, _INDEX, optional=True)
    if not index:
        return [_FILE]
    try:
        names = json.loads(Path(index).read_text(encoding="utf-8"))["weight_map"]
        return sorted({file for key, file in names.items() if key.startswith(prefixes)})
    except (ValueError, KeyError, AttributeError) as error:
        raise InstructgenError(f"{index} is no index of safetensors files: {error}") from None


def _get(source: str, file: str, *, optional: bool = False) -> str:
    """Return the path of a file of a folder, or of the hub, which is fetched; "" for an optional one not there."""
    if Path(source).is_dir():
        path = Path(source) / file
        if path.is_file() or not optional:
            return str(path)
        return ""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return hf_hub_download(source, file)
    except (EntryNotFoundError, OSError, ValueError) as error:
        if optional and isinstance(error, EntryNotFoundError):
            return ""
        if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
            raise InstructgenError(f"'{source}' has no {file}: {error}") from None
        raise InstructgenError(f"'{source}' is no folder, and the hub does not give its {file}: {error}") from None
