"""What most captions tell in words of their own is told, though no clause is like another."""

import pytest

from instructgen.scenegraph.consensus import find_tellings
from instructgen.scenegraph.corroboration import hear
from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.reading import read_captions
from tests.unit.scenegraph.pictures import circumstances, make_picture, read, unboxed
from tests.unit.scenegraph.test_corroboration import told


def main_doings(graph: SceneGraph) -> set[str]:
    return {" ".join(filter(None, (one.subject, one.doing, one.where))) for one in graph.told if one.is_main}


@pytest.mark.parametrize(
    ("captions", "boxes", "doing"),
    [
        (
            "A skier going fast. | A person skiing. | A man riding skis past flags. | A skier. | Snow.",
            "person, skis",
            "skier skiing",
        ),
        (
            "Zebras in a pen eating hay. | Two zebras that eat dry hay. | A zebra near a log eats hay. | Zebras.",
            "2 zebra",
            "zebras eating hay",
        ),
        (
            "A woman holding up her pink phone. | A woman that holds a phone. | A lady holding a phone. | Rain.",
            "person, cell phone",
            "woman holding a cell phone",
        ),
        (
            "A dog following a horse. | A dog follows closely behind a horse. | A dog that follows. | A horse. | A.",
            "dog, horse",
            "dog following a horse",
        ),
    ],
    ids=["skiing", "eating", "holding", "following"],
)
def test_doing_that_three_captions_tell_is_a_main_one(captions: str, boxes: str, doing: str) -> None:
    assert doing in main_doings(read(captions, boxes))


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man eating. | A dog eating. | A cat eating. | A man. | A dog.", "person, dog, cat"),
        (
            "A man riding a horse. | Two people riding horses. | Men riding horses. | A man. | A man.",
            "2 person, 2 horse",
        ),
        (
            "A girl not brushing a bear. | A girl rather than brushing a bear. | Not brushing. | A girl. | A girl.",
            "person",
        ),
    ],
    ids=["several doers", "one of several", "denied"],
)
def test_doing_of_whom_or_to_what_is_not_shared_is_none(captions: str, boxes: str) -> None:
    found = main_doings(read(captions, boxes))
    assert not found & {"man eating", "man riding horses", "girl brushing a teddy bear"}


def test_doing_keeps_the_place_that_two_captions_name() -> None:
    captions = "A cat lying on a rug. | A cat asleep lying on the rug. | A cat lying down. | A cat. | A cat."
    assert "cat lying on a rug" in told(read(captions, "cat"))


@pytest.mark.parametrize(
    ("captions", "named"),
    [
        ("People at a market. | A stall. | Vendors sell fruit. | A man. | A man.", True),
        ("People at a market. | A man. | A man. | A man. | A man.", False),
        ("A hotel room. | A dorm room. | A small room. | A bed. | A bed.", False),
    ],
    ids=["stalls and vendors", "one alone", "rooms of two kinds"],
)
def test_other_words_bear_a_noun_out(captions: str, named: bool) -> None:
    voices = hear(read_captions(make_picture(captions)))
    assert voices.is_named("market") is named
    assert not voices.is_named("hotel room")


def test_thing_outside_the_vocabulary_is_one_where_three_captions_name_it() -> None:
    three = (
        "A toilet with three seashells. | Seashells on a toilet. | A toilet and seashells. | A toilet. | A toilet."
    )
    assert "seashell" in {one.name for one in read(three, "toilet").entities if one.is_listed}
    two = three.replace("A toilet and seashells", "A toilet")
    assert "seashell" not in unboxed(read(two, "toilet"))


def test_road_sign_and_street_sign_are_one_sign() -> None:
    captions = "A road sign. | A street sign by a road. | A traffic sign. | A car. | A car."
    assert {"sign"} == {name for name in unboxed(read(captions, "car")) if "sign" in name}


@pytest.mark.parametrize(
    ("captions", "is_outdoors"),
    [
        ("A dog on grass. | A dog by trees. | A dog under the sky.", True),
        ("A dog on grass. | A dog by trees. | A dog in a room.", False),
        ("A dog on grass. | A dog. | A dog.", False),
    ],
)
def test_outdoors_needs_three_captions_and_none_that_tells_of_a_room(captions: str, is_outdoors: bool) -> None:
    assert (read(captions, "dog").outdoors is not None) is is_outdoors


def test_market_is_a_place_where_two_captions_have_it() -> None:
    once = "People in an outdoor market. | People. | People. | People. | People."
    assert circumstances(read(once, "3 person")) == set()
    twice = once.replace(" | People.", " | Fruit at a market.", 1)
    assert circumstances(read(twice, "3 person")) == {"place market"}


@pytest.mark.parametrize(
    ("caption", "doings"),
    [
        ("A woman walks from the frisbee lying near a tree.", {("person", "walk")}),
        ("A woman walks with a dog lying near a tree.", {("person", "walk"), ("dog", "lie")}),
        ("A woman with a frisbee throwing a ball.", {("person", "throw")}),
        ("A woman lying near a tree.", {("person", "lie")}),
    ],
    ids=["a frisbee lies", "a dog lies", "no posture", "a woman lies"],
)
def test_posture_right_behind_another_noun_is_not_the_first_ones(caption: str, doings: set[tuple[str, str]]) -> None:
    (reading,) = read_captions(make_picture(caption))
    assert {(one.doer, one.verb.base) for one in find_tellings(reading)} == doings
