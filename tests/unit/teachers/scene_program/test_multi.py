"""Two images compared: what each kind of question finds, and what it leaves alone."""

import random
from collections.abc import Callable, Iterator

import pytest

from instructgen.records import ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, multi, write, write_text
from instructgen.teachers.scene_program.multi import COMPARISONS
from instructgen.teachers.scene_program.pair import Pair
from instructgen.teachers.scene_program.talk import Move
from instructgen.teachers.scene_program.wordings import STYLES, load_wordings
from tests.unit.teachers.scene_program.making import SEEDS, at, make, place, say, swap

# A black dog and two cars on a street by day; a white dog, one car and a cow in a field at night.
TOWN = make(
    (
        "A black dog sits on a street with two cars during the day.",
        "Two cars and a black dog on a street.",
        "A dog beside two cars on a street.",
    ),
    *(at("left", "dog"), at("right", "car"), at("right top", "car")),
)
FARM = make(
    (
        "A white dog, a car and a cow in a field at night.",
        "A white dog and a cow near a car in a field.",
        "A cow stands in a field by a car.",
    ),
    *(at("left", "dog"), at("right", "car"), at("middle", "cow")),
    image_id="made/2",
)
BY_NAME = {one.name: one for one in COMPARISONS}
Find = Callable[[Pair], Iterator[Move]]


def find(name: str, first: ImageRecord = TOWN, second: ImageRecord = FARM, *told: str) -> list[Move]:
    """Return what one kind of question finds over many seeds."""
    found: list[Move] = []
    for seed in SEEDS:
        pair = Pair(read_graph(first), read_graph(second), random.Random(seed))
        pair.said.update(told)
        found += BY_NAME[name].find(pair)
    return found


def tells(moves: list[Move], *names: str) -> set[tuple[str, ...]]:
    """Return each family with these slots."""
    return {(move.family, *(move.tell[name] for name in names)) for move in moves}


def facts(moves: list[Move]) -> set[tuple[str, str, str, int, int]]:
    return {(one.kind, one.subject, one.value, one.number, one.image) for move in moves for one in move.claims}


def test_what_both_show() -> None:
    assert tells(find("in-both"), "list") == {("multi_both", "a dog")}, "two cars and one car are not told alike"
    assert facts(find("in-both")) == {("exists", "dog", "", 1, 0), ("exists", "dog", "", 1, 1)}
    assert tells(find("in-both", TOWN, TOWN), "list") == {("multi_both", "a dog and cars")}
    assert find("in-both", TOWN, place(FARM, at("middle", "cow"))) == []
    assert find("in-both", TOWN, FARM, "dog") == [], "told already"


def test_what_only_one_shows() -> None:
    wild = say(place(FARM, *FARM.boxes, at("right top", "bird")), "Two birds and a cow in a field.")
    assert tells(find("unlike", TOWN, wild), "has", "lacks", "list") == {
        ("multi_unlike", "second", "first", "a cow and a bird")
    }
    assert ("absent", "cow", "", 0, 0) in facts(find("unlike", TOWN, wild))
    assert tells(find("unlike", wild, TOWN), "has", "lacks") == {("multi_unlike", "first", "second")}
    assert find("unlike", say(TOWN, "Cattle and birds are far away."), wild) == [], "a caption leaves room for them"
    assert find("unlike") == [], "one thing alone is asked after by itself"


def test_which_has_a_thing() -> None:
    families = ("multi_which", "multi_in_both_no", "multi_either_yes")
    assert tells(find("which"), "has", "lacks", "a_x") == {(one, "second", "first", "a cow") for one in families}
    assert facts(find("which")) == {("exists", "cow", "", 1, 1), ("absent", "cow", "", 0, 0)}
    assert tells(find("which", FARM, TOWN), "has") == {(one, "first") for one in families}
    assert find("which", say(TOWN, "Some cattle graze."), FARM) == []
    assert find("which", place(TOWN, *TOWN.boxes, at("middle", "horse")), FARM) == [], "a horse may be the cow"
    assert find("which", TOWN, TOWN) == []


