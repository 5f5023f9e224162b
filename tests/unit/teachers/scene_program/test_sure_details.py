"""Descriptions tell no look, time, weather or further thing that one caption alone has, unless that is safe."""

import random

import pytest

from instructgen.records import Box
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.detail_others import is_doubtful
from instructgen.teachers.scene_program.detail_sure import keep_sure
from instructgen.teachers.scene_program.generators.settings import find_most_named
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.support.make import make_record

_SEEDS = range(8)
_BUS = Box("bus", 0.1, 0.2, 0.9, 0.8)


def tell(captions: str, *boxes: Box) -> str:
    """Return what is written from these captions, with several seeds, in lower case."""
    record = make_record(captions=tuple(captions.split(" | ")), boxes=boxes)
    return "\n".join(write(Task("detail", record), seed).text for seed in _SEEDS).lower()


@pytest.mark.parametrize(
    ("last", "word", "is_told"),
    [
        ("An old bus.", "old", False),  # an opinion
        ("A red bus.", "red", True),
        ("An old bus. | A vintage bus on a street.", "old", True),  # which another bears out
        ("A bus on a street at dusk.", "dusk", False),
        ("A bus at dusk. | A bus after sunset.", "dusk", True),
        ("A bus on a street at night.", "night", True),
        ("A bus under a clear sky.", "sunny", False),
        ("A bus on a sunny day.", "sunny", True),
        ("A bus on a sunny day. | A bus under clouds.", "sunny", False),
        ("A bus in the rain.", "rainy", False),
    ],
)
def test_what_one_caption_tells_has_to_be_safe(last: str, word: str, *, is_told: bool) -> None:
    rest = "A bus on a street. | A bus drives down a street. | A bus on a street. | A bus on a street."
    assert (word in tell(f"{rest} | {last}", _BUS)) == is_told


@pytest.mark.parametrize(("last", "is_told"), [("A yellow train engine.", False), ("A yellow train.", True)])
def test_look_of_a_part_is_not_the_whole(last: str, *, is_told: bool) -> None:
    rest = "A train on tracks. | A train on tracks. | A train on tracks. | A train on tracks."
    assert ("yellow" in tell(f"{rest} | {last}", Box("train", 0.1, 0.2, 0.9, 0.8))) == is_told


def test_place_of_some_is_not_told_of_all() -> None:
    captions = (
        "Two mini elephants walking toward people on a plank. | Two elephants standing behind a rope in an enclosure."
        " | A couple of elephants standing next to each other. | Two large elephants waiting to enter their shelter."
        " | Two elephants with a rubber ball are kept in the area with a little chain."
    )
    elephants = (Box("elephant", 0.1, 0.3, 0.4, 0.9), Box("elephant", 0.4, 0.3, 0.7, 0.9))
    people = (Box("person", 0.8, 0.1, 0.9, 0.3), Box("person", 0.9, 0.1, 0.99, 0.3))
    told = tell(captions, *elephants, *people).split("\n")
    assert all("the scene is set in an enclosure" in one or "taken in an enclosure" in one for one in told)


def test_apples_of_one_box_are_told_as_several() -> None:
    captions = "A bowl of apples. | Apples in a bowl. | Many apples in a bowl. | A white bowl. | A bowl of apples."
    told = tell(captions, Box("bowl", 0.1, 0.4, 0.9, 0.9), Box("apple", 0.3, 0.3, 0.6, 0.6))
    assert "apples" in told
    assert "an apple" not in told


@pytest.mark.parametrize(("words", "is_told"), [("a shelf of films", True), ("movies", False)])
def test_films_are_not_told_as_books(words: str, *, is_told: bool) -> None:
    captions = f"A bear on {words}. | A toy bear on {words}. | A bear on {words}. | A bear on {words}. | A bear."
    boxes = (Box("teddy bear", 0.1, 0.2, 0.5, 0.8), Box("book", 0.6, 0.4, 0.7, 0.9), Box("book", 0.7, 0.4, 0.8, 0.9))
    assert ("books" in tell(captions, *boxes)) == is_told


@pytest.mark.parametrize(("where", "is_told"), [("a bedroom", False), ("a street by a house", True)])
def test_truck_that_none_names_in_a_room_is_a_toy(where: str, *, is_told: bool) -> None:
    captions = f"A boy in {where}. | A boy sits in {where}. | A boy in {where}. | A boy. | A boy smiling."
    boxes = (Box("person", 0.3, 0.1, 0.7, 0.9), Box("truck", 0.05, 0.6, 0.2, 0.8), Box("bed", 0.0, 0.5, 0.3, 0.99))
    assert ("truck" in tell(captions, *boxes)) == is_told


