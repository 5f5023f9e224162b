"""What a general word, a trick or a single told already is not told again as something more; little is said once."""

import random
import re

import pytest

from instructgen.lexicon.generals import is_meant
from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.detail_close import close_paragraph
from instructgen.teachers.scene_program.detail_frame import _FRAME, _tell_relation, tell_frame, tell_where
from instructgen.teachers.scene_program.detail_others import tell_others
from instructgen.teachers.scene_program.detail_regions import where_of
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.unit.scenegraph.pictures import make_picture, read
from tests.unit.teachers.scene_program.making import at, place

_LITTLE = ("only one ", "mainly about", "main subject", "outdoors", "most of the", "more space", " no ")


def describe(captions: str, boxes: str, seed: int) -> str:
    return write(Task("detail", make_picture(captions, boxes)), seed).text.lower()


@pytest.mark.parametrize(
    ("category", "text", "meant"),
    [
        ("pizza", "plates of food are on a table.", True),
        ("cow", "animals are in a field.", True),
        ("car", "traffic is on a street.", True),
        ("car", "a traffic light is on a street.", False),
        ("truck", "a food truck is parked.", False),
        ("pizza", "a food truck is parked.", False),
        ("dog", "stuffed animals are on a bed.", False),
        ("teddy bear", "stuffed animals are on a bed.", True),
        ("suitcase", "luggage is on a cart.", True),
        ("chair", "a room with furniture.", True),
        ("kite", "food and animals.", False),
    ],
)
def test_general_word_may_mean_a_thing(category: str, text: str, *, meant: bool) -> None:
    assert is_meant(category, text) is meant


@pytest.mark.parametrize("seed", range(6))
def test_food_told_as_food_is_not_told_as_pizza_too(seed: int) -> None:
    captions = "Plates of food sitting on a table. | Plates of food on a table. | Food on a table."
    text = describe(captions, "2 pizza, dining table, 2 spoon", seed)
    assert "food" in text
    assert "pizza" not in text
    assert "spoon" in text


@pytest.mark.parametrize("seed", range(6))
def test_appliances_are_told_by_their_place_and_not_as_something_more(seed: int) -> None:
    captions = "A kitchen with appliances. | A kitchen with appliances. | A kitchen with appliances."
    text = describe(captions, "oven, refrigerator, microwave", seed)
    assert "refrigera" in text
    assert not any("also" in one and "refrigera" in one for one in text.split(". "))


@pytest.mark.parametrize("seed", range(6))
def test_grounds_do_not_name_pizza_beside_the_food_that_it_may_be(seed: int) -> None:
    captions = "A man eating food at a table. | A man eating food. | A man with a bite of pizza."
    for one in write(Task("reasoning", make_picture(captions, "2 pizza, person")), seed).turns:
        said = one.answer.split(". ")[:2]
        assert not ("food" in said[0] and "pizza" in said[1].split(" also ")[-1] and " also " in said[1])


def start(captions: str, boxes: str, first: str) -> Paragraph:
    return start_of(make_picture(captions, boxes), first)


def start_of(record: ImageRecord, first: str) -> Paragraph:
    page = Paragraph(read_graph(record), random.Random(0), load_wordings())
    page.sentences.append(first)
    page.named.update(("person", "skateboard"))
    return page


@pytest.mark.parametrize(
    ("first", "is_told"),
    [
        ("A person is riding a skateboard.", False),  # the second has not been spoken of
        ("Two boys are riding skateboards.", True),
        ("A man and a woman are riding skateboards.", True),
        ("A couple is riding.", True),
    ],
)
def test_half_is_told_of_several_only_where_they_came_as_several(first: str, *, is_told: bool) -> None:
    page = start("Two people. | People.", "2 person", first)
    tell_where(page)
    assert any("Both" in one for one in page.sentences) is is_told


def test_things_on_both_sides_are_brought_in_where_one_was_told() -> None:
    spots = ("left", "left top", "right", "right top")
    people = place(make_picture("A person. | People."), *(at(spot, "person") for spot in spots))
    page = start_of(people, "A person is riding a skateboard.")
    tell_where(page)
    assert "people on both the left and the right" in page.sentences[-1]
    assert "The people" not in page.sentences[-1]


@pytest.mark.parametrize(("doing", "is_alike"), [("doing a trick", True), ("riding a horse", False)])
def test_who_does_a_trick_is_not_told_to_jump_also(doing: str, *, is_alike: bool) -> None:
    page = Paragraph(read(f"A boy {doing}. | A boy {doing}.", "person, horse"), random.Random(0), load_wordings())
    page.note(page.graph.told[0])
    assert page.does_alike("boy", "jump") is is_alike


@pytest.mark.parametrize("family", ["d_same_doing", "d_again_doing", "d_more_action"])
def test_another_doing_is_not_told_as_something_more(family: str) -> None:
    """Who jumped may have done it by the trick, who paddles may lie on a board."""
    assert not any(" also " in form for form in load_wordings()[family].plain)


