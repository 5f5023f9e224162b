"""Seeded randomness: what is drawn for a record depends on nothing but the seed, the stage and the record."""

import hashlib
import random


def make_generator(seed: int, stage: str, record_id: str) -> random.Random:
    """Return a fresh generator; order and parallelism of the records cannot change what it draws."""
    digest = hashlib.sha256(f"{seed}\0{stage}\0{record_id}".encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))


def draw_fraction(seed: int, stage: str, record_id: str) -> float:
    """Return one uniform draw in [0, 1); cheaper than a generator where a single number is wanted."""
    digest = hashlib.sha256(f"{seed}\0{stage}\0{record_id}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)
