"""A packed, shared row is the same function as one sample at a time: loss, and every gradient."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")
pytest.importorskip("transformers", reason="the trainer is an extra: pip install instructgen[train]")

from instructgen.train.example import Example  # noqa: E402
from instructgen.train.objective import row_loss  # noqa: E402
from instructgen.train.packing import pack, pad  # noqa: E402
from tests.support.tiny_vlm import (  # noqa: E402
    GPT2,
    LLAMA,
    VOCABULARY,
    furthest,
    loss_and_gradients,
    make_chats,
    make_model,
    make_precise,
    pixels_of,
)

MIXED = (0, 2, 2, 2, 1, 1, 1, 0, 0)
MISTRAL = {**LLAMA, "model_type": "mistral", "sliding_window": 7}
GEMMA2 = {**LLAMA, "model_type": "gemma2", "head_dim": 8, "sliding_window": 6}
QWEN3 = {**LLAMA, "model_type": "qwen3", "head_dim": 8}


def one_by_one(count: int) -> list[list[list[int]]]:
    return [[[number]] for number in range(count)]


def by_three(count: int) -> list[list[int]]:
    return [list(range(at, at + 3)) for at in range(0, count, 3)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", [LLAMA, GPT2, QWEN3, MISTRAL, GEMMA2], ids=lambda table: table["model_type"])
def test_packed_and_shared_rows_equal_one_sample_at_a_time(language: dict[str, Any], seed: int) -> None:
    model = make_model(language)
    tokens = model.tokens_per_image
    chats = make_chats(seed, MIXED, per_image=3)
    loss, gradients = loss_and_gradients(model, [pack(chats, row, tokens) for row in one_by_one(len(chats))])
    for groups in ([[number] for number in range(len(chats))], by_three(len(chats))):
        packed_loss, packed_gradients = loss_and_gradients(model, [pack(chats, groups, tokens)])
        assert packed_loss == pytest.approx(loss, rel=1e-5)
        assert furthest(gradients, packed_gradients) < 1e-5


@pytest.mark.parametrize("language", [LLAMA, GPT2], ids=lambda table: table["model_type"])
def test_equality_holds_to_ten_digits_in_float64(language: dict[str, Any]) -> None:
    model = make_precise(make_model(language))
    tokens = model.tokens_per_image
    chats = make_chats(7, MIXED, per_image=3)
    loss, gradients = loss_and_gradients(model, [pack(chats, row, tokens) for row in one_by_one(len(chats))])
    packed_loss, packed_gradients = loss_and_gradients(model, [pack(chats, by_three(len(chats)), tokens)])
    assert packed_loss == pytest.approx(loss, rel=1e-10)
    assert furthest(gradients, packed_gradients) < 1e-10
    assert all(float(value.abs().max()) > 0 for name, value in gradients.items() if name.startswith("connector"))


@pytest.mark.parametrize("language", [LLAMA, GPT2], ids=lambda table: table["model_type"])
def test_padded_batch_equals_packed_rows(language: dict[str, Any]) -> None:
    model = make_model(language)
    tokens = model.tokens_per_image
    chats = make_chats(3, MIXED, per_image=3)
    loss, gradients = loss_and_gradients(model, [pack(chats, by_three(len(chats)), tokens)])
    padded = pad(chats, [[number] for number in range(len(chats))], tokens)
    padded_loss, padded_gradients = loss_and_gradients(model, [padded])
    assert padded_loss == pytest.approx(loss, rel=1e-5)
    assert furthest(gradients, padded_gradients) < 1e-5


def test_loss_is_the_librarys_own_of_one_sample() -> None:
    model = make_model(LLAMA, by_trees=False)
    chat = make_chats(1, [0])[0]
    labels = torch.from_numpy(np.where(chat.is_trained, chat.ids, -100)).long()[None]
    given = model.causal_lm(input_ids=torch.from_numpy(chat.ids).long()[None], labels=labels)
    ours = row_loss(model, pad([chat], [[0]], 4), pixels_of(()))
    assert float(ours.detach()) / int(chat.is_trained.sum()) == pytest.approx(float(given.loss), rel=1e-6)


def test_changing_one_sample_changes_no_other_samples_loss() -> None:
    model = make_model(LLAMA)
    tokens = model.tokens_per_image
    chats = make_chats(5, (1, 1, 1, 0, 0, 0), per_image=3)
    for at in (1, 4):
        others = [
            Example(c.sample_id, c.ids, c.is_trained if number != at else np.zeros_like(c.is_trained), c.pictures)
            for number, c in enumerate(chats)
        ]
        changed = list(others)
        ids = chats[at].ids.copy()
        ids[-4:] = (ids[-4:] + 13) % VOCABULARY
        changed[at] = Example("changed", ids, others[at].is_trained, others[at].pictures)
        with torch.no_grad():
            before, after = (
                float(row_loss(model, row, pixels_of(row.pictures)))
                for row in (pack(chosen, by_three(6), tokens) for chosen in (others, changed))
            )
        assert after == pytest.approx(before, abs=1e-7)


def test_row_without_samples_costs_nothing_and_has_a_gradient() -> None:
    model = make_model(LLAMA)
    row = pack([], [], model.tokens_per_image)
    loss = row_loss(model, row, pixels_of(()))
    loss.backward()
    assert len(row) == 1
    assert row.num_samples == 0
    assert float(loss.detach()) == 0.0
    assert all(
        float(weight.grad.abs().max()) == 0 for weight in model.language.parameters() if weight.grad is not None
    )


def test_gradient_checkpointing_keeps_the_trees() -> None:
    model = make_model(LLAMA).train()
    tokens = model.tokens_per_image
    chats = make_chats(2, MIXED, per_image=3)
    rows = [pack(chats, by_three(len(chats)), tokens)]
    loss, gradients = loss_and_gradients(model, rows)
    model.causal_lm.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    again, gradients_again = loss_and_gradients(model, rows)
    assert again == pytest.approx(loss, rel=1e-6)
    assert furthest(gradients, gradients_again) < 1e-6
