"""How far a hard limit reaches."""

import math

from msgspec import Struct


class BudgetPlan(Struct, frozen=True):
    """A hard limit, in dollars or tokens. `num_requests` is how many of those to send it is expected to cover."""

    limit: float
    spent: float
    expected: float | None
    most: float | None
    is_enough: bool | None
    is_surely_enough: bool | None
    num_requests: int | None


def plan_budget(
    limit: float, spent: float, expected: float | None, most: float | None, num_requests: int
) -> BudgetPlan:
    """Return how far a limit reaches; `spent` is what earlier runs took from it."""
    left = max(limit - spent, 0.0)
    num = None
    if expected is not None:
        # The run ends when what is left does not cover the most that the next request may cost.
        each = expected / max(num_requests, 1)
        num = num_requests if expected <= left or each == 0 else min(math.floor(left / each), num_requests)
    return BudgetPlan(
        limit=limit,
        spent=spent,
        expected=expected,
        most=most,
        is_enough=None if expected is None else expected <= left,
        is_surely_enough=None if most is None else most <= left,
        num_requests=num,
    )
