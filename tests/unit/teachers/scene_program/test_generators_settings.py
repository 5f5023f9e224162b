"""Place, time, weather and what matters most; false premises; and what follows up or adds to the turn before."""

from collections.abc import Iterable

import pytest

from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.graph import Span
from instructgen.teachers.scene_program.talk import Move
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

KITCHEN = make(
    ("A red cat in a kitchen.", "A red cat in a kitchen at night.", "A cat on a rainy night.", "A cat.", "The cat."),
    *(at("left", "cat"), at("right", "oven")),
)
APPLIANCES = make(
    ("A cat.", "A cat.", "A cat."), at("left", "cat"), at("right", "oven"), at("middle", "refrigerator")
)
# No caption has all that most captions name.
NAMED = make(("A cat here.", "The cat.", "A cat.", "A cat at night.", "A cat."), *KITCHEN.boxes)
BIG = Box("cat", 0.02, 0.3, 0.45, 0.7)
BUS = make(
    ("A red bus.", "The bus is red.", "A bus on a street.", "A bus and a bench on a street."),
    *(Box("bus", 0.05, 0.25, 0.45, 0.7), at("right", "bench"), at("middle", "person")),
)
RIDER = make(
    ("A man is riding a horse.", "A man riding a horse.", "The man is wearing a hat."),
    *(at("left", "person"), at("right", "horse")),
)


def test_setting_says_the_place_that_captions_name() -> None:
    moves = find("setting", KITCHEN)
    assert (families_of(moves), facts_of(moves)) == ({"setting"}, {fact("place", value="kitchen")})
    assert slots_of(moves, "place") == {"in a kitchen"}


