"""Attention by trees: the CPU's pieces, FlexAttention's rule and plain arithmetic say the same; who can take it."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")
pytest.importorskip("transformers", reason="the trainer is an extra: pip install instructgen[train]")

from torch.nn.attention.flex_attention import create_block_mask, create_mask, flex_attention  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models import attention, piecewise  # noqa: E402
from instructgen.models.attention import NAME, supports_packing, use_tree_attention  # noqa: E402
from instructgen.models.piecewise import Call, attend_in_pieces, attend_pieces_plainly  # noqa: E402
from instructgen.models.row_layout import RowLayout  # noqa: E402
from instructgen.train.packed import Branch, Tree  # noqa: E402
from tests.support.tiny_vlm import GPT2, LLAMA  # noqa: E402

TREES = (
    Tree(Branch(0, 5), (Branch(5, 9), Branch(9, 12), Branch(12, 18))),
    Tree(Branch(18, 18), (Branch(18, 25),)),
    Tree(Branch(25, 26), (Branch(26, 27), Branch(27, 29))),
)
LENGTH = 29


def sees(q: int, k: int, window: int | None = None) -> bool:
    """Say it by the definition of a tree alone."""

    def place(position: int) -> tuple[int, int, int]:
        for number, tree in enumerate(TREES):
            for branch_number, span in enumerate((tree.trunk, *tree.branches)):
                if span.start <= position < span.end:
                    before = len(tree.trunk) if branch_number else 0
                    return number, branch_number, before + position - span.start
        raise AssertionError(position)

    (tree_q, branch_q, at_q), (tree_k, branch_k, at_k) = place(q), place(k)
    is_on_the_way = tree_q == tree_k and branch_k in (0, branch_q)
    return is_on_the_way and at_k <= at_q and (window is None or at_q - at_k < window)


def dense(window: int | None = None) -> Any:
    return torch.tensor([[sees(q, k, window) for k in range(LENGTH)] for q in range(LENGTH)])


def reference(query: Any, key: Any, value: Any, call: Call) -> Any:
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scores = query @ key.transpose(2, 3) * call.scale
    if call.softcap is not None:
        scores = torch.tanh(scores / call.softcap) * call.softcap
    weights = scores.masked_fill(~dense(call.window), float("-inf")).softmax(-1)
    return (weights @ value).transpose(1, 2)


def heads(num_keys: int) -> list[Any]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((1, 4, LENGTH, 8), (1, num_keys, LENGTH, 8), (1, num_keys, LENGTH, 8))
    return [torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes]


@pytest.mark.parametrize("window", [None, 1, 3, 6, 100])
def test_flex_rule_is_the_definition_of_a_tree(window: int | None) -> None:
    rule = RowLayout(TREES).mask_mod(window, torch.device("cpu"))
    mask = create_mask(rule, None, None, LENGTH, LENGTH, device="cpu")
    assert torch.equal(mask[0, 0], dense(window))


@pytest.mark.parametrize("block", [1, 2, 4, 8, 128])
@pytest.mark.parametrize("window", [None, 3])
def test_blocks_that_are_skipped_hold_no_pair_and_whole_ones_hold_all(
    block: int, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructgen.models.row_layout.FLEX_BLOCK", block)
    seen, whole = RowLayout(TREES).blocks(window)
    pairs = dense(window)
    for at_q in range(len(seen)):
        for at_k in range(len(seen)):
            part = pairs[at_q * block : (at_q + 1) * block, at_k * block : (at_k + 1) * block]
            assert bool(part.any()) <= bool(seen[at_q, at_k])
            assert bool(whole[at_q, at_k]) <= bool(part.all())
    if window is None and block <= 2:
        assert whole.any()
    if window is None and block == 1:
        assert torch.equal(torch.from_numpy(seen), pairs)


def test_block_mask_is_torchs_own_and_made_once_a_row() -> None:
    trees = [Tree(Branch(0, 300), (Branch(300, 500), Branch(500, 900))), Tree(Branch(900, 900), (Branch(900, 1000),))]
    layout, cpu = RowLayout(trees), torch.device("cpu")
    ours = layout.block_mask(None, cpu)
    theirs = create_block_mask(layout.mask_mod(None, cpu), None, None, 1000, 1000, device="cpu")
    assert torch.equal(ours.to_dense(), theirs.to_dense())
    assert ours.shape == theirs.shape
    assert layout.block_mask(None, cpu) is ours


@pytest.mark.parametrize("num_keys", [4, 2, 1])
@pytest.mark.parametrize("window", [None, 3, 100])
@pytest.mark.parametrize("block", [128, 2])
@pytest.mark.parametrize("kept", [1 << 24, 0])
def test_pieces_equal_plain_arithmetic_with_gradients(
    num_keys: int, window: int | None, block: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructgen.models.row_layout.BLOCK", block)
    monkeypatch.setattr(piecewise, "MAX_KEPT", kept)
    call = Call(0.3, window, None, 0.0)
    given, wanted = heads(num_keys), heads(num_keys)
    ours = attend_in_pieces(*given, RowLayout(TREES), call)
    plain = reference(*wanted, call)
    above = torch.randn(plain.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours.backward(above)
    plain.backward(above)
    torch.testing.assert_close(ours, plain, rtol=0, atol=1e-12)
    for mine, theirs in zip(given, wanted, strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("window", [None, 4])
def test_softcap_is_honoured(window: int | None) -> None:
    call = Call(1.0, window, 2.0, 0.0)
    given = heads(2)
    ours = attend_pieces_plainly(*given, RowLayout(TREES), call)
    torch.testing.assert_close(ours, reference(*given, call), rtol=0, atol=1e-12)


def test_flex_attention_computes_what_the_pieces_do() -> None:
    query, key, value = (part.detach().float() for part in heads(2))
    layout = RowLayout(TREES)
    block_mask = create_block_mask(
        layout.mask_mod(None, torch.device("cpu")), None, None, LENGTH, LENGTH, device="cpu"
    )
    with torch.no_grad():
        flex = flex_attention(query, key, value, block_mask=block_mask, scale=0.3, enable_gqa=True).transpose(1, 2)
        ours = attend_in_pieces(query, key, value, layout, Call(0.3, None, None, 0.0))
    torch.testing.assert_close(flex, ours, rtol=0, atol=1e-5)


def language(table: dict[str, Any]) -> Any:
    settings = dict(table)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings)).eval()


TAKEN = {
    "llama": {},
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "mistral": {"sliding_window": 5},
    "gemma2": {"head_dim": 8, "sliding_window": 4},
    "gemma3_text": {"head_dim": 8, "sliding_window": 4},
    "smollm3": {"pad_token_id": 0},
    "phi3": {"pad_token_id": 0},
    "gpt_neox": {},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "gpt2": GPT2,
}


@pytest.mark.parametrize("kind", TAKEN)
def test_model_with_the_attention_interface_can_be_packed(kind: str) -> None:
    model = language({**LLAMA, **TAKEN[kind], "model_type": kind})
    before = model.config._attn_implementation
    assert supports_packing(model)
    assert model.config._attn_implementation == before


@pytest.mark.parametrize(
    "table",
    [
        {"model_type": "bloom", "vocab_size": 97, "hidden_size": 32, "n_layer": 2, "n_head": 4},
        {**LLAMA, "model_type": "lfm2", "layer_types": ["conv", "full_attention"]},
        {**LLAMA, "model_type": "mamba"},
        {**LLAMA, "model_type": "gpt_oss", "head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1},
    ],
    ids=lambda table: table["model_type"],
)
def test_model_that_would_mix_samples_cannot(table: dict[str, Any]) -> None:
    model = language(table)
    assert not supports_packing(model)
    with pytest.raises(InstructgenError, match=f"'{table['model_type']}': set rows.packing = false"):
        use_tree_attention(model)


@pytest.mark.parametrize(("kind", "can"), [("llama", True), ("mamba", False)])
def test_model_without_weights_is_judged_by_what_it_says(kind: str, can: bool) -> None:
    with torch.device("meta"):
        assert supports_packing(language({**LLAMA, "model_type": kind})) == can


def test_model_of_bfloat16_can_be_packed() -> None:
    model = language(LLAMA).to(torch.bfloat16).train()
    assert supports_packing(model)
    assert model.training


def test_rounding_of_a_deep_model_of_bfloat16_is_not_taken_for_a_leak() -> None:
    torch.manual_seed(0)
    model = language({**LLAMA, "num_hidden_layers": 16})
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim == 2 and "embed" not in name:
                weights.mul_(30)
    assert supports_packing(model.to(torch.bfloat16))


@pytest.mark.parametrize(("limit", "is_taken"), [(10**6, True), (0, False)], ids=["small", "too large"])
def test_what_rounding_leaves_open_is_tried_precisely(
    monkeypatch: pytest.MonkeyPatch, limit: int, *, is_taken: bool
) -> None:
    """A model that has hardly been trained looks around so little that bfloat16 cannot tell."""
    model = language(LLAMA).to(torch.bfloat16)
    before = [one.clone() for one in model.parameters()]
    try_apart = attention._keeps_samples_apart
    monkeypatch.setattr(attention, "_MOST_COPIED", limit)
    monkeypatch.setattr(
        attention,
        "_keeps_samples_apart",
        lambda causal, weight: weight.dtype == torch.float32 and try_apart(causal, weight),
    )
    assert supports_packing(model) == is_taken
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_a_model_says_of_itself_is_tried(dtype: torch.dtype) -> None:
    model = language(LLAMA).to(dtype)
    inner = model.model.layers[0].forward

    def leaking(hidden: Any, *args: Any, **options: Any) -> Any:
        return inner(hidden + 0.1 * hidden.cumsum(1), *args, **options)

    model.model.layers[0].forward = leaking
    assert not supports_packing(model)


@pytest.mark.parametrize("kind", ["llama", "mistral", "gemma2"])
def test_calls_without_trees_stay_as_they_were(kind: str) -> None:
    model = language({**LLAMA, **TAKEN[kind], "model_type": kind})
    model.set_attn_implementation("eager")
    ids = torch.arange(1, 25).view(2, 12)
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    with torch.no_grad():
        before = model(input_ids=ids, attention_mask=mask).logits
        written = model.generate(ids, attention_mask=mask, max_new_tokens=6, do_sample=False)
        use_tree_attention(model)
        assert model.config._attn_implementation == NAME
        after = model(input_ids=ids, attention_mask=mask).logits
        torch.testing.assert_close(after[mask == 1], before[mask == 1], rtol=0, atol=1e-5)
        assert torch.equal(model.generate(ids, attention_mask=mask, max_new_tokens=6, do_sample=False), written)
