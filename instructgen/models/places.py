"""Where models that were fetched are kept, and what their short names stand for."""

import os
from pathlib import Path

from instructgen.errors import InstructgenError

EFFICIENTNET = "efficientnet-lite0"
FETCHED = (EFFICIENTNET, "smollm2-135m")
"""What `instructgen models fetch` gets; each is a folder of this name in models_folder()."""
FOLDER_VARIABLE = "INSTRUCTGEN_MODELS"


def models_folder() -> Path:
    """Return the folder of fetched models: INSTRUCTGEN_MODELS, or instructgen/models in the user's cache."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(cache) if cache else Path.home() / ".cache") / "instructgen" / "models"


def find_weights(name: str) -> str:
    """Return what Hugging Face's classes load for a name: the folder of a fetched model, or the name itself.

    Raises InstructgenError for a model that can be fetched and was not.
    """
    if name not in FETCHED:
        return name
    folder = models_folder() / name
    if (folder / "config.json").is_file():
        return str(folder)
    raise InstructgenError(
        f"the model '{name}' is not in {models_folder()}; `instructgen models fetch {name}` puts it there"
        f" ({FOLDER_VARIABLE} names another folder)"
    )
