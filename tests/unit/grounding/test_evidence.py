"""What boxes and captions say of an image."""

import pytest

from instructgen.grounding.evidence import read_evidence, say_number, stem_of
from instructgen.records import Box
from tests.support.claims import image


def test_crowds_are_no_boxes_but_show_the_category() -> None:
    found = read_evidence(image("", "dog", Box("person", 0.0, 0.0, 1.0, 1.0, is_crowd=True)))
    assert found.num_boxes("person") == 0
    assert found.num_boxes("dog") == 1
    assert found.is_boxed("person")
    assert not found.is_boxed("cat")


def test_mentions_count_captions_under_word_and_category() -> None:
    found = read_evidence(image("A puppy and a puppy.|A dog by a lamp.|A toy giraffe."))
    assert found.mentions == {"puppy": 1, "dog": 2, "lamp": 1}


def test_number_of_each_caption_is_kept() -> None:
    assert read_evidence(image("Two puppies.|Two puppies run.|Three dogs.|Dogs.")).counts["puppy"] == (2, 2)


@pytest.mark.parametrize(
    ("caption", "people"),
    [
        ("A man and a woman walk.", (2,)),
        ("Two men and three women.", (5,)),
        ("Two men and some women.", None),
        ("A man and another man.", None),
        ("Two people.", (2,)),
    ],
)
def test_different_people_of_a_caption_are_added_up(caption: str, people: tuple[int, ...] | None) -> None:
    assert read_evidence(image(caption)).counts.get("person") == people


def test_word_for_either_of_two_categories_proves_neither() -> None:
    found = read_evidence(image("A bike by a plant."))
    assert "bicycle" not in found.mentions
    assert "potted plant" not in found.mentions
    assert found.mentions["bike"] == 1


def test_attributes_are_found_under_word_and_category() -> None:
    found = read_evidence(image("A red sofa."))
    assert found.attributes["sofa"][0].colours == ("red",)
    assert found.attributes["couch"][0].colours == ("red",)
    assert found.colours == {"red"}


def test_plural_is_noted_where_one_caption_has_it() -> None:
    assert read_evidence(image("A dog.|Dogs and a cat.")).plurals == {"dog"}


@pytest.mark.parametrize(
    ("words", "stem"),
    [
        ("sit sits sitting", "sit"),
        ("ride rides riding", "rid"),
        ("run runs running", "run"),
        ("play plays playing played", "play"),
        ("fall falls falling", "fall"),
        ("bus", "bus"),
    ],
)
def test_forms_of_a_verb_share_a_stem(words: str, stem: str) -> None:
    assert {stem_of(word) for word in words.split()} == {stem}


def test_numbers_are_said_in_words_up_to_twenty() -> None:
    assert [say_number(number) for number in (0, 3, 20, 21, 77)] == ["zero", "three", "twenty", "21", "77"]
