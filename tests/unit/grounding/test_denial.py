"""What a sentence says is not there: all of it, or some."""

import pytest

from tests.support.claims import find_claims, image, tell

DOG = image("A brown dog rests on the grass.|The dog lies beside a red ball.", "dog", "sports ball")
ALL = [
    "There is no dog.",
    "I see no dog here.",
    "No dog is visible.",
    "There is no dog on the grass.",
    "The picture does not show a dog.",
    "There isn't a dog.",
    "There is not a single dog.",
    "A dog is nowhere to be seen.",
    "A dog is not visible.",
    "The dog is missing.",
    "Dogs are absent.",
    "The photo is free of dogs.",
    "It is devoid of dogs.",
    "The picture lacks a dog.",
    "The scene is without dogs.",
    "I cannot see any dog.",
    "You won't find a dog here.",
    "There are zero dogs.",
    "There is no sign of a dog.",
    "There's nothing like a dog.",
    "None of them is a dog.",
    "As for dogs, there are none.",
    "There is no dog in the picture.",
    "There is no dog anywhere on the grass.",
    "There is no dog on the table.",
    "No cat, dog, or bird is here.",
    "There is no cat or dog.",
    "Neither a dog nor a cat is visible.",
]
PART = [
    "There is no dog on the left.",
    "There is no red dog.",
    "There is no big dog.",
    "There is no other dog.",
    "He is not holding a dog.",
    "The ball is not near a dog.",
    "The man has no hat, and without a dog he walks.",
]
NONE = [
    "There is not only a dog but a ball.",
    "No, there is a dog.",
    "The dog is not to be missed.",
    "It would not be the same without a dog.",
    "The ball is missing something, but the dog is there.",
    "There is no cat, but a dog is there.",
]


@pytest.mark.parametrize("text", ALL)
def test_denial_of_what_is_boxed_is_contradicted(text: str) -> None:
    (dog,) = [one for one in find_claims(DOG, text) if one.subject == "dog"]
    assert (dog.kind, dog.truth) == ("object", "contradicted")


@pytest.mark.parametrize("text", ALL)
def test_the_same_denial_is_supported_where_nothing_shows_the_thing(text: str) -> None:
    (dog,) = [
        one for one in find_claims(image("A table on the grass.", "dining table"), text) if one.subject == "dog"
    ]
    assert (dog.kind, dog.truth) == ("object", "supported")


@pytest.mark.parametrize("text", PART)
def test_denial_of_some_leaves_room_for_the_one_that_is_there(text: str) -> None:
    claims = [one for one in find_claims(DOG, text) if one.subject == "dog"]
    assert tell(tuple(claims), "object")[0].startswith("object unverifiable")
    assert claims[0].evidence == "1 boxes of dog, but only some are denied"


@pytest.mark.parametrize("text", NONE)
def test_no_that_denies_something_else_leaves_the_thing_there(text: str) -> None:
    (dog,) = [one for one in find_claims(DOG, text) if one.subject == "dog"]
    assert dog.truth == "supported"


def test_nobody_denies_people_only_where_it_is_said_of_the_picture() -> None:
    record = image("Two people sit.", "person", "person")
    assert tell(find_claims(record, "Nobody is visible.")) == ["object contradicted: Nobody"]
    assert tell(find_claims(record, "Nobody wears a hat."), "object") == ["object unverifiable: Nobody"]


def test_nobody_who_does_something_denies_no_people() -> None:
    record = image("Two people sit.", "person", "person", "bicycle")
    assert tell(find_claims(record, "Is anybody riding the bicycle?", "No, nobody is riding it.")) == [
        "object unverifiable: nobody"
    ]


def test_denied_thing_that_coco_does_not_box_is_wrong_only_where_a_caption_names_it() -> None:
    assert tell(find_claims(DOG, "There is no grass.")) == ["object contradicted: no grass"]
    assert find_claims(DOG, "There is no lamp.") == ()


def test_denied_woman_is_open_where_there_are_people() -> None:
    record = image("A man rides a horse.", "person", "horse")
    assert tell(find_claims(record, "There is no woman.")) == ["object unverifiable: no woman"]
    assert tell(find_claims(record, "There is no man.")) == ["object contradicted: no man"]
    assert tell(find_claims(record, "There are no people.")) == ["object contradicted: no people"]
