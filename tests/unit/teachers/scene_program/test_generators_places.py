"""Where things are in the frame and how large they look: told where a margin keeps it true."""

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
)

CAPTIONS = ("A cat, a vase and a bench.", "A cat near a vase.", "A bench with a cat.", "A cat and a vase.")
YARD = make(CAPTIONS, at("left", "cat"), at("middle", "vase"), at("right", "bench"))
BIG_CAT, SMALL_CAT, VASE = Box("cat", 0.0, 0.1, 0.6, 0.9), Box("cat", 0.7, 0.1, 0.9, 0.3), at("right bottom", "vase")
CATS = make(
    ("Two cats on a floor.", "Two cats.", "Cats on a floor."),
    Box("cat", 0.05, 0.3, 0.45, 0.7),
    Box("cat", 0.7, 0.4, 0.8, 0.5),
)


def crowded(box: Box) -> Box:
    return structs.replace(box, is_crowd=True)


def test_region_says_where_in_the_frame_a_thing_is() -> None:
    moves = find("region", YARD)
    assert families_of(moves) == {"region"}
    assert facts_of(moves) == {
        fact("region", "cat", "left"),
        fact("region", "vase", "middle"),
        fact("region", "bench", "right"),
    }
    assert all("left" in one.tell["where"] for one in moves if one.tell["x"] == "cat")


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([at("nowhere", "cat")], ()),
        ([Box("cat", 0.0, 0.0, 1.0, 1.0)], ()),
        ([Box("cat", 0.1, 0.1, 0.15, 0.15)], ()),
        ([at("left", "cat"), at("right", "cat")], ()),
        ([at("left", "cat"), crowded(at("right", "cat"))], ()),
        ([at("left", "skis")], ()),
        ([at("left", "cat")], ("region cat",)),
    ],
    ids=["between", "everywhere", "tiny", "two", "crowd", "pair", "told"],
)
def test_region_is_silent_where_the_place_is_not_clear(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("region", place(YARD, *boxes), *told) == []


@pytest.mark.parametrize(
    ("one", "other", "family", "value"),
    [
        ("left", "right", "left_of", "left"),
        ("right", "left", "right_of", "right"),
        ("left top", "left bottom", "above", "higher"),
        ("left bottom", "left top", "below", "lower"),
    ],
)
def test_relation_says_how_two_things_lie(one: str, other: str, family: str, value: str) -> None:
    moves = [
        move for move in find("relation", place(YARD, at(one, "cat"), at(other, "vase"))) if move.tell["x"] == "cat"
    ]
    sides = {"side_choice"} if value in ("left", "right") else set()
    assert families_of(moves) == {family, *sides}
    assert facts_of(moves) == {fact("relation", "cat", value, "vase")}
    assert {move.tell["side"] for move in moves if move.family == "side_choice"} == ({value} if sides else set())


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([Box("cat", 0.1, 0.3, 0.5, 0.7), Box("vase", 0.4, 0.4, 0.8, 0.8)], ()),
        ([Box("cat", 0.1, 0.3, 0.5, 0.7), Box("vase", 0.51, 0.3, 0.8, 0.7)], ()),
        ([at("left", "cat"), at("right", "cat")], ()),
        ([at("left", "cat")], ()),
        (YARD.boxes, ("relation",)),
    ],
    ids=["overlapping", "touching", "of one kind", "alone", "told"],
)
def test_relation_is_silent_where_boxes_meet(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("relation", place(YARD, *boxes), *told) == []


def test_larger_says_which_takes_up_more_of_the_frame() -> None:
    moves = find("larger", place(YARD, BIG_CAT, VASE))
    assert (families_of(moves), facts_of(moves)) == ({"larger"}, {fact("larger", "cat", other="vase")})
    assert slots_of(moves, "a") == {"the cat", "the vase"}, "the order of the question must not tell"


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([at("left", "cat"), at("right", "vase")], ()),
        ([Box("cat", 0.0, 0.0, 0.4, 0.4), Box("vase", 0.5, 0.5, 0.8, 0.8)], ()),
        ([BIG_CAT, SMALL_CAT, VASE], ()),
        ([BIG_CAT, VASE], ("size",)),
    ],
    ids=["alike", "margin too small", "which of two", "told"],
)
def test_larger_is_silent_without_a_clear_margin(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("larger", place(YARD, *boxes), *told) == []


def test_order_says_what_comes_from_left_to_right() -> None:
    moves = find("order", YARD)
    assert families_of(moves) == {"order_left_right"}
    assert facts_of(moves) == {fact("order", "cat|vase|bench", "left to right")}
    assert slots_of(moves, "list") == {"a cat, a vase and a bench"}
    assert slots_of(find("order", YARD, "there vase"), "list") == {"a cat, the vase and a bench"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (place(YARD, at("left", "cat"), at("right", "bench")), ()),
        (place(YARD, at("left", "cat"), Box("vase", 0.25, 0.4, 0.6, 0.6), at("right", "bench")), ()),
        (place(YARD, at("left", "cat"), at("left bottom", "vase"), at("right", "bench")), ()),
        (swap(YARD, "vase", "thing"), ()),
        (YARD, ("order",)),
    ],
    ids=["two things", "overlapping", "one above the other", "unnamed", "told"],
)
def test_order_is_silent_where_things_do_not_stand_apart(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("order", record, *told) == []


SIZES = (Box("cat", 0.0, 0.0, 0.6, 0.6), Box("vase", 0.65, 0.0, 0.95, 0.3), Box("clock", 0.7, 0.5, 0.85, 0.65))


def test_order_of_size_says_what_looks_large_and_small() -> None:
    moves = find("order-of-size", place(YARD, *SIZES))
    assert families_of(moves) == {"order_size"}
    assert facts_of(moves) == {fact("order", "cat|vase|clock", "large to small")}


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        (YARD.boxes, ()),
        (SIZES[:2], ()),
        ((*SIZES[:2], Box("clock", 0.6, 0.5, 0.85, 0.75)), ()),
        ((*SIZES[:2], Box("dining table", 0.7, 0.5, 0.85, 0.65)), ()),
        (SIZES, ("order",)),
        (SIZES, ("size",)),
    ],
    ids=["alike", "two things", "margin too small", "a table holds what is on it", "told", "size told"],
)
def test_order_of_size_is_silent_without_clear_margins(boxes: tuple[Box, ...], told: tuple[str, ...]) -> None:
    assert find("order-of-size", place(YARD, *boxes), *told) == []


