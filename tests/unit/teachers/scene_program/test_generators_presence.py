"""What is there and what is not: each generator says what boxes and captions prove, and is silent otherwise."""

import pytest

from instructgen.lexicon.categories import CATEGORIES
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
    swap_first,
)

CAT = make(
    ("A cat sits on a chair.", "A cat on a chair near a vase.", "A cat is sitting on a chair.", "A cat is here."),
    at("left top", "cat"),
    at("right", "chair"),
    at("right top", "vase"),
)
# No caption tells of all.
ROOM = make(("A cat.", "A cat and a chair.", "A cat near a vase.", "A vase and a chair."), *CAT.boxes)
STREET = make(
    ("A car drives down a street.", "A car and a bus on a street.", "A car on a city street.", "A car drives."),
    at("left", "car"),
    at("right", "bus"),
    at("middle", "person"),
    at("left top", "clock"),
)
DENYING = ("absence", "neither", "missing", "which-present", "odd-one-out", "false-premise")
# Each of these words leaves room for the thing that the base image certainly lacks.
ROOM_FOR = [
    ("bicycle", "Some bikes are around."),
    ("traffic light", "There is a light somewhere."),
    ("dog", "Somebody walks a pet."),
    ("stop sign", "A sign can be read."),
    ("umbrella", "All of this in the rain."),
    ("fire hydrant", "Something red for the fire brigade."),
    ("parking meter", "Here parking is not free."),
    ("bench", "A seat by the road."),
]


def denied(name: str, record: ImageRecord) -> set[str]:
    return {one[1] for one in facts_of(find(name, record)) if one[0] == "absent"}


def test_overview_says_what_is_listed() -> None:
    moves = find("overview", ROOM)
    assert families_of(moves) == {"overview"}
    assert slots_of(moves, "list") == {"a cat, a vase and a chair"}
    assert facts_of(moves) == {fact("exists", word, number=1) for word in ("cat", "chair", "vase")}


@pytest.mark.parametrize(
    ("captions", "listed"),
    [
        (("A carrot and vegetables.", "A cup and vegetables.", "A cup and a carrot."), {"a carrot and a cup"}),
        (("A carrot, a cup and pillow cases.",) * 3, set()),
    ],
    ids=["a general word beside its kind", "what all name is left out"],
)
def test_overview_lists_each_once_and_all_that_most_name(captions: tuple[str, ...], listed: set[str]) -> None:
    record = make(captions, at("left", "carrot"), at("right", "cup"))
    assert slots_of(find("overview", record), "list") == listed