def test_several_of_a_thing_are_asked_after_as_several_by_name_alone() -> None:
    herd = say(place(FARM, *FARM.boxes, at("right top", "cow")), "Two cows in a field.")
    assert {move.tell["a_x"] for move in find("which", TOWN, herd) if move.family == "multi_which"} == {"cows"}
    others = [move for move in find("which", TOWN, herd) if move.family != "multi_which"]
    assert {move.tell["a_x"] for move in others} == {"a cow"}


def test_both_have_a_thing() -> None:
    assert tells(find("in-both-of"), "a_x") == {("multi_in_both_yes", "a dog"), ("multi_in_both_yes", "a car")}
    assert find("in-both-of", TOWN, place(FARM, at("middle", "cow"))) == []


def test_neither_has_a_thing() -> None:
    moves = find("in-neither")
    names = {move.keys[0] for move in moves}
    assert names
    assert not names & {"dog", "car", "cow"}
    assert {one.kind for move in moves for one in move.claims} == {"absent"}
    assert {one.image for move in moves for one in move.claims} == {0, 1}
    for hint, gone in (("Trucks and buses.", {"truck", "bus"}), ("A bench and a bicycle.", {"bench", "bicycle"})):
        for pair in ((say(TOWN, hint), FARM), (TOWN, say(FARM, hint))):
            assert not {move.keys[0] for move in find("in-neither", *pair)} & gone


def test_which_has_more() -> None:
    assert tells(find("more"), "has", "lacks", "number_x", "number_y") == {
        ("multi_more", "first", "second", "two", "one")
    }
    assert facts(find("more")) == {("count", "cars", "", 2, 0), ("count", "car", "", 1, 1)}
    assert tells(find("more", FARM, TOWN), "has", "number_x") == {("multi_more", "second", "two")}


def test_none_is_less_than_some_and_as_many_is_no_more() -> None:
    empty = place(swap(swap(FARM, "near a car ", ""), ", a car and", " and"), FARM.boxes[0], FARM.boxes[2])
    empty = swap(empty, " by a car", "")
    assert tells(find("more", TOWN, empty), "number_x", "number_y") == {("multi_more", "two", "none")}
    assert ("absent", "cars", "", 0, 1) in facts(find("more", TOWN, empty))
    assert tells(find("more", TOWN, TOWN), "number_x") == {("multi_as_many", "two")}


@pytest.mark.parametrize(
    "doubtful",
    [
        place(TOWN, *TOWN.boxes, at("middle", "car")),  # three boxes, and captions count two
        say(TOWN, "Three cars on a street."),
        say(TOWN, "Several cars are parked."),
    ],
    ids=["boxes", "another number", "several"],
)
def test_numbers_that_are_not_sure_are_not_compared(doubtful: ImageRecord) -> None:
    for name in ("more", "counts"):
        assert find(name) != []
        assert find(name, doubtful, FARM) == find(name, FARM, doubtful) == []


def test_number_of_each() -> None:
    assert tells(find("counts"), "a", "b") == {("multi_counts", "two cars", "one car")}
    assert tells(find("counts", FARM, TOWN), "a", "b") == {("multi_counts", "one car", "two cars")}
    assert find("counts", FARM, FARM) == [], "one and one is not asked for"


def test_colors() -> None:
    assert tells(find("colors"), "c1", "c2") == {("multi_color_differs", "black", "white")}
    assert tells(find("colors", FARM, TOWN), "c1", "c2") == {("multi_color_differs", "white", "black")}
    black = swap(FARM, "white", "black")
    assert tells(find("colors", TOWN, black), "color") == {("multi_color_same", "black")}
    assert facts(find("colors", TOWN, black)) == {
        ("attribute", "dog", "black", 0, 0),
        ("attribute", "dog", "black", 0, 1),
    }


@pytest.mark.parametrize(
    "other",
    [
        swap(FARM, "white", "gray"),  # near black
        swap(FARM, "white ", ""),
        say(FARM, "A brown dog."),
        place(FARM, *FARM.boxes, at("right top", "dog")),
    ],
    ids=["near", "unknown", "disputed", "two dogs"],
)
def test_colors_that_are_not_clearly_apart_are_not_compared(other: ImageRecord) -> None:
    assert find("colors", TOWN, other) == find("colors", other, TOWN) == []


