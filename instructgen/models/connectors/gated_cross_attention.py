"""Flamingo's connector: gated cross-attention before the language model's layers (2204.14198, section 3.1.2)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from instructgen.errors import InstructgenError
from instructgen.models.connectors.base import Connector
from instructgen.models.connectors.resampler import FeedForward, Resampler, split_heads
from instructgen.models.sight import Sight
from instructgen.models.spec import ConnectorSpec, GatedSpec

# N positions of a row or a batch, A of them that see something, C chunks of Q of these, S slots (a picture or a clip
# each), F frames of one, P patches of a frame, V their width, R latents, D language width

_ROW_STD = 0.02


class LayerShape(NamedTuple):
    """A language model's layers: how many, and the width between them, which OPT-350M's embeddings do not have."""

    num: int
    width: int


NO_LAYERS = LayerShape(0, 0)


class MediaAttention(nn.Module):
    """Text that looks at the latents of one picture; a position that sees none gets exactly 0."""

    def __init__(self, spec: GatedSpec, vision_width: int, width: int) -> None:
        super().__init__()
        self.num_heads = spec.num_heads
        inner = spec.num_heads * spec.head_width
        self.norm = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(vision_width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, text_nd: Tensor, sight: Sight) -> Tensor:
        """Return what is to be added to the text [N, D]."""
        if not len(sight.position_a):
            return torch.zeros_like(text_nd)
        seeing_ad = text_nd.index_select(0, sight.position_a)
        query_cqd = sight.to_cells(self.to_q(self.norm(seeing_ad)))
        query = split_heads(query_cqd, self.num_heads)
        seen_cqd = scaled_dot_product_attention(query, *self._keys_of(sight)).transpose(1, 2).flatten(2)
        seen_ad = self.to_out(sight.from_cells(seen_cqd))
        nothing_nd = seen_ad.new_zeros(len(text_nd), seen_ad.shape[1])
        added_nd: Tensor = nothing_nd.index_copy(0, sight.position_a, seen_ad)
        return added_nd

    def _keys_of(self, sight: Sight) -> tuple[Tensor, Tensor]:
        """Return keys and values of each chunk, [C, H, R, K]."""
        if sight.kept is not None and id(self) in sight.kept:
            return sight.kept[id(self)]
        key_srd, value_srd = self.to_kv(sight.media_srv).chunk(2, dim=-1)
        key, value = (
            split_heads(each.index_select(0, sight.slot_c), self.num_heads) for each in (key_srd, value_srd)
        )
        if sight.kept is not None:
            sight.kept[id(self)] = key, value
        return key, value


class GatedBlock(nn.Module):
    """x += tanh(a) attention(LN x, media), then x += tanh(b) feed(LN x); both gates begin at 0."""

    def __init__(self, spec: GatedSpec, vision_width: int, width: int) -> None:
        super().__init__()
        self.attention = MediaAttention(spec, vision_width, width)
        self.feed = FeedForward(width, spec.mult, spec.activation)
        self.attention_gate = nn.Parameter(torch.zeros(1))
        self.feed_gate = nn.Parameter(torch.zeros(1))
        self.computes_again = False
        """Keep no activations in training; the backward pass computes them again."""

    def forward(self, text_bld: Tensor, sight: Sight) -> Tensor:
        if self.computes_again and self.training and torch.is_grad_enabled():
            changed: Tensor = checkpoint(self._compute, text_bld, sight, use_reentrant=False)
            return changed
        return self._compute(text_bld, sight)

    def _compute(self, text_bld: Tensor, sight: Sight) -> Tensor:
        text_nd = text_bld.flatten(0, 1)
        # The language model's own type stays, whatever the gates are held in: at first nothing at all must change.
        text_nd = text_nd + (self.attention_gate.tanh() * self.attention(text_nd, sight)).to(text_nd.dtype)
        text_nd = text_nd + (self.feed_gate.tanh() * self.feed(text_nd)).to(text_nd.dtype)
        changed_bld: Tensor = text_nd.view(text_bld.shape)
        return changed_bld


class GatedConnector(Connector):
    """Resampler, blocks, and the rows of two tokens that the language model does not have.

    A picture takes one position, that of `<image>`; what it shows is seen by the blocks alone. `<|endofchunk|>` is
    the token after the language model's last.
    """

    def __init__(self, spec: GatedSpec, vision_width: int, language_width: int, layers: LayerShape) -> None:
        super().__init__()
        self.spec = spec
        self.resampler = Resampler(spec, vision_width)
        self.layers = tuple(range(spec.first_layer, layers.num, spec.every))
        if not self.layers:
            raise InstructgenError(
                f"the language model has {layers.num} layers, and [model.connector.flamingo] puts its first block"
                f" before layer {spec.first_layer}"
            )
        self.blocks = nn.ModuleList(GatedBlock(spec, vision_width, layers.width) for _ in self.layers)
        self.image_row = nn.Parameter(torch.randn(language_width) * _ROW_STD)
        self.chunk_row = nn.Parameter(torch.randn(language_width) * _ROW_STD)
        self.chunk_head = nn.Parameter(torch.randn(language_width) * _ROW_STD)
        self._sight: Sight | None = None

    def num_tokens(self, num_patches: int) -> int:  # noqa: ARG002  # its place in the text, whatever is seen there
        return 1

    def forward(self, patches_bpv: Tensor) -> Tensor:
        """Map pictures [B, P, V] to their latents [B, R, V]."""
        seen_brv: Tensor = self.resampler(patches_bpv[:, None])
        return seen_brv

    def resample(self, patches_npv: Tensor, frames_s: Sequence[int]) -> Tensor:
        """Map the frames of all slots, one after another, to [S, R, V]; slots of as many frames go together."""
        if len(patches_npv) != sum(frames_s):
            raise ValueError(f"{len(patches_npv)} pictures for slots of {sum(frames_s)} frames")
        starts = [sum(frames_s[:place]) for place in range(len(frames_s))]
        made: dict[int, Tensor] = {}
        for num_frames in sorted(set(frames_s)):
            places = [place for place, count in enumerate(frames_s) if count == num_frames]
            clips_sfpv = torch.stack([patches_npv[starts[place] : starts[place] + num_frames] for place in places])
            made |= zip(places, self.resampler(clips_sfpv), strict=True)
        if not made:
            latents = self.resampler.latents
            return latents.new_zeros(0, *latents.shape)
        return torch.stack([made[place] for place in range(len(frames_s))])

    @contextmanager
    def showing(self, sight: Sight) -> Iterator[None]:
        """Let the language model's layers see, as long as this lasts."""
        self._sight = sight
        try:
            yield
        finally:
            self._sight = None

    def attach(self, language_layers: Sequence[nn.Module]) -> None:
        """Put the blocks before their layers; names and classes of the language model stay as they are.

        A language model that is called while nothing is shown is the one that it was.
        """
        # What is seen has another shape in every row: a graph of it would be made anew each time.
        uncompiled: Any = torch.compiler.disable
        for number, block in zip(self.layers, self.blocks, strict=True):
            hook = uncompiled(_Before(self, block).show)
            language_layers[number].register_forward_pre_hook(hook, with_kwargs=True)

    @torch.no_grad()
    def start_rows(self, inputs_vd: Tensor, outputs_vd: Tensor) -> None:
        """Begin the new tokens as the mean of all others."""
        self.image_row.copy_(inputs_vd.float().mean(dim=0))
        self.chunk_row.copy_(self.image_row)
        self.chunk_head.copy_(outputs_vd.float().mean(dim=0))


class _Before:
    """What a layer of the language model calls before itself."""

    def __init__(self, connector: GatedConnector, block: nn.Module) -> None:
        self._connector = connector
        self._block = block

    def show(
        self, _layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        sight = self._connector._sight  # noqa: SLF001  the other half of the same thing
        if sight is None:
            return None
        if args:
            return (self._block(args[0], sight), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": self._block(kwargs["hidden_states"], sight)}


def make_gated(spec: ConnectorSpec, vision_width: int, language_width: int, layers: LayerShape) -> GatedConnector:
    if spec.merge != 1:
        raise InstructgenError("merge is for linear and mlp2x_gelu connectors; Flamingo's resampler sees every token")
    return GatedConnector(spec.flamingo or GatedSpec(), vision_width, language_width, layers)
