import random

import pytest

from instructgen.errors import BudgetSpentError
from instructgen.generate.budget import Budget
from instructgen.records import NOTHING, Cost


def test_without_limits_everything_fits() -> None:
    budget = Budget()
    assert all(budget.try_reserve(Cost(10**15, 10**9)) for _ in range(10))


@pytest.mark.parametrize("limits", [{"max_nano_usd": 1000}, {"max_tokens": 1000}])
def test_what_is_spent_and_set_aside_never_passes_the_limit(limits: dict[str, int]) -> None:
    draw = random.Random(1)
    budget = Budget(**limits)
    open_requests: list[tuple[Cost, Cost]] = []
    billed = 0
    for _ in range(2000):
        number = draw.randint(1, 90)
        most = Cost(number, number)
        if budget.try_reserve(most):
            actual = draw.randint(0, number)
            open_requests.append((most, Cost(actual, actual)))
        if open_requests and draw.random() < 0.5:
            most, actual_cost = open_requests.pop(draw.randrange(len(open_requests)))
            budget.settle(most, actual_cost)
            billed += actual_cost.tokens
        worst = billed + sum(most.tokens for most, _ in open_requests)
        assert worst <= 1000
    assert 900 < billed <= 1000


def test_what_was_set_aside_and_not_spent_is_free_again() -> None:
    budget = Budget(max_tokens=100)
    assert budget.try_reserve(Cost(0, 80))
    assert not budget.try_reserve(Cost(0, 30))
    assert budget.has_open
    budget.settle(Cost(0, 80), Cost(0, 10))
    assert budget.try_reserve(Cost(0, 90))
    budget.settle(Cost(0, 90), NOTHING)
    assert not budget.has_open


def test_error_names_the_flag_to_raise_and_has_its_own_exit_code() -> None:
    error = Budget(max_nano_usd=2_000_000_000, spent=Cost(1_999_000_000, 5)).error(Cost(3_000_000, 9))
    assert isinstance(error, BudgetSpentError)
    assert error.exit_code == 5
    assert str(error) == (
        "the budget ends here: $1.9990 of $2 is spent and the next request may cost $0.0030; "
        "raise --budget-usd to go on"
    )
