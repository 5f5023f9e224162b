"""Likenesses: what captions name as a toy, a statue or a painting is not told as the thing."""

import pytest

from instructgen.scenegraph.likenesses import find_likenesses
from instructgen.scenegraph.phrases import tokenise
from tests.unit.scenegraph.pictures import disputes, read, things
from tests.unit.scenegraph.test_graph_statements import said


def likened(captions: str) -> frozenset[str]:
    return find_likenesses([tokenise(one) for one in captions.split(" | ")])


@pytest.mark.parametrize(
    ("captions", "names"),
    [
        ("A toy cow. | A plastic cow. | A cow.", {"cow"}),  # two captions are enough
        ("A cow statue. | A field.", {"cow"}),  # all that name it
        ("A statue of a cow. | A cow. | A cow.", set()),
        ("A plastic hot dog. | A fake hot dog on a plate.", {"hot dog"}),
        ("A kid's horse ride. | A mechanical horse.", {"horse"}),
        ("A cow made of wood. | A wooden cow.", {"cow"}),
        ("A painting of people riding a horse. | A mural of a horse.", {"horse", "person"}),
        ("A statue of a boy in front of a dog. | A statue of a boy by a dog.", {"person"}),
        ("An exhibit of a bear. | A display of a bear.", {"bear"}),
        ("An exhibit of a bear at a zoo. | A display of a bear at a zoo.", set()),
        ("A display of bananas. | A display of bananas.", set()),
        ("A TV with a man on its display. | A TV with a man on it.", {"person"}),
        ("A TV showing two men. | A screen with a man on the screen.", {"person"}),
        ("A man playing a game on a TV. | A man in front of a TV.", set()),
        ("A dog with a toy. | A dog chews a stuffed toy.", set()),
        ("A dog toy by a dog. | A dog.", set()),
        ("A wooden boat. | A metal boat.", set()),  # these are boats
        ("A stuffed bear. | A stuffed bear.", set()),  # a teddy bear is a category of its own
    ],
)
def test_what_two_captions_or_all_liken_is_a_likeness(captions: str, names: set[str]) -> None:
    assert likened(captions) == names


def test_likeness_is_neither_listed_nor_stated() -> None:
    graph = read("Two toy cows standing on a rug. | Two plastic cows standing on a rug. | Cows.", "2 cow, chair")
    assert things(graph) == {"chair"}
    assert "cow entity" in disputes(graph)
    assert said(graph) == []


def test_what_is_boxed_in_a_painting_is_painted() -> None:
    captions = "A painting of a vase. | A painting that shows a vase with two chairs."
    assert things(read(captions, "2 chair, vase")) == set()
    assert things(read("A vase. | Two chairs.", "2 chair, vase")) == {"chair", "vase"}


def test_likeness_that_no_box_holds_is_not_stated() -> None:
    captions = "A man playing with a giraffe. | A man hits a statue of a giraffe. | A giraffe statue by a man."
    assert not any("with a giraffe" in one for one in said(read(captions, "person")))
