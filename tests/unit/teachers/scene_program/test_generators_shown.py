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


PLAYER = ("A man hits a ball.", "A man at bat.", "A man runs.")


@pytest.mark.parametrize(
    ("name", "captions", "is_told"),
    [
        ("shown", ("Men playing baseball in a field.", "Men playing baseball.", "Men in a field."), True),
        ("shown", ("Men playing baseball in a field.", *PLAYER), False),
        ("summary", ("Men playing baseball in a field.", *PLAYER), False),
        ("summary", ("People are sitting at a table.",) * 5, True),
        ("summary", ("People are sitting at a table.", *("People eating food at a table.",) * 4), False),
    ],
    ids=["several", "one to most", "one to most, summed up", "sitting", "eating to nearly all"],
)
def test_whole_has_the_number_and_the_doing_of_most(name: str, captions: tuple[str, ...], is_told: bool) -> None:
    moves = find(name, make(captions, at("left", "person"), at("right", "person")))
    told = {
        value for move in moves for value in move.tell.values() if "playing baseball" in value or "sitting" in value
    }
    assert bool(told) == is_told


def test_summary_is_silent_on_a_horse_without_its_rider() -> None:
    captions = ("A horse is jumping over a bar.", "A woman on a horse jumping a bar.", "A woman on a horse.")
    boxes = (at("left", "person"), at("right", "horse"))
    assert find("summary", make(("A horse is jumping over a bar.",) * 3, at("right", "horse")))
    assert all(
        "horse" not in str(move.tell["event"]) or "woman" in str(move.tell["event"])
        for move in find("summary", make(captions, *boxes))
    )


def test_shown_is_silent_on_a_room_whose_kind_was_told() -> None:
    room = make(("A room with a couch and a window.",) * 3, at("left", "couch"))
    assert find("shown", room)
    assert find("shown", room, "place living room") == []
