"""Which token comes next: the likeliest, or one that is drawn, in a batch whose rows want different things."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.student.ask import Sampling

# B rows of the batch, V vocabulary

_SMALL, _LARGE = torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max


@dataclass(slots=True)
class Draw:
    """How one row draws. `generator` is its own, so that its neighbours in the batch change nothing.

    `ids` are the tokens of its answer so far: the repetition penalty looks at them and not at the prompt, as it did
    for MiniGPT-4, whose prompts were embeddings.
    """

    sampling: Sampling
    generator: random.Random
    ids: list[int] = field(default_factory=list)


def choose_tokens(logits_bv: Tensor, draws: Sequence[Draw]) -> list[int]:
    """Return the next token of each row. Raises InstructgenError for logits that are no numbers."""
    logits_bv = _penalise(logits_bv.float(), draws)
    if logits_bv.amax(dim=-1).isnan().any():
        raise InstructgenError("the model computes no numbers any more (NaN): float16 may be too narrow for it")
    chosen = logits_bv.argmax(dim=-1).tolist()
    rows = [row for row, draw in enumerate(draws) if draw.sampling.temperature > 0]
    if rows:
        drawn = _draw(logits_bv[rows], [draws[row] for row in rows])
        for row, token in zip(rows, drawn, strict=True):
            chosen[row] = token
    return chosen


def _penalise(logits_bv: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Divide what speaks for a token that was there before (CTRL, 1909.05858, section 4.1)."""
    for row, draw in enumerate(draws):
        penalty = draw.sampling.repetition_penalty
        if penalty != 1.0 and draw.ids:
            seen = torch.tensor(sorted(set(draw.ids)), device=logits_bv.device)
            found = logits_bv[row, seen]
            # Finite, or a tiny penalty would leave no difference to draw by.
            logits_bv[row, seen] = torch.where(found > 0, found / penalty, found * penalty).clamp(-_LARGE, _LARGE)
    return logits_bv


def _draw(logits_bv: Tensor, draws: Sequence[Draw]) -> list[int]:
    """Draw from the smallest set of likeliest tokens whose probabilities reach top_p."""
    device = logits_bv.device
    temperatures = [[max(draw.sampling.temperature, _SMALL)] for draw in draws]  # in float32 less may be 0
    temperature_b1 = torch.tensor(temperatures, device=device)
    top_p_b1 = torch.tensor([[draw.sampling.top_p] for draw in draws], device=device)
    uniform_b1 = torch.tensor([[draw.generator.random()] for draw in draws], device=device)
    logits_bv = logits_bv - logits_bv.amax(dim=-1, keepdim=True)  # or a low temperature makes infinities
    likely_bv, order_bv = torch.softmax(logits_bv / temperature_b1, dim=-1).sort(dim=-1, descending=True, stable=True)
    before_bv = likely_bv.cumsum(dim=-1) - likely_bv
    likely_bv = likely_bv * (before_bv < top_p_b1)
    likely_bv[:, 0].clamp_(min=torch.finfo(likely_bv.dtype).tiny)  # with top_p 0 too, one is left
    reached_bv = likely_bv.cumsum(dim=-1)
    place_b1 = (reached_bv <= uniform_b1 * reached_bv[:, -1:]).sum(dim=-1, keepdim=True)
    last_b1 = (likely_bv > 0).sum(dim=-1, keepdim=True) - 1
    tokens: list[int] = order_bv.gather(1, torch.minimum(place_b1, last_b1))[:, 0].tolist()
    return tokens
