"""How well texts fit pictures, by a first stage's model: compared one by one with another, or matched in pairs."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructgen.models.blip2.folder import LoadedRepresentation

# B pictures or texts, Q queries, E width of the comparison

ScoredBy = Literal["contrast", "matching"]
PadTexts = Callable[[Sequence[str]], tuple[Tensor, Tensor]]
"""Texts to ids [B, L] and which of them are tokens."""
_BATCH = 32


class RepresentationComparer:
    """Compares as the contrastive loss does: the query that fits best, over vectors of length 1."""

    def __init__(self, loaded: LoadedRepresentation, pad: PadTexts, batch: int = _BATCH) -> None:
        self._loaded = loaded
        self._pad = pad
        self._batch = batch

    def compare(self, pictures: Sequence[bytes], texts: Sequence[str]) -> NDArray[np.float32]:
        """Return similarities [pictures, texts], -1 to 1."""
        with torch.inference_mode():
            text_be = torch.cat([self._compare_texts(texts[at : at + self._batch]) for at in self._starts(texts)])
            rows = []
            for at in self._starts(pictures):
                seen_bqe = self._compare_pictures(pictures[at : at + self._batch])
                rows.append(torch.einsum("bqe,te->btq", seen_bqe, text_be).amax(-1).cpu())
        found: NDArray[np.float32] = torch.cat(rows).float().numpy()
        return found

    def match(self, picture: bytes, texts: Sequence[str]) -> list[float]:
        """Return for each text how likely it fits the picture, 0 to 1, by the matching head."""
        model = self._loaded.model
        found: list[float] = []
        with torch.inference_mode():
            patches_bpv = model.see(self._read([picture]))
            for at in self._starts(texts):
                ids_bl, is_token_bl = self._take(texts[at : at + self._batch])
                logits = model.match(patches_bpv.expand(len(ids_bl), -1, -1), ids_bl, is_token_bl)
                found += logits.softmax(-1)[:, 1].tolist()
        return found

    def score(self, picture: bytes, texts: Sequence[str], by: ScoredBy) -> list[float]:
        """Return a score for each text of a picture, the higher the better."""
        if by == "matching":
            return self.match(picture, texts)
        found: list[float] = self.compare([picture], texts)[0].tolist()
        return found

    def _starts(self, members: Sequence[object]) -> range:
        return range(0, len(members), self._batch)

    def _compare_texts(self, texts: Sequence[str]) -> Tensor:
        return self._loaded.model.compare_texts(*self._take(texts))

    def _compare_pictures(self, pictures: Sequence[bytes]) -> Tensor:
        model = self._loaded.model
        return model.compare_pictures(model.look(model.see(self._read(pictures))))

    def _take(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        ids_bl, is_token_bl = self._pad(texts)
        device = self._loaded.model.device
        return ids_bl.to(device), is_token_bl.to(device)

    def _read(self, pictures: Sequence[bytes]) -> Tensor:
        reader = self._loaded.reader
        return torch.stack([reader(picture) for picture in pictures]).to(self._loaded.model.device)
