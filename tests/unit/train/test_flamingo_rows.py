"""Rows of a Flamingo: packed, shared, padded and computed again, they cost what each sample costs alone."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import numpy as np  # noqa: E402

from instructgen.models.connectors.gated_cross_attention import GatedBlock  # noqa: E402
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402
from instructgen.train.example import IMAGE_SLOT, Example  # noqa: E402
from instructgen.train.objective import row_loss  # noqa: E402
from instructgen.train.packing import pack, pad, shared_beginning  # noqa: E402
from instructgen.train.rows import ALONE, measure  # noqa: E402
from tests.support.tiny_flamingo import make_document, make_flamingo  # noqa: E402
from tests.support.tiny_vlm import (  # noqa: E402
    GPT2,
    LLAMA,
    furthest,
    loss_and_gradients,
    make_chats,
    make_precise,
    pixels_of,
)

PAIRS = [
    Example(
        f"pair{number}",
        np.array([1, IMAGE_SLOT, *range(10 + number, 15 + 2 * number)], np.int32),
        np.array([False, False] + [True] * (5 + number)),
        ("same",),
    )
    for number in range(3)
]
SAMPLES = [
    make_document(1, [3, 4, 5]),
    make_document(2, [0, 7]),
    make_document(3, [2, 6, 1, 9], frames=(1, 2, 4)),
    make_document(4, [5, 5, 5], sees_next=True),
    make_document(6, [6]),
    *PAIRS,
    *make_chats(7, [1, 1, 0, 2], per_image=2),
]
PACKED = [[0], [1], [2], [3], [4], [5, 6, 7], [8, 9], [10], [11]]
ALONE_EACH = [[number] for number in range(len(SAMPLES))]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def make_trained(language: dict[str, object], *, by_trees: bool = True) -> VisionLanguageModel:
    model = make_flamingo(language, by_trees=by_trees)
    model.freeze_all_but(["connector", "language", "vision"])
    return model.train()


@pytest.mark.parametrize("language", [LLAMA, GPT2], ids=["llama", "gpt2"])
def test_packed_and_shared_samples_cost_what_they_cost_alone(language: dict[str, object]) -> None:
    model = make_trained(language)
    if language is LLAMA:
        make_precise(model)
    alone = loss_and_gradients(model, [pack(SAMPLES, [group], 1) for group in ALONE_EACH])
    packed = loss_and_gradients(model, [pack(SAMPLES, PACKED, 1)])
    near = 1e-12 if language is LLAMA else 1e-5
    assert packed[0] == pytest.approx(alone[0], rel=near)
    assert furthest(alone[1], packed[1]) < near


@pytest.mark.parametrize("language", [LLAMA, GPT2], ids=["llama", "gpt2"])
def test_a_padded_batch_costs_what_its_samples_cost_alone(language: dict[str, object]) -> None:
    model = make_trained(language, by_trees=False)
    alone = loss_and_gradients(model, [pad(SAMPLES, [group], 1) for group in ALONE_EACH])
    padded = loss_and_gradients(model, [pad(SAMPLES, ALONE_EACH, 1)])
    assert padded[0] == pytest.approx(alone[0], rel=1e-5)
    assert furthest(alone[1], padded[1]) < 1e-5


def test_activations_that_are_computed_again_change_nothing_and_are_not_kept() -> None:
    model = make_trained(LLAMA)
    assert model.gated is not None
    kept, num_kept = _count_kept(model)
    for block in model.gated.blocks:
        assert isinstance(block, GatedBlock)
        block.computes_again = True
    again, num_again = _count_kept(model)
    model.causal_lm.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    all_again, num_all_again = _count_kept(model)
    assert kept[0] == again[0] == all_again[0]
    assert furthest(kept[1], again[1]) == furthest(kept[1], all_again[1]) == 0.0
    assert num_all_again < num_again < num_kept


def _count_kept(model: VisionLanguageModel) -> tuple[tuple[float, dict[str, torch.Tensor]], int]:
    """Return loss and gradients, and how many values the forward pass kept for them."""
    numbers: list[int] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        numbers.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        found = loss_and_gradients(model, [pack(SAMPLES, PACKED, 1)])
    return found, sum(numbers)


def test_bfloat16_of_autocast_stays_near_and_keeps_a_shut_gate_exact() -> None:
    model = make_trained(LLAMA)
    row = pack(SAMPLES, PACKED, 1)
    exact = float(row_loss(model, row, pixels_of(row.pictures)).detach())
    with torch.autocast("cpu", torch.bfloat16):
        near = row_loss(model, row, pixels_of(row.pictures))
    near.backward()
    assert float(near) == pytest.approx(exact, rel=2e-2)
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())
    shut = make_flamingo(gate=0.0)
    shut.cast_frozen(torch.bfloat16)
    shut.freeze_all_but(["connector"])
    with torch.autocast("cpu", torch.bfloat16):
        hidden = [
            shut.hidden(shut.embed_text(torch.tensor([[1, 2, 3]])), torch.arange(3)[None], sight=sight)
            for sight in (None, _see_nothing())
        ]
    assert torch.equal(*hidden)


def _see_nothing() -> object:
    from instructgen.models.sight import NOTHING, look

    return look(np.full(3, NOTHING), torch.zeros(0, 5, 24))


def test_features_of_a_frozen_tower_cost_what_pixels_cost() -> None:
    model = make_trained(LLAMA)
    row = pack(SAMPLES, PACKED, 1)
    pixels = pixels_of(row.pictures)
    with torch.no_grad():
        features = model.see(pixels)
    assert float(row_loss(model, row, features, model.connect)) == float(row_loss(model, row, pixels))


def test_text_alone_passes_through_the_blocks_and_sees_nothing() -> None:
    model = make_trained(LLAMA)
    row = pack(make_chats(1, [0, 0]), [[0], [1]], 1)
    loss, gradients = loss_and_gradients(model, [row])
    assert loss > 0
    assert float(gradients["connector.blocks.0.feed.first.weight"].abs().max()) > 0
    assert float(gradients["connector.blocks.0.attention.to_q.weight"].abs().max()) == 0.0
    assert float(gradients["connector.resampler.latents"].abs().max()) == 0.0


def test_samples_share_a_beginning_where_they_show_the_same_in_the_same_way() -> None:
    assert shared_beginning(PAIRS) == 2
    clip = Example("clip", PAIRS[0].ids, PAIRS[0].is_trained, ("same", "other"), (2,))
    turned = Example("turned", PAIRS[0].ids, PAIRS[0].is_trained, ("same",), sees_next=True)
    assert shared_beginning([clip, clip]) == 2
    assert shared_beginning([PAIRS[0], clip]) == shared_beginning([PAIRS[0], turned]) == 0
    table = measure([*PAIRS, clip, turned, SAMPLES[0]], 1)
    assert table.groups.tolist() == [0, 0, 0, 1, ALONE, ALONE]
    assert table.trunks.tolist() == [2, 2, 2, 2, 0, 0]
    assert table.lengths.tolist()[3] == len(clip.ids)
