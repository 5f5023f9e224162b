"""AdamW over what trains, and nothing else."""

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW

from instructgen.models.spec import Part
from instructgen.train.distributed import Ranks
from instructgen.train.recipe import OptimConfig

_MOMENTS = ("exp_avg", "exp_avg_sq")


def make_optimiser(
    parameters: Mapping[str, nn.Parameter], part_of: Callable[[str], Part], config: OptimConfig
) -> AdamW:
    """Return AdamW with a group for each part and for what decays in it; vectors (biases, norms) never decay."""
    groups: dict[tuple[Part, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        decay = _find_decay(name, config) if parameter.ndim > 1 else 0.0
        groups.setdefault((part_of(name), decay), []).append(parameter)
    return AdamW(
        [
            {
                "params": members,
                "part": part,
                "full_rate": config.rates.get(part, config.learning_rate),
                "weight_decay": decay,
            }
            for (part, decay), members in groups.items()
        ],
        lr=config.learning_rate,
        betas=config.betas,
        fused=True,
    )


def _find_decay(name: str, config: OptimConfig) -> float:
    above = [each for each in config.decays if name == each or name.startswith(f"{each}.")]
    return config.decays[max(above, key=len)] if above else config.weight_decay


def set_rates(optimiser: AdamW, share: float) -> dict[str, float]:
    """Give every group its share of its full rate; return the rates by part."""
    rates: dict[str, float] = {}
    for group in optimiser.param_groups:
        group["lr"] = rates[group["part"]] = group["full_rate"] * share
    return rates


def clip(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    """Return the norm of all gradients together, after which they are no longer than `max_norm` (0: as they were).

    A parameter that nothing in the step depends on gets a gradient of zeros, so that its moments decay in every
    step, however the rows are spread over processes. Nothing is clipped where the norm is no number.
    """
    members = list(parameters)
    for parameter in members:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    norm = get_total_norm([parameter.grad for parameter in members if parameter.grad is not None])
    if isinstance(norm, DTensor):
        norm = norm.full_tensor()
    found = float(norm.item())
    if max_norm > 0 and math.isfinite(found):
        clip_grads_with_norm_(members, max_norm, norm)
    return found


def read_moments(optimiser: AdamW, parameters: Mapping[str, nn.Parameter], ranks: Ranks) -> dict[str, Tensor]:
    """Return whole copies by "exp_avg/NAME" and "exp_avg_sq/NAME"; empty in all processes but the first."""
    found: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        state = optimiser.state[parameter]
        for kind in _MOMENTS:
            whole = ranks.gather(state[kind])
            if whole is not None:
                found[f"{kind}/{name}"] = whole
    return found


def write_moments(
    optimiser: AdamW, parameters: Mapping[str, nn.Parameter], moments: Mapping[str, Tensor], step: int, ranks: Ranks
) -> None:
    """Put the optimiser where it was after `step` steps; only the first process needs to have the moments."""
    for name, parameter in parameters.items():
        state: dict[str, Tensor] = {kind: ranks.spread(moments.get(f"{kind}/{name}"), parameter) for kind in _MOMENTS}
        state["step"] = torch.tensor(float(step), dtype=torch.float32, device=ranks.device)
        optimiser.state[parameter] = state