@pytest.mark.parametrize("seed", range(6))
def test_text_of_four_sentences_is_not_filled_up(seed: int) -> None:
    captions = "A dog sitting by a bench in a park. | A dog sits by a bench in a park. | A dog in a park."
    text = describe(captions, "dog, bench, kite, car, backpack", seed)
    assert len(text.split(". ")) > 3
    assert not any(words in text for words in _LITTLE)


@pytest.mark.parametrize("seed", range(6))
def test_what_no_caption_names_is_told_in_one_sentence(seed: int) -> None:
    captions = "A dog sitting by a cat. | A dog sitting next to a cat. | A dog and a cat."
    sentences = describe(captions, "dog, cat, 3 cup, 2 book", seed).split(". ")
    assert all(sum(word in one for one in sentences) == 1 for word in ("cup", "book"))


@pytest.mark.parametrize("fruit", ["strawberries", "oranges"])
def test_fruit_is_not_told_beside_its_kind(fruit: str) -> None:
    page = start("A bowl with fruit. | Fruit in a bowl. | Fruit.", "bowl", f"Here we see {fruit} in a bowl.")
    tell_frame(page)
    assert "fruit" not in " ".join(page.sentences)


def test_man_and_woman_are_not_told_as_two_people_too() -> None:
    page = start("Two people. | Two people. | People.", "2 person", "Here we see a man and a woman.")
    tell_frame(page)
    assert "two people" not in " ".join(page.sentences)


@pytest.mark.parametrize("first", ["A train is at a subway station.", "A train is at a platform."])
def test_place_told_by_another_word_is_not_told_again(first: str) -> None:
    page = start("A train at a train station. | A train in a train station.", "train", first)
    close_paragraph(page)
    assert "train station" not in " ".join(page.sentences[1:])


def test_only_one_is_not_said_of_what_is_alone() -> None:
    page = Paragraph(read("A vase. | A vase.", "vase"), random.Random(0), load_wordings())
    page.sentences.append("Here we see a blue vase.")
    page.named.add("vase")
    page.mentioned.add("vase")
    close_paragraph(page)
    assert not any("only one" in one.lower() for one in page.sentences)


@pytest.mark.parametrize(
    ("spot", "other", "relations"),
    [
        ("left", "right", {"left", "right"}),
        ("left top", "left bottom", set()),
    ],
    ids=["side by side", "one above the other"],
)
def test_how_one_thing_lies_to_another_is_told_left_and_right(spot: str, other: str, relations: set[str]) -> None:
    picture = place(make_picture("A dog and a bench. | A dog by a bench."), at(spot, "dog"), at(other, "bench"))
    page = start_of(picture, "Here we see a dog and a bench.")
    page.named.update(("dog", "bench"))
    page.mentioned.update(("dog", "bench"))
    for name in ("dog", "bench"):
        _tell_relation(page)
        assert f"region {name}" in page.told or not relations
    assert {one.value for one in page.claims if one.kind == "relation"} == relations
    said = " ".join(page.sentences[1:])
    if relations:
        assert re.search(r"[Tt]he dog (is|can be seen) to the left of the bench|To the left of the bench", said)
        assert re.search(r"[Tt]he bench (is|can be seen) to the right of the dog|To the right of the dog", said)
    else:
        assert said == ""


def test_relation_is_told_only_of_what_the_text_names() -> None:
    page = start_of(
        place(make_picture("A dog. | A dog by a bench."), at("left", "dog"), at("right", "bench")), "Here is a dog."
    )
    page.named.add("dog")
    page.mentioned.add("dog")
    _tell_relation(page)
    assert len(page.sentences) == 1


def test_frame_ends_with_how_things_lie_to_one_another_and_how_far_the_main_one_reaches() -> None:
    assert [tell.__name__ for tell in _FRAME[-2:]] == ["_tell_relation", "tell_extent"]


@pytest.mark.parametrize(
    ("box", "where"),
    [
        (Box("dog", 0.3, 0.05, 0.5, 0.95), "near left"),
        (Box("dog", 0.5, 0.05, 0.7, 0.95), "near right"),
        (Box("dog", 0.05, 0.35, 0.3, 0.65), "left"),
        (Box("dining table", 0.3, 0.3, 0.5, 0.5), ""),
        (Box("dining table", 0.0, 0.0, 0.5, 0.99), ""),
        (Box("dining table", 0.05, 0.2, 0.95, 0.95), ""),
    ],
    ids=["left of the middle", "right of it", "on the left", "a table's part", "a table cut off", "a table"],
)
def test_what_lies_beside_the_middle_is_said_to_be_near_it(box: Box, where: str) -> None:
    graph = read_graph(place(make_picture("A dog. | A table."), box))
    assert where_of(graph.boxed_entities()[0]) == where


@pytest.mark.parametrize(
    ("captions", "words"),
    [
        ("Ocean and water by a rock. | An ocean by a rock. | Water by a rock. | A rock. | Ocean, water.", 1),
        ("Ocean and grass by a rock. | An ocean by a rock. | Grass by a rock. | A rock. | Ocean, grass.", 2),
    ],
)
def test_ocean_and_water_are_named_once(captions: str, words: int) -> None:
    page = start(captions, "dog", "Here we see a dog.")
    tell_others(page)
    assert len(page.named & {"ocean", "water", "grass"}) == words