def test_largest_says_where_the_largest_of_a_kind_is() -> None:
    assert find("largest", CATS) == [], "of two, one is the larger"
    moves = find("largest", structs.replace(CATS, boxes=(*CATS.boxes, Box("cat", 0.75, 0.75, 0.85, 0.85))))
    assert (families_of(moves), facts_of(moves)) == ({"largest_of"}, {fact("largest", "cat", "left")})
    assert {one.claims[0].evidence.boxes for one in moves} == {(0,)}


LARGEST_UNSURE = {
    "alike": [at("left", "cat"), at("right", "cat")],
    "margin too small": [Box("cat", 0.05, 0.3, 0.35, 0.6), Box("cat", 0.7, 0.4, 0.95, 0.65)],
    "only one": [at("left", "cat")],
    "crowd": [*CATS.boxes, crowded(at("middle", "cat"))],
    "place not clear": [at("nowhere", "cat"), Box("cat", 0.9, 0.9, 0.95, 0.95)],
}


@pytest.mark.parametrize("boxes", LARGEST_UNSURE.values(), ids=LARGEST_UNSURE)
def test_largest_is_silent_where_none_is_clearly_larger(boxes: list[Box]) -> None:
    assert find("largest", place(CATS, *boxes)) == []


def test_largest_is_silent_on_tables_and_on_what_was_told() -> None:
    assert find("largest", CATS, "largest cat") == []
    tables = [structs.replace(one, category="dining table") for one in CATS.boxes]
    assert find("largest", place(swap(CATS, "cats", "tables"), *tables)) == []


