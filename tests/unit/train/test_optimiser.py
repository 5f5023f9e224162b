"""AdamW trains what it is given, each part at its rate, and comes back from a checkpoint as it was."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from instructgen.models.spec import Part  # noqa: E402
from instructgen.train.distributed import Ranks  # noqa: E402
from instructgen.train.optim import clip, make_optimiser, read_moments, set_rates, write_moments  # noqa: E402
from instructgen.train.recipe import OptimConfig  # noqa: E402

RANKS = Ranks(torch.device("cpu"))


def part_of(name: str) -> Part:
    return "connector" if name.startswith("connector") else "language"


def make_parameters() -> dict[str, torch.nn.Parameter]:
    torch.manual_seed(0)
    shapes = {"connector.weight": (3, 4), "connector.bias": (3,), "language.weight": (5, 3), "language.norm": (3,)}
    return {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in shapes.items()}


def take_steps(optimiser: torch.optim.AdamW, parameters: dict[str, torch.nn.Parameter], steps: range) -> None:
    for step in steps:
        torch.manual_seed(step)
        for parameter in parameters.values():
            parameter.grad = torch.randn(parameter.shape)
        set_rates(optimiser, 1 / (step + 1))
        optimiser.step()


def test_vectors_do_not_decay_and_parts_have_their_rates() -> None:
    parameters = make_parameters()
    config = OptimConfig(learning_rate=2e-5, rates={"connector": 1e-3}, weight_decay=0.1)
    optimiser = make_optimiser(parameters, part_of, config)
    names = {parameter: name for name, parameter in parameters.items()}
    decays = {names[each]: group["weight_decay"] for group in optimiser.param_groups for each in group["params"]}
    assert decays == {"connector.weight": 0.1, "connector.bias": 0, "language.weight": 0.1, "language.norm": 0}
    assert set_rates(optimiser, 0.5) == {"connector": 5e-4, "language": 1e-5}
    assert {group["lr"] for group in optimiser.param_groups if group["part"] == "language"} == {1e-5}


def test_the_longest_name_above_a_weight_says_how_it_decays() -> None:
    names = (
        "connector.blocks.0.weight",
        "connector.resampler.latents",
        "connector.resampler.first.weight",
        "language.w",
    )
    parameters = {name: torch.nn.Parameter(torch.zeros(2, 2)) for name in names}
    parameters["connector.blocks.0.gate"] = torch.nn.Parameter(torch.zeros(1))
    config = OptimConfig(weight_decay=0.1, decays={"connector.resampler": 0.0, "connector.resampler.first": 0.3})
    optimiser = make_optimiser(parameters, part_of, config)
    found = {parameter: group["weight_decay"] for group in optimiser.param_groups for parameter in group["params"]}
    assert [found[parameters[name]] for name in (*names, "connector.blocks.0.gate")] == [0.1, 0.0, 0.3, 0.1, 0.0]


def test_optimiser_that_comes_back_goes_on_bit_for_bit() -> None:
    whole = make_parameters()
    take_steps(make_optimiser(whole, part_of, OptimConfig(weight_decay=0.1)), whole, range(6))
    first = make_parameters()
    optimiser = make_optimiser(first, part_of, OptimConfig(weight_decay=0.1))
    take_steps(optimiser, first, range(4))
    moments = read_moments(optimiser, first, RANKS)
    assert set(moments) == {f"{kind}/{name}" for name in first for kind in ("exp_avg", "exp_avg_sq")}
    again = {name: torch.nn.Parameter(value.detach().clone()) for name, value in first.items()}
    optimiser = make_optimiser(again, part_of, OptimConfig(weight_decay=0.1))
    write_moments(optimiser, again, moments, 4, RANKS)
    take_steps(optimiser, again, range(4, 6))
    assert all(torch.equal(again[name], whole[name]) for name in whole)


def test_moments_that_were_read_do_not_change_with_the_next_step() -> None:
    parameters = make_parameters()
    optimiser = make_optimiser(parameters, part_of, OptimConfig())
    take_steps(optimiser, parameters, range(1))
    moments = read_moments(optimiser, parameters, RANKS)
    kept = {name: value.clone() for name, value in moments.items()}
    take_steps(optimiser, parameters, range(1, 2))
    assert all(torch.equal(moments[name], kept[name]) for name in kept)


def test_gradients_are_clipped_together_and_zero_does_not_clip() -> None:
    parameters = make_parameters()
    for parameter in parameters.values():
        parameter.grad = torch.full(parameter.shape, 2.0)
    size = 2 * 33**0.5
    assert clip(parameters.values(), 0) == pytest.approx(size)
    assert float(parameters["connector.bias"].grad[0]) == 2.0
    assert clip(parameters.values(), 1.0) == pytest.approx(size)
    norm = sum(float((parameter.grad**2).sum()) for parameter in parameters.values()) ** 0.5
    assert norm == pytest.approx(1.0, abs=1e-5)


def test_what_a_step_does_not_touch_has_a_gradient_of_zeros() -> None:
    parameters = make_parameters()
    parameters["language.weight"].grad = torch.ones(5, 3)
    clip(parameters.values(), 1.0)
    assert torch.equal(parameters["connector.weight"].grad, torch.zeros(3, 4))


def test_gradient_that_is_no_number_is_told_and_not_spread() -> None:
    parameters = make_parameters()
    for parameter in parameters.values():
        parameter.grad = torch.ones(parameter.shape)
    parameters["connector.bias"].grad[1] = float("inf")
    assert clip(parameters.values(), 1.0) == float("inf")
    assert torch.equal(parameters["language.weight"].grad, torch.ones(5, 3))
