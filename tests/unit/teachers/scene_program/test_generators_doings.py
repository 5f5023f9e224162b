"""Who does what: told where captions say it in full and boxes bear it out."""

import pytest

from instructgen.records import ImageRecord
from tests.unit.teachers.scene_program.making import (
    at,
    fact,
    facts_of,
    families_of,
    find,
    make,
    place,
    say,
    slots_of,
    swap,
)

RIDER = make(
    (
        "A man is riding a horse on a beach.",
        "A man riding a horse.",
        "The man is wearing a hat.",
        "A man with a horse on a beach.",
    ),
    at("left", "person"),
    at("right", "horse"),
)
CAT = make(
    ("A cat is sitting on a couch.", "A cat sits on a couch.", "The cat is on a couch.", "A cat is here."),
    at("left", "cat"),
    at("right", "couch"),
)
HOLDER = make(
    ("A man is holding a red umbrella.", "The man is holding a umbrella.", "A man is riding a horse."),
    *(at("left", "person"), at("right", "umbrella"), at("middle", "horse")),
)
RIDES = fact("doing", "man", "riding a horse", "on a beach")
NOT_SURE = [
    place(RIDER, at("right", "horse")),
    place(RIDER, at("left", "person")),
    place(RIDER, at("left", "person"), at("middle", "person"), at("right", "horse")),
    swap(RIDER, "riding", "zorbing"),
]
NOT_SURE_IDS = ["nobody boxed", "no horse boxed", "which of two", "unknown verb"]


def test_doing_says_who_does_what_where() -> None:
    moves = find("doing", RIDER)
    assert families_of(moves) == {"doing"}
    assert RIDES in facts_of(moves)
    first = moves[0].tell
    assert (first["the_x"], first["is"]) == ("the man", "is")
    assert first["doing"].startswith("riding a horse on a beach")


def test_doing_says_the_looks_of_what_it_is_done_to() -> None:
    moves = find("doing", HOLDER)
    assert fact("attribute", "umbrella", "red", "color") in facts_of(moves)
    assert any("holding a red umbrella" in words for words in slots_of(moves, "doing"))
    known = find("doing", HOLDER, "color umbrella")
    assert known
    assert fact("attribute", "umbrella", "red", "color") not in facts_of(known)
    assert not any("red" in words for words in slots_of(known, "doing"))


def test_doing_says_more_of_several_in_the_plural() -> None:
    record = make(
        ("Two men are riding horses.", "Two men riding horses.", "Two men."),
        *(at("left", "person"), at("right", "person"), at("left top", "horse"), at("right top", "horse")),
    )
    moves = find("doing", record)
    assert fact("doing", "men", "riding horses") in facts_of(moves)
    assert slots_of(moves, "is") == {"are"}


@pytest.mark.parametrize("record", NOT_SURE[:2] + NOT_SURE[3:], ids=NOT_SURE_IDS[:2] + NOT_SURE_IDS[3:])
def test_doing_is_silent_where_boxes_do_not_bear_it_out(record: ImageRecord) -> None:
    assert not {one for one in facts_of(find("doing", record)) if one[2].startswith(("riding", "zorbing"))}


def test_doing_is_silent_where_two_people_may_be_meant() -> None:
    record = say(NOT_SURE[2], "Two men on a beach.", "A woman riding a horse.")
    assert not {one for one in facts_of(find("doing", record)) if one[1] in ("man", "woman")}


def test_doing_is_silent_where_captions_disagree_on_the_posture() -> None:
    assert not facts_of(
        find("doing", make(("A cat is sitting on a couch.", "A cat is lying on a couch."), *CAT.boxes))
    )
    assert facts_of(find("doing", CAT))


def test_doing_is_silent_on_what_lies_or_was_told() -> None:
    parked = make(("A truck is parked on a street.", "A truck parked on a street."), at("left", "truck"))
    assert find("doing", parked) == []
    assert find("doing", RIDER, "doing man") == []


def test_who_says_the_one_who_does_it() -> None:
    moves = find("who", RIDER)
    assert families_of(moves) == {"who"}
    assert RIDES in facts_of(moves)
    assert slots_of(moves, "a_x") == {"a man"}
    assert {move.ask["doing"] for move in moves} >= {"riding a horse on a beach"}


