"""Likenesses: what captions name as a toy, a statue or a painting is not told as the thing."""

import pytest

from instructgen.scenegraph.likenesses import find_likenesses
from instructgen.scenegraph.phrases import tokenise
from tests.unit.scenegraph.pictures import disputes, read, things, unboxed
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
        (
            "A sign with teddy bears on it. | A sign on a street has a teddy bear on it. | Teddy bears.",
            {"teddy bear"},
        ),
        ("A sign by teddy bears. | A sign on a bed has a teddy bear.", set()),
        ("A bus with books painted on it. | A bus with a book.", {"book"}),
        ("A bus with books painted on it. | Books. | Books in a bus.", set()),
        ("A bus with books painted on it. | A book mobile bus. | A book mobile.", {"book"}),
        ("A cup of books painted red. | A bus by books.", set()),
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


@pytest.mark.parametrize(
    ("captions", "names"),
    [
        # A picture that hangs somewhere, as two captions have it and most call it one.
        ("A picture of a couple behind glass. | A photo of a man. | A man in a bed. | The photo of a man is hung.",
         {"person", "bed"}),
        ("A framed photo of a man. | A framed picture of a man. | A man.", {"person"}),
        ("A picture of donuts behind glass. | A photo of donuts behind glass. | A photo of donuts.", set()),
        ("A picture of a man. | A photo of a man. | A picture of a man.", set()),  # only how a caption begins
        ("A man behind glass. | A picture of a man behind glass. | A picture of a man.", set()),
        # A photo that is held, looked at or shown.
        ("A man holding a photo of a dog. | A man with a picture of a dog.", {"dog"}),
        ("A man taking a photo of a dog. | A man takes a picture of a dog.", set()),
        ("A black and white photo of a dog. | A dog.", set()),
        # What one caption likens, and another has with a statue.
        ("A giant statue with a suitcase. | A replica of a suitcase. | A suitcase.", {"suitcase"}),
        ("A bench by a statue. | A bench. | A statue of a man.", {"person"}),
        ("A dog by a statue. | A statue of a dog. | A dog.", set()),
    ],
)  # fmt: skip
def test_picture_that_hangs_or_is_held_and_copy_are_likenesses(captions: str, names: set[str]) -> None:
    assert likened(captions) == names


def test_player_whom_somebody_watches_on_television_is_a_likeness() -> None:
    watched = "A bear watching a tennis player on TV. | A bear is watching an excited man on a television."
    assert "person" in likened(watched)
    assert "person" not in likened("A bear watching a man. | A bear is watching a man by a television.")


@pytest.mark.parametrize(("painted", "is_there"), [(" painted on its sides", False), ("", True)])
def test_leaves_that_are_painted_on_a_vase_are_not_told(painted: str, is_there: bool) -> None:
    graph = read(f"A vase with leaves{painted}. | A vase with leaves. | A vase.", "vase")
    assert ("leaf" in {one.name for one in graph.entities}) is is_there
    assert any("leaves" in one for one in said(graph)) is is_there


@pytest.mark.parametrize(
    ("caption", "name", "is_there"),
    [
        ("A bus painted like a flag.", "flag", False),
        ("A bus used as a basket.", "basket", False),
        ("A slice of tomato on a bus.", "tomato", False),
        ("Slices of tomato on a bus.", "tomato", False),
        ("A bus with a flag.", "flag", True),
        ("A basket on a bus.", "basket", True),
        ("A tomato on a bus.", "tomato", True),
    ],
)
def test_what_is_likened_or_cut_is_no_thing_of_its_own(caption: str, name: str, *, is_there: bool) -> None:
    assert (name in unboxed(read(f"{caption} | A bus.", "bus"))) is is_there
