"""How the parts of stage 0 learn in few steps: Muon for matrices, AdamW for everything else."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn, optim

_MATRIX_RATE, _RATE = 0.02, 3e-3
_DECAY = 0.01
_MAX_NORM = 1.0

Tell = Callable[[int, int, float], None]
"""Hears the steps done, all steps, and the loss."""


class Descent:
    """`num_steps` steps down; the rates rise over the first `num_warm`, then fall along a cosine."""

    def __init__(self, modules: Sequence[nn.Module], num_steps: int, *, num_warm: int) -> None:
        self._parameters = [one for module in modules for one in module.parameters()]
        words = {id(one.weight) for module in modules for one in module.modules() if isinstance(one, nn.Embedding)}
        matrices = [one for one in self._parameters if one.ndim == 2 and id(one) not in words]
        held = {id(one) for one in matrices}
        others = [one for one in self._parameters if id(one) not in held]
        self._optimisers: tuple[optim.Optimizer, ...] = (
            optim.Muon(matrices, lr=_MATRIX_RATE, weight_decay=_DECAY),
            optim.AdamW(others, lr=_RATE, betas=(0.9, 0.98), weight_decay=_DECAY),
        )
        self._groups = [(group, group["lr"]) for one in self._optimisers for group in one.param_groups]
        self._num_steps, self._num_warm = num_steps, num_warm
        self._done = 0

    def take_step(self, loss: Any) -> float:
        """Take one step by the gradient of a loss, and return how large it was."""
        share = min(1.0, (self._done + 1) / self._num_warm) * _fall(self._done / self._num_steps)
        for group, peak in self._groups:
            group["lr"] = peak * share
        for one in self._optimisers:
            one.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, _MAX_NORM)
        for one in self._optimisers:
            one.step()
        self._done += 1
        return float(loss.detach())


def _fall(done: float) -> float:
    return 0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2
