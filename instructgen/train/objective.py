"""What a row costs: the negative log-likelihood of its learned tokens, and nothing computed that is not needed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from instructgen.models.row_layout import RowLayout
from instructgen.models.sight import Sight, look, slots_of_texts, slots_of_trees
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.packed import PackedRow
from instructgen.train.packing import PaddedBatch

# L positions, K image tokens, S learned tokens, N images, C channels, H height, W width, P patches, V vision width,
# D language width

MAX_LOGITS = 1 << 24
"""Logits held at a time: 64 MB in float32. More are computed in pieces, and again for their gradient."""


class Objective(nn.Module):
    """`row_loss` as a module, for wrappers that act on a module's forward (FSDP2, DDP)."""

    def __init__(self, model: VisionLanguageModel, embed: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.model = model
        self._embed = embed

    def forward(self, row: PackedRow | PaddedBatch, pictures: Tensor) -> Tensor:
        return row_loss(self.model, row, pictures, self._embed)


def row_loss(
    model: VisionLanguageModel,
    row: PackedRow | PaddedBatch,
    pictures: Tensor,
    embed: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return the summed negative log-likelihood of the row's learned tokens: float32, or float64 of a model in that.

    `pictures` are pixels [N, C, H, W] in the order of row.pictures, or the tower's features [N, P, V] of them;
    `embed` makes [N, T, D] of anything else. Divide by the learned tokens of the whole step
    (instructgen.train.packed.count_learned), so that rows and processes weigh what they hold.
    """
    hidden_ld = _hidden_states(model, row, pictures, embed)
    if not len(row.source_s):
        return with_gradient(model, hidden_ld.float().sum() * 0.0)
    hidden_sd = hidden_ld.index_select(0, row.source_s.to(hidden_ld.device))
    loss = summed_loss(model.head, hidden_sd, row.target_s.to(hidden_ld.device), count_logits(model))
    return with_gradient(model, loss)


def summed_loss(head: Callable[[Tensor], Tensor], hidden_sd: Tensor, target_s: Tensor, num_logits: int) -> Tensor:
    """Return the loss of predicting `target_s`; `head` maps hidden states to `num_logits` logits each."""

    def loss_of(hidden: Tensor, target: Tensor) -> Tensor:
        logits = head(hidden)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        return cross_entropy(logits, target, reduction="sum")

    piece = max(1, MAX_LOGITS // num_logits)
    if len(target_s) <= piece:
        return loss_of(hidden_sd, target_s)
    pieces = zip(torch.split(hidden_sd, piece), torch.split(target_s, piece), strict=True)
    losses: list[Tensor] = [
        checkpoint(loss_of, *pair, use_reentrant=False, preserve_rng_state=False) for pair in pieces
    ]
    return torch.stack(losses).sum()


def _hidden_states(
    model: VisionLanguageModel,
    row: PackedRow | PaddedBatch,
    pictures: Tensor,
    embed: Callable[[Tensor], Tensor] | None,
) -> Tensor:
    """Return the decoder's last hidden states, one a position: [L, D]."""
    device = model.device
    ids = row.ids_l[None] if isinstance(row, PackedRow) else row.ids_bl
    embeds = model.embed_text(ids.to(device))
    sight: Sight | None = None
    if model.gated is not None:
        embeds, sight = _show(model, row, pictures.to(device), embeds)
    elif len(row.image_at_k):
        embed = embed or (model.embed_pictures if pictures.dim() == 4 else model.connect)
        tokens_kd = embed(pictures.to(device)).flatten(0, 1).to(embeds.dtype)
        if len(tokens_kd) != len(row.image_at_k):
            raise ValueError(f"{len(tokens_kd)} image tokens for {len(row.image_at_k)} positions")
        embeds = embeds.flatten(0, 1).index_copy(0, row.image_at_k.to(device), tokens_kd).view(embeds.shape)
    if isinstance(row, PackedRow):
        # transformers takes a mask of four dimensions for a finished one and builds none; the trees say it all.
        attention: dict[str, Any] = {"trees": RowLayout(row.trees), "attention_mask": embeds.new_zeros(1, 1, 1, 1)}
        positions = row.positions_l[None].to(device)
    else:
        attention = {"attention_mask": row.is_token_bl.to(device).long()}
        positions = torch.arange(ids.shape[1], device=device)[None].expand(ids.shape)
    return model.hidden(embeds, positions, sight=sight, **attention).flatten(0, 1)


def _show(
    model: VisionLanguageModel, row: PackedRow | PaddedBatch, pictures: Tensor, embeds: Tensor
) -> tuple[Tensor, Sight]:
    """Put `<image>` in every slot; return what the blocks between the layers see, of a row without pictures too."""
    gated = model.gated
    assert gated is not None
    patches_npv = model.see(pictures) if len(pictures) and pictures.dim() == 4 else pictures.flatten(2)
    at_k = row.image_at_k.to(embeds.device)
    rows_kd = gated.image_row.to(embeds.dtype).expand(len(at_k), -1)
    embeds = embeds.flatten(0, 1).index_copy(0, at_k, rows_kd).view(embeds.shape)
    media_srv = gated.resample(patches_npv.to(gated.image_row.dtype), row.frames or (1,) * len(at_k))
    is_slot = np.zeros(embeds.shape[:2], np.bool_)
    is_slot.reshape(-1)[row.image_at_k.numpy()] = True
    if isinstance(row, PackedRow):
        return embeds, look(slots_of_trees(is_slot[0], row.trees, row.sees_next), media_srv)
    return embeds, look(slots_of_texts(is_slot, row.sees_next).reshape(-1), media_srv)


def with_gradient(model: VisionLanguageModel, loss: Tensor) -> Tensor:
    """Give a loss that nothing trained had a part in, of text before a frozen language model, a gradient of 0."""
    if loss.requires_grad or not torch.is_grad_enabled():
        return loss
    trained = next((weight for weight in model.parameters() if weight.requires_grad), None)
    return loss if trained is None else loss + trained.sum() * 0.0


def count_logits(model: VisionLanguageModel) -> int:
    causal_lm: Any = model.causal_lm
    return int(causal_lm.get_output_embeddings().weight.shape[0])
