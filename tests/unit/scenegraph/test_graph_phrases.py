"""What a caption's noun phrases give: seen through colors, numbers and things, as the graph has them."""

from itertools import pairwise

import pytest

from instructgen.scenegraph.phrases import find_noun_phrases, find_offsets, tokenise
from tests.unit.scenegraph.pictures import attributes, read, things, unboxed


@pytest.mark.parametrize(
    ("captions", "boxes", "said"),
    [
        ("A red bus.", "bus", "bus color red"),
        ("A grey cat.", "cat", "cat color gray"),
        ("A brown and white dog and a cat.", "dog, cat", "dog color brown and white"),
        ("A black-and-white cat.", "cat", "cat color black and white"),
        ("THE SMALL RED BUS", "bus", "bus color red"),
        ("The bus is red.", "bus", "bus color red"),
        ("A bowl, an old green chair and a vase.", "bowl, chair, vase", "chair color green"),
    ],
)
def test_colors_before_a_noun_are_its_own(captions: str, boxes: str, said: str) -> None:
    assert said in attributes(read(captions, boxes))


@pytest.mark.parametrize(
    ("captions", "boxes"),
    [
        ("A man in red near a bus.", "person, bus"),
        ("A red brick house behind a bus.", "bus"),
        ("A red zorp bus.", "bus"),  # the word between may be what is red
        ("A red and a bus.", "bus"),
        ("The black cat's bed.", "bed"),
        ("A red-eyed dog.", "dog"),
    ],
)
def test_colors_of_something_else_are_not(captions: str, boxes: str) -> None:
    assert not [said for said in attributes(read(captions, boxes)) if said.split()[0] in ("bus", "bed", "dog")]


def test_colors_apart_from_one_another_are_not_joined() -> None:
    assert attributes(read("A red small blue bus.", "bus")) == {"bus size small"}


@pytest.mark.parametrize(
    ("captions", "boxes", "count"),
    [
        ("Two dogs.", "2 dog", 2),
        ("2 dogs.", "2 dog", 2),
        ("A pair of dogs.", "2 dog", 2),
        ("A couple of big brown dogs.", "2 dog", 2),
        ("One dog.", "dog", 1),
        ("A dog.", "dog", 1),
        ("Several dogs.", "2 dog", None),
        ("Dogs.", "2 dog", None),
        ("The dog.", "2 dog", None),
    ],
)
def test_number_words_are_read(captions: str, boxes: str, count: int | None) -> None:
    assert read(captions, boxes).entities[0].count == count


@pytest.mark.parametrize(
    ("caption", "absent"),
    [
        ("A chicken coop shelf life label.", "shelf"),
        ("A man without a hat.", "hat"),
        ("A shelf with no lamp.", "lamp"),
        ("A drawing of a tree.", "tree"),
        ("A cake made to look like a castle with a toy of a guitar.", "guitar"),
        ("A wall lamp zorp.", "lamp"),
    ],
)
def test_what_is_denied_depicted_or_part_of_another_word_is_no_thing(caption: str, absent: str) -> None:
    assert absent not in unboxed(read(caption))


def test_a_hot_dog_is_no_dog() -> None:
    graph = read("A hot dog on a plate. | A hot dog with mustard.", "hot dog")
    assert things(graph) == {"hot dog"}
    (entity,) = graph.boxed_entities()
    assert (entity.category, entity.num_captions) == ("hot dog", 2)


def test_a_decoy_names_nothing_boxed() -> None:
    dog = read("A hot dog on a table.", "dog").find("dog")
    assert dog is not None
    assert (dog.num_captions, dog.certainty) == (0, "likely")


@pytest.mark.parametrize("caption", ["A man's red-and-white umbrella, 2 dogs!", "", "Êtes-vous là? THE  Dog.\n"])
def test_offsets_lead_back_to_the_characters(caption: str) -> None:
    tokens, offsets = tokenise(caption), find_offsets(caption)
    assert [caption.lower()[start:end] for start, end in offsets] == list(tokens)


def test_phrases_do_not_overlap() -> None:
    tokens = tokenise("A baseball player with a baseball bat and a hot dog in a baseball field by a parking lot.")
    phrases = find_noun_phrases(tokens)
    assert [phrase.noun.lemma for phrase in phrases] == [
        "baseball player", "baseball bat", "hot dog", "baseball field", "parking lot",
    ]  # fmt: skip
    assert all(one.end <= other.start for one, other in pairwise(phrases))