def test_overview_says_several_as_several() -> None:
    moves = find("overview", place(swap_first(ROOM, "A cat", "Cats"), *ROOM.boxes, at("middle", "cat")))
    assert fact("exists", "cats", number=2) in facts_of(moves)
    assert all("cats" in one for one in slots_of(moves, "list"))


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (place(ROOM, at("left top", "cat")), ()),
        (place(ROOM), ()),
        (ROOM, ("there cat", "there chair")),
        (place(ROOM, at("left top", "cat"), Box("clock", 0.9, 0.9, 0.91, 0.92)), ()),
        (CAT, ()),
    ],
    ids=["one thing", "no box", "one thing untold", "a thing too small to be sure", "a clause has all"],
)
def test_overview_is_silent_where_there_is_no_list(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("overview", record, *told) == []


def test_existence_says_where_a_single_thing_is() -> None:
    moves = [move for move in find("existence", CAT) if move.tell["x"] == "cat"]
    assert families_of(moves) == {"present_one"}
    assert facts_of(moves) == {fact("exists", "cat", number=1), fact("region", "cat", "left top")}
    assert all(words in {"a cat"} for words in slots_of(moves, "a_x"))
    assert all("left" in words for words in slots_of(moves, "where"))


def test_existence_says_no_region_where_none_is_clear_or_it_was_told() -> None:
    unclear = find("existence", place(CAT, at("nowhere", "cat")))
    assert (families_of(unclear), facts_of(unclear)) == ({"present_one_bare"}, {fact("exists", "cat", number=1)})
    told = [move for move in find("existence", CAT, "region cat") if move.tell["x"] == "cat"]
    assert families_of(told) == {"present_one_bare"}


def test_existence_says_several_without_a_region() -> None:
    cats = swap_first(CAT, "A cat sits", "Cats sit")
    moves = find("existence", place(cats, at("left top", "cat"), at("right top", "cat")))
    assert (families_of(moves), facts_of(moves)) == ({"present_many"}, {fact("exists", "cats", number=2)})


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (place(CAT), ()),
        (CAT, ("there cat", "there chair", "there vase")),
        (CAT, ("no cat", "no chair", "no vase")),
        (place(CAT, at("left", "skis")), ()),
        (place(CAT, Box("clock", 0.9, 0.9, 0.95, 0.95)), ()),
    ],
    ids=["named and not boxed", "told", "denied", "a pair", "small and unnamed"],
)
def test_existence_is_silent_where_it_is_not_sure(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("existence", record, *told) == []


def test_absence_says_what_keeps_company_and_is_not_there() -> None:
    moves = find("absence", STREET)
    assert families_of(moves) == {"absent_one", "absent_many", "absent_but"}
    assert {"bicycle", "bicycles", "dog", "fire hydrant", "parking meter"} <= denied("absence", STREET)
    others = {one for one in facts_of(moves) if one[0] == "exists"}
    assert others == {fact("exists", "car", number=1), fact("exists", "bus", number=1)}, "a caption must name it"
    for move in moves:
        assert ("a_y" in move.tell) == (move.family == "absent_but")


@pytest.mark.parametrize("name", DENYING)
def test_absence_is_silent_on_what_is_boxed_or_looks_like_it(name: str) -> None:
    said = denied(name, STREET)
    assert said
    # A truck may be what somebody boxed as a car or a bus.
    assert not said & {"car", "cars", "bus", "buses", "truck", "trucks", "person", "people", "clock", "clocks"}


@pytest.mark.parametrize(("category", "caption"), ROOM_FOR, ids=[one for one, _ in ROOM_FOR])
def test_absence_is_silent_where_a_word_leaves_room(category: str, caption: str) -> None:
    words = {CATEGORIES[category].spoken, CATEGORIES[category].plural}
    for name in DENYING:
        assert not denied(name, say(STREET, caption)) & words, name
    assert denied("absence", STREET) & words


def test_absence_is_silent_on_what_was_denied_before() -> None:
    assert "dog" in denied("neither", STREET)
    told = facts_of(find("neither", STREET, "no dog"))
    assert told
    assert fact("absent", "dog") not in told


@pytest.mark.parametrize("name", [name for name in DENYING if name != "false-premise"])
def test_neither_and_absence_are_silent_where_words_leave_room_for_all(name: str) -> None:
    hints = " ".join(word for one in CATEGORIES.values() for word in (*one.hints, *one.synonyms))
    assert find(name, STREET)
    assert find(name, say(STREET, hints)) == []


def test_neither_says_two_different_things() -> None:
    for move in find("neither", STREET):
        first, second = move.claims
        assert (first.kind, second.kind) == ("absent", "absent")
        assert first.subject == move.tell["x"] != move.tell["y"] == second.subject
        assert set(move.keys) >= {"no"}


def test_neither_is_silent_where_only_one_thing_is_left() -> None:
    keys = [f"no {name}" for name in CATEGORIES if name != "dog"]
    assert find("neither", STREET, *keys) == []


def test_missing_says_one_that_is_there_and_one_that_is_not() -> None:
    moves = find("missing", STREET)
    assert families_of(moves) == {"missing"}
    for move in moves:
        absent, there = move.claims
        assert (absent.kind, there.kind, there.number) == ("absent", "exists", 1)
        assert {move.ask["a"], move.ask["b"]} == {move.tell["a_x"], move.tell["a_y"]}
        assert move.tell["a_x"].endswith(absent.subject)
        assert there.subject in ("car", "bus", "clock")
    assert {move.ask["a"] == move.tell["a_x"] for move in moves} == {True, False}


@pytest.mark.parametrize("name", ["missing", "which-present", "odd-one-out"])
def test_missing_is_silent_without_a_single_thing_or_after_another_choice(name: str) -> None:
    assert find(name, STREET, "choice") == []
    crowd = place(STREET, at("left", "car"), at("right", "car"))
    assert find(name, crowd) == []


def test_which_present_says_the_one_of_three() -> None:
    moves = find("which-present", STREET)
    for move in moves:
        there, first, second = move.claims
        assert (there.kind, first.kind, second.kind) == ("exists", "absent", "absent")
        assert there.subject in ("car", "bus", "clock")
        named = {move.ask[slot].split(" ", 1)[1] for slot in "abc"}
        assert named == {there.subject, first.subject, second.subject}
    assert {slot for move in moves for slot in "abc" if move.ask[slot] == move.tell["a_x"]} == {"a", "b", "c"}


def test_which_present_is_silent_on_what_was_named_before() -> None:
    assert find("which-present", STREET, "there car", "there bus", "there clock") == []


def test_odd_one_out_says_three_that_are_there() -> None:
    moves = find("odd-one-out", STREET)
    assert families_of(moves) == {"odd_one"}
    for move in moves:
        odd, *there = move.claims
        assert odd.kind == "absent"
        assert {one.subject for one in there} == {"car", "bus", "clock"}
        assert {move.ask[slot].split(" ", 1)[1] for slot in "abcd"} == {"car", "bus", "clock", odd.subject}
        assert odd.subject not in move.tell["list"]


def test_odd_one_out_is_silent_with_fewer_than_three() -> None:
    assert find("odd-one-out", place(STREET, at("left", "car"), at("right", "bus"))) == []


def test_named_says_what_captions_name_and_no_box_holds() -> None:
    record = make(("A cat by a lamp.", "A cat near a lamp.", "A lamp."), at("left", "cat"))
    moves = find("named", record)
    assert families_of(moves) == {"present_named"}
    assert facts_of(moves) == {fact("exists", "lamp", number=1)}


def test_named_says_several_without_telling_how_many() -> None:
    lamps = find("named", make(("A cat by lamps.", "A cat near lamps.", "Lamps."), at("left", "cat")))
    assert families_of(lamps) == {"present_named_many"}
    assert facts_of(lamps) == {fact("exists", "lamps", number=2)}


@pytest.mark.parametrize(
    "captions",
    [("A cat by a lamp.", "A cat."), ("A cat on a chair.",) * 3],
    ids=["one caption", "boxed"],
)
def test_named_is_silent_where_it_is_not_certain_or_boxed(captions: tuple[str, ...]) -> None:
    assert find("named", make(captions, at("left", "cat"), at("right", "chair"))) == []


def test_named_is_silent_on_a_part_of_a_name_that_was_told() -> None:
    tracks = make(("A train on tracks.", "A train on the tracks.", "Tracks."), at("left", "train"))
    assert facts_of(find("named", tracks)) == {fact("exists", "tracks", number=2)}
    assert find("named", tracks, "there train track") == []


def test_overview_says_both_things_that_one_caption_names_side_by_side() -> None:
    towers = make(("A tower by a building.", "A tower.", "A building.", "A tower."))
    assert slots_of(find("overview", towers), "list") == {"a tower and a building"}
    apart = make(("A tower.", "A tower.", "A building.", "A building."))
    assert find("overview", apart) == []


def test_overview_is_silent_on_a_plate_of_food_where_the_plate_was_told() -> None:
    record = make(("A plate of food on a table.",) * 3, Box("dining table", 0.0, 0.0, 1.0, 1.0))
    assert slots_of(find("overview", record), "list") == {"a table and a plate of food"}
    assert find("overview", record, "there plate") == []


def test_overview_leaves_out_what_no_caption_names_where_it_passes_over_what_two_name() -> None:
    boxes = (at("left", "cat"), at("middle", "bench"), at("right", "vase"))
    captions = ("A cat and a bench.", "A cat.", "A bench.", "A cat and a bench.")
    assert "vase" in str(slots_of(find("overview", make(captions, *boxes)), "list"))
    beach = ("A cat on a beach.", "A bench on a beach and a cat.", "A bench.", "A cat and a bench.")
    assert "vase" not in str(slots_of(find("overview", make(beach, *boxes)), "list"))


def test_absence_asks_for_nothing_of_indoors_beside_a_tower() -> None:
    tower = make(("A tower with a clock.", "A clock on a tower.", "A tall tower."), at("left", "clock"))
    denied = {move.tell["x"] for move in find("absence", tower)}
    assert denied
    assert not denied & {"sink", "toilet", "toothbrush", "laptop", "television", "vase", "hair drier"}
