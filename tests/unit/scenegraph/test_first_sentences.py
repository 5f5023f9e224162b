"""What a description begins with: arrangements, doings that captions share, and what is said of them."""

import pytest

from instructgen.scenegraph.hearsay import lists_food
from instructgen.scenegraph.prepositions import find_placings, is_misplaced
from instructgen.scenegraph.rivals import is_outvoted
from instructgen.scenegraph.saying import lacks_from, say_preposition
from instructgen.scenegraph.whole import find_whole
from tests.unit.scenegraph.pictures import read


def quote(captions: str, boxes: str) -> list[str]:
    return ["".join(part.text for part in (*one.subject, *one.predicate)) for one in read(captions, boxes).quotes]


def state(captions: str, boxes: str) -> list[str]:
    found = read(captions, boxes).statements
    return ["".join(part.text for part in (*one.subject, *one.predicate)) for one in found]


def tell(captions: str, boxes: str, *, may_end_early: bool = False, may_end_at_doing: bool = False) -> str:
    sources = read(captions, boxes).sources
    assert sources is not None
    one = find_whole(sources, "", 0, needs_verb=False, may_end_early=may_end_early, may_end_at_doing=may_end_at_doing)
    return "".join(part.text for part in (*one.subject, *one.predicate)) if one is not None else ""


def test_stack_that_most_captions_have_is_quoted() -> None:
    stacks = "A tall stack of luggage. | A stack of bags by a door. | A very tall stack of suitcases. | Bags."
    assert "a stack of suitcases" in quote(f"A stack of many different types of suitcases. | {stacks}", "3 suitcase")
    assert not quote("A stack of many different types of suitcases. | Suitcases. | Suitcases. | Bags. | A bag.", "")


def test_what_two_do_to_each_other_is_quoted() -> None:
    bears = (
        "Two bears growling at each other on a log. | Two bears growling. | Two bears. | Bears. | Two bears by a log."
    )
    assert "two bears growling at each other" in " ".join(quote(bears, "2 bear"))


def test_doing_that_captions_share_is_told_though_its_place_differs() -> None:
    kites = "A kite is flying in the air. | A kite flying over a town. | A big kite. | A kite. | A dragon kite."
    assert tell(kites, "kite") == "a kite flying in the air"


def test_clause_that_may_end_at_a_doing_ends_at_no_other() -> None:
    woman = (
        "A woman talking on a cell phone on a sidewalk with pedestrians nearby. | A lady talks on a cell phone."
        " | A woman with a cell phone. | A woman on a sidewalk. | A woman on a cell phone."
    )
    assert tell(woman, "person, cell phone", may_end_at_doing=True).startswith("a woman talking on a cell phone")
    placed = (
        "A boat sits out in the water while a zorb sits. | A boat by water. | A boat. | A ship. | A boat in water."
    )
    assert "sitting" not in tell(placed, "boat", may_end_at_doing=True)


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        (
            "A train with its lights on. | A train with lights. | A train. | A train. | Lights of a train.",
            "train",
            "a train with its lights on",
        ),
        (
            "A bathroom containing a toilet and a sink. | A toilet and a sink. | A bathroom. | A sink. | A toilet.",
            "toilet, sink",
            "a bathroom containing a toilet and a sink",
        ),
    ],
)
def test_what_it_has_is_told_in_full(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


def test_who_is_inside_is_not_told_with_a_place_behind() -> None:
    train = "A train with a man inside on the track. | A train on a track. | A man in a train. | A train. | A train."
    assert "inside on" not in tell(train, "train, person", may_end_early=True)


def test_foods_that_no_comma_parts_are_a_list() -> None:
    assert lists_food(("meat", "veggies"))
    assert not lists_food(("meat", "sauce"))


def test_airplane_takes_off_from_a_runway_and_one_stands_on_a_field() -> None:
    assert lacks_from("off", "taking")
    assert not lacks_from("off", "jumping")
    assert say_preposition("in", "baseball field") == "on"


@pytest.mark.parametrize(
    ("caption", "others", "preposition", "key"),
    [
        (
            "A tower in the middle of the street.",
            ("A tower by the street.", "A tower on the side of the street."),
            "in the middle of",
            "street",
        ),
        (
            "Carrots on a knife.",
            ("Carrots on a cutting board.", "Carrots on a cutting board."),
            "on",
            "knife",
        ),
    ],
)
def test_place_that_others_tell_otherwise_is_wrong(
    caption: str, others: tuple[str, ...], preposition: str, key: str
) -> None:
    for captions, is_wrong in (((caption, *others), True), ((caption, caption, caption), False)):
        sources = read(" | ".join(captions), "").sources
        readings = sources.readings if sources is not None else ()
        assert is_misplaced(preposition, key, find_placings(readings)) == is_wrong


@pytest.mark.parametrize(
    ("told", "verb", "other"),
    [
        ("people windsurfing", "windsurf", "people parasailing"),
        ("a chef putting a pizza", "put", "a chef taking a pizza"),
        ("men playing soccer", "play", "a team celebrates"),
    ],
)
def test_doing_that_as_many_tell_otherwise_is_outvoted(told: str, verb: str, other: str) -> None:
    captions = [tuple(told.split()), tuple(other.split())]
    assert is_outvoted(told.split(), verb, captions)
    assert not is_outvoted(told.split(), verb, [captions[0], captions[0], captions[1]])


def test_many_people_do_not_surf_on_one_board() -> None:
    captions = "A group of people surfing on the water. | People surfing. | People. | People surfing. | The water."
    assert not any("surfing" in one for one in state(captions, "6 person, surfboard"))
    assert any("surfing" in one for one in state(captions, "6 person, 5 surfboard"))


def test_island_of_a_kitchen_is_none_in_the_sea() -> None:
    captions = "Chairs at an island. | A kitchen with an island. | A kitchen. | Chairs by an island. | Chairs."
    assert not any("island" in one for one in state(captions, "2 chair"))


def test_leaping_counts_as_jumping() -> None:
    captions = "A skier jumping with skis. | A skier leaps over snow. | A person performing a jump. | Skis. | Snow."
    assert any(one.verb == "jump" for one in read(captions, "person, skis").told)
