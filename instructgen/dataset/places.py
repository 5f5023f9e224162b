"""Where the pictures of a row stand among its turns."""

from msgspec import Struct

from instructgen.dataset.columns import FRAMES, PLACES, Row


class Slot(Struct, frozen=True):
    """What stands before turn `place`: `num_frames` of the row's pictures, more than one where it is a clip."""

    place: int
    num_frames: int


def find_places(row: Row) -> list[int]:
    """Return before which turn each picture stands; a row that does not say it has all before its first question.

    The number of turns itself is behind the last. The frames of a clip stand at one place.
    """
    return [slot.place for slot in find_slots(row) for _ in range(slot.num_frames)]


def find_slots(row: Row) -> list[Slot]:
    """Return the row's slots in the order of its pictures; a slot is one picture where the row does not say more."""
    if (places := row.get(PLACES)) is None:
        roles = [turn["role"] for turn in row["messages"]]
        places = [roles.index("user") if "user" in roles else 0] * len(row["images"])
    frames = row.get(FRAMES)
    return [Slot(*slot) for slot in zip(places, [1] * len(places) if frames is None else frames, strict=True)]