@pytest.mark.parametrize("name", ["setting", "add-setting"])
@pytest.mark.parametrize(
    ("record", "told"),
    [
        (swap(KITCHEN, "in a kitchen", "by a painting of a kitchen"), ()),
        (make(("A cat in a bedroom.", "A cat in an office."), at("left", "cat")), ()),
        (swap(KITCHEN, "in a kitchen", "here"), ()),
        (KITCHEN, ("setting",)),
        (KITCHEN, ("place kitchen",)),
        (KITCHEN, ("there kitchen",)),
    ],
    ids=["merely named", "disputed", "not named", "told", "place told", "thing told"],
)
def test_setting_and_add_setting_are_silent(name: str, record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find(name, record, *told) == []


OUTSIDE = make(("A cat by a tree.", "A cat by trees.", "A cat under a tree."), at("left", "cat"))


def test_outdoors_says_that_it_was_taken_there() -> None:
    moves = find("outdoors", OUTSIDE)
    assert (families_of(moves), facts_of(moves)) == ({"outdoors"}, {fact("place", value="outdoors")})
    cited = {(span.caption, OUTSIDE.captions[span.caption][span.start : span.end]) for span in _spans_of(moves)}
    assert cited == {(0, "tree"), (1, "trees"), (2, "tree")}


def _spans_of(moves: Iterable[Move]) -> list[Span]:
    return [span for move in moves for claim in move.claims for span in claim.evidence.spans]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (swap(OUTSIDE, "by trees", "asleep"), ()),
        (swap(OUTSIDE, "by trees", "by trees on a screen"), ()),
        (say(OUTSIDE, "A cat in a kitchen."), ()),
        (place(OUTSIDE, at("left", "cat"), at("right", "bed")), ()),
        (say(OUTSIDE, "A cat in a park.", "A cat in a park."), ()),
        (say(OUTSIDE, "A cat in a park."), ()),
        (say(OUTSIDE, "A cat under the sky."), ()),
        (OUTSIDE, ("setting",)),
    ],
    ids=[
        "two captions alone",
        "on a screen",
        "a room",
        "a bed",
        "a place is certain",
        "a place is named",
        "the sky",
        "told",
    ],
)
def test_outdoors_is_silent_where_it_is_not_certain(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("outdoors", record, *told) == []


def test_setting_inferred_says_what_gives_the_place_away() -> None:
    moves = find("setting-inferred", APPLIANCES)
    assert families_of(moves) == {"setting_inferred"}
    ((kind, subject, value, *_),) = facts_of(moves)
    assert (kind, set(subject.split("|")), value) == ("inferred", {"oven", "refrigerator"}, "kitchen")
    assert slots_of(moves, "name") == {"a kitchen"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (say(APPLIANCES, "A cat in a bathroom.", "A bathroom."), ()),
        (place(APPLIANCES, at("right", "oven")), ()),
        (place(APPLIANCES, at("right", "oven"), Box("refrigerator", 0.1, 0.1, 0.12, 0.12)), ()),
        (APPLIANCES, ("setting",)),
    ],
    ids=["a caption names the place", "one sign alone", "a sign too small to trust", "told"],
)
def test_setting_inferred_is_silent_where_signs_are_missing(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("setting-inferred", record, *told) == []


def test_time_says_what_captions_say() -> None:
    moves = find("time", KITCHEN)
    assert (families_of(moves), facts_of(moves)) == ({"time"}, {fact("time", value="night")})
    assert slots_of(moves, "time") == {"at night"}


@pytest.mark.parametrize("caption", ["A cat on a sunny day.", "A cat at sunset.", "A cat in the morning."])
def test_time_is_silent_where_captions_disagree(caption: str) -> None:
    assert find("time", say(KITCHEN, caption)) == []


def test_time_is_silent_where_it_is_of_a_picture_or_told() -> None:
    assert find("time", swap(KITCHEN, "at night", "by a painting of a night scene")) == []
    assert find("time", swap(KITCHEN, "at night", "")) == []
    assert find("time", KITCHEN, "time") == []


def test_weather_says_what_captions_say() -> None:
    assert find("weather", KITCHEN) == []  # one caption alone, of a room
    moves = find("weather", swap(KITCHEN, "A cat.", "A cat in the rain."))
    assert (families_of(moves), facts_of(moves)) == ({"weather"}, {fact("weather", value="rainy")})


@pytest.mark.parametrize("caption", ["A cat under a clear blue sky.", "It is snowing.", "A sunny street."])
def test_weather_is_silent_where_captions_disagree(caption: str) -> None:
    assert find("weather", say(KITCHEN, caption)) == []


def test_weather_is_silent_where_it_is_not_told_or_was_told() -> None:
    assert find("weather", KITCHEN, "weather") == []
    assert find("weather", swap(KITCHEN, "rainy", "late")) == []


def test_main_says_what_nearly_every_caption_names() -> None:
    moves = find("main", NAMED)
    assert (families_of(moves), facts_of(moves)) == ({"main"}, {fact("main", "cat")})
    assert slots_of(moves, "x_main") == {"a cat"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (say(NAMED, "An oven.", "An oven."), ()),
        (make(("A cat.", "A cat."), at("left", "cat")), ()),
        (place(NAMED, at("right", "oven")), ()),
        (
            make(
                ("A man and two people.", "A man with people.", "A man.", "People and a man."),
                *(at("left", "person"), at("right", "person")),
            ),
            (),
        ),
        (NAMED, ("there cat",)),
        (make(("A bench and a cat.",) * 3, BIG, at("right", "bench")), ()),
        (KITCHEN, ()),
    ],
    ids=[
        "not by all",
        "two captions alone",
        "not boxed",
        "one among people",
        "told",
        "not first",
        "a clause tells more",
    ],
)
def test_main_is_silent_where_viewers_do_not_agree(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("main", record, *told) == []


def test_false_premise_says_what_is_not_there_and_no_more() -> None:
    moves = find("false-premise", BUS)
    assert families_of(moves) == {"false_color", "false_place", "false_count", "false_doing"}
    for move in moves:
        (absent,) = move.claims
        assert (absent.kind, absent.subject) == ("absent", move.tell["x"])
    doing = slots_of((move for move in moves if move.family == "false_doing"), "x")
    assert doing <= {
        "dog",
        "cat",
        "bird",
        "horse",
        "sheep",
        "bicycle",
        "motorcycle",
        "train",
        "boat",
        "airplane",
        "car",
    }


@pytest.mark.parametrize("hint", ["bike", "cyclist", "bicycle"])
def test_false_premise_is_silent_where_the_thing_may_be_there(hint: str) -> None:
    assert fact("absent", "bicycle") in facts_of(find("false-premise", BUS))
    assert fact("absent", "bicycle") not in facts_of(find("false-premise", say(BUS, f"Next to it is a {hint}.")))


def test_false_premise_is_silent_on_what_was_denied() -> None:
    assert fact("absent", "dog") not in facts_of(find("false-premise", BUS, "no dog"))


COLOR, REGION = fact("attribute", "bus", "red", "color"), fact("region", "bus", "left")


@pytest.mark.parametrize(
    ("name", "family", "claims"),
    [("color-after", "color_follow", {COLOR}), ("add-color", "add_color", {COLOR})],
)
def test_color_after_says_and_add_color_says(name: str, family: str, claims: set[object]) -> None:
    moves = find(name, BUS, about="bus")
    assert (families_of(moves), facts_of(moves)) == ({family}, claims)
    assert (slots_of(moves, "it"), slots_of(moves, "color")) == ({"it"}, {"red"})


@pytest.mark.parametrize("name", ["color-after", "add-color"])
def test_color_after_is_silent_and_add_color_is_silent(name: str) -> None:
    assert find(name, BUS) == [], "nothing was spoken of"
    assert find(name, BUS, about="bench") == [], "no color is known"
    assert find(name, say(BUS, "A blue bus."), about="bus") == [], "captions disagree"
    assert find(name, BUS, "color bus", about="bus") == [], "told"
    two = place(BUS, at("left", "bus"), at("right", "bus"))
    assert find(name, two, about="bus") == [], "which of two"
    assert find(name, say(BUS, "A man in red.", "A man in red."), about="person") == []


@pytest.mark.parametrize(("name", "family"), [("region-after", "where_follow"), ("add-region", "add_region")])
def test_region_after_says_and_add_region_says(name: str, family: str) -> None:
    moves = find(name, BUS, about="bus")
    assert (families_of(moves), facts_of(moves)) == ({family}, {REGION})
    assert all("left" in words for words in slots_of(moves, "where"))


@pytest.mark.parametrize("name", ["region-after", "add-region"])
def test_region_after_is_silent_and_add_region_is_silent(name: str) -> None:
    assert find(name, BUS) == [], "nothing was spoken of"
    assert find(name, BUS, about="person") == [], "people are not asked for like things"
    assert find(name, BUS, "region bus", about="bus") == [], "told"
    assert find(name, place(BUS, at("nowhere", "bus")), about="bus") == [], "not clear"
    assert find(name, place(BUS, at("left", "bus"), at("right", "bus")), about="bus") == [], "which of two"
    assert find(name, place(BUS, Box("bus", 0.1, 0.1, 0.15, 0.15)), about="bus") == [], "tiny"


def test_add_doing_says_what_the_one_does_who_was_spoken_of() -> None:
    moves = find("add-doing", RIDER, about="man")
    assert families_of(moves) == {"add_doing"}
    assert facts_of(moves) == {fact("doing", "man", "riding a horse")}
    assert (slots_of(moves, "it"), slots_of(moves, "its"), slots_of(moves, "is")) == ({"he"}, {"his"}, {"is"})


def test_add_doing_is_silent_about_others_and_on_what_was_told() -> None:
    assert find("add-doing", RIDER) == []
    assert find("add-doing", RIDER, about="horse") == []
    assert find("add-doing", RIDER, "doing man", about="man") == []
    assert find("add-doing", RIDER, "ride man", about="man") == []  # what he wears is asked about, not done


@pytest.mark.parametrize(("about", "family", "value"), [("bench", "add_left", "left"), ("bus", "add_right", "right")])
def test_add_side_says_what_else_is_on_that_side(about: str, family: str, value: str) -> None:
    other = {"bench": "bus", "bus": "bench"}[about]
    moves = find("add-side", BUS, "there person", about=about)
    assert families_of(moves) == {family}
    assert facts_of(moves) == {fact("relation", other, value, about)}
    assert slots_of(moves, "a_y") == {f"a {other}"}


def test_add_side_is_silent_where_boxes_meet_or_lie_otherwise() -> None:
    def sides(boxes: Iterable[Box]) -> list[object]:
        return [*find("add-side", place(BUS, *boxes), about="bus")]

    assert sides([at("left", "bus"), at("right", "bench")]) != []
    assert sides([Box("bus", 0.1, 0.3, 0.6, 0.7), Box("bench", 0.5, 0.3, 0.9, 0.7)]) == []
    assert sides([at("left top", "bus"), at("left bottom", "bench")]) == []
    assert sides([at("left", "bus"), at("right", "bench"), at("middle", "bench")]) == []
    assert find("add-side", BUS) == []
    assert find("add-side", BUS, "relation", about="bus") == []
    assert find("add-side", BUS, "there bench", "there person", about="bus") == []


def test_add_others_says_what_else_is_there() -> None:
    moves = find("add-others", KITCHEN)
    assert (families_of(moves), slots_of(moves, "list")) == ({"add_others"}, {"a cat and an oven"})
    assert facts_of(moves) == {fact("exists", "cat", number=1), fact("exists", "oven", number=1)}


@pytest.mark.parametrize("told", [("there cat",), ("there oven",), ("others",)])
def test_add_others_is_silent_with_fewer_than_two_new_things(told: tuple[str, ...]) -> None:
    assert find("add-others", KITCHEN, *told) == []


def test_add_setting_says_the_place() -> None:
    moves = find("add-setting", KITCHEN)
    assert (families_of(moves), facts_of(moves)) == ({"add_setting"}, {fact("place", value="kitchen")})


COLLAGE = make(("A collage of cats.", "A montage of a cat.", "A cat."), at("left", "cat"), at("right", "cat"))


def test_collage_says_that_there_are_several_pictures() -> None:
    moves = find("collage", COLLAGE)
    assert (families_of(moves), facts_of(moves)) == ({"collage"}, {fact("told", "a collage")})
    assert slots_of(moves, "what") == {"a collage"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (KITCHEN, ()),
        (COLLAGE, ("overview",)),
        (swap(COLLAGE, "montage", "drawing"), ()),
        (make(("A black and white picture of a cat.", "A picture with a red cat."), at("left", "cat")), ()),
    ],
    ids=["one picture", "told", "one caption alone", "a picture of something"],
)
def test_collage_is_silent_where_it_is_not_certain(record: ImageRecord, told: tuple[str, ...]) -> None:
    assert find("collage", record, *told) == []
