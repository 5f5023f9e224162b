"""All steps of a run, one epoch after another; step k is known without those before it."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.train.example import Example
from instructgen.train.recipe import Recipe
from instructgen.train.rows import EpochPlan, SampleTable, Step, plan_steps


class Steps(Protocol):
    """All steps of a run; step k is known without those before it."""

    def __len__(self) -> int: ...

    def __getitem__(self, step: int) -> Step: ...


class Course:
    """`course[k]` is the run's step k, a pure function of samples, recipe and number of processes."""

    def __init__(self, table: SampleTable, recipe: Recipe, num_ranks: int = 1) -> None:
        if not len(table):
            raise InstructgenError("no sample is left to train on; --dry-run counts what was left out and why")
        self._table = table
        self._recipe = recipe
        self._num_ranks = num_ranks
        self._plans: dict[int, EpochPlan] = {}
        self.steps_per_epoch = len(self._find_plan(0))
        self.num_steps = _count_steps(recipe, self.steps_per_epoch)

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> Step:
        epoch, within = divmod(step, self.steps_per_epoch)
        return self._find_plan(epoch)[within]

    def _find_plan(self, epoch: int) -> EpochPlan:
        if epoch not in self._plans:
            # Two are kept: rows of the next epoch are loaded while the last steps of this one are computed.
            self._plans = {number: plan for number, plan in self._plans.items() if number == epoch - 1}
            seed, rows = self._recipe.train.seed, self._recipe.rows
            self._plans[epoch] = plan_steps(self._table, rows, seed=seed, epoch=epoch, num_ranks=self._num_ranks)
        return self._plans[epoch]


def _count_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    if recipe.train.steps is not None:
        return recipe.train.steps
    assert recipe.train.epochs is not None, "a recipe has steps or epochs"
    # Half an epoch of 3 steps is 2; 0.1 of 30 is 3, although the product is a little more.
    return max(1, math.ceil(round(recipe.train.epochs * steps_per_epoch, 6)))


def count_learned_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the tokens that each example's row learns; a first token is predicted from nothing and not learned."""
    return np.array([int(np.count_nonzero(example.is_trained[1:])) for example in examples], np.int64)
