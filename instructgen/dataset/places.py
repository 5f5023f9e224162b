"""Where the pictures of a row stand among its turns."""

from instructgen.dataset.columns import Row


def find_places(row: Row) -> list[int]:
    """Return before which turn each picture stands; a row that does not say it has all before its first question.

    The number of turns itself is behind the last.
    """
    if (places := row.get("image_at")) is not None:
        return list(places)
    roles = [turn["role"] for turn in row["messages"]]
    first = roles.index("user") if "user" in roles else 0
    return [first] * len(row["images"])
