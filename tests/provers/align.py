"""Which sentence of a text makes which of its claims: claims come in the order of the sentences."""

from instructgen.refine.sentences import split_line
from instructgen.scenegraph.claims import Claim
from tests.provers.text import plain, states


def sentences_of(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in split_line(line)]


def align(sentences: list[str], claims: tuple[Claim, ...]) -> tuple[list[list[Claim]], list[Claim]]:
    """Return the claims of each sentence, and those that none makes.

    A claim that two neighboring sentences could make is counted to both.
    """
    said = [plain(sentence) for sentence in sentences]
    first = _place(said, list(claims))
    last = [len(said) - 1 - at if at is not None else None for at in _place(said[::-1], list(claims)[::-1])[::-1]]
    told: list[list[Claim]] = [[] for _ in sentences]
    unsaid = []
    for claim, low, high in zip(claims, first, last, strict=True):
        if low is None or high is None:
            unsaid.append(claim)
            continue
        for at in range(min(low, high), max(low, high) + 1):
            if states(said[at], claim):
                told[at].append(claim)
    return told, unsaid


def _place(said: list[str], claims: list[Claim]) -> list[int | None]:
    """Place each claim in the earliest sentence that states it, none before the one ahead of it."""
    places: list[int | None] = []
    at = 0
    for claim in claims:
        found = next((n for n in range(at, len(said)) if states(said[n], claim)), None)
        at = at if found is None else found
        places.append(found)
    return places
