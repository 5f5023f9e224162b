"""The losses of BLIP-2's first stage: contrast, matching with hard negatives, generation, and their weights."""

import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from torch.nn.functional import cross_entropy, normalize  # noqa: E402

from instructgen.models.blip2.model import Representation  # noqa: E402
from instructgen.train.distributed import Ranks  # noqa: E402
from instructgen.train.representation import RepresentationObjective  # noqa: E402
from instructgen.train.representation_data import CaptionBatch  # noqa: E402
from instructgen.train.representation_losses import (  # noqa: E402
    Compared,
    Pairs,
    compare,
    contrast,
    draw_negatives,
    gather_alone,
    generate,
    match,
)
from instructgen.train.representation_recipe import LossesConfig  # noqa: E402
from tests.support.tiny_blip2 import make_model, make_pixels, make_texts  # noqa: E402


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Representation:
    return make_model(tmp_path_factory.mktemp("blip2"))[0]


def own_of(count: int) -> torch.Tensor:
    return torch.eye(count, dtype=torch.bool)


@pytest.mark.parametrize("count", range(2, 9))
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equal_similarities_cost_the_logarithm_of_the_batch(count: int, smoothing: float) -> None:
    equal = torch.full((count, count), 3.0)
    loss = contrast(Compared(equal, equal, 0), smoothing) / count
    assert float(loss) == pytest.approx(math.log(count), abs=1e-6)


@pytest.mark.parametrize("count", range(2, 9))
def test_the_target_of_contrast_is_the_diagonal(count: int) -> None:
    right = 50.0 * torch.eye(count)
    assert float(contrast(Compared(right, right, 0), 0.0)) == pytest.approx(0.0, abs=1e-6)
    wrong = right.roll(1, 1)
    assert float(contrast(Compared(wrong, wrong, 0), 0.0)) / count == pytest.approx(50.0, abs=1e-3)
    # The second process' pairs are the last columns of all.
    half = count // 2
    mine = right[half:]
    assert float(contrast(Compared(mine, mine, half), 0.0)) == pytest.approx(0.0, abs=1e-6)


def test_contrast_takes_the_best_query_and_divides_by_the_temperature() -> None:
    pictures = normalize(torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0)), dim=-1)
    texts = normalize(torch.randn(3, 6, generator=torch.Generator().manual_seed(1)), dim=-1)
    temperature = torch.tensor(0.07, requires_grad=True)
    compared = compare(pictures, texts, temperature, gather_alone, 0)
    by_hand = torch.stack([(pictures[i] @ texts[j]).max() for i in range(3) for j in range(3)]).view(3, 3) / 0.07
    assert torch.allclose(compared.texts_of_picture, by_hand, atol=1e-5)
    assert torch.allclose(compared.pictures_of_text, by_hand.T, atol=1e-5)
    contrast(compared, 0.1).backward()
    assert temperature.grad is not None
    assert float(temperature.grad.abs()) > 0


def test_no_pair_is_its_own_negative_in_ten_thousand_draws() -> None:
    torch.manual_seed(0)
    # The own pair is by far the most alike: only its exclusion keeps it from being drawn.
    similarity = torch.randn(4, 4) + 30.0 * torch.eye(4)
    drawn = torch.stack([found for _ in range(2500) if (found := draw_negatives(similarity, own_of(4))) is not None])
    assert drawn.shape == (2500, 4)
    assert not bool((drawn == torch.arange(4)).any())
    shares = torch.stack([(drawn[:, 0] == column).float().mean() for column in range(4)])
    wanted = similarity[0].masked_fill(own_of(4)[0], -torch.inf).softmax(0)
    assert torch.allclose(shares, wanted, atol=0.03)


def test_a_batch_of_one_has_no_negative() -> None:
    assert draw_negatives(torch.zeros(1, 1), own_of(1)) is None


def make_pairs(model: Representation, count: int) -> tuple[Pairs, Compared]:
    patches = model.see(make_pixels(count))
    ids, is_token = make_texts(tuple(range(4, 4 + count)))
    pictures, texts = model.compare_pictures(model.look(patches)), model.compare_texts(ids, is_token)
    return Pairs(patches, ids, is_token), compare(pictures, texts, model.temperature, gather_alone, 0)