def test_windows_are_no_things_beside_the_bus() -> None:
    captions = "A bus by a pole. | A bus is by a pole. | A bus by a pole. | A bus and a window. | A bus and a window."
    assert "window" not in tell(captions, _BUS)


def test_what_a_collage_shows_is_in_it() -> None:
    captions = "A collage of a dog. | A collage of photos of a dog. | A collage. | A dog. | A dog and a ball."
    told = tell(captions, Box("dog", 0.1, 0.2, 0.4, 0.8), Box("sports ball", 0.6, 0.6, 0.7, 0.7))
    assert "also" not in told


def test_who_holds_a_frisbee_is_not_throwing_it_too() -> None:
    captions = (
        "A man is throwing a frisbee. | A man gets ready to throw a frisbee. | A man holding a frisbee in the grass."
        " | A man tossing a frisbee. | A man is about to throw a frisbee in a field."
    )
    told = tell(captions, Box("person", 0.2, 0.1, 0.6, 0.9), Box("frisbee", 0.7, 0.3, 0.8, 0.4))
    assert all("holding" not in one or "tossing" not in one for one in told.split("\n"))


@pytest.mark.parametrize(("rest", "is_told"), [("A sandwich on a plate.", False), ("Sandwiches on a plate.", True)])
def test_halves_of_a_sandwich_are_not_two(rest: str, *, is_told: bool) -> None:
    captions = f"Two sandwiches on a plate. | {rest} | {rest} | {rest} | A plate with a pickle."
    halves = (Box("sandwich", 0.1, 0.3, 0.4, 0.7), Box("sandwich", 0.5, 0.3, 0.8, 0.7))
    assert ("two sandwiches" in tell(captions, *halves)) == is_told


@pytest.mark.parametrize(("who", "is_told"), [("A hand", False), ("Somebody", True)])
def test_person_whose_hand_was_told_is_no_further_one(who: str, *, is_told: bool) -> None:
    captions = f"{who} holding a cell phone. | {who} holding a phone. | A cell phone. | A cell phone. | A red phone."
    told = tell(captions, Box("cell phone", 0.3, 0.3, 0.6, 0.6), Box("person", 0.0, 0.5, 0.3, 0.9))
    assert ("a person" in told) == is_told


def test_animal_that_none_names_is_an_emblem() -> None:
    captions = "A train on tracks. | A train on tracks. | A train by a station. | A red train. | A train on tracks."
    assert "horse" not in tell(captions, Box("train", 0.1, 0.2, 0.9, 0.8), Box("horse", 0.4, 0.6, 0.5, 0.7))


@pytest.mark.parametrize(("width", "is_told"), [(0.25, False), (0.05, True)])
def test_main_subject_does_not_share_the_picture(width: float, *, is_told: bool) -> None:
    captions = (
        "A man by a giraffe.",
        "A man near a giraffe.",
        "A man with a giraffe.",
        "A man, a giraffe.",
        "A man.",
    )
    boxes = (Box("person", 0.1, 0.1, 0.45, 0.95), Box("giraffe", 0.5, 0.1, 0.5 + width, 0.95))
    assert (find_most_named(read_graph(make_record(captions=captions, boxes=boxes))) is not None) == is_told


@pytest.mark.parametrize(("name", "is_told"), [("A cup on a table.", False), ("Cups on tables.", True)])
def test_pieces_of_one_table_are_not_tables(name: str, *, is_told: bool) -> None:
    captions = " | ".join(
        (f"A man is sitting at the wall. {name}", "A man at a wall.", "A man. A wall.", "A man.", name)
    )
    tables = (Box("dining table", 0.0, 0.7, 0.4, 0.99), Box("dining table", 0.6, 0.7, 0.99, 0.99))
    assert ("tables" in tell(captions, Box("person", 0.3, 0.1, 0.6, 0.6), *tables)) == is_told


