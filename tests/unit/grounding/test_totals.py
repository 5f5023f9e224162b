"""Whether a number claims to be a total."""

import pytest

from instructgen.grounding.totals import claims_total, find_number, find_total
from tests.support.claims import phrases, sentence


def is_total(text: str) -> bool:
    found = phrases(text)
    return claims_total(sentence(text), found, next(one for one in found if one.number is not None))


@pytest.mark.parametrize(
    "text",
    [
        "There are two dogs.",
        "There are two dogs in the image.",
        "There are two dogs that can be seen.",
        "There are two dogs and a cat.",
        "The photo features two dogs.",
        "I count two dogs.",
        "In all, two dogs run.",
        "A total of two dogs run.",
        "Two dogs are shown.",
        "Two dogs can be seen.",
    ],
)
def test_number_is_a_total_where_all_are_told(text: str) -> None:
    assert is_total(text)


@pytest.mark.parametrize(
    "text",
    [
        "Two dogs run.",
        "There are two dogs on the bed.",
        "There are two dogs running.",
        "There are two dogs that run.",
        "There are two dogs in the background of the image.",
        "There are two other dogs.",
        "There are two dogs and another dog.",
        "There are two dogs and three dogs.",
        "A man walks two dogs.",
    ],
)
def test_number_is_none_where_some_are_picked(text: str) -> None:
    assert not is_total(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("Three.", 3), ("I can count 3.", 3), ("There are four of them.", 4), ("Three dogs.", None), ("Many.", None)],
)
def test_bare_number_is_one_that_goes_with_no_thing(text: str, number: int | None) -> None:
    found = find_number(sentence(text))
    assert (found and found[0]) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The number of cats is four.", 4),
        ("As for cats, there are four of them.", 4),
        ("Of cats there are 4.", 4),
        ("The cats make it to the top four times.", None),
        ("Cats are fond of two.", None),
        ("All of the four of them sit.", 4),
        ("Four of them sit.", None),
    ],
)
def test_number_apart_from_its_thing_counts_where_it_is_said_to_be_their_number(
    text: str, number: int | None
) -> None:
    found = find_total(sentence(text))
    assert (found and found[0]) == number
