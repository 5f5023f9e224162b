"""In which order samples are looked at: the most doubtful first."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from instructgen.draws import draw_fraction

# Scores from 0 to 1 that rise with what may be wrong, and what they are a share of (docs/filters.md).
DOUBT_SCORES = {
    "grounding": "of its claims neither boxes nor captions bear out",
    "repetition": "of its n-grams are copies of an earlier one",
}


class Place(Struct, frozen=True):
    """Where a row lies: the number of its shard in the manifest, and of the row in it, from 0."""

    sample_id: str
    image_id: str
    sample_type: str
    shard: int
    row: int
    doubt: float
    review: str | None = None
    """What an earlier review, which made this version, said of it."""


def find_doubt(scores: Mapping[str, float | None] | None) -> float:
    """Return the highest share of a sample that its filters doubted, 0 to 1; 0 where none of them says."""
    known = [score for name in DOUBT_SCORES if (score := (scores or {}).get(name)) is not None]
    return min(max(known, default=0.0), 1.0)


def order_places(places: Sequence[Place], seed: int) -> list[Place]:
    """Return the most doubtful first, the equally doubtful as the seed draws them, the reviewed ones last."""
    return sorted(
        places,
        key=lambda place: (
            place.review is not None,
            -place.doubt,
            draw_fraction(seed, "review", place.sample_id),
            place.sample_id,
        ),
    )
