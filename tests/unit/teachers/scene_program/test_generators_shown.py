"""What the picture shows as a whole: a caption that has all that most captions name, and no other."""

import pytest

from instructgen.records import ImageRecord
from tests.unit.teachers.scene_program.making import at, fact, facts_of, families_of, find, make, say, slots_of

RIDER = make(
    ("A man is riding a horse on a beach.", "A man riding a horse.", "A man is riding a horse."),
    *(at("left", "person"), at("right", "horse")),
)
APART = make(("A cat.", "A bench.", "A cat.", "A bench."), at("left", "cat"), at("right", "bench"))
COLLAGE = make(("A collage of cats on a bench.", "A montage of a cat on a bench.", "A cat."), at("left", "cat"))


def test_shown_says_what_has_all_that_most_captions_name() -> None:
    moves = find("shown", RIDER)
    assert families_of(moves) == {"shown"}
    assert slots_of(moves, "shown") == {"a man riding a horse on a beach", "a man riding a horse"}
    assert fact("told", "a man", "riding a horse on a beach") in facts_of(moves)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (APART, ()),
        (make(("A cat and a bench.",) * 3, *APART.boxes), ()),
        (COLLAGE, ()),
        (RIDER, ("overview",)),
        (RIDER, ("summary",)),
        (RIDER, ("doing woman",)),
        (RIDER, ("there person", "there man", "there horse", "there beach")),
    ],
    ids=["no caption has all", "two things alone", "a collage", "listed", "summed up", "a doing told", "things told"],
)
def test_shown_is_silent(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("shown", record, *told) == []


def test_shown_is_silent_on_a_caption_that_leaves_out_what_most_name() -> None:
    record = say(RIDER, "A man standing on a beach.")
    assert not any("standing" in one for one in slots_of(find("shown", record), "shown"))
