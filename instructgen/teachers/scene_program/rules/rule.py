"""What a reasoning rule says: when it holds, what it asks, and what is commonly known about it."""

from msgspec import Struct


class Rule(Struct, frozen=True):
    """`all_of` must be boxed, and one of `any_of` if given; one of `words` must stand in a caption if given.

    `groups` are supercategories of which one must be boxed; it serves the fallbacks. Each of `parts` holds
    wordings of one sentence of background knowledge; all of them are hedged, and none speaks of the image.
    """

    name: str
    questions: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    all_of: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def words_of(text: str) -> frozenset[str]:
    """Split a list at its commas."""
    return frozenset(word.strip() for word in text.split(","))
