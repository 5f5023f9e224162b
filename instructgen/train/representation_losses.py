"""The three losses of BLIP-2's first stage (2301.12597, section 3.2), each as a sum over a process's pairs.

Sums of all processes over all pairs of the step are the losses of the one large batch, and so are their gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import cross_entropy

from instructgen.models.blip2.model import Representation, Sight

# b pairs of a process, B of all, Q queries, E width of the comparison, L positions of text, P patches, V vision width

_IGNORED = -100
Gather = Callable[[Tensor], Tensor]
"""Maps a process's [b, ...] to all processes' [B, ...], in their order; gradients come back."""


class GatherAll(torch.autograd.Function):
    """All processes' tensors, one after another; the gradient of a share is the sum of what all made of it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        ctx.rank, ctx.count = dist.get_rank(), len(own)
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].contiguous().clone()
        dist.all_reduce(summed)
        return summed[ctx.rank * ctx.count : (ctx.rank + 1) * ctx.count]


def gather_all(own: Tensor) -> Tensor:
    """Return all processes' tensors; gather_alone is that of a single process."""
    apply: Callable[[Tensor], Tensor] = GatherAll.apply
    return apply(own)


def gather_alone(own: Tensor) -> Tensor:
    return own


@dataclass(frozen=True, slots=True)
class Compared:
    """How well pictures and texts fit: a picture's texts [b, B] and a text's pictures [b, B], over the temperature.

    Pair i of this process is number `first` + i of all.
    """

    texts_of_picture: Tensor
    pictures_of_text: Tensor
    first: int


def compare(pictures_bqe: Tensor, texts_be: Tensor, temperature: Tensor, gather: Gather, first: int) -> Compared:
    """Compare each picture with all texts and each text with all pictures, by the query that fits best."""
    all_pictures, all_texts = gather(pictures_bqe), gather(texts_be)
    of_picture = torch.einsum("bqe,te->btq", pictures_bqe, all_texts).amax(-1)
    of_text = torch.einsum("be,tqe->btq", texts_be, all_pictures).amax(-1)
    return Compared(of_picture / temperature, of_text / temperature, first)


def contrast(compared: Compared, label_smoothing: float) -> Tensor:
    """Return the contrastive loss, summed over pairs: cross entropy both ways, halved."""
    count = len(compared.texts_of_picture)
    own_b = torch.arange(compared.first, compared.first + count, device=compared.texts_of_picture.device)
    ways = (compared.texts_of_picture, compared.pictures_of_text)
    losses = [cross_entropy(way, own_b, reduction="sum", label_smoothing=label_smoothing) for way in ways]
    return (losses[0] + losses[1]) / 2


def draw_negatives(similarity_bt: Tensor, is_own_bt: Tensor) -> Tensor | None:
    """Draw for each row a column by the softmax of its similarities, never one that is its own.

    From torch's generator, which the loop seeds step by step. None where some row has nothing but its own.
    """
    if bool(is_own_bt.all(1).any()):
        return None
    weights = similarity_bt.detach().float().masked_fill(is_own_bt, -torch.inf).softmax(1)
    return torch.multinomial(weights, 1)[:, 0]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What matching takes of a process's pairs: patches [b, P, V], and texts [b, L]."""

    patches_bpv: Tensor
    ids_bl: Tensor
    is_token_bl: Tensor


def match(model: Representation, pairs: Pairs, compared: Compared, gather: Gather) -> Tensor:
    """Return the matching loss, summed over pairs, of which each has a third for itself and for each negative.

    A hard negative picture is drawn for each text, a hard negative text for each picture, out of the whole step;
    a pair with the very same words is none. It is 0 where a pair has no negative, as in a step of one pair: right
    answers alone would only teach to say yes.
    """
    all_ids, all_tokens = gather(pairs.ids_bl), gather(pairs.is_token_bl.to(torch.uint8)).bool()
    is_own_bt = (pairs.ids_bl[:, None] == all_ids[None]).all(2)
    pictures_b = draw_negatives(compared.pictures_of_text, is_own_bt)
    texts_b = draw_negatives(compared.texts_of_picture, is_own_bt)
    all_patches = gather(pairs.patches_bpv)
    if pictures_b is None or texts_b is None:
        return all_patches.sum() * 0.0
    patches = torch.cat((pairs.patches_bpv, all_patches[pictures_b], pairs.patches_bpv))
    ids = torch.cat((pairs.ids_bl, pairs.ids_bl, all_ids[texts_b]))
    is_token = torch.cat((pairs.is_token_bl, pairs.is_token_bl, all_tokens[texts_b]))
    fits = torch.zeros(len(ids), dtype=torch.long, device=ids.device)
    fits[: len(pairs.ids_bl)] = 1
    return cross_entropy(model.match(patches, ids, is_token), fits, reduction="sum") / 3


def generate(
    model: Representation, sight: Sight, ids_bl: Tensor, is_token_bl: Tensor, decode_id: int, label_smoothing: float
) -> tuple[Tensor, int]:
    """Return the summed loss of writing each text after its picture, and of how many tokens it is the sum."""
    begun = ids_bl.clone()
    begun[:, 0] = decode_id
    states = model.continue_text(sight, begun, is_token_bl)
    is_source = is_token_bl[:, 1:]
    targets = ids_bl[:, 1:][is_source]
    logits = model.predict(states[:, :-1][is_source]).float()
    loss = cross_entropy(logits, targets, reduction="sum", label_smoothing=label_smoothing, ignore_index=_IGNORED)
    return loss, len(targets)
