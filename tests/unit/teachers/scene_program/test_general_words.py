"""What a general word, a trick or a single told already is not told again as something more; little is said once."""

import random

import pytest

from instructgen.lexicon.generals import is_meant
from instructgen.records import ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.detail_close import close_paragraph
from instructgen.teachers.scene_program.detail_frame import tell_frame, tell_where
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.unit.scenegraph.pictures import make_picture, read
from tests.unit.teachers.scene_program.making import at, place

_LITTLE = ("only one ", "mainly about", "main subject", "outdoors", "most of the", "more space", " no ")
_OF_FRAME = (" left", " right", "upper", "lower", "top", "bottom", "center", "middle", "most of the")


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
def test_text_of_two_sentences_is_not_filled_up(seed: int) -> None:
    captions = "A dog sitting by a bench in a park. | A dog sits by a bench in a park. | A dog in a park."
    text = describe(captions, "dog, bench", seed)
    assert not any(words in text for words in _LITTLE)


@pytest.mark.parametrize("seed", range(6))
def test_places_of_what_no_caption_names_do_not_fill_the_text(seed: int) -> None:
    captions = "A dog sitting by a cat. | A dog sitting next to a cat. | A dog and a cat."
    sentences = describe(captions, "dog, cat, 3 cup, 2 book", seed).split(". ")
    assert sum(any(words in one for words in _OF_FRAME) for one in sentences) <= 2
    assert not any(words in one for words in _OF_FRAME for one in sentences if "cup" in one or "book" in one)


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