def test_overlap_says_which_boxes_overlap() -> None:
    moves = find("overlap", place(YARD, Box("cat", 0.1, 0.1, 0.5, 0.5), Box("vase", 0.3, 0.1, 0.7, 0.5)))
    assert families_of(moves) == {"overlap"}
    assert facts_of(moves) == {fact("overlap", "cat", other="vase"), fact("overlap", "vase", other="cat")}


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([at("left", "cat"), at("right", "vase")], ()),
        ([Box("cat", 0.1, 0.1, 0.5, 0.5), Box("vase", 0.47, 0.1, 0.9, 0.5)], ()),
        ([Box("cat", 0.1, 0.1, 0.5, 0.5), Box("vase", 0.1, 0.1, 0.5, 0.51)], ()),
        ([Box("cat", 0.1, 0.1, 0.5, 0.5), Box("couch", 0.3, 0.1, 0.7, 0.5)], ()),
        ([Box("person", 0.1, 0.1, 0.5, 0.5), Box("vase", 0.3, 0.1, 0.7, 0.5)], ()),
        ([Box("cat", 0.1, 0.1, 0.5, 0.5), Box("vase", 0.3, 0.1, 0.7, 0.5)], ("overlap",)),
    ],
    ids=["apart", "barely", "one thing twice", "a couch", "a person", "told"],
)
def test_overlap_is_silent_where_boxes_hardly_meet(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("overlap", place(YARD, *boxes), *told) == []


@pytest.mark.parametrize(
    ("box", "edge"),
    [
        (Box("cat", 0.0, 0.3, 0.4, 0.7), "left"),
        (Box("cat", 0.6, 0.3, 1.0, 0.7), "right"),
        (Box("cat", 0.3, 0.0, 0.7, 0.4), "top"),
        (Box("cat", 0.3, 0.6, 0.7, 0.999), "bottom"),
    ],
)
def test_edge_says_which_edge_is_reached(box: Box, edge: str) -> None:
    moves = find("edge", place(YARD, box))
    assert (families_of(moves), facts_of(moves)) == ({"edge"}, {fact("edge", "cat", edge)})
    assert slots_of(moves, "edge") == {f"{edge} edge"}


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([at("left", "cat")], ()),
        ([Box("cat", 0.01, 0.3, 0.4, 0.7)], ()),
        ([Box("cat", 0.0, 0.6, 0.4, 1.0)], ()),
        ([Box("vase", 0.0, 0.3, 0.4, 0.7)], ()),
        ([Box("dog", 0.0, 0.3, 0.4, 0.7)], ()),
        ([Box("cat", 0.0, 0.3, 0.4, 0.7)], ("edge",)),
        ([Box("cat", 0.0, 0.3, 0.4, 0.7)], ("region cat",)),
        ([Box("cat", 0.0, 0.1, 0.5, 0.8)], ()),
        ([Box("cat", 0.0, 0.1, 0.2, 0.9)], ()),
    ],
    ids=["inside", "nearly", "two edges", "a thing", "unnamed", "told", "side told", "large", "fills the height"],
)
def test_edge_is_silent_where_not_one_edge_is_reached(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("edge", place(YARD, *boxes), *told) == []


def test_clarify_says_how_many_could_be_meant_and_where_the_largest_is() -> None:
    moves = find("clarify", CATS)
    assert families_of(moves) == {"clarify"}
    assert facts_of(moves) == {fact("count", "cats", number=2), fact("largest", "cat", "left")}
    assert slots_of(moves, "number") == {"two"}


def test_clarify_says_several_where_the_number_is_disputed() -> None:
    moves = find("clarify", place(CATS, *CATS.boxes, Box("cat", 0.85, 0.8, 0.9, 0.85)))
    assert slots_of(moves, "number") == {"several"}
    assert facts_of(moves) == {fact("exists", "cats", number=2), fact("largest", "cat", "left")}


@pytest.mark.parametrize("boxes", LARGEST_UNSURE.values(), ids=LARGEST_UNSURE)
def test_clarify_is_silent_where_none_stands_out(boxes: list[Box]) -> None:
    assert find("clarify", place(CATS, *boxes)) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (say(CATS, "Three cats."), ()),
        (place(make(("Cats on a floor.", "Animals.", "A floor.")), *CATS.boxes, at("left bottom", "cat")), ()),
        (CATS, ("clarify",)),
        (CATS, ("count cat",)),
    ],
    ids=["two boxes, three said", "hardly named", "told", "counted"],
)
def test_clarify_is_silent_where_the_number_is_not_sure(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("clarify", record, *told) == []


@pytest.mark.parametrize(
    ("box", "value", "extent"),
    [
        (Box("cat", 0.1, 0.3, 0.9, 0.75), "wide", "width"),
        (Box("cat", 0.3, 0.1, 0.75, 0.9), "tall", "height"),
        (Box("cat", 0.05, 0.05, 0.95, 0.95), "wide", "width"),
    ],
    ids=["wide", "tall", "both"],
)
def test_extent_says_how_much_of_the_frame_a_thing_takes_up(box: Box, value: str, extent: str) -> None:
    moves = find("extent", place(YARD, box))
    assert (families_of(moves), facts_of(moves)) == ({"extent"}, {fact("extent", "cat", value)})
    assert slots_of(moves, "extent") == {extent}


WIDE = Box("cat", 0.1, 0.3, 0.9, 0.75)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (place(YARD, Box("cat", 0.1, 0.2, 0.8, 0.8)), ()),
        (place(YARD, Box("cat", 0.0, 0.4, 1.0, 0.7)), ()),
        (place(YARD, WIDE, at("right top", "cat")), ()),
        (place(YARD, WIDE, crowded(at("right top", "cat"))), ()),
        (swap(place(YARD, WIDE), "cat", "thing"), ()),
        (place(YARD, WIDE), ("extent cat",)),
    ],
    ids=["less than three quarters", "a strip", "which of two", "crowd", "unnamed", "told"],
)
def test_extent_is_silent_where_a_thing_fills_less_or_is_not_one(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("extent", record, *told) == []


@pytest.mark.parametrize(
    ("boxes", "family", "half"),
    [
        ([at("left", "cat"), at("left top", "cat")], "in_half_two", "left"),
        ([at("left top", "cat"), at("right top", "cat"), Box("cat", 0.4, 0.1, 0.5, 0.3)], "in_half", "upper"),
        ([at("left", "cat"), at("right top", "cat"), at("right bottom", "cat")], "in_both_halves", "both"),
    ],
)
def test_halves_says_in_which_half_all_are_or_that_they_are_in_both(boxes: list[Box], family: str, half: str) -> None:
    moves = find("halves", place(CATS, *boxes))
    assert families_of(moves) == {family}
    assert facts_of(moves) == {fact("half", "cats", half)}


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([at("left", "cat")], ()),
        ([at("left", "cat"), crowded(at("left top", "cat"))], ()),
        ([at("middle", "cat"), Box("cat", 0.3, 0.3, 0.7, 0.7)], ()),
        ([at("left", "cat"), at("middle", "cat"), at("right bottom", "cat")], ()),
        ([at("left", "cat"), Box("cat", 0.52, 0.4, 0.64, 0.6)], ()),
        ([at("left", "cat"), at("left top", "cat")], ("halves cat",)),
    ],
    ids=["one", "crowd", "in the middle", "in the middle too", "near the middle", "told"],
)
def test_halves_is_silent_where_there_is_one_or_no_half_is_clear(boxes: list[Box], told: tuple[str, ...]) -> None:
    assert find("halves", place(CATS, *boxes), *told) == []


