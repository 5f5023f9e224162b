"""Who does what: what one of several does is told of no group, and one person goes by one name."""

import pytest

from instructgen.records import Box
from instructgen.scenegraph.read import read_graph
from tests.support.make import make_record
from tests.unit.scenegraph.pictures import actions, attributes, circumstances, read, things, unboxed


def told(captions: str, boxes: str) -> set[str]:
    return {" ".join(filter(None, (one.subject, one.doing, one.where))) for one in read(captions, boxes).told}


def test_what_one_of_them_does_is_told_of_no_group() -> None:
    captions = "Two women in a room with one of them holding a cake. | Two women, one holding a cake. | Two women."
    assert "women holding a cake" not in actions(read(captions, "2 person, cake"))


@pytest.mark.parametrize(
    ("captions", "is_told"),
    [
        ("Two men flying a kite. | A man flying a kite. | A man flies a kite on a beach. | A kite.", False),
        ("Two men flying a kite. | Two men flying a kite. | A man flying a kite. | A kite.", True),
        ("Two men flying kites. | A man flying a kite. | Men with kites.", True),
    ],
)
def test_what_as_many_captions_tell_of_one_is_told_of_no_group(captions: str, is_told: bool) -> None:
    said = actions(read(captions, "3 person, 2 kite"))
    assert any(one.startswith("men flying") for one in said) == is_told


def test_one_person_among_others_goes_by_one_name() -> None:
    captions = (
        "A man swinging a tennis racket. | A man swinging a tennis racket. | A tennis player playing tennis."
        " | A tennis player playing tennis."
    )
    said = told(captions, "3 person, tennis racket")
    assert "man swinging a tennis racket" in said
    assert not any(one.startswith("tennis player") for one in said)
    both = f"{captions} | A man watching a tennis player playing tennis."
    assert "tennis player playing tennis" in told(both, "3 person, tennis racket")


def test_one_person_boxed_twice_goes_by_one_name() -> None:
    captions = "A man playing tennis. | A person is playing tennis. | A man plays tennis. | A man on a court."
    assert told(captions, "2 person") == {"man playing tennis"}


def test_bridge_that_is_looked_at_is_no_place_where_the_picture_was_taken() -> None:
    assert "place bridge" not in circumstances(read("A bridge over tracks. | A bridge with a train on it."))
    assert "place bridge" in circumstances(read("A man walking on a bridge. | A man riding across a bridge."))


def test_words_on_a_sign_are_no_look_of_it() -> None:
    assert attributes(read("A closed sign. | A closed sign on a wall.")) == set()


def test_vehicle_that_no_caption_names_may_be_a_machine_of_theirs() -> None:
    assert things(read("A wagon in front of a large combine. | A wagon.", "truck")) == set()


def test_donkey_to_most_captions_is_no_horse() -> None:
    assert things(read("A small horse. | A donkey. | A donkey on a road.", "horse")) == set()


def test_carrot_that_is_fake_to_as_many_captions_is_none() -> None:
    assert things(read("A cat holding a fake carrot. | A cat with a carrot.", "cat, carrot")) == {"cat"}


def test_cutting_board_that_is_a_plate_to_as_many_captions_is_neither() -> None:
    captions = "A white plate topped with greens. | White plate. | Carrots on a cutting board. | A cutting board."
    assert unboxed(read(captions)).isdisjoint({"plate", "cutting board"})


def test_herd_that_others_count_as_two_is_none() -> None:
    graph = read("A herd of sheep standing in a pen. | Two sheep in a pen. | Two sheep. | A sheep pen.", "4 sheep")
    said = "".join(part.text for one in (*graph.statements, *graph.quotes) for part in one.subject)
    assert "herd" not in said


def test_backpack_that_is_boxed_as_a_handbag_too_is_not_told() -> None:
    boxes = (
        Box("backpack", 0.1, 0.1, 0.3, 0.4),
        Box("handbag", 0.1, 0.1, 0.3, 0.5),
        Box("handbag", 0.6, 0.1, 0.7, 0.2),
    )
    graph = read_graph(make_record(captions=("A street.",), boxes=(*boxes, Box("handbag", 0.8, 0.1, 0.9, 0.2))))
    assert things(graph) == {"handbag"}