def test_places() -> None:
    beach = swap(FARM, "in a field", "on a beach")
    assert tells(find("places", TOWN, beach), "a", "b") == {("multi_place_differs", "on a street", "on a beach")}
    assert facts(find("places", TOWN, beach)) == {("place", "", "street", 0, 0), ("place", "", "beach", 0, 1)}
    town = swap(FARM, "in a field", "on a street")
    assert tells(find("places", TOWN, town), "place") == {("multi_place_same", "on a street")}
    for near in ("on a sidewalk", "on a city street", "at an intersection", "in a field"):
        assert find("places", TOWN, swap(FARM, "in a field", near)) == [], near
    assert find("places", TOWN, swap(FARM, " in a field", "")) == []


def test_times() -> None:
    assert tells(find("times"), "a", "b") == {("multi_time_differs", "during the day", "at night")}
    assert tells(find("times", TOWN, swap(FARM, "at night", "during the day")), "time") == {
        ("multi_time_same", "during the day")
    }
    assert find("times", TOWN, swap(FARM, "at night", "at sunset")) == [], "sunset may be called day"
    assert find("times", TOWN, swap(FARM, " at night", "")) == []


def test_conversation_has_two_to_four_turns_of_different_kinds_and_no_thing_twice() -> None:
    lengths = set()
    for seed in SEEDS:
        turns = write(Task("multi-image", FARM, TOWN), seed).turns
        lengths.add(len(turns))
        told = [claim for turn in turns for claim in turn.claims if claim.kind in ("exists", "absent", "count")]
        names = [{"cars": "car", "dogs": "dog"}.get(claim.subject, claim.subject) for claim in told]
        assert all(names.count(name) == 2 for name in names), "each thing once, of each of the images"
        assert len({turn.family for turn in turns}) == len(turns)
    assert lengths == {2, 3, 4}


def test_pictures_are_called_by_one_word_all_through() -> None:
    for seed in SEEDS:
        text = write_text(Task("multi-image", FARM, TOWN), seed).lower()
        assert sum(word in text for word in ("picture", "image", "photo")) == 1, text


def test_order_of_the_images_and_the_partner_matter() -> None:
    assert write(Task("multi-image", FARM, TOWN), 1) == write(Task("multi-image", FARM, TOWN), 1)
    assert write(Task("multi-image", FARM, TOWN), 1) != write(Task("multi-image", TOWN, FARM), 1)


def test_image_without_one_before_it_is_not_told() -> None:
    assert write_text(Task("multi-image", FARM), 1) == ""


def test_images_of_which_too_little_is_sure_are_not_told() -> None:
    assert write_text(Task("multi-image", make(["It."]), make(["That."])), 1) == ""


def test_every_family_is_used_by_a_comparison_and_has_wordings() -> None:
    used = {family for one in COMPARISONS for family in one.families}
    assert used == {name for name in load_wordings() if name.startswith("multi_")}


def test_near_places_are_places() -> None:
    from instructgen.scenegraph.settings import SETTINGS

    assert frozenset().union(*multi._NEAR_PLACES) <= SETTINGS.keys()


@pytest.mark.parametrize("style", STYLES)
def test_every_slot_of_a_family_is_filled(style: str) -> None:
    """Whatever form is drawn: each form of each family can be put into words."""
    dusk = swap(FARM, "white", "black")
    cases = ((TOWN, FARM), (TOWN, TOWN), (TOWN, dusk), (FARM, TOWN))
    met = set()
    for first, second in cases:
        for one in COMPARISONS:
            for move in find(one.name, first, second)[:6]:
                family = load_wordings()[move.family]
                forms = (*family.ask, *family.tells(style))  # type: ignore[arg-type]
                assert all("{" not in form.format(pic="photo", **move.tell, **move.ask) for form in forms)
                met.add(move.family)
    assert len(met) >= 13, met
