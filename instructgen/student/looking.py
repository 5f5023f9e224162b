"""Flamingo in generation: which picture each position of a prompt looks at, and every position after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructgen.models.connectors.gated_cross_attention import GatedConnector
from instructgen.models.language import find_decoder
from instructgen.models.sight import NOTHING, Sight, look, slots_of_texts
from instructgen.models.vlm import VisionLanguageModel
from instructgen.student.network import CausalNetwork, Memory
from instructgen.train.example import IMAGE_SLOT

# B rows, L positions of them, S slots (a picture or a clip each), F frames of one, R latents, V their width,
# D language width, C channels, H height, W width


@dataclass(frozen=True, slots=True)
class Looks:
    """The latents of a prompt's slots, and which of them each of its positions sees; what follows sees the last's."""

    media_srv: Tensor
    slot_l: NDArray[np.int64]

    def until(self, length: int) -> "Looks":
        """Return the looks of the first positions alone."""
        return Looks(self.media_srv, self.slot_l[:length])

    def find(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot that each position sees."""
        if not len(self.slot_l):
            return np.full(positions.shape, NOTHING, np.int64)
        found: NDArray[np.int64] = self.slot_l[np.minimum(positions, len(self.slot_l) - 1)]
        return found


@runtime_checkable
class LookingNetwork(Protocol):
    """A network whose pictures are seen from between its layers, and take one position each."""

    @property
    def picture_row(self) -> Tensor:
        """Return [D], what stands in a picture's place."""
        ...

    def embed_clips(self, pixels_sfchw: Tensor) -> Tensor:
        """Map [S, F, C, H, W] to [S, R, V]."""
        ...

    def look(self, media: Sequence[Tensor], ids: Sequence[int]) -> Looks:
        """Return the looks of a prompt; `media` are [R, V] of its slots."""
        ...


class GatedNetwork(CausalNetwork):
    """Implements instructgen.student.network.Network and LookingNetwork for a Flamingo of ours."""

    tokens_per_image = 1

    def __init__(self, model: VisionLanguageModel) -> None:
        super().__init__(model.causal_lm)
        assert model.gated is not None
        self._model = model
        self._gated: GatedConnector = model.gated

    @property
    def picture_row(self) -> Tensor:
        return self._gated.image_row

    def embed_ids(self, ids: Tensor) -> Tensor:
        return self._model.embed_text(ids)

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        return self.embed_clips(pixels_nchw[:, None])

    def pool_pictures(self, pixels_nchw: Tensor) -> Tensor:
        """See instructgen.student.local.Pooling."""
        return self._model.see(pixels_nchw).mean(dim=1)

    def embed_clips(self, pixels_sfchw: Tensor) -> Tensor:
        num_slots, num_frames = pixels_sfchw.shape[:2]
        patches_npv = self._model.see(pixels_sfchw.flatten(0, 1)).to(self._gated.image_row.dtype)
        return self._gated.resample(patches_npv, (num_frames,) * num_slots)

    def look(self, media: Sequence[Tensor], ids: Sequence[int]) -> Looks:
        is_slot_1l = np.array([[number == IMAGE_SLOT for number in ids]], np.bool_)
        slot_l = slots_of_texts(is_slot_1l)[0] if len(ids) else np.zeros(0, np.int64)
        return Looks(torch.stack(list(media)) if media else self._no_media(), slot_l)

    def _no_media(self) -> Tensor:
        latents = self._gated.resampler.latents
        return latents.new_zeros(0, *latents.shape)

    def _run(
        self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: Memory, *, num_kept: int
    ) -> Tensor:
        asked: dict[str, Any] = {"use_cache": True, self._cache_name: memory.cache}
        if self._takes_positions:
            asked["position_ids"] = positions_bl
        with self._gated.showing(self._find_sight(positions_bl, memory)):
            found = find_decoder(self._model.causal_lm)(inputs_embeds=embeds_bld, attention_mask=mask_bl, **asked)
        memory.cache = getattr(found, self._cache_name)
        return self._model.head(found.last_hidden_state[:, -num_kept:])

    def _find_sight(self, positions_bl: Tensor, memory: Memory) -> Sight:
        """Return what is seen now; a step of one position sees what the last one did, and its keys are kept."""
        looks: list[Looks] = list(memory.looks)
        if positions_bl.shape[1] > 1:
            memory.sight = None
            return self._join(looks, positions_bl.cpu().numpy())
        if memory.sight is None:
            lengths = np.array([[max(len(each.slot_l) - 1, 0)] for each in looks], np.int64)
            memory.sight = self._join(looks, lengths)
        sight: Sight = memory.sight
        return sight

    def _join(self, looks: Sequence[Looks], positions_bl: NDArray[np.int64]) -> Sight:
        """Rows with the very same pictures share them."""
        media: dict[int, Tensor] = {id(each.media_srv): each.media_srv for each in looks}
        lengths = [len(each) for each in media.values()]
        starts = dict(zip(media, np.cumsum([0, *lengths[:-1]]).tolist(), strict=True))
        slot_bl = np.stack([each.find(row) for each, row in zip(looks, positions_bl, strict=True)])
        start_b1 = np.array([[starts[id(each.media_srv)]] for each in looks], np.int64)
        slot_bl = np.where(slot_bl == NOTHING, NOTHING, slot_bl + start_b1)
        return look(slot_bl.reshape(-1), torch.cat(list(media.values())), keeps_keys=positions_bl.shape[1] == 1)
