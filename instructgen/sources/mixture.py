"""Several tables in a given ratio: how many rows of each, and in which order they come."""

from collections.abc import Iterator, Sequence

from instructgen.draws import make_generator


def count_mixture(weights: Sequence[float], available: Sequence[int], limit: int | None) -> list[int]:
    """Return how many rows each table gives so that they stand in the ratio of the weights, to a row.

    They are as many as the scarcest table allows, and `limit` at most. The rows that are left when each table has
    its whole part go to the largest remainders, of equal ones to the earlier table.
    """
    total = sum(weights)
    most = min(int(num * total / weight) for weight, num in zip(weights, available, strict=True))
    num_rows = most + len(weights) if limit is None else min(limit, most + len(weights))
    while any(num > there for num, there in zip(apportion(weights, num_rows), available, strict=True)):
        num_rows -= 1
    return apportion(weights, num_rows)


def apportion(weights: Sequence[float], num_rows: int) -> list[int]:
    """Return whole numbers that add up to `num_rows` in the ratio of the weights, by the largest remainders."""
    total = sum(weights)
    exact = [num_rows * weight / total for weight in weights]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (counts[index] - exact[index], index))
    for index in by_remainder[: num_rows - sum(counts)]:
        counts[index] += 1
    return counts


def draw_order(counts: Sequence[int], seed: int) -> Iterator[int]:
    """Yield the table of each next row: every order in which each table comes `counts` times is as likely."""
    draw = make_generator(seed, "mixture", "")
    left = list(counts)
    num_left = sum(left)
    while num_left:
        place = draw.randrange(num_left)
        for index, num in enumerate(left):
            if place < num:
                left[index] -= 1
                num_left -= 1
                yield index
                break
            place -= num
