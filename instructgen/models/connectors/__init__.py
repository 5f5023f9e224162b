"""Connectors by kind: each maps the tower's tokens [B, P, V] to the language model's width [B, T, D]."""

from instructgen.errors import InstructgenError
from instructgen.models.connectors.base import Connector
from instructgen.models.connectors.linear import make_linear
from instructgen.models.connectors.mlp import make_mlp
from instructgen.models.connectors.qformer import make_qformer
from instructgen.models.spec import ConnectorSpec

CONNECTORS = {"linear": make_linear, "mlp2x_gelu": make_mlp, "qformer": make_qformer}


def make_connector(spec: ConnectorSpec, vision_width: int, language_width: int) -> Connector:
    """Return the connector with random weights, from torch's generator."""
    if spec.qformer is not None and spec.kind != "qformer":
        raise InstructgenError(
            f'[model.connector] has a qformer, but its kind is "{spec.kind}": set kind = "qformer"'
        )
    return CONNECTORS[spec.kind](spec, vision_width, language_width)