def test_halves_says_both_of_two_that_captions_count() -> None:
    boxes = [at("left", "cat"), at("left top", "cat")]
    more = say(place(CATS, *boxes), "Four cats.")
    assert families_of(find("halves", more)) == {"in_half"}


def test_relation_says_no_more_of_what_was_pointed_out() -> None:
    beside = make(("A cat and a dog.",), at("left", "cat"), at("right", "dog"))
    assert {move.tell["x"] for move in find("relation", beside, "region cat")} == {"dog"}


@pytest.mark.parametrize("name", ["banana", "book", "carrot"])
def test_larger_is_silent_of_what_comes_in_bunches(name: str) -> None:
    record = make(("A cat and more.",), Box("cat", 0.0, 0.1, 0.6, 0.9), Box(name, 0.7, 0.1, 0.95, 0.5))
    assert find("larger", record) == []


def test_region_of_a_table_is_silent_where_the_frame_cuts_it_or_a_thing_lies_beside_its_box() -> None:
    """A table's box may hold a corner alone."""
    told = ("A cat on a table.", "A cat is lying on a table.", "A cat on a table.")
    whole = make(told, Box("dining table", 0.05, 0.4, 0.4, 0.9), Box("cat", 0.1, 0.3, 0.3, 0.6))
    assert "dining table" in {move.about.entity.name for move in find("region", whole) if move.about}
    cut = place(whole, Box("dining table", 0.0, 0.4, 0.4, 0.9), Box("cat", 0.1, 0.3, 0.3, 0.6))
    beside = place(whole, Box("dining table", 0.05, 0.4, 0.4, 0.9), Box("cat", 0.6, 0.1, 0.9, 0.3))
    for record in (cut, beside):
        assert "dining table" not in {move.about.entity.name for move in find("region", record) if move.about}


@pytest.mark.parametrize(("box", "most"), [(None, "larger"), (Box("cat", 0.85, 0.8, 0.9, 0.85), "largest")])
def test_clarify_calls_one_of_two_the_larger(box: Box | None, most: str) -> None:
    cats = place(CATS, *CATS.boxes, *([box] if box else []))
    assert slots_of(find("clarify", cats), "most") == {most}


def test_extent_says_that_what_fills_the_frame_both_ways_fills_most_of_the_picture() -> None:
    assert families_of(find("extent", place(YARD, Box("cat", 0.0, 0.02, 1.0, 0.99)))) == {"extent_whole"}
