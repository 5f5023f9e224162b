"""One sample as tokens, and which of them are learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IMAGE_SLOT = -1
"""Stands in `ids` where an image's tokens will be; one slot an image, however many tokens that is."""


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens of a whole chat; `is_trained` is true for answers and the stop after each, for nothing else.

    Shapes: `ids` int32 [L], `is_trained` bool [L]. A trained token is predicted from the position before it.
    `pictures` names the images in the order of their slots: keys for whoever loads the pixels.
    """

    sample_id: str
    ids: NDArray[np.int32]
    is_trained: NDArray[np.bool_]
    pictures: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    """How many pictures each slot takes, one after another; empty is one each."""
    sees_next: bool = False
    """Whether a position looks at the picture after it and not at the one before (Flamingo, 2204.14198, A.3.1)."""

    def num_tokens(self, tokens_per_image: int) -> int:
        """Return the positions it takes with every slot filled."""
        num_slots = len(self.frames) or len(self.pictures)
        return len(self.ids) + num_slots * (tokens_per_image - 1)
