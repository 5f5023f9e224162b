"""Descriptions: other things by region, what is in the background, clothes, and what kind of picture it is."""

import random

import pytest

from instructgen.records import Box
from instructgen.scenegraph.graph import SceneGraph, Statement
from instructgen.scenegraph.own_words import read_own_words
from instructgen.scenegraph.read import read_graph
from instructgen.scenegraph.whole import read_wholes
from instructgen.teachers.scene_program import Task, write
from instructgen.teachers.scene_program.backdrop import find_behind, is_backdrop
from instructgen.teachers.scene_program.borne_out import is_called_otherwise
from instructgen.teachers.scene_program.detail_fill import fill_up
from instructgen.teachers.scene_program.detail_others import is_doubtful
from instructgen.teachers.scene_program.detail_regions import find_spot, tell_by_region
from instructgen.teachers.scene_program.detail_style import tell_style
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.support.make import make_record
from tests.unit.scenegraph.pictures import read

_DOG = Box("dog", 0.3, 0.3, 0.8, 0.8)
_SPOTS = {
    "left": (0.02, 0.35, 0.2, 0.65),
    "right": (0.8, 0.35, 0.98, 0.65),
    "near the left": (0.22, 0.35, 0.38, 0.65),
    "left top": (0.02, 0.02, 0.2, 0.2),
    "lower left": (0.02, 0.8, 0.2, 0.98),
    "middle": (0.42, 0.42, 0.58, 0.58),
    "nowhere": (0.1, 0.1, 0.75, 0.8),
}


def boxes_of(spots: dict[str, str]) -> tuple[Box, ...]:
    """Return boxes by category, each at its spots: {"cup": "left, right"}."""
    return tuple(Box(name, *_SPOTS[spot]) for name, told in spots.items() for spot in told.split(", "))


def start(captions: str, *boxes: Box, first: str = "We see a dog.") -> Paragraph:
    record = make_record(captions=tuple(captions.split(" | ")), boxes=boxes)
    page = Paragraph(read_graph(record), random.Random(0), load_wordings())
    page.sentences.append(first)
    page.named.add("dog")
    page.mentioned.add("dog")
    return page


@pytest.mark.parametrize(
    ("spots", "kind", "value"),
    [
        ({"cup": "left"}, "region", "left"),
        ({"cup": "left top"}, "region", "left top"),
        ({"cup": "nowhere"}, "", ""),
        ({"cup": "left, right"}, "", ""),  # no caption has two
        ({"cup": "left, left top, right"}, "half", "both"),
        ({"cup": "left, left top, lower left"}, "half", "left"),
    ],
)
def test_place_is_that_of_one_or_of_all(spots: dict[str, str], kind: str, value: str) -> None:
    page = start("A dog.", _DOG, *boxes_of(spots))
    spot = find_spot(next(one for one in page.graph.boxed_entities() if one.name == "cup"))
    assert (spot.kind, spot.value) == (kind, value)


def test_two_that_captions_count_are_on_opposite_sides() -> None:
    page = start("A dog and two cups. | Two cups.", _DOG, *boxes_of({"cup": "left, right"}))
    spot = find_spot(next(one for one in page.graph.boxed_entities() if one.name == "cup"))
    assert (spot.kind, spot.value) == ("sides", "opposite")


def tell(spots: dict[str, str]) -> Paragraph:
    page = start("A dog.", _DOG, *boxes_of(spots))
    tell_by_region(page, [one for one in page.graph.boxed_entities() if one.name != "dog"])
    return page


def test_things_of_one_region_are_told_together() -> None:
    page = tell({"cup": "left", "bowl": "near the left", "chair": "right"})
    assert len(page.sentences) == 3
    assert sum("cup and a bowl" in one or "bowl and a cup" in one for one in page.sentences) == 1
    assert {one.value for one in page.claims if one.kind == "region"} == {"left", "right"}


def test_things_without_a_place_come_first_and_without_one() -> None:
    page = tell({"cup": "nowhere", "chair": "right"})
    assert "cup" in page.sentences[1]
    assert not any(word in page.sentences[1] for word in ("left", "right", "upper", "lower"))
    assert "right" in page.sentences[2]


def test_more_than_two_regions_come_two_a_sentence() -> None:
    page = tell({"cup": "left", "chair": "right", "bowl": "left top"})
    assert len(page.sentences) == 3
    assert sum("chair" in one for one in page.sentences) == 1


def test_what_lies_on_a_side_is_told_with_what_lies_in_its_half() -> None:
    page = tell({"chair": "near the left", "cup": "left, left top, lower left"})
    assert len(page.sentences) == 2
    assert "left half" in page.sentences[1]
    assert {one.kind for one in page.claims} >= {"region", "half"}


