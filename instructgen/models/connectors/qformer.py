"""BLIP-2's Q-Former with a linear layer behind it (MiniGPT-4, 2304.10592, section 3)."""

import torch
from torch import Tensor, nn

from instructgen.errors import InstructgenError
from instructgen.models.connectors.base import Connector
from instructgen.models.spec import ConnectorSpec, QFormerSpec

# B pictures, P patches, V vision width, Q queries, H width of the Q-Former, T = Q, D language width

_NORM_EPS = 1e-6  # of Blip2VisionModel's norms
_QUERY_STD = 0.02  # as BERT's embeddings begin, and BLIP-2's queries with them


class QFormer(nn.Module):
    """Maps [B, P, V] to [B, Q, H]: learned queries that look at the patches through cross-attention."""

    def __init__(self, spec: QFormerSpec, vision_width: int) -> None:
        super().__init__()
        from transformers import Blip2QFormerConfig, Blip2QFormerModel

        config = Blip2QFormerConfig(
            hidden_size=spec.hidden_size,
            num_hidden_layers=spec.num_layers,
            num_attention_heads=spec.num_heads,
            intermediate_size=spec.intermediate_size,
            cross_attention_frequency=spec.cross_attention_every,
            encoder_hidden_size=vision_width,
        )
        self.num_queries = spec.num_queries
        self.query_tokens = nn.Parameter(torch.empty(1, spec.num_queries, spec.hidden_size))
        nn.init.normal_(self.query_tokens, std=_QUERY_STD)
        self.model = Blip2QFormerModel(config)
        self.vision_norm = nn.LayerNorm(vision_width, eps=_NORM_EPS) if spec.normalises else nn.Identity()

    def forward(self, patches_bpv: Tensor) -> Tensor:
        queries_bqh = self.query_tokens.expand(len(patches_bpv), -1, -1)
        seen_bpv = self.vision_norm(patches_bpv)
        seen_bqh: Tensor = self.model(query_embeds=queries_bqh, encoder_hidden_states=seen_bpv).last_hidden_state
        return seen_bqh


class QFormerConnector(Connector):
    def __init__(self, spec: QFormerSpec, vision_width: int, language_width: int) -> None:
        super().__init__()
        self.qformer = QFormer(spec, vision_width)
        self.linear = nn.Linear(spec.hidden_size, language_width)

    def num_tokens(self, num_patches: int) -> int:  # noqa: ARG002  # as many as queries, whatever there is to see
        return self.qformer.num_queries

    def forward(self, patches_bpv: Tensor) -> Tensor:
        tokens_btd: Tensor = self.linear(self.qformer(patches_bpv))
        return tokens_btd


def make_qformer(spec: ConnectorSpec, vision_width: int, language_width: int) -> Connector:
    if spec.merge != 1:
        raise InstructgenError("merge is for linear and mlp2x_gelu connectors; a Q-Former chooses its own tokens")
    try:
        return QFormerConnector(spec.qformer or QFormerSpec(), vision_width, language_width)
    except ValueError as error:
        raise InstructgenError(f"qformer of [model.connector]: {error}") from None
