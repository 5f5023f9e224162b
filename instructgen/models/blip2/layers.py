"""The Q-Former's layers with what transformers' own pass lacks: masks between queries and text, and kept keys.

The modules are transformers' (Blip2QFormerModel), so that their names are those of its checkpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

# B samples, L positions, Q of them queries, K keys, H width of the Q-Former, P patches, V vision width, N heads

KeysValues = tuple[Tensor, Tensor]
"""Of one layer: keys and values [B, N, K, H / N]."""


@dataclass(frozen=True, slots=True)
class Input:
    """What goes through the layers. `mask_blk` is True where a position sees a key, `past` stands before the own."""

    embeds_blh: Tensor
    num_queries: int
    patches_bpv: Tensor | None = None
    mask_blk: Tensor | None = None
    past: Sequence[KeysValues] = ()


def run_layers(qformer: nn.Module, given: Input, *, recompute: bool = False) -> tuple[Tensor, list[KeysValues]]:
    """Return the last hidden states [B, L, H], and each layer's keys and values of these positions alone.

    With `recompute` the backward pass computes what is inside a layer again, instead of keeping it.
    """
    model: Any = qformer
    hidden_blh: Tensor = model.dropout(model.layernorm(given.embeds_blh))
    kept: list[KeysValues] = []
    for number, layer in enumerate(model.encoder.layer):
        past = given.past[number] if given.past else None
        if recompute and torch.is_grad_enabled():
            hidden_blh, own = checkpoint(_run_layer, layer, hidden_blh, given, past, use_reentrant=False)
        else:
            hidden_blh, own = _run_layer(layer, hidden_blh, given, past)
        kept.append(own)
    return hidden_blh, kept


def _run_layer(layer: Any, hidden_blh: Tensor, given: Input, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
    own = _keys_values(layer.attention, hidden_blh)
    keys, values = own
    if past is not None:
        keys, values = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
    mask = None if given.mask_blk is None else given.mask_blk[:, None]
    attended = _attend(layer.attention, hidden_blh, (keys, values), mask)
    parts: list[Tensor] = []
    if given.num_queries:
        queries = attended[:, : given.num_queries]
        if layer.has_cross_attention:
            assert given.patches_bpv is not None, "queries want something to see"
            seen = _keys_values(layer.crossattention, given.patches_bpv)
            queries = _attend(layer.crossattention, queries, seen, None)
        parts.append(layer.feed_forward_chunk_query(queries))
    if attended.shape[1] > given.num_queries:
        parts.append(layer.feed_forward_chunk(attended[:, given.num_queries :]))
    return torch.cat(parts, 1), own


def _keys_values(attention: Any, states: Tensor) -> KeysValues:
    inner = attention.attention
    return _split(inner, inner.key(states)), _split(inner, inner.value(states))


def _attend(attention: Any, hidden_blh: Tensor, keys_values: KeysValues, mask: Tensor | None) -> Tensor:
    inner = attention.attention
    share = inner.attention_dropout if inner.training else 0.0
    query = _split(inner, inner.query(hidden_blh))
    seen = scaled_dot_product_attention(query, *keys_values, attn_mask=mask, dropout_p=share)
    given: Tensor = attention.output(seen.transpose(1, 2).flatten(2), hidden_blh)
    return given


def _split(inner: Any, states: Tensor) -> Tensor:
    return states.view(*states.shape[:-1], inner.num_attention_heads, -1).transpose(1, 2)
