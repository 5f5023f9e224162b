"""Attention within the trees of a packed row, for every language model that takes it by transformers' own interface.

On a CPU a row is computed piece by piece; on a GPU FlexAttention skips the blocks that no query sees. Neither ever
holds a matrix of the row against itself.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from instructgen.errors import InstructgenError
from instructgen.models.language import find_decoder
from instructgen.models.piecewise import Call, attend_in_pieces, attend_pieces_plainly, attend_plainly
from instructgen.models.row_layout import RowLayout, Span

# L positions of a row, H heads, G heads of keys and values, D width of a head; the batch dimension is 1

_MOST_ROUNDING = 0.25
_MOST_COPIED = 50_000_000  # parameters of a model that is tried in float32 too
NAME = "instructgen_trees"


def use_tree_attention(language_model: Any) -> None:
    """Have the model attend by trees wherever it is called with `trees=`; every other call stays as it was.

    Raises InstructgenError for a model whose samples would not stay apart.
    """
    if not supports_packing(language_model):
        raise InstructgenError(
            f"samples in one row would not stay apart in a language model of type"
            f" '{language_model.config.model_type}': set rows.packing = false"
        )
    _switch(language_model, NAME)


def supports_packing(language_model: Any) -> bool:
    """Return whether samples of one row stay blind to each other in this model; it is left as it was.

    Models outside transformers' attention interface and those that carry a state from position to position do not.
    What says it of itself is tried: a few tokens as a row and one sample at a time must give the same hidden states.
    """
    causal = language_model.get_base_model() if hasattr(language_model, "get_base_model") else language_model
    if not getattr(causal, "_supports_attention_backend", False) or getattr(causal, "_is_stateful", False):
        return False
    kinds = getattr(causal.config.get_text_config(), "layer_types", None) or ()
    if any("attention" not in kind or "linear" in kind for kind in kinds):
        return False
    weight = causal.get_input_embeddings().weight
    if weight.is_meta:
        return True
    implementation, was_training = causal.config._attn_implementation, causal.training  # noqa: SLF001  no public name
    causal.eval()
    try:
        _switch(causal, NAME)
        return _keeps_samples_apart(causal, weight) or _keeps_them_precisely(causal)
    except (InstructgenError, TypeError, ValueError):
        return False
    finally:
        _switch(causal, implementation)
        causal.train(was_training)


def _switch(language_model: Any, implementation: str) -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, tree_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    language_model.set_attn_implementation(implementation)


@torch.no_grad()
def _keeps_samples_apart(causal: Any, weight: Tensor) -> bool:
    """Run a trunk of 3 ids with branches of 2 and 3, and 4 ids beside it, as a row and apart.

    In bfloat16 a deep model's rounding moves single positions by half of their length. There the row is held against
    the same ids as one plain text, in which every sample does see the others: it must be far nearer to the samples.
    """
    trunk, branches, other = [1, 2, 3], ([4, 5], [6, 7, 8]), [9, 10, 11, 12]
    layout = RowLayout((_Fork(_Span(0, 3), (_Span(3, 5), _Span(5, 8))), _Fork(_Span(8, 8), (_Span(8, 12),))))
    positions = torch.tensor([[0, 1, 2, 3, 4, 3, 4, 5, 0, 1, 2, 3]], device=weight.device)
    decoder, num_ids = find_decoder(causal), int(weight.shape[0])
    is_precise = weight.dtype in (torch.float32, torch.float64)

    def states(ids: list[int], **options: Any) -> Tensor:
        ids_bl = torch.tensor([ids], device=weight.device) % num_ids
        with torch.autocast(weight.device.type, torch.bfloat16, enabled=not is_precise):
            hidden: Tensor = decoder(input_ids=ids_bl, use_cache=False, **options).last_hidden_state[0]
        return hidden.double()

    row = states(
        [*trunk, *branches[0], *branches[1], *other],
        position_ids=positions,
        trees=layout,
        attention_mask=weight.new_zeros(1, 1, 1, 1),
    )
    apart = torch.cat([states([*trunk, *branches[0]]), states([*trunk, *branches[1]])[3:], states(other)])
    differences = (row - apart).norm(dim=1) / apart.norm(dim=1)
    if is_precise:
        return bool(differences.max() <= 1e-3)
    plain = states([*trunk, *branches[0], *branches[1], *other])
    seen = (plain - apart).norm(dim=1) / apart.norm(dim=1)
    first = len(trunk) + len(branches[0])  # before it, plain text sees nothing that the samples do not
    return bool(differences[first:].median() <= _MOST_ROUNDING * seen[first:].median())


def _keeps_them_precisely(causal: Any) -> bool:
    """Try a small model in float32: where it has hardly been trained, what a sample sees moves less than rounding."""
    parameters = list(causal.parameters())
    is_plain = all(one.dtype in (torch.bfloat16, torch.float16) for one in parameters)
    if not is_plain or sum(one.numel() for one in parameters) > _MOST_COPIED:
        return False
    kept = [one.data for one in parameters]
    try:
        for one in parameters:
            one.data = one.data.float()
        return _keeps_samples_apart(causal, causal.get_input_embeddings().weight)
    finally:
        for one, data in zip(parameters, kept, strict=True):
            one.data = data


class _Span(NamedTuple):
    start: int
    end: int


class _Fork(NamedTuple):
    trunk: Span
    branches: Sequence[Span]


def tree_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' interface asks: query [1, H, L, D], key and value [1, G, L, D] -> [1, L, H, D]."""
    layout: RowLayout | None = options.pop("trees", None)
    if layout is None:
        return _without_trees(module, query, key, value, attention_mask, options)
    if options.get("s_aux") is not None or options.get("position_bias") is not None:
        raise InstructgenError("this model's attention has sinks or biases, which packed rows cannot carry")
    call = _read_call(query, options)
    query, key, value = _in_one_dtype(query, key, value)
    if query.device.type != "cpu":
        return _attend_by_block(query, key, value, layout, call), None
    if call.softcap is not None or call.dropout:
        return attend_pieces_plainly(query, key, value, layout, call), None
    return attend_in_pieces(query, key, value, layout, call), None


