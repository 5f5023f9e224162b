"""A connector's weights: those of an earlier run or model, and a Q-Former's out of a BLIP-2 checkpoint."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.models.checkpoints import load_strictly, read_prefixed, read_tensors
from instructgen.models.connectors.base import Connector
from instructgen.models.spec import ConnectorSpec, QFormerSpec

CONNECTOR_FILE = "connector.safetensors"
_QFORMER = "qformer."
_QUERIES = "query_tokens"
_NORM = "vision_model.post_layernorm."
# What only the first stage needs: the text's embeddings, its feed-forward layers and its head.
_TEXT_HALF = re.compile(r"encoder\.layer\.\d+\.(intermediate|output)\.|embeddings\.|cls\.")


def load_connector(connector: Connector, spec: ConnectorSpec) -> None:
    """Fill the connector with the weights that the recipe names; what it does not name stays as it is."""
    qformer = spec.qformer or QFormerSpec()
    has_named_qformer = spec.kind == "qformer" and bool(qformer.name)
    if has_named_qformer:
        load_strictly(connector.get_submodule("qformer"), read_qformer(qformer), qformer.name)
    if spec.name:
        fill_connector(connector, read_tensors(find_connector(spec.name)), spec.name, keeps_qformer=has_named_qformer)


def read_qformer(spec: QFormerSpec) -> dict[str, Tensor]:
    """Return the tensors of connectors.qformer.QFormer: from a run or a model of ours, or a checkpoint of BLIP-2.

    With `normalises` the norm before it is BLIP-2's ln_vision, which Hugging Face's form calls the tower's last norm.
    Raises InstructgenError for a place that has no Q-Former.
    """
    own = _find_own(spec.name)
    if own is not None:
        found = {name.removeprefix(_QFORMER): value for name, value in read_tensors(own).items()}
        if _QUERIES not in found:
            raise InstructgenError(f"{own} holds no Q-Former; name the run that trained it, or a BLIP-2 checkpoint")
        return {name: value for name, value in found.items() if not name.startswith("linear.")}
    prefixes = (_QFORMER, _QUERIES, _NORM) if spec.normalises else (_QFORMER, _QUERIES)
    parts = read_prefixed(_find_checkpoint(spec.name), prefixes)
    tensors = {f"model.{name}": value for name, value in parts[_QFORMER].items() if not _TEXT_HALF.match(name)}
    tensors[_QUERIES] = parts[_QUERIES][""]
    if spec.normalises:
        tensors |= {f"vision_norm.{name}": value for name, value in parts[_NORM].items()}
    return tensors


def fill_connector(connector: Connector, tensors: Mapping[str, Tensor], name: str, *, keeps_qformer: bool) -> None:
    """Fill the connector from a saved one; `keeps_qformer` allows one that was saved without its frozen Q-Former."""
    if keeps_qformer and not any(key.startswith(_QFORMER) for key in tensors):
        kept = {key: value for key, value in connector.state_dict().items() if key.startswith(_QFORMER)}
        tensors = {**tensors, **kept}
    load_strictly(connector, tensors, name)


def find_connector(name: str) -> Path:
    """Return the connector's file of a model's folder, or of the run that made it."""
    found = _find_own(name)
    if found is None:
        raise InstructgenError(
            f"no {CONNECTOR_FILE} in {name}: name of [model.connector] wants the folder of an earlier run or model"
        )
    return found


def _find_checkpoint(name: str) -> str:
    """Return the model's folder of a run of BLIP-2's first stage, or the name as it is."""
    model = Path(name) / "model"
    return str(model) if (model / "model.safetensors").is_file() else name


def _find_own(name: str) -> Path | None:
    files = (folder / CONNECTOR_FILE for folder in (Path(name), Path(name) / "model"))
    return next((file for file in files if file.is_file()), None)