_DOGS = "A dog. | A dog. | A dog. | A dog."


@pytest.mark.parametrize(
    ("caption", "name", "is_told"),
    [
        ("A dog near a fence.", "fence", True),
        ("A dog in front of a fence.", "fence", True),
        ("A picture on a fence.", "fence", False),
        ("A fence.", "fence", False),
        ("A dog by paper flowers.", "flower", False),
        ("A dog with a sign in the background.", "sign", True),
        ("A dog near a sign.", "sign", False),
        ("A dog near a blanket.", "blanket", True),
    ],
    ids=["near", "in front", "on", "the subject", "of paper", "behind", "no backdrop", "a blanket"],
)
def test_what_one_caption_puts_beside_others_is_there(caption: str, name: str, *, is_told: bool) -> None:
    graph = read(f"{_DOGS} | {caption}", "dog")
    found = [one for one in graph.entities if one.name == name]
    assert any(is_backdrop(graph, one) for one in found) is is_told


def test_what_another_caption_calls_otherwise_is_no_backdrop() -> None:
    graph = read("A dog near a fence. | A dog by a wall. | A dog. | A dog. | A dog.", "dog")
    assert not any(is_backdrop(graph, one) for one in graph.entities)


def test_background_is_told_with_the_caption_that_has_it() -> None:
    graph = read("A dog with signs in the distance. | A dog. | A dog. | A dog. | A dog.", "dog")
    found = [find_behind(graph, one) for one in graph.entities if one.name == "sign"]
    assert [one[0] for one in found if one is not None] == ["in the distance"]


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("A black and white photo of a dog.", "a black and white photo"),
        ("Black and white picture of a dog.", "a black and white picture"),
        ("A dog by a black and white photo.", ""),
        ("An old fashioned black and white photo in a frame.", ""),
        ("A close up of a dog.", "a close-up"),
        ("A dog seen close up by a man.", ""),
    ],
)
def test_kind_of_picture_is_that_with_which_a_caption_begins(caption: str, told: str) -> None:
    page = start(f"{caption} | A dog.", _DOG)
    tell_style(page)
    said = " ".join(page.sentences[1:])
    assert told in said if told else said == ""


def test_colors_are_no_black_and_white() -> None:
    page = start("A black and white photo of a dog. | A dog.", _DOG, first="We see a red dog.")
    tell_style(page)
    assert len(page.sentences) == 1


def test_what_is_small_is_no_close_up() -> None:
    page = start("A close up of a dog. | A dog.", Box("dog", 0.4, 0.4, 0.5, 0.5))
    tell_style(page)
    assert len(page.sentences) == 1


def describe(captions: str, *boxes: Box) -> str:
    record = make_record(captions=tuple(captions.split(" | ")), boxes=boxes)
    return write(Task("detail", record), 0).text


_MAN = Box("person", 0.3, 0.1, 0.6, 0.9)
_RIDING = "A man riding a horse. | A man rides a horse. | A man on a horse. | A man riding a horse."
_HORSE = Box("horse", 0.3, 0.3, 0.9, 0.95)


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("A man in a red jacket rides a horse.", "wearing a red jacket"),
        ("A man wearing a hat is riding a horse.", "wearing a hat"),
        ("A man rides a horse by a coat.", ""),
        ("A woman in a red jacket rides a horse.", ""),
        ("A man and a woman in a red jacket.", ""),
    ],
    ids=["in it", "wearing it", "beside him", "a woman", "two people"],
)
def test_clothes_of_the_only_person_are_told(caption: str, told: str) -> None:
    text = describe(f"{_RIDING} | {caption}", _MAN, _HORSE)
    assert told in text if told else "wearing" not in text


def test_clothes_by_two_words_are_not_told() -> None:
    captions = "A man in a red jacket rides a horse. | A man in a red shirt rides a horse. | A man on a horse."
    assert "wearing" not in describe(f"{captions} | A man. | A man.", _MAN, _HORSE)


@pytest.mark.parametrize(
    ("captions", "num", "told"),
    [
        ("Boats. | Boats in water. | Boats.", 5, "at least five boats"),
        ("Boats. | Boats in water. | Boats.", 12, "at least ten boats"),
        ("Three boats. | Boats in water. | Boats.", 5, ""),
        ("Boats. | Boats in water. | Boats.", 2, ""),
    ],
)
def test_number_that_boxes_show_is_told_as_the_least(captions: str, num: int, told: str) -> None:
    boxes = (Box("boat", 0.08 * at, 0.4, 0.08 * at + 0.06, 0.6) for at in range(num))
    page = start(captions, *boxes, first="We see boats.")
    fill_up(page)
    said = " ".join(page.sentences).lower()
    assert told in said if told else "at least" not in said


