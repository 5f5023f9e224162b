"""Connectors by kind: each maps the tower's tokens [B, P, V] to the language model's width [B, T, D].

But Flamingo's, whose tokens are seen from between the language model's layers.
"""

from instructgen.errors import InstructgenError
from instructgen.models.connectors.base import Connector
from instructgen.models.connectors.gated_cross_attention import NO_LAYERS, LayerShape, make_gated
from instructgen.models.connectors.linear import make_linear
from instructgen.models.connectors.mlp import make_mlp
from instructgen.models.connectors.qformer import make_qformer
from instructgen.models.spec import ConnectorSpec

CONNECTORS = {"linear": make_linear, "mlp2x_gelu": make_mlp, "qformer": make_qformer}


def make_connector(
    spec: ConnectorSpec, vision_width: int, language_width: int, layers: LayerShape = NO_LAYERS
) -> Connector:
    """Return the connector with random weights, from torch's generator; `layers` are the language model's."""
    if spec.qformer is not None and spec.kind != "qformer":
        raise InstructgenError(
            f'[model.connector] has a qformer, but its kind is "{spec.kind}": set kind = "qformer"'
        )
    if spec.flamingo is not None and spec.kind != "gated_cross_attention":
        raise InstructgenError(
            f'[model.connector] has a flamingo, but its kind is "{spec.kind}": set kind = "gated_cross_attention"'
        )
    if spec.kind == "gated_cross_attention":
        return make_gated(spec, vision_width, language_width, layers)
    return CONNECTORS[spec.kind](spec, vision_width, language_width)