def test_matching_of_one_pair_is_zero_and_has_a_gradient_of_zero(model: Representation) -> None:
    pairs, compared = make_pairs(model, 1)
    loss = match(model, pairs, compared, gather_alone)
    assert float(loss.detach()) == 0.0
    loss.backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in model.parameters())
    model.zero_grad()


def test_matching_asks_each_pair_and_its_two_hard_negatives(model: Representation) -> None:
    pairs, compared = make_pairs(model, 4)
    torch.manual_seed(7)
    pictures = draw_negatives(compared.pictures_of_text, own_of(4))
    texts = draw_negatives(compared.texts_of_picture, own_of(4))
    assert pictures is not None
    assert texts is not None
    torch.manual_seed(7)
    loss = match(model, pairs, compared, gather_alone)
    wanted = torch.zeros(())
    for number in range(4):
        for picture, text, fits in ((number, number, 1), (pictures[number], number, 0), (number, texts[number], 0)):
            logits = model.match(
                pairs.patches_bpv[picture][None], pairs.ids_bl[text][None], pairs.is_token_bl[text][None]
            )
            wanted = wanted + cross_entropy(logits, torch.tensor([fits])) / 3
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), abs=1e-4)


def test_a_pair_with_the_very_same_words_is_no_negative(model: Representation) -> None:
    pairs, compared = make_pairs(model, 3)
    same = Pairs(pairs.patches_bpv, pairs.ids_bl[:1].expand(3, -1), pairs.is_token_bl[:1].expand(3, -1))
    assert float(match(model, same, compared, gather_alone).detach()) == 0.0


def test_generation_begins_with_decode_and_learns_every_token_but_padding(model: Representation) -> None:
    ids, is_token = make_texts((6, 3))
    sight = model.look(model.see(make_pixels(2)))
    loss, num_tokens = generate(model, sight, ids, is_token, 5, 0.1)
    assert num_tokens == 5 + 2
    begun = ids.clone()
    begun[:, 0] = 5
    logits = model.predict(model.continue_text(sight, begun, is_token))
    targets = ids.masked_fill(~is_token, -100)
    wanted = cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten(), label_smoothing=0.1) * 7
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    other = ids.clone()
    other[:, 0] = 6
    again, _ = generate(model, sight, other, is_token, 5, 0.1)
    assert float(again.detach()) == pytest.approx(float(loss.detach()))


def make_batch(count: int) -> CaptionBatch:
    ids, is_token = make_texts(tuple(range(3, 3 + count)))
    return CaptionBatch(tuple(f"0/{number}" for number in range(count)), ids, is_token, 5)


def measure(model: Representation, losses: LossesConfig) -> tuple[float, dict[str, float]]:
    torch.manual_seed(3)
    objective = RepresentationObjective(model, losses, 5, Ranks(torch.device("cpu")))
    total = objective(make_batch(4), make_pixels(4))
    return float(total.detach()), objective.take_parts()


def test_the_loss_is_the_weighed_sum_of_its_parts(model: Representation) -> None:
    total, parts = measure(model, LossesConfig())
    assert total == pytest.approx(sum(parts.values()), rel=1e-6)
    weighed, same = measure(model, LossesConfig(contrastive=2.0, matching=0.5, generation=3.0))
    assert same == pytest.approx(parts, rel=1e-6)
    assert weighed == pytest.approx(
        2 * parts["contrastive"] + 0.5 * parts["matching"] + 3 * parts["generation"], rel=1e-6
    )


@pytest.mark.parametrize("left_out", ["contrastive", "matching", "generation"])
def test_a_loss_of_weight_zero_is_left_out(model: Representation, left_out: str) -> None:
    weights = {"contrastive": 1.0, "matching": 1.0, "generation": 1.0, left_out: 0.0}
    total, parts = measure(model, LossesConfig(**weights))
    assert total == pytest.approx(sum(value for name, value in parts.items() if name != left_out), rel=1e-6)
    if left_out != "contrastive":  # matching draws by its similarities
        assert parts[left_out] == 0.0


def test_all_that_trains_gets_a_gradient_and_the_tower_gets_none(tmp_path: Path) -> None:
    model, _ = make_model(tmp_path)
    objective = RepresentationObjective(model, LossesConfig(), 5, Ranks(torch.device("cpu")))
    objective(make_batch(4), make_pixels(4)).backward()
    without = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert without == {name for name, _ in model.named_parameters() if name.startswith("vision.")}