def _read_call(query: Tensor, options: dict[str, Any]) -> Call:
    scale = options.get("scaling")
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    return Call(scale, options.get("sliding_window"), options.get("softcap"), float(options.get("dropout") or 0))


def _attend_by_block(query: Tensor, key: Tensor, value: Tensor, layout: RowLayout, call: Call) -> Tensor:
    if call.dropout:
        raise InstructgenError("FlexAttention has no dropout; set attention_dropout of the model to 0")
    output = compiled_flex_attention()(
        query,
        key,
        value,
        score_mod=_softcap_mod(call.softcap) if call.softcap is not None else None,
        block_mask=layout.block_mask(call.window, query.device),
        scale=call.scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return output.transpose(1, 2).contiguous()


@lru_cache(maxsize=1)
def compiled_flex_attention() -> Callable[..., Tensor]:
    """Return FlexAttention compiled once for rows of any length."""
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)


@lru_cache(maxsize=8)
def _softcap_mod(softcap: float) -> Callable[..., Tensor]:
    def cap(score: Tensor, _batch: Tensor, _head: Tensor, _q: Tensor, _k: Tensor) -> Tensor:
        return torch.tanh(score / softcap) * softcap

    return cap


def _in_one_dtype(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Under autocast rotary positions leave queries and keys in float32 and values in the lower type."""
    kind = query.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype
    if query.dtype == torch.float64:
        dtype = torch.float64
    return query.to(dtype), key.to(dtype), value.to(dtype)


def _without_trees(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, None]:
    """Attend as transformers' own "sdpa" does, and with the softcap that it leaves out."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if options.get("softcap") is None:
        return sdpa_attention_forward(module, query, key, value, mask, **options)
    num_queries, num_keys = query.shape[2], key.shape[2]
    if mask is None:
        seen = torch.ones(num_queries, num_keys, dtype=torch.bool, device=query.device)
        mask = seen.tril(num_keys - num_queries)
    output = attend_plainly(query, key, value, mask[..., :num_keys], _read_call(query, options))
    return output.transpose(1, 2).contiguous(), None