def test_fillers_end_with_the_fourth_sentence() -> None:
    page = start("A dog. | A dog.", _DOG, first="We see a dog.")
    page.sentences += ["It is brown."] * 3
    fill_up(page)
    assert len(page.sentences) == 4


def doubt(captions: str, *boxes: Box, name: str, first: str = "We see a dog.") -> bool:
    page = start(captions, *boxes, first=first)
    one = next(one for one in page.graph.boxed_entities() if one.name == name)
    return is_doubtful(page, one)


_CAKE = Box("cake", 0.2, 0.2, 0.8, 0.8)
_ON_IT = (0.4, 0.4, 0.5, 0.5)


@pytest.mark.parametrize(
    ("captions", "boxes", "name", "is_out"),
    [
        ("A cake with surfboards. | A cake.", (_CAKE, Box("surfboard", *_ON_IT)), "surfboard", True),
        ("A cake. | A cake.", (_CAKE, Box("surfboard", 0.0, 0.0, 0.1, 0.1)), "surfboard", False),
        ("A cake. | A cake.", (_CAKE, Box("cake", *_ON_IT)), "cake", False),
        ("A pizza. | A pizza.", (Box("pizza", 0.2, 0.2, 0.8, 0.8), Box("broccoli", *_ON_IT)), "broccoli", True),
        (
            "Broccoli. | A pizza.",
            (Box("pizza", 0.2, 0.2, 0.8, 0.8), Box("broccoli", *_ON_IT)),
            "broccoli",
            False,
        ),
        ("A truck. | A truck.", (Box("truck", 0.2, 0.2, 0.8, 0.8), Box("fork", *_ON_IT)), "fork", True),
        ("A fridge. | A fridge.", (Box("refrigerator", 0.2, 0.2, 0.8, 0.8), Box("person", *_ON_IT)), "person", True),
        ("People. | A man.", (Box("person", 0.0, 0.0, 0.3, 0.5),), "person", True),
        (
            "A man. | A man.",
            (Box("person", 0.1, 0.1, 0.4, 0.9), Box("tie", 0.2, 0.3, 0.25, 0.5)),
            "tie",
            True,
        ),
    ],
    ids=["on a cake", "beside it", "cakes", "topping", "told", "painted", "on a fridge", "people", "worn"],
)
def test_what_lies_on_or_is_worn_by_another_is_no_further_thing(
    captions: str, boxes: tuple[Box, ...], name: str, *, is_out: bool
) -> None:
    assert doubt(captions, *boxes, name=name) is is_out


@pytest.mark.parametrize(("made", "is_told"), [("painting", False), ("photo", True)])
def test_what_is_painted_is_not_told_as_if_it_were_there(made: str, *, is_told: bool) -> None:
    captions = f"A {made} of tulips in a vase. | A {made} of tulips. | Tulips in a vase. | Tulips. | Tulips."
    text = describe(captions, Box("vase", 0.3, 0.3, 0.7, 0.9))
    assert ("tulips" in text.lower() and "painting" not in text) is is_told


@pytest.mark.parametrize(
    ("captions", "is_out"),
    [
        ("A plane sitting on a runway. | A plane taking off. | A plane landing. | A plane sits. | A plane.", True),
        ("A plane sitting on a runway. | A plane. | A plane landing. | A plane sits. | A plane.", False),
        ("Two dogs fighting. | Two dogs play. | Two dogs. | Two dogs. | Two dogs.", True),
        ("Two dogs fighting. | Two dogs fight. | Two dogs play. | Two dogs. | Two dogs.", False),
        ("A boy holds a kid. | A man and a kid. | A man and a kid. | A man and a kid. | A kid.", True),
        ("A boy holds a kid. | A boy and a kid. | A man and a kid. | A man and a kid. | A kid.", False),
    ],
    ids=["aloft", "aloft to one", "a play", "a fight", "a man", "a boy"],
)
def test_what_captions_see_otherwise_is_called_otherwise(captions: str, *, is_out: bool) -> None:
    graph = read(captions, "2 dog, airplane, 3 person, horse")
    first = next(one for one in read_wholes_and_own(graph) if one.span.caption == 0)
    assert is_called_otherwise(first, graph) is is_out


def read_wholes_and_own(graph: SceneGraph) -> list[Statement]:
    assert graph.sources is not None
    return [*graph.statements, *graph.quotes, *read_wholes(graph.sources), *read_own_words(graph.sources, 2)]
