"""The learning rate of each step, as a share of the recipe's."""

import math

from instructgen.train.recipe import OptimConfig


def count_warmup(num_steps: int, config: OptimConfig) -> int:
    """Return the steps of the warm-up; at least one step is always left after it."""
    steps = config.warmup * num_steps if config.warmup < 1 else config.warmup
    return max(0, min(math.ceil(steps), num_steps - 1))


def find_share(step: int, num_steps: int, config: OptimConfig) -> float:
    """Return what step 0, 1, ... of a run takes of its learning rate.

    The warm-up is a line from `first_rate` at step 0 to 1; the schedule begins where it ends and would reach
    `last_rate` one step after the last, as transformers' schedules do.
    """
    num_warmup = count_warmup(num_steps, config)
    if step < num_warmup:
        return config.first_rate + (1 - config.first_rate) * step / num_warmup
    num_before = 0 if config.decays_from_start else num_warmup
    done = (step - num_before) / max(1, num_steps - num_before)
    if config.schedule == "constant":
        return 1.0
    left = 1 - done if config.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return config.last_rate + (1 - config.last_rate) * left
