"""An encoder-decoder language model as generation uses it: the prompt is read once, the answer is written."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from instructgen.models.language import find_start_id
from instructgen.student.network import Memory

# B rows, L positions of a prompt, T positions of an answer, V vocabulary, D width, N pictures


@dataclass(slots=True)
class _Seen:
    """What a batch's rows have read and written so far; rows are chosen as those of a cache."""

    encoded_bld: Tensor
    mask_bl: Tensor
    cache: Any = None

    def batch_select_indices(self, rows: Tensor) -> None:
        self.encoded_bld, self.mask_bl = self.encoded_bld[rows], self.mask_bl[rows]
        self.cache.batch_select_indices(rows)

    def batch_repeat_interleave(self, num_rows: int) -> None:
        self.encoded_bld = self.encoded_bld.repeat_interleave(num_rows, dim=0)
        self.mask_bl = self.mask_bl.repeat_interleave(num_rows, dim=0)
        self.cache.batch_repeat_interleave(num_rows)


class Seq2SeqNetwork:
    """Implements instructgen.student.network.Network: what a first step is given is read, what follows is written.

    `see` makes [N, T, D] of pixels.
    """

    reads_whole = True
    max_gapped = 0

    def __init__(self, language: PreTrainedModel, see: Callable[[Tensor], Tensor], tokens_per_image: int) -> None:
        self.language = language
        self.tokens_per_image = tokens_per_image
        self._see = see
        self._start_id = find_start_id(language)
        self._cache_name = "cache" if "cache" in inspect.signature(language.forward).parameters else "past_key_values"

    @property
    def device(self) -> torch.device:
        return next(self.language.parameters()).device

    @property
    def max_positions(self) -> int | None:
        found = getattr(self.language.config, "max_position_embeddings", None)
        return found if isinstance(found, int) and found > 0 else None

    def embed_ids(self, ids: Tensor) -> Tensor:
        table: Any = self.language.get_input_embeddings()
        embeds: Tensor = table(ids)
        return embeds

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        return self._see(pixels_nchw)

    def step(self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: Memory) -> Tensor:
        return self.step_all(embeds_bld, mask_bl, positions_bl, memory)[:, -1]

    def step_all(
        self,
        embeds_bld: Tensor,
        mask_bl: Tensor,
        positions_bl: Tensor,  # noqa: ARG002  # a decoder counts its own
        memory: Memory,
    ) -> Tensor:
        """Return the logits [B, T, V] of every new position; after a prompt there is one."""
        if memory.cache is None:
            memory.cache = self._read(embeds_bld, mask_bl)
            start_b1 = torch.full((len(embeds_bld), 1), self._start_id, device=embeds_bld.device)
            embeds_bld = self.embed_ids(start_b1)
        seen: _Seen = memory.cache
        found = self.language(
            encoder_outputs=BaseModelOutput(last_hidden_state=seen.encoded_bld),
            attention_mask=seen.mask_bl,
            decoder_inputs_embeds=embeds_bld,
            use_cache=True,
            **{self._cache_name: seen.cache},
        )
        seen.cache = getattr(found, self._cache_name)
        logits: Tensor = found.logits
        return logits

    def _read(self, embeds_bld: Tensor, mask_bl: Tensor) -> _Seen:
        """Run the encoder on prompts padded on the left; it gets them as in training, padded on the right."""
        num_positions = embeds_bld.shape[1]
        lengths_b1 = mask_bl.sum(dim=1, keepdim=True)
        places_l = torch.arange(num_positions, device=embeds_bld.device)[None]
        from_bl = (places_l + num_positions - lengths_b1).clamp(max=num_positions - 1)
        aligned_bld = embeds_bld.gather(1, from_bl[..., None].expand_as(embeds_bld))
        mask_bl = (places_l < lengths_b1).long()
        encoder: Any = self.language.get_encoder()
        encoded_bld: Tensor = encoder(inputs_embeds=aligned_bld, attention_mask=mask_bl).last_hidden_state
        return _Seen(encoded_bld, mask_bl)
