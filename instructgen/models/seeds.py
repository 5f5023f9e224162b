"""Random weights that depend on nothing but a seed and the part that they are for."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, part: str) -> Iterator[None]:
    """Draw from a generator of this part's own, so that one part's shape changes nothing in another's weights."""
    digest = hashlib.sha256(f"{seed}\0{part}".encode()).digest()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int.from_bytes(digest[:7], "big"))
        yield