def test_desk_that_is_a_table_to_as_many_captions_is_listed_as_neither() -> None:
    captions = "A lamp on a desk. | A lamp on a desk. | A lamp on a table. | A lamp on a table. | A lamp."
    assert "desk" in unboxed(read(captions))
    assert not any(one.is_listed for one in read(captions).entities if one.name == "desk")


def test_two_boxes_of_what_captions_have_as_one_ball_are_one() -> None:
    one = read("A man hits a ball. | A man with a ball.", "person, 2 sports ball").find("sports ball")
    assert one is not None
    assert not one.is_many


@pytest.mark.parametrize(
    ("captions", "boxes", "doing"),
    [
        (
            "Children playing a game. | Kids playing a game. | A boy plays a game while other children watch.",
            "4 person",
            "children playing a game",
        ),
        (
            "Zebras eating hay. | Zebras eat hay. | A zebra eating hay while another zebra lays in the shade.",
            "3 zebra",
            "zebras eating hay",
        ),
        (
            "People skiing. | People skiing and snowboarding. | People skiing and snowboarding.",
            "4 person",
            "people skiing",
        ),
        (
            "People walking. | People walking. | People walking and sitting. | Men sitting.",
            "5 person",
            "people walking",
        ),
    ],
)
def test_what_some_do_is_not_told_of_all(captions: str, boxes: str, doing: str) -> None:
    assert not any(doing in one for one in told(captions, boxes))
    first = captions.split("|", maxsplit=1)[0]
    assert any(doing in one for one in told(f"{first} | {first}", boxes))


def test_two_men_of_whom_captions_tell_both_play_though_others_look_on() -> None:
    captions = "Two men playing a game. | Two men playing a game while others watch."
    assert "men playing a game" in told(captions, "2 person")


@pytest.mark.parametrize(("num_watching", "is_told"), [(1, True), (2, False)])
def test_people_do_not_fly_the_kites_that_as_many_captions_have_them_watch(num_watching: int, is_told: bool) -> None:
    captions = " | ".join(["People flying kites."] * 2 + ["A crowd of people watching kites."] * num_watching)
    assert ("people flying kites" in told(captions, "5 person, 2 kite")) is is_told


def test_people_do_not_merely_play_where_captions_tell_what() -> None:
    assert "children playing" in told("Children playing. | Children playing.", "3 person")
    captions = "Children playing. | Children playing. | Children playing frisbee. | Kids playing frisbee."
    assert "children playing" not in told(captions, "3 person, frisbee")


def test_two_phones_in_hand_are_no_single_one() -> None:
    captions = "A woman holding two cell phones. | A woman holding two cell phones. | A woman holding a cell phone."
    said = told(captions, "person, 2 cell phone")
    assert "woman holding cell phones" in said
    assert "woman holding a cell phone" not in said


def test_nobody_walks_on_horses_and_water_is_not_shaken() -> None:
    graph = read("People walking on horses. | People walking on horses.", "3 person, 2 horse")
    assert not any("horses" in part.text for one in graph.statements for part in one.predicate)
    assert not any("water" in one for one in told("A bear shaking the water. | A bear shaking the water.", "bear"))


def test_donkeys_mules_and_camels_are_no_horses() -> None:
    captions = "Pack mules on steps. | People on horses. | A herd of animals. | Donkeys on steps. | People on camels."
    assert "horse" not in things(read(captions, "4 horse, 2 person"))


def test_boat_that_may_be_in_a_mural_is_not_told() -> None:
    captions = "A man in front of a mural of Venice. | A man holding a pizza."
    assert "boat" not in things(read(captions, "person, boat"))
    assert "boat" in things(read("A man in Venice. | A man near a painting.", "person, boat"))


def test_flowers_of_a_painting_are_none() -> None:
    captions = "A painting of a vase with flowers. | A painting that shows a vase with flowers."
    assert unboxed(read(captions)) == {"painting"}


def test_candles_are_blown_out_and_a_beach_flies_nothing() -> None:
    blown = (
        "A man blowing out candles on a cake. | A man blows out some candles. | A man blows out candles on a cake."
    )
    assert "man blowing out candles" in told(f"{blown} | A man blows out candles. | A man.", "person, cake")
    flown = " | ".join(("A man running along the beach flying a kite.", "A guy is flying a kite.") * 2)
    assert "man flying a kite" in told(flown, "person, kite")
    assert "beach flying a kite" not in told(flown, "person, kite")
