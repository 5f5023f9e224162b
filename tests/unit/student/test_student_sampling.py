"""Which token is chosen."""

import random
from collections import Counter

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.student.ask import Sampling  # noqa: E402
from instructgen.student.sampling import Draw, choose_tokens  # noqa: E402

torch.set_num_threads(1)


def draw(seed: int = 0, ids: tuple[int, ...] = (), **sampling: float) -> Draw:
    return Draw(Sampling(**sampling), random.Random(seed), list(ids))  # type: ignore[arg-type]


def test_without_temperature_the_likeliest_is_taken() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    assert choose_tokens(logits, [draw(), draw()]) == [1, 0]


def test_shares_of_many_draws_are_the_probabilities() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0]]).expand(6000, -1)
    counts = Counter(choose_tokens(logits, [draw(seed, temperature=0.5) for seed in range(6000)]))
    wanted = torch.softmax(torch.tensor([0.0, 2.0, 4.0]), dim=0).tolist()
    for token, share in enumerate(wanted):
        assert counts[token] / 6000 == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("top_p", "kept"), [(0.0, {2}), (0.5, {2}), (0.7, {2, 1}), (1.0, {0, 1, 2})])
def test_top_p_keeps_the_likeliest_that_reach_it(top_p: float, kept: set[int]) -> None:
    logits = torch.log(torch.tensor([[0.1, 0.3, 0.6]])).expand(400, -1)
    found = choose_tokens(logits, [draw(seed, temperature=1.0, top_p=top_p) for seed in range(400)])
    assert set(found) == kept


def test_token_that_was_there_counts_less_whatever_its_sign() -> None:
    logits = torch.tensor([[2.0, 1.5, -1.0], [-1.0, -1.5, -3.0]])
    rows = [draw(ids=(0,), repetition_penalty=1.5), draw(ids=(0,), repetition_penalty=2.0)]
    assert choose_tokens(logits, rows) == [1, 1]


def test_neighbours_in_the_batch_change_no_draw() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 50, generator=generator)
    sampled = {"temperature": 1.0, "top_p": 0.9}
    together = choose_tokens(logits.clone(), [draw(7, **sampled), draw(), draw(9, **sampled), draw()])
    assert together[0] == choose_tokens(logits[:1].clone(), [draw(7, **sampled)])[0]
    assert together[2] == choose_tokens(logits[2:3].clone(), [draw(9, **sampled)])[0]


def test_tiny_temperature_takes_the_likeliest_and_no_nan() -> None:
    logits = torch.tensor([[500.0, 501.0, -500.0]])
    assert choose_tokens(logits, [draw(temperature=1e-6)]) == [1]


@pytest.mark.parametrize("settings", [{"temperature": 1e-50}, {"temperature": 1.0, "repetition_penalty": 1e-300}])
def test_settings_at_the_edge_of_numbers_draw_a_token(settings: dict[str, float]) -> None:
    assert choose_tokens(torch.tensor([[1.0, 2.0, 3.0, 0.5]]), [draw(ids=(2,), **settings)]) == [2]


def test_logits_that_are_no_numbers_are_told_and_not_drawn_from() -> None:
    with pytest.raises(InstructgenError, match="NaN"):
        choose_tokens(torch.full((1, 4), torch.nan), [draw()])
