"""Boxes and mentions joined: which things there are, what they are called, how many, and how certain that is."""

import pytest

from instructgen.records import Box
from instructgen.scenegraph.graph import Entity, SceneGraph
from instructgen.scenegraph.read import read_graph
from instructgen.scenegraph.reading import read_captions
from tests.support.make import make_record
from tests.unit.scenegraph.pictures import disputes, read, things, unboxed

DOUBLE_DECKER = ("double decker bus", "double decker buses")


def find(graph: SceneGraph, name: str) -> Entity:
    entity = graph.find(name)
    assert entity is not None, name
    return entity


def test_a_box_that_a_caption_names_is_sure_and_one_that_none_names_is_likely() -> None:
    graph = read("A dog on a couch.", "dog, couch, vase")
    assert {one.name: one.certainty for one in graph.boxed_entities()} == {
        "dog": "sure", "couch": "sure", "vase": "likely",
    }  # fmt: skip


def test_entities_are_numbered_by_their_place_and_the_most_named_come_first() -> None:
    graph = read("A cat by a vase. | A cat. | A cat on a rug with a man. | A man.", "vase, 2 person, cat")
    assert [one.number for one in graph.entities] == list(range(len(graph.entities)))
    assert [one.name for one in graph.boxed_entities()] == ["cat", "person", "vase"]
    assert [one.name for one in graph.entities if not one.category] == ["rug"]


@pytest.mark.parametrize(
    ("captions", "boxes", "count"),
    [
        ("Two dogs on a rug. | A pair of dogs.", "2 dog", 2),
        ("Two dogs on a rug. | A dog lies there.", "2 dog", 2),
        ("Two dogs on a rug. | Three dogs on a rug.", "2 dog", None),
        ("Two dogs on a rug. | Several dogs.", "2 dog", None),
        ("Two dogs on a rug.", "3 dog", None),
        ("Two dogs on a rug.", "2 dog, dog*", None),
        ("Two big shaggy zorp dogs. | Three big shaggy zorp dogs.", "3 dog", None),
        ("A dog on a rug.", "dog", 1),
        ("A dog on a rug. | Dogs on a rug.", "dog", None),
        ("A rug.", "dog", None),
        ("A man and a woman. | A couple.", "2 person", 2),
        ("A man and a person.", "2 person", None),
    ],
)
def test_a_count_needs_boxes_and_captions_to_agree(captions: str, boxes: str, count: int | None) -> None:
    graph = read(captions, boxes)
    assert graph.boxed_entities()[0].count == count


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [("Two dogs. | Three dogs.", "2 dog"), ("Three cats on a couch.", "2 cat, couch"), ("Four people.", "3 person")],
)
def test_numbers_that_disagree_are_told_as_a_contradiction(captions: str, boxes: str) -> None:
    (dispute,) = [one for one in read(captions, boxes).contradictions if one.kind == "count"]
    assert len(set(dispute.values)) > 1
    assert dispute.evidence.spans
    assert dispute.evidence.boxes


@pytest.mark.parametrize("captions", ["Two dogs. | A dog.", "Dogs.", "A pair of dogs."])
def test_numbers_that_agree_are_no_contradiction(captions: str) -> None:
    assert not disputes(read(captions, "2 dog"))


def test_a_crowd_has_no_count_and_is_many() -> None:
    crowd = find(read("A herd of elephants on a road.", "elephant*"), "elephant")
    assert (crowd.has_crowd, crowd.count, crowd.is_many, crowd.is_single) == (True, None, True, False)
    assert crowd.boxes == ()
    assert crowd.evidence.boxes == (0,)


@pytest.mark.parametrize(
    ("captions", "is_single"), [("A dog on a rug.", True), ("Dogs on a rug.", False), ("Two dogs. | A dog.", False)]
)
def test_one_box_is_a_single_thing_unless_a_caption_has_many(captions: str, is_single: bool) -> None:
    assert find(read(captions, "dog"), "dog").is_single is is_single


@pytest.mark.parametrize(
    ("captions", "boxes", "word", "plural"),
    [
        ("A jeep on a road. | An old jeep. | A jeep.", "car", "jeep", "jeeps"),
        ("A puppy on a bed. | A puppy. | The puppy.", "dog, bed", "puppy", "puppies"),
        ("Two puppies. | Puppies on a bed.", "2 dog, bed", "puppy", "puppies"),
        ("A puppy on a bed. | A dog.", "dog, bed", "dog", "dogs"),
        ("A jeep on a road.", "car", "car", "cars"),
        ("A jeep. | Two jeeps. | A jeep.", "2 car", "car", "cars"),
        ("A jeep and a car. | A jeep. | Two jeeps.", "2 car", "car", "cars"),
        ("A desk with a monitor.", "tv", "screen", "screens"),
        ("A stove in a kitchen.", "oven", "stove", "stoves"),
        ("A double decker bus. | A red double decker tour bus. | A double decker bus.", "bus", *DOUBLE_DECKER),
        ("A large black bear. | A bear. | A black bear.", "bear", "black bear", "black bears"),
        ("A boy with a wii controller.", "person, remote", "game controller", "game controllers"),
        ("Two men. | Two men.", "2 person", "person", "people"),
    ],
)
def test_a_thing_is_called_what_most_captions_call_it(captions: str, boxes: str, word: str, plural: str) -> None:
    assert (word, plural) in {(one.word, one.plural) for one in read(captions, boxes).boxed_entities()}


