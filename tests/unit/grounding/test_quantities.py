"""How many a phrase says that there are."""

import pytest

from tests.support.claims import phrase

NUMBERS = [
    ("two dogs", "dog", 2),
    ("12 sheep", "sheep", 12),
    ("twenty birds", "bird", 20),
    ("half a dozen cups", "cup", 6),
    ("a trio of horses", "horse", 3),
    ("a single dog", "dog", 1),
    ("two big brown dogs", "dog", 2),
    ("two zebra", "zebra", 2),
    ("zero dogs", "dog", 0),
    ("a two tier cake", "cake", None),
    ("a two story bus", "bus", None),
    ("a pair of scissors", "pair of scissors", None),
    ("the number of dogs", "dog", None),
    ("at least three dogs", "dog", None),
    ("fewer than five cups", "cup", None),
    ("a dog", "dog", None),
    ("120 dogs", "dog", None),
]


@pytest.mark.parametrize(("text", "lemma", "number"), NUMBERS)
def test_number_before_a_noun_counts_it_unless_it_says_something_else(
    text: str, lemma: str, number: int | None
) -> None:
    assert phrase(text, lemma).number == number


def test_number_of_a_bus_counts_no_buses() -> None:
    assert phrase("The 41 bus waits.", "bus").number is None


@pytest.mark.parametrize(
    ("text", "lemma", "at_least"),
    [
        ("a couple of dogs", "dog", 2),
        ("a pair of dogs", "dog", 2),
        ("several cats", "cat", 2),
        ("a few cups", "cup", 2),
        ("a group of people", "people", 2),
        ("dozens of dogs", "dog", 2),
        ("at least three dogs", "dog", 3),
        ("more than two dogs", "dog", 3),
        ("a pair of glasses", "glasses", None),
        ("fewer than five cups", "cup", None),
        ("two dogs", "dog", None),
    ],
)
def test_amount_is_a_lower_bound(text: str, lemma: str, at_least: int | None) -> None:
    assert phrase(text, lemma).at_least == at_least


@pytest.mark.parametrize("text", ["exactly two dogs", "only two dogs", "just two dogs", "a single dog", "a lone dog"])
def test_stress_says_that_there_are_no_more(text: str) -> None:
    assert phrase(text, "dog").is_only


@pytest.mark.parametrize(
    "text", ["another dog", "two other dogs", "the other two dogs", "three of dogs", "the first two dogs"]
)
def test_words_for_others_speak_of_some_of_more(text: str) -> None:
    assert phrase(text, "dog").is_part


def test_plain_number_is_neither_stressed_nor_a_part() -> None:
    found = phrase("two dogs", "dog")
    assert not found.is_only
    assert not found.is_part
