"""Retrieval: of all texts those of a picture, of all pictures that of a text, by what a model compares them with.

A text that several pictures have word for word is right for each of them. Chance is what a random order gives.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from instructgen.evaluate.questions import Report
from instructgen.evaluate.scores import Row, Score, group_rows, measure, ratio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECALLS = (1, 5, 10)
NAME = "retrieval"
VERSION = 1
SHOWN = tuple(f"recall_at_{rank}" for rank in RECALLS)


class Comparer(Protocol):
    """Anything that says how well each of many texts fits each of many pictures."""

    def compare(self, pictures: Sequence[bytes], texts: Sequence[str]) -> "NDArray[np.float32]":
        """Return similarities [pictures, texts], the higher the better."""
        ...


class Catalogue(Struct, frozen=True):
    """Pictures, and different texts; `owners` names for each text the pictures that have it, by number."""

    image_ids: tuple[str, ...]
    texts: tuple[str, ...]
    owners: tuple[tuple[int, ...], ...]


def make_catalogue(captions: Mapping[str, Sequence[str]]) -> Catalogue:
    """Return the catalogue of pictures with their captions, in their order."""
    owners: dict[str, list[int]] = {}
    for number, texts in enumerate(captions.values()):
        for text in dict.fromkeys(texts):
            owners.setdefault(text, []).append(number)
    return Catalogue(tuple(captions), tuple(owners), tuple(map(tuple, owners.values())))


def measure_retrieval(catalogue: Catalogue, similarity: "NDArray[np.float32]") -> Report:
    """Return recall at 1, 5 and 10 both ways, each beside chance; of equal similarities the earlier is first."""
    import numpy as np

    num_pictures, num_texts = similarity.shape
    is_own = np.zeros(similarity.shape, bool)
    for text, pictures in enumerate(catalogue.owners):
        is_own[list(pictures), text] = True
    # Texts of one picture are no independent queries: each belongs to the first that has it.
    ways = {
        "image_to_text": (similarity, is_own, list(catalogue.image_ids)),
        "text_to_image": (similarity.T, is_own.T, [catalogue.image_ids[owners[0]] for owners in catalogue.owners]),
    }
    tables = {name: _measure_way(*way) for name, way in ways.items()}
    scores = {f"{name}_{measured}": score for name, table in tables.items() for measured, score in table.items()}
    counts = {
        "images": num_pictures,
        "texts": num_texts,
        "shared_texts": sum(len(one) > 1 for one in catalogue.owners),
    }
    return Report(scores, {"way": tables}, counts)


def find_chance(num_candidates: int, num_right: int, rank: int) -> float:
    """Return how likely a random order has a right one among its first `rank`."""
    if num_candidates - num_right < rank:
        return 1.0
    return 1 - math.comb(num_candidates - num_right, rank) / math.comb(num_candidates, rank)


def _measure_way(
    similarity: "NDArray[np.float32]", is_own: "NDArray[np.bool_]", groups: Sequence[str]
) -> dict[str, Score]:
    """Each row is a query, of a group."""
    import numpy as np

    order = np.argsort(-similarity, axis=1, kind="stable")
    ranks = np.take_along_axis(is_own, order, 1).argmax(1)
    num_right = is_own.sum(1)
    keyed: list[tuple[str, Row]] = []
    for group, place, right in zip(groups, ranks.tolist(), num_right.tolist(), strict=True):
        hits = [float(place < rank) for rank in RECALLS]
        chances = [find_chance(similarity.shape[1], right, rank) for rank in RECALLS]
        keyed.append((group, (1.0, *hits, *chances)))
    rows = group_rows(keyed)
    found: dict[str, Score] = {}
    for number, rank in enumerate(RECALLS, 1):
        found[f"recall_at_{rank}"] = measure(rows, ratio(number, 0), len(keyed))
        found[f"chance_at_{rank}"] = measure(rows, ratio(number + len(RECALLS), 0), len(keyed))
    return found
