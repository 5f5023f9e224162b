"""Attention in the trees of a row on a CPU, piece by piece.

torch's fused kernel for CPUs takes twice as long here: it computes the half that causality hides, and in bfloat16 it
is slower than plain matrix products (docs/packing.md). Scores are rounded to the type of the queries, as
transformers' "eager" attention rounds them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import dropout

from instructgen.models.row_layout import Piece, RowLayout

# L positions of a row, H heads, G heads of keys and values, R = H / G, D width of a head, n queries and m keys

MAX_KEPT = 1 << 24
"""Attention weights that a layer keeps of a row for its gradient; more are computed again. 32 MB in bfloat16."""


class Call(NamedTuple):
    """What one layer wants of its attention; scores are bent to softcap * tanh(score / softcap), as Gemma 2's are."""

    scale: float
    window: int | None
    softcap: float | None
    dropout: float


class PiecewiseAttention(torch.autograd.Function):
    """query [H, L, D], scaled; key and value [G, L, D] -> [L, H, D]."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, layout: RowLayout, window: int | None) -> Tensor:
        num_heads, length, _ = query.shape
        output = query.new_empty(length, num_heads, value.shape[-1])
        num_weights = num_heads * sum((piece.end - piece.start) * piece.num_keys for piece in layout.pieces)
        kept: list[Tensor] = []
        for piece in layout.pieces:
            weights = _weigh(query, key, piece, layout, window)
            seen = torch.bmm(weights, piece.keys_of(value))
            output[piece.start : piece.end] = _join_heads(seen, num_heads).transpose(0, 1)
            if num_weights <= MAX_KEPT:
                kept.append(weights)
        ctx.save_for_backward(query, key, value, *kept)
        ctx.layout, ctx.window = layout, window
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, *kept = ctx.saved_tensors
        layout: RowLayout = ctx.layout
        num_heads, num_key_heads = len(query), len(key)
        gradient = gradients[0].transpose(0, 1).contiguous()
        precise = torch.promote_types(key.dtype, torch.float32)
        query_grad = torch.empty_like(query)
        key_grad = torch.zeros_like(key, dtype=precise)
        value_grad = torch.zeros_like(value, dtype=precise)
        for number, piece in enumerate(layout.pieces):
            weights = kept[number] if kept else _weigh(query, key, piece, layout, ctx.window)
            above = _split_heads(gradient[:, piece.start : piece.end], num_key_heads)
            asked = _split_heads(query[:, piece.start : piece.end], num_key_heads)
            weights_grad = torch.bmm(above, piece.keys_of(value).transpose(1, 2))
            # The softmax's own gradient, in one pass; torch has no public name for it.
            scores_grad = torch._softmax_backward_data(weights_grad, weights, -1, weights.dtype)  # noqa: SLF001
            of_queries = torch.bmm(scores_grad, piece.keys_of(key))
            query_grad[:, piece.start : piece.end] = _join_heads(of_queries, num_heads)
            piece.add_to_keys(key_grad, torch.bmm(scores_grad.transpose(1, 2), asked))
            piece.add_to_keys(value_grad, torch.bmm(weights.transpose(1, 2), above))
        return query_grad, key_grad.to(key.dtype), value_grad.to(value.dtype), None, None


def attend_in_pieces(query: Tensor, key: Tensor, value: Tensor, layout: RowLayout, call: Call) -> Tensor:
    """Map query [1, H, L, D], key and value [1, G, L, D] to [1, L, H, D]; knows no softcap and no dropout."""
    apply: Callable[..., Tensor] = PiecewiseAttention.apply
    scaled = (query[0] * call.scale).contiguous()
    return apply(scaled, key[0].contiguous(), value[0].contiguous(), layout, call.window)[None]


def _weigh(query: Tensor, key: Tensor, piece: Piece, layout: RowLayout, window: int | None) -> Tensor:
    """Return the attention weights of a piece: [G, R * n, m]."""
    asked = _split_heads(query[:, piece.start : piece.end], len(key))
    keys = piece.keys_of(key)
    num_queries, num_keys = piece.end - piece.start, piece.num_keys
    scores = torch.bmm(asked, keys.transpose(1, 2))
    by_query = scores.view(len(key), -1, num_queries, num_keys)
    if window is not None and window < num_keys:
        by_query += layout.mask(num_queries, num_keys, window, scores.dtype)
    else:
        by_query[..., num_keys - num_queries :] += layout.mask(num_queries, num_queries, None, scores.dtype)
    return torch.softmax(scores, dim=-1)


def _split_heads(rows: Tensor, num_groups: int) -> Tensor:
    """Put the queries of the heads that share their keys one below the other: [H, n, D] -> [G, R * n, D]."""
    return rows.reshape(num_groups, -1, rows.shape[-1])


def _join_heads(rows: Tensor, num_heads: int) -> Tensor:
    """Undo `_split_heads`."""
    return rows.view(num_heads, -1, rows.shape[-1])


def attend_plainly(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, call: Call) -> Tensor:
    """Attend with what no fused kernel has: a softcap, dropout. The window is the mask's affair.

    query [1, H, n, D], key and value [1, G, m, D] -> [1, H, n, D]; `mask` is True where seen, or added to the scores.
    """
    repeats = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(repeats, dim=1) for part in (key, value))
    scores = (query @ key.transpose(2, 3)) * call.scale
    if call.softcap is not None:
        scores = torch.tanh(scores / call.softcap) * call.softcap
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min) if mask.dtype == torch.bool else scores + mask
    weights = scores.to(torch.promote_types(scores.dtype, torch.float32)).softmax(dim=-1).to(query.dtype)
    return dropout(weights, call.dropout) @ value


def attend_pieces_plainly(query: Tensor, key: Tensor, value: Tensor, layout: RowLayout, call: Call) -> Tensor:
    """Do as `attend_in_pieces`, with softcap and dropout."""
    outputs: list[Tensor] = []
    for piece in layout.pieces:
        keys, values = piece.keys_of(key[0])[None], piece.keys_of(value[0])[None]
        asked = query[:, :, piece.start : piece.end]
        mask = layout.mask(piece.end - piece.start, piece.num_keys, call.window, query.dtype)
        outputs.append(attend_plainly(asked, keys, values, mask, call).transpose(1, 2))
    return torch.cat(outputs, dim=1)