@pytest.mark.parametrize(
    "record",
    [
        *NOT_SURE[:2],
        make(
            ("A man riding a horse and a woman riding a horse.", "A man and a woman riding a horse."),
            *(at("left", "person"), at("middle", "person"), at("right", "horse")),
        ),
        make(("A cat is sleeping.", "A cat is sleeping."), at("left", "cat")),
        make(("A bus driving down a street.", "A bus driving down a street."), at("left", "bus")),
    ],
    ids=[*NOT_SURE_IDS[:2], "two do so", "a word alone", "neither person nor animal"],
)
def test_who_is_silent_where_the_answer_is_not_one(record: ImageRecord) -> None:
    assert not [move for move in find("who", record) if move.ask["doing"] != "wearing a hat"]


def test_who_is_silent_on_one_spoken_of() -> None:
    assert find("who", RIDER, "doing man") == []


def test_where_at_says_where_something_sits() -> None:
    moves = find("where-at", CAT)
    assert families_of(moves) == {"where_at"}
    assert slots_of(moves, "place") == {"on a couch"}
    assert facts_of(moves) == {fact("doing", "cat", "sitting", "on a couch")}


def test_where_at_says_how_it_is_there_where_that_is_no_posture() -> None:
    parked = make(("A truck is parked on a street.", "A truck parked on a street."), at("left", "truck"))
    assert slots_of(find("where-at", parked), "place") == {"parked on a street"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (RIDER, ()),
        (place(CAT, at("right", "couch")), ()),
        (place(CAT, at("left", "cat")), ()),
        (place(CAT, at("left", "cat"), at("middle", "cat"), at("right", "couch")), ()),
        (CAT, ("doing cat",)),
        (CAT, ("place couch",)),
        (CAT, ("where cat",)),
    ],
    ids=["no placement", "no cat", "no couch", "two cats", "told", "place told", "where told"],
)
def test_where_at_is_silent_where_no_place_is_sure(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("where-at", record, *told) == []


def test_summary_says_the_best_supported_doing_and_the_place() -> None:
    inland = swap(RIDER, " on a beach", "")
    moves = find("summary", say(inland, "A man is riding a horse in a field.", "A man in a field.", "A field."))
    assert families_of(moves) == {"summary"}
    (said,) = slots_of(moves, "event")
    assert said.startswith("a man is riding a horse")
    assert "field" in said


def test_summary_tells_what_most_captions_state_in_full() -> None:
    record = make(
        ("A man holding a kite in a park.", "A man is holding a kite.", "A man with a kite on the grass.", "A park."),
        *(at("left", "person"), at("right", "kite")),
    )
    moves = find("summary", record)
    assert slots_of(moves, "event") == {"a man is holding a kite in a park"}
    assert facts_of(moves) == {fact("told", "a man", "holding a kite in a park")}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (make(("A man near a horse.", "A man.", "A horse."), *RIDER.boxes), ()),
        (make(("A man rides a horse.", "A horse."), at("right", "horse")), ()),
        (RIDER, ("summary",)),
        (RIDER, ("doing man",)),
    ],
    ids=["nothing done", "no box of his", "summed up", "told"],
)
def test_summary_is_silent_with_little_support(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("summary", record, *told) == []


def test_wearing_says_what_the_one_wears_who_was_spoken_of() -> None:
    moves = find("wearing", RIDER, about="man")
    assert (families_of(moves), facts_of(moves)) == ({"wearing"}, {fact("doing", "man", "wearing a hat")})
    assert (slots_of(moves, "wears"), slots_of(moves, "it")) == ({"a hat"}, {"he"})


def test_holding_says_what_the_one_holds_who_was_spoken_of() -> None:
    moves = find("holding", HOLDER, about="man")
    assert families_of(moves) == {"holding"}
    assert slots_of(moves, "held") == {"a red umbrella"}
    assert facts_of(moves) == {
        fact("doing", "man", "holding an umbrella"),
        fact("attribute", "umbrella", "red", "color"),
    }


def test_doing_after_says_what_the_one_does_who_was_spoken_of() -> None:
    moves = find("doing-after", RIDER, about="man")
    assert families_of(moves) == {"doing_follow"}
    assert RIDES in facts_of(moves)
    assert (slots_of(moves, "it"), slots_of(moves, "is")) == ({"he"}, {"is"})


@pytest.mark.parametrize(
    ("name", "record", "told"),
    [
        ("wearing", RIDER, "wear man"),
        ("holding", HOLDER, "hold man"),
        ("doing-after", RIDER, "doing man"),
    ],
)
def test_wearing_and_holding_and_doing_after_are_silent(name: str, record: ImageRecord, told: str) -> None:
    assert find(name, record, about="man")
    assert find(name, record) == [], "nothing was spoken of"
    assert find(name, record, about="horse") == [], "something else was spoken of"
    assert find(name, record, told, about="man") == [], "told before"
    assert find(name, swap(record, "man", "woman"), about="woman") != []


def test_wearing_is_silent_where_it_may_be_somebody_else() -> None:
    two = place(RIDER, at("left", "person"), at("middle", "person"), at("right", "horse"))
    record = say(two, "A woman next to a man.", "Two men on a beach.")
    assert find("wearing", record, about="person") == []


def test_holding_is_silent_where_nothing_is_held() -> None:
    assert find("holding", RIDER, about="man") == []
    assert find("holding", place(HOLDER, *HOLDER.boxes[::2]), about="man") == []


def test_doing_after_is_silent_about_one_who_does_nothing() -> None:
    assert find("doing-after", CAT, about="couch") == []


def test_doing_is_silent_of_one_person_among_several() -> None:
    person = swap(RIDER, "man", "person")
    assert find("doing", person) != []
    several = say(person, "Two people and a horse.")
    assert find("doing", place(several, *(at("left", "person"), at("middle", "person"), at("right", "horse")))) == []


def test_where_at_is_silent_where_one_name_told_both() -> None:
    food = make(("Food on a plate.", "Food is on a plate.", "A plate of food."))
    assert slots_of(find("where-at", food), "place") == {"on a plate"}
    assert find("where-at", food, "there plate of food") == []


def test_wearing_is_silent_on_what_was_named() -> None:
    assert find("wearing", RIDER, "there hat", about="man") == []


def test_doing_says_that_somebody_is_on_the_phone() -> None:
    record = make(
        ("A man on a cell phone.", "A man on a cell phone."), at("left", "person"), at("right", "cell phone")
    )
    assert slots_of(find("doing", record), "doing") == {"on a cell phone"}


def test_doing_and_summary_are_silent_on_what_few_captions_tell_of_people_who_stand() -> None:
    """A doing is borne out by two captions, what sums up the picture by most."""
    people = (at("left", "person"), at("right", "person"))
    standing = "People standing next to each other."
    others = ("People.", "Some people.", "People here.", "People.")
    for name, num in (("doing", 2), ("summary", 3)):
        few, enough = (make((*[standing] * told, *others[: 5 - told]), *people) for told in (num - 1, num))
        assert find(name, few) == []
        assert find(name, enough)


def test_laptop_of_most_captions_is_used_though_one_tells_so() -> None:
    captions = (
        *("A man sitting at a table with a laptop.", "A man sitting at a table using a laptop."),
        *("A man sitting in a chair with a laptop.", "A man leaning over a laptop."),
        "A man sitting at a table using a lap top.",
    )
    record = make(captions, at("left", "person"), at("right", "laptop"), at("middle", "dining table"))
    assert any("using a laptop" in words for words in slots_of(find("doing", record), "doing"))


def test_who_sits_before_a_laptop_and_uses_it_to_most_is_using_it() -> None:
    captions = (
        *("A man sitting in front of a laptop.", "A man using a laptop.", "A man uses a laptop."),
        *("A man using a laptop.", "A man sitting in front of a laptop and using it."),
    )
    said = list(slots_of(find("doing", make(captions, at("left", "person"), at("right", "laptop"))), "doing"))
    assert said
    assert not any("sitting" in words for words in said)


def test_group_is_asked_for_by_one_name() -> None:
    captions = ("Men riding waves.", "Men riding waves.", "Surfers carrying surfboards.", "Surfers carry surfboards.")
    record = make(captions, at("left", "person"), at("right", "person"), at("left top", "surfboard"))
    assert "the men" in slots_of(find("doing", record), "the_x")
    assert "the men" not in slots_of(find("doing", record, "doing surfers", "does person"), "the_x")
    assert "the men" in slots_of(find("doing", record, "doing children", "does person"), "the_x")
