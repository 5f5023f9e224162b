"""The Perceiver resampler: any number of patches and frames becomes a few latents (2204.14198, A.1.1)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

from instructgen.models.spec import GatedSpec

# S slots (a picture or a clip each), F frames of one, P patches of a frame, V their width, R latents, H heads,
# K width of a head

_LATENT_STD = 1.0  # OpenFlamingo's code: torch.randn
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": nn.functional.gelu,
    "squared_relu": lambda inner: nn.functional.relu(inner).square(),
}


class FeedForward(nn.Module):
    """A norm, and two linear layers without biases."""

    def __init__(self, width: int, mult: int, activation: str) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, mult * width, bias=False)
        self.second = nn.Linear(mult * width, width, bias=False)
        self._activate = _ACTIVATIONS[activation]

    def forward(self, values: Tensor) -> Tensor:
        """Return what is to be added to [..., width]."""
        added: Tensor = self.second(self._activate(self.first(self.norm(values))))
        return added


class LatentAttention(nn.Module):
    """Latents that look at the patches and at each other."""

    def __init__(self, width: int, num_heads: int, head_width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        inner = num_heads * head_width
        self.norm_media = nn.LayerNorm(width)
        self.norm_latents = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, media_smv: Tensor, latents_srv: Tensor) -> Tensor:
        """Return what is to be added to the latents [S, R, V]; all of media [S, M, V] is seen."""
        latents_srv = self.norm_latents(latents_srv)
        seen = torch.cat([self.norm_media(media_smv), latents_srv], dim=1)
        query, (key, value) = self.to_q(latents_srv), self.to_kv(seen).chunk(2, dim=-1)
        query, key, value = (split_heads(each, self.num_heads) for each in (query, key, value))
        seen = scaled_dot_product_attention(query, key, value)
        added: Tensor = self.to_out(seen.transpose(1, 2).flatten(2))
        return added


class Resampler(nn.Module):
    """Maps [S, F, P, V] to [S, R, V]."""

    def __init__(self, spec: GatedSpec, width: int) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(spec.num_latents, width) * _LATENT_STD)
        self.time = nn.Parameter(torch.randn(spec.num_frames, width)) if spec.num_frames else None
        heads, head_width = spec.resampler_heads or spec.num_heads, spec.resampler_head_width or spec.head_width
        self.attentions = nn.ModuleList(LatentAttention(width, heads, head_width) for _ in range(spec.depth))
        self.feeds = nn.ModuleList(FeedForward(width, spec.mult, spec.activation) for _ in range(spec.depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, patches_sfpv: Tensor) -> Tensor:
        if self.time is not None:
            patches_sfpv = patches_sfpv + self._time_of(patches_sfpv.shape[1]).to(patches_sfpv.dtype)[:, None]
        media_smv = patches_sfpv.flatten(1, 2)
        latents_srv = self.latents.to(media_smv.dtype).expand(len(media_smv), -1, -1)
        for attend, feed in zip(self.attentions, self.feeds, strict=True):
            latents_srv = latents_srv + attend(media_smv, latents_srv)
            latents_srv = latents_srv + feed(latents_srv)
        seen_srv: Tensor = self.norm(latents_srv)
        return seen_srv

    def _time_of(self, num_frames: int) -> Tensor:
        """Return [F, V]: the first frames' own embeddings, or those of all spread evenly over more frames.

        Flamingo trains with 8 frames and sees 30 (2204.14198, A.1.1).
        """
        assert self.time is not None
        if num_frames <= len(self.time):
            return self.time[:num_frames]
        spread = interpolate(self.time.T[None], size=num_frames, mode="linear", align_corners=True)
        return spread[0].T


def split_heads(values: Tensor, num_heads: int) -> Tensor:
    """Map [B, L, H * K] to [B, H, L, K]."""
    num_rows, length, width = values.shape
    return values.view(num_rows, length, num_heads, width // num_heads).transpose(1, 2)
