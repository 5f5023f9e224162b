"""How many there are and what they look like: told where captions and boxes agree, and not where any disagrees."""

import pytest
from msgspec import structs

from instructgen.records import Box, ImageRecord
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
    swap_first,
)

DOGS = make(
    ("Two dogs and a cat.", "Two dogs lying on the floor near a cat.", "Two dogs with a cat.", "A cat and two dogs."),
    at("left", "dog"),
    at("right", "dog"),
    at("left top", "cat"),
)
BUS = make(
    ("A red bus drives down a street.", "The bus is red.", "A bus on a street.", "A red bus by a building."),
    at("left", "bus"),
    at("right", "person"),
)
BENCH = make(
    ("A wooden bench in a park.", "An old bench by a tree.", "A bench in a park.", "The bench is empty."),
    at("left", "bench"),
)
COUNTS = {fact("count", "dogs", number=2), fact("count", "cat", number=1)}


def crowd(category: str) -> Box:
    return structs.replace(at("middle", category), is_crowd=True)


def test_counting_says_the_number_on_which_boxes_and_captions_agree() -> None:
    moves = find("counting", DOGS)
    assert (families_of(moves), facts_of(moves)) == ({"count"}, {fact("count", "dogs", number=2)})
    assert (slots_of(moves, "number"), slots_of(moves, "xs")) == ({"two"}, {"dogs"})


@pytest.mark.parametrize(
    "record",
    [
        say(DOGS, "Three dogs lying around."),
        say(DOGS, "Several dogs lying around."),
        say(DOGS, *["A dog lying on the floor."] * 5),
        say(DOGS, "Four tired and sleepy dogs."),
        say(DOGS, "Four tired looking dogs."),
        swap(DOGS, "wo dogs", "he dogs"),
        place(DOGS, at("left", "dog"), at("right", "dog"), at("middle", "dog")),
        place(DOGS, at("left", "dog"), at("right", "dog"), crowd("dog")),
        place(DOGS, at("left", "dog")),
        place(swap(DOGS, "dogs", "skis"), at("left", "skis"), at("right", "skis")),
    ],
    ids=[
        "three",
        "several",
        "one to most",
        "four, not fully read",
        "four, looking",
        "no number",
        "third box",
        "crowd",
        "one box",
        "pairs",
    ],
)
def test_counting_is_silent_where_the_number_is_in_doubt(record: ImageRecord) -> None:
    assert find("counting", record) == []


def test_counting_is_silent_on_what_was_counted() -> None:
    assert find("counting", DOGS, "count dog") == []


def test_counting_to_one_says_one() -> None:
    moves = find("counting-to-one", DOGS)
    assert (families_of(moves), facts_of(moves)) == ({"count_one"}, {fact("count", "cat", number=1)})
    assert slots_of(moves, "xs") == {"cats"}


@pytest.mark.parametrize(
    "record",
    [
        say(DOGS, "Some cats and dogs."),
        place(DOGS, at("left top", "cat"), at("right top", "cat")),
        place(DOGS, at("left top", "cat"), crowd("cat")),
        place(DOGS),
        make(("A cat on the floor.", "An animal."), at("left", "cat")),
    ],
    ids=["cats in a caption", "two boxes", "crowd", "no box", "one caption alone"],
)
def test_counting_to_one_is_silent_where_there_may_be_others(record: ImageRecord) -> None:
    assert find("counting-to-one", record) == []


PETS = make(
    ("Three dogs and two cats on a rug.", "Three dogs beside two cats.", "Some pets."),
    *(at("left", "dog"), at("right", "dog"), at("left top", "dog"), at("right top", "cat"), at("middle", "cat")),
)


def test_more_says_both_numbers() -> None:
    moves = find("more", PETS)
    assert families_of(moves) == {"more"}
    assert fact("more", "dog", other="cat") in facts_of(moves)
    assert (slots_of(moves, "number_x"), slots_of(moves, "number_y")) == ({"three"}, {"two"})
    assert {(move.tell["xs"], move.tell["ys"]) for move in moves} == {("dogs", "cats")}
    assert {move.ask["xs"] for move in moves} == {"dogs", "cats"}, "the order of the question must not tell"


@pytest.mark.parametrize(
    "record",
    [
        DOGS,
        say(PETS, "Four dogs and two cats."),
        place(PETS, *(at(where, "dog") for where in ("left", "right", "left top"))),
        place(PETS, at("left", "dog"), at("right", "dog"), at("left top", "cat"), at("right top", "cat")),
    ],
    ids=["one of the other", "disputed", "one kind", "as many"],
)
def test_more_is_silent_where_nothing_outnumbers(record: ImageRecord) -> None:
    assert find("more", record) == []


@pytest.mark.parametrize("told", ["more", "count dog", "count cat"])
def test_more_is_silent_on_what_was_counted(told: str) -> None:
    assert find("more", PETS, told) == []


def test_color_says_what_captions_say_of_a_single_thing() -> None:
    moves = find("color", BUS)
    assert families_of(moves) == {"color", "color_choice"}
    assert facts_of(moves) == {fact("attribute", "bus", "red", "color")}
    assert slots_of(moves, "color") == {"red"}


