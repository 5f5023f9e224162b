"""The loss of a row: logits only where something is learned, and never all of them at once."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")
pytest.importorskip("transformers", reason="the trainer is an extra: pip install instructgen[train]")

from torch import Tensor, nn  # noqa: E402

from instructgen.train import objective  # noqa: E402
from instructgen.train.objective import Objective, row_loss, summed_loss  # noqa: E402
from instructgen.train.packing import pack  # noqa: E402
from tests.support.tiny_vlm import (  # noqa: E402
    LLAMA,
    VOCABULARY,
    furthest,
    loss_and_gradients,
    make_chats,
    make_model,
    pixels_of,
)

CHATS = make_chats(0, (1, 1, 1, 0, 2, 2), per_image=2)
GROUPS = [[0, 1], [2], [3], [4, 5]]


def test_logits_in_pieces_give_the_same_loss_and_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(LLAMA)
    rows = [pack(CHATS, GROUPS, model.tokens_per_image)]
    whole, gradients = loss_and_gradients(model, rows)
    monkeypatch.setattr(objective, "MAX_LOGITS", 3 * VOCABULARY)
    pieces, gradients_of_pieces = loss_and_gradients(model, rows)
    assert pieces == pytest.approx(whole, rel=1e-6)
    assert furthest(gradients, gradients_of_pieces) < 1e-6


def test_no_more_logits_are_held_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    num_logits, num_learned = 32_000, 100
    monkeypatch.setattr(objective, "MAX_LOGITS", 10 * num_logits)
    head = nn.Linear(8, num_logits, bias=False)
    hidden = torch.randn(num_learned, 8, requires_grad=True)
    kept: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = summed_loss(head, hidden, torch.zeros(num_learned, dtype=torch.long), num_logits)
    assert max(kept) < 10 * num_logits, "logits are kept for the backward pass"
    loss.backward()
    wanted = nn.functional.cross_entropy(head(hidden), torch.zeros(num_learned, dtype=torch.long), reduction="sum")
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_logits_are_made_of_learned_positions_alone() -> None:
    model = make_model(LLAMA)
    row = pack(CHATS, GROUPS, model.tokens_per_image)
    asked: list[int] = []
    head = model.causal_lm.get_output_embeddings()
    head.register_forward_hook(lambda _module, given, _made: asked.append(given[0].shape[0]))
    row_loss(model, row, pixels_of(row.pictures))
    assert asked == [len(row.source_s)]
    assert sum(asked) < len(row) / 2


def test_loss_is_float32_under_autocast() -> None:
    model = make_model(LLAMA)
    row = pack(CHATS, GROUPS, model.tokens_per_image)
    with torch.autocast("cpu", torch.bfloat16):
        loss = Objective(model)(row, pixels_of(row.pictures))
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(
        float(row_loss(model, row, pixels_of(row.pictures)).detach()), rel=1e-2
    )


def test_frozen_language_model_passes_its_gradient_to_the_connector() -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    row = pack(CHATS, GROUPS, model.tokens_per_image)
    row_loss(model, row, pixels_of(row.pictures)).backward()
    with_gradient = {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None}
    assert with_gradient == {"connector"}


@pytest.mark.parametrize("groups", [[[3]], []], ids=["text alone", "nothing"])
def test_row_without_a_picture_has_a_gradient_of_zero_where_only_the_connector_trains(
    groups: list[list[int]],
) -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    loss = row_loss(model, pack(CHATS, groups, model.tokens_per_image), pixels_of(()))
    loss.backward()
    assert (float(loss.detach()) > 0) == bool(groups)
    gradients = [weight.grad for weight in model.connector.parameters() if weight.grad is not None]
    assert gradients
    assert all(float(gradient.abs().max()) == 0 for gradient in gradients)


def test_wrong_number_of_pictures_is_told() -> None:
    model = make_model(LLAMA)
    row = pack(CHATS, GROUPS, model.tokens_per_image)
    with pytest.raises(ValueError, match=r"4 image tokens for \d+ positions"):
        row_loss(model, row, pixels_of(row.pictures[:1]))
