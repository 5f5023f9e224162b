"""Things that a sentence names without saying that they are there."""

import pytest

from tests.support.claims import phrase

UNREAL = [
    ("a cat-shaped pillow", "cat"),
    ("a dog-like robot", "dog"),
    ("A man is waiting for two dogs.", "dog"),
    ("a toy giraffe", "giraffe"),
    ("a plush cat", "cat"),
    ("a cartoon cat", "cat"),
    ("a painting of a cat", "cat"),
    ("a statue of a horse", "horse"),
    ("a sculpture of a bear", "bear"),
    ("It looks like a cat.", "cat"),
    ("It moves as if a bear had come.", "bear"),
    ("a cake instead of a pizza", "pizza"),
    ("a space designed for a horse", "horse"),
    ('a sign that says "dog"', "dog"),
    ("a sign that says “dog”", "dog"),
    ("The cat curls up into a ball.", "ball"),
]
SUPPOSED = [
    ("It might be a dog.", "dog"),
    ("It could be a dog in there.", "dog"),
    ("Perhaps a dog is near.", "dog"),
    ("He wants to ride a horse.", "horse"),
    ("She took a leash to walk a dog.", "dog"),
    ("There is a duck or a goose.", "duck"),
    ("There is a duck or a goose.", "goose"),
    ("Cats are known to be curious.", "cat"),
    ("Dogs often sleep.", "dog"),
    ("If there were a cat, it would run.", "cat"),
    ("It is unclear whether a cat is there.", "cat"),
    ("A toy for a cat.", "cat"),
    ("Imagine a horse.", "horse"),
    ("It is likely that a bus will come.", "bus"),
]
SAID = [
    ("You can see a dog.", "dog"),
    ("I would say there is a dog.", "dog"),
    ("That would be a dog.", "dog"),
    ("The dog may sleep.", "dog"),
    ("A wooden bench", "bench"),
    ("A plastic bottle", "bottle"),
    ("The man is about to catch a frisbee.", "frisbee"),
    ("The cup is next to a dog.", "dog"),
    ("Two men run to two dogs.", "dog"),
    ("Cats and dogs sleep.", "dog"),
    ("It might rain, and a dog sleeps.", "dog"),
    ("A dog is running.", "dog"),
]


@pytest.mark.parametrize(("text", "lemma"), UNREAL)
def test_thing_that_is_likened_or_pictured_is_unreal(text: str, lemma: str) -> None:
    assert phrase(text, lemma).is_unreal


@pytest.mark.parametrize(("text", "lemma"), SUPPOSED)
def test_thing_behind_a_doubt_is_only_supposed(text: str, lemma: str) -> None:
    found = phrase(text, lemma)
    assert found.is_supposed
    assert not found.is_asserted


@pytest.mark.parametrize(("text", "lemma"), SAID)
def test_thing_that_is_said_to_be_there_is_asserted(text: str, lemma: str) -> None:
    assert phrase(text, lemma).is_asserted
