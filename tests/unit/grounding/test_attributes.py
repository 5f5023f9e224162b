"""Which colours and materials a sentence gives to which thing."""

import pytest

from instructgen.grounding.attributes import find_attributes
from tests.support.claims import phrases, sentence


def read(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = find_attributes(sentence(text), phrases(text))
    return [(one.phrase.lemma, one.colours or (one.material,)) for one in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A red bus drives.", [("bus", ("red",))]),
        ("A red and white bus drives.", [("bus", ("red", "white"))]),
        ("The bus is blue.", [("bus", ("blue",))]),
        ("The bus in the picture is mostly red.", [("bus", ("red",))]),
        ("The color of the bus is green.", [("bus", ("green",))]),
        ("The red color of the bus stands out.", [("bus", ("red",))]),
        ("With its blue color, the bus stands out.", [("bus", ("blue",))]),
        ("The bus has a green color.", [("bus", ("green",))]),
        ("The bus comes in blue.", [("bus", ("blue",))]),
        ("The bus painted in blue waits.", [("bus", ("blue",))]),
        ("A bus in red and white", [("bus", ("red", "white"))]),
        ("A girl dressed in pink", [("girl", ("pink",))]),
        ("The car is black and the bus is red.", [("car", ("black",)), ("bus", ("red",))]),
        ("The bus, which is blue, drives.", [("bus", ("blue",))]),
        ("The dog behind the bus is brown.", [("dog", ("brown",))]),
        ("A wooden bench", [("bench", ("wood",))]),
        ("A steel bench", [("bench", ("metal",))]),
        ("The bus is not blue.", []),
        ("The bus is a blue marvel.", [("marvel", ("blue",))]),
        ("The image is black and white.", []),
        ("A black and white photo of a dog", []),
        ("There is no blue bus.", [("bus", ("blue",))]),
        ("A blue toy giraffe", []),
        ("A dog", []),
    ],
)
def test_colour_belongs_to_the_thing_that_the_sentence_gives_it_to(
    text: str, found: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert read(text) == found


def test_it_stands_for_what_the_text_was_about() -> None:
    (bus,) = phrases("A bus")
    (found,) = find_attributes(sentence("It is blue."), [], bus)
    assert (found.phrase.lemma, found.colours) == ("bus", ("blue",))
    assert find_attributes(sentence("It is blue."), []) == []