def test_color_choice_offers_the_color_and_one_that_nobody_would_take_for_it() -> None:
    choices = [move for move in find("color", BUS) if move.family == "color_choice"]
    assert {"red" in (move.ask["c1"], move.ask["c2"]) for move in choices} == {True}
    assert {move.ask["c1"] == "red" for move in choices} == {True, False}
    offered = {move.ask[slot] for move in choices for slot in ("c1", "c2")}
    assert not offered & {"orange", "pink", "brown"}


@pytest.mark.parametrize(
    "record",
    [
        say(BUS, "A blue bus on the road."),
        say(BUS, "The bus is blue."),
        say(BUS, "A blue shiny rattling old bus on the road."),
        say(BUS, "A black and white photo of a bus."),
        say(BUS, "Red buses on a road."),
        place(BUS, at("left", "bus"), at("right", "bus")),
        place(BUS, at("right", "person")),
        swap(BUS, "red", "big"),
        swap(place(BUS, at("left", "bear")), "bus", "bear"),
    ],
    ids=[
        *("another color", "predicate", "not fully read", "no colors in the photo", "several told of"),
        *("two boxes", "no box", "no color told", "name of a species"),
    ],
)
def test_color_is_silent_where_it_is_in_doubt(record: ImageRecord) -> None:
    assert find("color", record) == []


def test_color_is_silent_on_what_was_told() -> None:
    assert find("color", BUS, "color bus") == []


def test_material_says_what_it_is_made_of() -> None:
    moves = find("material", BENCH)
    assert (families_of(moves), facts_of(moves)) == ({"material"}, {fact("attribute", "bench", "wood", "material")})


@pytest.mark.parametrize(
    "record",
    [
        say(BENCH, "A metal bench."),
        say(BENCH, "Some wooden benches."),
        place(BENCH, at("left", "bench"), at("right", "bench")),
        swap_first(BENCH, "wooden bench", "wooden floor and a bench"),
        place(swap(BENCH, "bench", "horse"), at("left", "horse")),
    ],
    ids=["another material", "several told of", "two boxes", "of something else", "animal"],
)
def test_material_is_silent_where_it_is_in_doubt(record: ImageRecord) -> None:
    assert find("material", record) == []


def test_looks_says_the_adjectives_of_captions() -> None:
    moves = find("looks", BENCH)
    assert families_of(moves) == {"looks"}
    assert facts_of(moves) == {
        fact("attribute", "bench", "old", "age"),
        fact("attribute", "bench", "empty", "state"),
    }
    assert slots_of(moves, "adjectives") == {"old and empty"}


def test_looks_says_the_color_last() -> None:
    record = swap_first(swap(BENCH, "An old", "A large"), "wooden", "green and yellow")
    assert slots_of(find("looks", record), "adjectives") == {"large, empty, green and yellow"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (BUS, ()),
        (say(swap(BENCH, "empty", "here"), "A new bench."), ()),
        (make(("An old man.", "An old man.", "An old man."), at("left", "person")), ()),
        (place(BENCH, at("left", "bench"), at("right", "bench")), ()),
        (BENCH, ("looks bench",)),
    ],
    ids=["a color alone", "opposites", "age of a person", "two of them", "told"],
)
def test_looks_is_silent_where_nothing_else_is_sure(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("looks", record, *told) == []


def test_looks_leaves_out_what_was_told() -> None:
    assert slots_of(find("looks", BENCH, "state bench", "color bench"), "adjectives") == {"old"}


@pytest.mark.parametrize(("first", "second"), [("old", "new"), ("dirty", "clean")])
def test_looks_is_silent_on_opposites(first: str, second: str) -> None:
    record = make((f"A {first} bench.", "A bench.", "The bench."), at("left", "bench"))
    assert facts_of(find("looks", record)) != set()
    assert find("looks", say(record, f"A {second} bench.")) == []


def test_looks_is_silent_on_what_is_merely_open() -> None:
    """That it is open is told beside a look, where captions do not tell otherwise."""
    record = make(("An open umbrella.", "An umbrella.", "The umbrella."), at("left", "umbrella"))
    assert find("looks", record) == []
    old = swap(record, "open", "old open")
    assert slots_of(find("looks", old), "adjectives") == {"old and open"}
    assert slots_of(find("looks", say(old, "A closed umbrella.")), "adjectives") == {"old"}


@pytest.mark.parametrize(
    ("captions", "is_asked"),
    [
        (("Two dogs.", "Two dogs on a floor.", "Dogs."), True),
        (("Two gray dogs.", "Two grey dogs.", "Dogs."), False),
        (("Two black dogs.", "Two dogs on a floor.", "Dogs."), False),
        (("A black dog and a white dog.", "Two dogs on a floor.", "Two dogs."), True),
        (("Two dogs on a black floor.", "Two dogs on a floor.", "Two dogs."), True),
    ],
    ids=["no color", "two spellings", "one color", "two colors", "of the floor"],
)
def test_what_color_one_of_several_has_is_not_unclear_where_all_have_one(
    captions: tuple[str, ...], *, is_asked: bool
) -> None:
    dogs = (Box("dog", 0.05, 0.3, 0.45, 0.7), Box("dog", 0.7, 0.4, 0.8, 0.5))
    assert bool(find("clarify", make(captions, *dogs))) is is_asked
