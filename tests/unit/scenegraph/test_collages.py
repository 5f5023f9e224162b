"""Pictures made of several: that they are several is told, and nothing that goes on in one of them."""

import pytest

from instructgen.scenegraph.collages import find_collage
from tests.unit.scenegraph.pictures import read, things


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        (("A collage of photos of a dog.", "A montage of dogs."), "a collage"),
        (("A series of photos of a dog.", "Four different pictures of a dog."), "a series of photos"),
        (("Six blurry shots of a dog.", "Several pictures of a dog."), "six shots"),
        (("A collage of photos of a dog.", "A dog."), None),
        (("A collage of a dog.", "Different angles of a dog."), "a collage"),
        (("Different angles of a dog.", "A sequence of a dog."), None),
        (("Two pictures on a wall.", "A dog near a wall."), None),
    ],
)
def test_two_captions_have_to_tell_several_pictures(captions: tuple[str, ...], said: str | None) -> None:
    found = find_collage(captions)
    assert (found.subject[0].text if found else None) == said


def test_nobody_does_in_a_collage_what_one_of_its_pictures_shows() -> None:
    graph = read(
        "A collage of a man lying on a bed. | A montage: a man lies on a bed. | A man on a bed.", "person, bed"
    )
    assert (graph.actions, graph.circumstances, graph.attributes) == ((), (), ())
    assert [one.lemma for one in graph.statements] == ["collage"]
    assert things(graph) == {"man", "bed"}


def test_one_thing_in_each_picture_of_a_collage_is_told_as_one() -> None:
    graph = read("A collage of a man. | A montage of a man. | A man.", "2 person")
    assert things(graph) == {"man"}
    people = graph.find("person")
    assert people is not None
    assert (people.is_many, people.is_single) == (False, True)
    many = read("A collage of men. | A montage of men. | A man.", "2 person").find("person")
    assert many is not None
    assert many.is_many


@pytest.mark.parametrize(
    "twice", ["Two almost identical photos of a dog.", "A dog in duplicate images.", "Dogs in a double shot."]
)
def test_what_one_caption_says_is_shown_twice_is_one(twice: str) -> None:
    dog = read(f"{twice} | A dog. | A dog on a rug.", "2 dog").find("dog")
    assert dog is not None
    assert (dog.is_many, dog.is_single) == (False, True)
    several = read(f"{twice} | Two dogs. | Dogs on a rug.", "2 dog").find("dog")
    assert several is not None
    assert several.is_many
