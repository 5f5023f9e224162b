"""What a step of BLIP-2's first stage costs: contrast, matching and generation over its pairs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from instructgen.models.blip2.model import Representation
from instructgen.train.distributed import Ranks
from instructgen.train.representation_data import CaptionBatch
from instructgen.train.representation_losses import (
    Pairs,
    compare,
    contrast,
    gather_all,
    gather_alone,
    generate,
    match,
)
from instructgen.train.representation_recipe import LossesConfig

PARTS = ("contrastive", "matching", "generation")


@dataclass(frozen=True, slots=True)
class LossParts:
    """The three losses of a process's pairs, each over the pairs of the whole step; 0 for one that is left out."""

    contrastive: Tensor
    matching: Tensor
    generation: Tensor

    def weigh(self, config: LossesConfig) -> Tensor:
        """Return what is minimised."""
        return (
            config.contrastive * self.contrastive
            + config.matching * self.matching
            + config.generation * self.generation
        )


class RepresentationObjective(nn.Module):
    """Maps a batch and its pixels to the weighed sum of the losses, times the pairs: the loop divides by them."""

    def __init__(self, model: Representation, losses: LossesConfig, decode_id: int, ranks: Ranks) -> None:
        super().__init__()
        self.model = model
        self.losses = losses
        self._decode_id = decode_id
        self._ranks = ranks
        self._parts: list[Tensor] = []

    def forward(self, batch: CaptionBatch, pixels_bchw: Tensor) -> Tensor:
        parts = self.measure(batch, pixels_bchw)
        self._parts.append(torch.stack([parts.contrastive, parts.matching, parts.generation]).detach())
        return parts.weigh(self.losses)

    def take_parts(self) -> dict[str, float]:
        """Return the three losses since the last call, summed over this process's pairs."""
        sums = torch.stack(self._parts).sum(0).tolist() if self._parts else [0.0] * len(PARTS)
        self._parts.clear()
        return dict(zip(PARTS, sums, strict=True))

    def measure(self, batch: CaptionBatch, pixels_bchw: Tensor) -> LossParts:
        model, config, ranks = self.model, self.losses, self._ranks
        gather = gather_alone if ranks.mesh is None else gather_all
        ids_bl, is_token_bl = batch.ids_bl.to(model.device), batch.is_token_bl.to(model.device)
        patches_bpv = model.see(pixels_bchw.to(model.device))
        sight = model.look(patches_bpv)
        contrastive = matching = generation = sight.states_bqh.float().sum() * 0.0
        if config.contrastive or config.matching:
            pictures = model.compare_pictures(sight)
            texts = model.compare_texts(ids_bl, is_token_bl)
            # Similarities are compared in float32, whatever the layers compute in.
            with torch.autocast(model.device.type, enabled=False):
                first = ranks.rank * len(ids_bl)
                compared = compare(pictures, texts, model.temperature, gather, first)
            contrastive = contrast(compared, config.label_smoothing)
            if config.matching:
                matching = match(model, Pairs(patches_bpv, ids_bl, is_token_bl), compared, gather)
        if config.generation:
            loss, num_tokens = generate(model, sight, ids_bl, is_token_bl, self._decode_id, config.label_smoothing)
            pairs, tokens = ranks.add_up([float(len(ids_bl)), float(num_tokens)])
            generation = loss * (pairs / tokens)
        return LossParts(contrastive, matching, generation)