@pytest.mark.parametrize(
    ("captions", "boxes", "name", "rival"),
    [
        ("A goat in a field.", "cow", "cow", "goat"),
        ("A teddy on a bed.", "bear", "bear", "teddy"),
        ("A man flying a kite.", "bird", "bird", "kite"),
    ],
)
def test_a_box_for_which_captions_have_another_name_is_a_contradiction(
    captions: str, boxes: str, name: str, rival: str
) -> None:
    graph = read(captions, boxes)
    assert name not in {one.name for one in graph.entities}
    (dispute,) = [one for one in graph.contradictions if one.kind == "entity"]
    assert (dispute.about, dispute.values) == (name, (name, rival))


def test_a_rival_name_does_not_count_where_a_caption_names_the_box_too() -> None:
    assert "cow" in things(read("A cow and a goat in a field.", "cow"))


def test_an_unnamed_box_that_another_covers_is_left_out() -> None:
    boxes = (Box("couch", 0.1, 0.1, 0.5, 0.5), Box("chair", 0.1, 0.1, 0.5, 0.51))
    graph = read_graph(make_record(captions=("A couch.",), boxes=boxes))
    assert things(graph) == {"couch"}
    assert disputes(graph) == {"chair entity"}


@pytest.mark.parametrize(("captions", "is_told"), [("A rug.", False), ("A rug and a bottle.", True)])
def test_a_tiny_box_is_told_only_where_a_caption_names_it(captions: str, is_told: bool) -> None:
    record = make_record(captions=(captions,), boxes=(Box("bottle", 0.1, 0.1, 0.11, 0.14),))
    assert ("bottle" in things(read_graph(record))) is is_told


@pytest.mark.parametrize(
    ("captions", "name"),
    [
        ("A dog on a rug.", "rug"),
        ("A tree behind the white fence.", "fence"),
        ("A man wearing a hat.", "hat"),
        ("A clock on a tower.", "tower"),
    ],
)
def test_what_no_box_holds_is_likely_with_one_caption_and_sure_with_two(captions: str, name: str) -> None:
    assert find(read(captions), name).certainty == "likely"
    assert find(read(f"{captions} | {captions}"), name).certainty == "sure"
    assert find(read(f"{captions} | {captions}"), name).evidence.boxes == ()


@pytest.mark.parametrize(
    ("caption", "absent"),
    [
        ("A boat near the Opera House.", "house"),
        ("A boat near the Sydney Opera House.", "house"),
        ("A statue of a tree.", "tree"),
        ("A room without a rug. | A rug.", "rug"),
        ("A zorp near a blorp.", "zorp"),
    ],
)
def test_what_may_be_something_else_is_no_unboxed_thing(caption: str, absent: str) -> None:
    assert absent not in unboxed(read(caption, "boat"))


@pytest.mark.parametrize(
    "caption", ["A picture by a fence.", "A poster by a fence.", "A man wearing a coat by a fence."]
)
def test_vague_and_worn_things_are_not_listed(caption: str) -> None:
    assert {one.name for one in read(caption).entities if one.is_listed} == {"fence"}


def test_a_thing_in_singular_and_plural_is_not_single() -> None:
    tree = find(read("A tree by a lake. | Trees by a lake."), "tree")
    assert (tree.is_single, tree.is_many, tree.is_listed) == (False, True, False)


def test_all_boxed_categories_and_words_are_kept() -> None:
    graph = read("A goat's horn.", "cow, vase")
    assert graph.boxed == {"cow", "vase"}
    assert {"goat", "goat's", "horn"} <= graph.words


@pytest.mark.parametrize(
    ("captions", "second", "is_one"),
    [
        (("A plane.",) * 5, 0.05, True),
        (("A plane.",) * 5, 0.2, True),
        (("A plane near another plane.",) * 5, 0.2, False),
        (("A plane.",) * 2 + ("A sky.",) * 3, 0.2, False),
        (("A plane.",) * 4 + ("Planes.",), 0.05, False),
        (("A plane.",) * 2 + ("A sky.",) * 3, 0.05, False),
    ],
    ids=["a speck", "one to all", "another", "one to two", "a plural", "named too seldom"],
)
def test_speck_beside_what_all_captions_have_as_one_makes_no_plural(
    captions: tuple[str, ...], second: float, *, is_one: bool
) -> None:
    boxes = (Box("airplane", 0.1, 0.1, 0.6, 0.6), Box("airplane", 0.8, 0.8, 0.8 + second, 0.8 + second))
    plane = read_graph(make_record(captions=captions, boxes=boxes)).find("airplane")
    assert plane is not None
    assert (plane.is_single, plane.is_many) == (is_one, not is_one)


def test_one_person_of_all_captions_is_no_people_for_a_second_box() -> None:
    boxes = (Box("person", 0.0, 0.0, 0.6, 0.9), Box("person", 0.8, 0.1, 0.9, 0.3))
    man = read_graph(make_record(captions=("A man at a mirror.",) * 4, boxes=boxes)).find("person")
    assert man is not None
    assert (man.said, man.is_many, man.boxes) == ("man", False, ())  # who of both is he?
    both = read_graph(make_record(captions=("A man.",) * 3 + ("Two men.",), boxes=boxes)).find("person")
    assert both is not None
    assert both.is_many


@pytest.mark.parametrize(
    ("caption", "is_likeness"),
    [("A logo on a red bus.", False), ("Graffiti on a bus.", False), ("A logo of a bus.", True)],
)
def test_what_a_mark_is_on_is_no_likeness(caption: str, *, is_likeness: bool) -> None:
    (reading,) = read_captions(make_record(captions=(caption,)))
    assert [one.is_likeness for one in reading.phrases] == [is_likeness]
