"""Learning rates are those of the papers' own code."""

import pytest

from instructgen.train.recipe import OptimConfig
from instructgen.train.schedule import count_warmup, find_share


def test_cosine_with_warmup_is_that_of_transformers() -> None:
    """LLaVA's runs: 3% warm-up from 0, then a cosine to 0."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = transformers.get_cosine_schedule_with_warmup(optimiser, count_warmup(200, OptimConfig()), 200)
    for step in range(200):
        assert find_share(step, 200, OptimConfig()) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        schedule.step()


def test_minigpt4_warms_up_from_a_hundredth_and_ends_at_eight_tenths() -> None:
    config = OptimConfig(learning_rate=1e-4, warmup=5000, first_rate=0.01, last_rate=0.8, decays_from_start=True)
    assert find_share(0, 20_000, config) * 1e-4 == pytest.approx(1e-6)
    assert find_share(2500, 20_000, config) * 1e-4 == pytest.approx(5.05e-5)
    assert find_share(5000, 20_000, config) == pytest.approx(0.8 + 0.1 * (1 + 2**-0.5))
    assert find_share(10_000, 20_000, config) == pytest.approx(0.9)
    assert find_share(19_999, 20_000, config) == pytest.approx(0.8, abs=1e-6)


def test_schedule_begins_where_the_warmup_ends_unless_it_is_counted_from_the_start() -> None:
    config = OptimConfig(warmup=5000, last_rate=0.8)
    assert find_share(5000, 20_000, config) == 1.0
    assert find_share(12_500, 20_000, config) == pytest.approx(0.9)


def test_warmup_below_one_is_a_share_and_from_one_a_number_of_steps() -> None:
    assert count_warmup(1000, OptimConfig(warmup=0.03)) == 30
    assert count_warmup(1001, OptimConfig(warmup=0.03)) == 31
    assert count_warmup(1000, OptimConfig(warmup=1.0)) == 1
    assert count_warmup(1000, OptimConfig(warmup=200)) == 200


def test_a_step_is_left_after_the_warmup() -> None:
    assert count_warmup(100, OptimConfig(warmup=200)) == 99
    assert find_share(99, 100, OptimConfig(warmup=200)) == 1.0
    assert find_share(0, 1, OptimConfig()) == 1.0


def test_linear_falls_evenly_and_constant_stays() -> None:
    linear = OptimConfig(schedule="linear", warmup=0, last_rate=0.5)
    assert [find_share(step, 4, linear) for step in range(4)] == [1.0, 0.875, 0.75, 0.625]
    constant = OptimConfig(schedule="constant", warmup=2, last_rate=0.5)
    assert [find_share(step, 4, constant) for step in range(4)] == [0.0, 0.5, 1.0, 1.0]
