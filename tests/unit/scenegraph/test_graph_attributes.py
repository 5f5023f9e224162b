"""Attributes are of the one thing that captions tie them to; what captions disagree on is none."""

import pytest

from tests.unit.scenegraph.pictures import attributes, disputes, read


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A red bus.", "bus", {"bus color red"}),
        ("The bus is red.", "bus", {"bus color red"}),
        ("The bus is red and white.", "bus", {"bus color red and white"}),
        ("The bus is red with a sign.", "bus", {"bus color red"}),
        ("The dog is wet.", "dog", {"dog state wet"}),
        ("A bus next to a car that is red.", "bus, car", {"car color red"}),
        ("A big dog.", "dog", {"dog size large"}),
        ("A little dog. | A tiny dog.", "dog", {"dog size small"}),
        ("A wooden bench by a metal fence.", "bench", {"bench material wood", "fence material metal"}),
        ("An elderly man.", "person", {"person age old"}),
        ("A striped umbrella.", "umbrella", {"umbrella pattern striped"}),
        ("A muddy truck.", "truck", {"truck state muddy"}),
        ("A cluttered desk.", "", {"desk state cluttered"}),
        ("A vintage truck.", "truck", {"truck age vintage"}),
        ("A rusty old truck.", "truck", {"truck state rusty", "truck age old"}),
        ("A brown teddy bear.", "teddy bear", {"teddy bear color brown"}),
        ("A dog sitting next to a red chair.", "dog, chair", {"chair color red"}),
        ("A man in a red shirt and a blue hat.", "person", {"shirt color red", "hat color blue"}),
        ("A large white plate.", "", {"plate size large", "plate color white"}),
    ],
)
def test_what_stands_before_or_behind_the_noun_is_read(captions: str, boxes: str, said: set[str]) -> None:
    assert attributes(read(captions, boxes)) == said


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A large dog.", "2 dog"),  # which of them?
        ("A large dog and a small dog.", "2 dog"),
        ("A large dog. | Two dogs.", "dog"),
        ("A statue of a large dog. | A dog.", "dog"),
        ("A dog. | There is no large dog.", "dog"),
        ("A dog on a zorp large rug of zorps.", "dog"),
        ("The bus is red and white lines are on it.", "bus"),
        ("The bus is red brick colored.", "bus"),
        ("A glass of red wine. | A red wine glass.", "wine glass"),
        ("A brown bear.", "bear"),
        ("A black man. | The white person.", "person"),
        ("A paper cup. | A metal dog.", "dog"),
        ("A glass window.", ""),
        ("A red, white, blue and green kite.", "kite"),
        ("A tall zorp.", ""),
        ("A dog near a house. | His owner is old.", "dog"),
        ("A sunny kitchen. | A large kitchen.", ""),  # a place, not a thing
    ],
)
def test_what_is_not_clear_is_not_said(captions: str, boxes: str) -> None:
    assert attributes(read(captions, boxes)) == set()


@pytest.mark.parametrize(
    ("captions", "boxes", "dispute"),
    [
        ("A red bus. | A blue bus.", "bus", "bus color"),
        ("A red bus. | A red and white bus.", "bus", "bus color"),
        ("A red bus. | A blue zorp bus.", "bus", "bus color"),  # seen before it, though not understood
        ("A large dog. | A small dog.", "dog", "dog size"),
        ("A tall boy. | A little boy.", "person", "person size"),
        ("A young man. | An old man.", "person", "person age"),
        ("A new truck. | An old truck.", "truck", "truck age"),
        ("An open umbrella. | A closed umbrella.", "umbrella", "umbrella state"),
        ("A wooden bench. | A metal bench.", "bench", "bench material"),
        ("A red bucket. | An orange bucket.", "", "bucket color"),
        ("A red bus. | A green bus. | A red bus. | A red bus.", "bus", "bus color"),
    ],
)
def test_what_captions_disagree_on_is_a_contradiction_and_no_attribute(
    captions: str, boxes: str, dispute: str
) -> None:
    graph = read(captions, boxes)
    assert attributes(graph) == set()
    assert dispute in disputes(graph)
    for one in graph.contradictions:
        assert len(set(one.values)) > 1
        assert one.evidence.spans


@pytest.mark.parametrize(
    "captions",
    ["A red bus. | The red bus.", "A gray bus. | A grey bus.", "A red and white bus. | A white and red bus."],
)
def test_what_captions_agree_on_is_sure(captions: str) -> None:
    graph = read(captions, "bus")
    (color,) = graph.attributes
    assert (color.certainty, color.num_captions) == ("sure", 2)
    assert {span.caption for span in color.evidence.spans} == {0, 1}
    assert not graph.contradictions


def test_what_one_caption_says_is_likely() -> None:
    (color,) = read("A red bus. | A bus on a road.", "bus").attributes
    assert (color.certainty, color.num_captions) == ("likely", 1)
    assert {span.caption for span in color.evidence.spans} == {0}


@pytest.mark.parametrize(
    "captions",
    [
        "A black and white photo of a red bus.",
        "A red bus. | A black and white picture.",
        "A sepia photo of a red bus.",
    ],
)
def test_a_picture_without_colors_has_none(captions: str) -> None:
    assert not [said for said in attributes(read(captions, "bus")) if " color " in said]


def test_other_attributes_outlive_a_disputed_color() -> None:
    graph = read("A large red bus. | A large blue bus.", "bus")
    assert attributes(graph) == {"bus size large"}
    assert disputes(graph) == {"bus color"}


def test_the_best_supported_come_first() -> None:
    graph = read("A large red bus. | A large bus.", "bus")
    assert [(one.value, one.num_captions) for one in graph.attributes] == [("large", 2), ("red", 1)]
    bus = graph.find("bus")
    assert bus is not None
    assert graph.attributes_of(bus) == list(graph.attributes)


@pytest.mark.parametrize(
    ("captions", "said"),
    [
        ("A red chair. | A chair with a red cushion.", {"cushion color red"}),
        ("A red chair. | A chair with a blue cushion.", {"chair color red", "cushion color blue"}),
        ("A red chair. | A chair with a table.", {"chair color red"}),
        ("A room with one brick wall.", set()),
        ("A brick wall.", {"wall material brick"}),
    ],
)
def test_look_of_a_part_is_not_told_of_the_whole(captions: str, said: set[str]) -> None:
    assert attributes(read(captions, "chair" if "chair" in captions else "")) == said


def test_color_of_hair_disputes_another_color_of_the_animal() -> None:
    graph = read("A white dog. | A dog with orange hair. | A dog.", "dog")
    assert attributes(graph) == set()
    assert disputes(graph) == {"dog color"}


@pytest.mark.parametrize(("other", "said"), [("A partially open door.", set()), ("A door.", {"door state open"})])
def test_what_is_partly_open_to_one_caption_is_not_open(other: str, said: set[str]) -> None:
    assert attributes(read(f"The open door. | {other}")) == said


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A black box. | A television.", "tv", set()),
        ("A black box by a television. | A television.", "tv", {"box color black"}),
        ("A black box. | A dog.", "dog", {"box color black"}),
    ],
)
def test_box_that_may_be_the_television_has_no_color(captions: str, boxes: str, said: set[str]) -> None:
    assert attributes(read(captions, boxes)) == said


def test_what_only_looks_like_a_material_is_none() -> None:
    assert attributes(read("A brick patterned bench. | A bench. | A brick patterned bench.", "bench")) == set()
    assert "bench material brick" in attributes(read("A brick bench. | A bench. | A brick bench.", "bench"))