@pytest.mark.parametrize(
    ("first", "is_doubted"),
    [
        ("A hand is holding a cup.", True),
        ("A hand of a man is holding a cup.", False),
        ("A cup is on a table.", False),
    ],
)
def test_one_person_beside_a_hand_that_was_told_is_its_owner(first: str, *, is_doubted: bool) -> None:
    captions = " | ".join(["A cup.", "A person with a cup.", "A cup on a table."])
    assert doubts(captions, first, Box("person", 0.1, 0.1, 0.4, 0.9), Box("cup", 0.6, 0.6, 0.7, 0.7)) == {
        "person": is_doubted,
        "cup": False,
    }


@pytest.mark.parametrize(
    ("captions", "is_doubted"),
    [
        ("A cup by pictures. | A cup.", True),
        ("A cup by a mannequin. | A cup.", True),
        ("A cup by a bowl. | A cup.", False),
        ("A cup by pictures. | A man by pictures.", False),
    ],
    ids=["pictures", "a mannequin", "neither", "named"],
)
def test_person_whom_no_caption_names_may_be_in_a_picture(captions: str, *, is_doubted: bool) -> None:
    people = (Box("person", 0.1, 0.1, 0.3, 0.9), Box("person", 0.4, 0.1, 0.5, 0.9))
    assert doubts(captions, "Here is a cup.", *people, Box("cup", 0.6, 0.6, 0.7, 0.7))["person"] is is_doubted


@pytest.mark.parametrize(("word", "is_doubted"), [("bus", True), ("train", False), ("street", False)])
def test_train_that_captions_call_a_bus_is_doubtful(word: str, *, is_doubted: bool) -> None:
    captions = f"A man by a {word}. | A man on a street."
    boxes = (Box("person", 0.1, 0.1, 0.3, 0.9), Box("train", 0.4, 0.1, 0.9, 0.9))
    assert doubts(captions, "Here is a man.", *boxes)["train"] is is_doubted


def doubts(captions: str, first: str, *boxes: Box) -> dict[str, bool]:
    """Return of each boxed thing whether it is doubtful where the first sentence is this one."""
    graph = read_graph(make_record(captions=tuple(captions.split(" | ")), boxes=boxes))
    page = Paragraph(graph, random.Random(0), load_wordings())
    page.sentences.append(first)
    return {one.name: is_doubtful(page, one) for one in graph.boxed_entities()}


@pytest.mark.parametrize(
    ("captions", "number"),
    [
        ("A sink. | A sink. | A sink. | Sinks. | A room.", (True, False)),
        ("A sink. | A sink. | Sinks. | A room. | A room.", (False, False)),
        ("A sink. | A sink. | A sink. | Sinks. | Sinks.", (False, False)),
        ("Sinks. | Sinks. | Sinks. | A sink. | A room.", (False, True)),
        ("Sinks. | Sinks. | A sink. | A room. | A room.", (False, False)),
    ],
    ids=["one", "one to two", "two tell several", "several", "several to two"],
)
def test_one_box_has_the_number_that_most_captions_tell(captions: str, number: tuple[bool, bool]) -> None:
    graph = read_graph(make_record(captions=tuple(captions.split(" | ")), boxes=(Box("sink", 0.1, 0.4, 0.9, 0.9),)))
    sink = keep_sure(graph).find("sink")
    assert sink is not None
    assert (sink.is_single, sink.is_plural_noun) == number


@pytest.mark.parametrize(
    ("captions", "verbs"),
    [
        ("A man eating a pizza. | A man. | A man. | A man. | A man.", set()),
        ("A man eating a pizza. | A man eats. | A man. | A man. | A man.", {"eat"}),
        ("A man riding a horse. | A rider. | A man. | A man. | A man.", {"ride"}),
        ("A man holding a pizza. | A man. | A man. | A man. | A man.", {"hold"}),
        ("A man sitting by a pizza. | A man. | A man. | A man. | A man.", {"sit"}),
        ("A man eating a pizza. | A man. | A man. | A man.", {"eat"}),
    ],
    ids=["one", "two forms", "by a noun", "held", "a posture", "few captions"],
)
def test_doing_of_one_caption_is_not_sure(captions: str, verbs: set[str]) -> None:
    boxes = (Box("person", 0.1, 0.1, 0.4, 0.9), Box("pizza", 0.6, 0.6, 0.7, 0.7), Box("horse", 0.1, 0.5, 0.5, 0.9))
    graph = read_graph(make_record(captions=tuple(captions.split(" | ")), boxes=boxes))
    assert {one.verb for one in keep_sure(graph).told} == verbs
